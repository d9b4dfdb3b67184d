//! Repository chores, run as `cargo xtask COMMAND`.
//!
//! **What it is for.** Rules of this repository that the compiler and clippy do not know: which crate
//! may depend on which, what a core may touch, how long a function may be.
//!
//! **What it never does.** It is never shipped, and it changes no file.
//!
//! **Where to start.** [`tidy`] is the list of rules.

mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Chores of the Pathwarden repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the rules of the house: floors, forbidden crates, sizes, crate docs, tests.
    ///
    /// Lists all faults at once, each with its file, its line, and what to do. Exits with 1 if
    /// there is one.
    Tidy,
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Tidy => tidy::run(),
    }
}
