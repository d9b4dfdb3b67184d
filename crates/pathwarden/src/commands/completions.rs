//! `completions`.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::out::Out;

pub(crate) fn run(shell: Shell, out: &Out) -> anyhow::Result<ExitCode> {
    // Not to standard output itself: the generator panics when its reader has gone.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pathwarden", &mut script);
    out.line(String::from_utf8(script)?.trim_end());
    Ok(ExitCode::SUCCESS)
}
