//! `completions`.

use std::io;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::out::Out;

pub(crate) fn run(shell: Shell, _: &Out) -> anyhow::Result<ExitCode> {
    clap_complete::generate(shell, &mut Cli::command(), "pathwarden", &mut io::stdout().lock());
    Ok(ExitCode::SUCCESS)
}
