//! Repository chores, run as `cargo xtask COMMAND`.
//!
//! **What it is for.** Rules of this repository that the compiler and clippy do not know: which crate
//! may depend on which, what a core may touch, how long a function may be. And benchmarks, with the
//! tables in `docs/PERFORMANCE.md` that come of them.
//!
//! **What it never does.** It is never shipped, and it changes no file but that one, when asked to.
//!
//! **Where to start.** [`mod@tidy`] is the list of rules, [`mod@bench`] runs the benchmarks.

mod bench;
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
    /// Measure, beside baselines in the same run, and print the tables.
    Bench(bench::Bench),
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Tidy => tidy::run(),
        Command::Bench(bench) => bench::run(&bench),
    }
}
