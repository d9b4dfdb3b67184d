//! The daemon and the command line of Pathwarden, in one binary.
//!
//! **What it is for.** To put the parts together: `up` runs a node, everything else asks one.
//!
//! **What it never does.** It holds no logic of its own: what it prints, the node has said.
//!
//! **Where to start.** `cli.rs` for the commands, `up.rs` for how a node is put together.

mod accounts;
mod cli;
mod commands;
mod gateway;
mod home;
mod init;
mod out;
mod server_name;
mod snapshot;
mod up;

use std::process::ExitCode;

use clap::Parser;
use pathwarden_wire::Fault;

use crate::cli::{Cli, Command};
use crate::out::Out;

fn main() -> ExitCode {
    // Before anything else: this process may have been started to be a box.
    if let Some(code) = pathwarden_pep_linux::entered() {
        return code;
    }
    let cli = Cli::parse();
    let out = Out::new(cli.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&out, &error.into()),
    };
    let result = runtime.block_on(run(cli, &out));
    // A thread that reads standard input cannot be stopped; do not wait for it.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(error) => fail(&out, &error),
    }
}

async fn run(cli: Cli, out: &Out) -> anyhow::Result<ExitCode> {
    let at = cli.at;
    match cli.command {
        Command::Init(args) => init::run(&at, &args, out),
        Command::Up => up::run(&at, out).await,
        Command::Session(command) => commands::session::run(&at, command, out).await,
        Command::Agent(command) => commands::agent::run(&at, &command, out),
        Command::Run(args) => commands::run::run(&at, args, out).await,
        Command::Contain(args) => commands::contain::run(&at, args, out).await,
        Command::Release(args) => commands::contain::release(&at, args, out).await,
        Command::Coverage { session } => commands::coverage::run(&at, session, out).await,
        Command::Contract(command) => commands::contract::run(&at, command, out).await,
        Command::Path { session } => commands::path::run(&at, session, out).await,
        Command::Why { action } => commands::why::run(&at, action, out).await,
        Command::Context { action } => commands::context::run(&at, action, out).await,
        Command::Diff { first, second } => commands::context::diff(&at, first, second, out).await,
        Command::Compare { first, second } => {
            commands::context::compare(&at, first, second, out).await
        }
        Command::Memory(command) => commands::memory::run(&at, command, out).await,
        Command::Approvals(command) => commands::approvals::run(&at, command, out).await,
        Command::Ledger(command) => commands::ledger::run(&at, command, out).await,
        Command::Replay { session } => commands::replay::run(&at, session, out).await,
        Command::Policy(command) => commands::policy::run(&at, command, out).await,
        Command::Profile(command) => commands::profile::run(&at, command, out).await,
        Command::Eval(args) => commands::eval::run(&args, out),
        Command::Doctor => commands::doctor::run(&at, out).await,
        Command::Mcp(args) => commands::mcp::run(&at, args, out).await,
        Command::Findings => commands::findings::run(&at, out).await,
        Command::Completions { shell } => commands::completions::run(shell, out),
    }
}

/// Prints an error with its causes, once, and what to do about it.
fn fail(out: &Out, error: &anyhow::Error) -> ExitCode {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    let advice = error.chain().find_map(|cause| cause.downcast_ref::<Fault>());
    out.failure(&causes.join(": "), advice.map(|fault| fault.advice.as_str()));
    ExitCode::FAILURE
}
