//! `mcp`: a stdio server behind the enforcement point.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use pathwarden_client::Client;
use pathwarden_pep_mcp::{Limits, stdio};
use pathwarden_wire::{Enter, Reach};
use tracing_subscriber::EnvFilter;

use crate::cli::{AboutMcp, At, Mcp};
use crate::home::Home;
use crate::out::Out;
use crate::server_name;
use crate::up::told_to_stop;

pub(crate) async fn run(at: &At, args: Mcp, out: &Out) -> anyhow::Result<ExitCode> {
    match args.about {
        Some(AboutMcp::Pins(command)) => super::pins::run(at, command, out).await,
        Some(AboutMcp::Tools(command)) => super::tools::run(at, command, out).await,
        None => wrap(at, args).await,
    }
}

async fn wrap(at: &At, args: Mcp) -> anyhow::Result<ExitCode> {
    let filter =
        EnvFilter::try_from_env("PATHWARDEN_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let home = Home::new(at)?;
    let token = match (&args.agent, &at.token) {
        (Some(agent), _) => home.load_token_key()?.for_agent(agent, None, Reach::Everywhere),
        (None, Some(token)) => token.clone(),
        (None, None) => {
            return Err(anyhow!(
                "no token: set PATHWARDEN_TOKEN to what `pathwarden session start` or `pathwarden \
                 agent token` printed, or name an agent with --agent"
            ));
        }
    };
    let server = args
        .server
        .or_else(|| server_name::of(&args.command))
        .ok_or_else(|| anyhow!("the command does not say what the server is; use --server NAME"))?;
    let client = Client::new(home.endpoint(at)?, token.trim().to_owned());
    // Inside a governed session, the server and what it starts are told from the agent's other processes.
    if std::env::var_os(GOVERNED).is_some() {
        let () = client
            .post(Enter::PATH, &Enter { server: server.clone() })
            .await
            .context("get a place of its own for the server in the governed session")?;
    }
    let wrap = stdio::Wrap {
        pdp: Arc::new(client),
        server,
        command: args.command,
        join_key: join_key(),
        limits: Limits::default(),
    };
    let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
    let end = stdio::run(wrap, input, output, told_to_stop()?).await;
    Ok(match end.context("stand before the server")? {
        stdio::StdioEnd::ClientClosed => ExitCode::SUCCESS,
        stdio::StdioEnd::ServerEnded(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            code.map_or(ExitCode::FAILURE, ExitCode::from)
        }
    })
}

/// What `pathwarden run` sets for all that it starts.
pub(crate) const GOVERNED: &str = "PATHWARDEN_GOVERNED";

/// What all enforcement points that one client started have in common: the client's process, told
/// from a later one with the same number by when it started.
fn join_key() -> String {
    let parent = std::os::unix::process::parent_id();
    let stat = std::fs::read_to_string(format!("/proc/{parent}/stat")).unwrap_or_default();
    // Field 22 of proc(5); the name in parentheses may hold spaces.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let started = after_name.split_whitespace().nth(19).unwrap_or("?");
    format!("process {parent} started {started}")
}
