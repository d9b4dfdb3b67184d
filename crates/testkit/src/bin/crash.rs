//! `crash`: kills a real node at random moments, with traffic, and checks that nothing that was
//! acknowledged is lost; then flips bits in copies of its files.

use std::env;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use pathwarden_testkit::crash::{Plan, flip, run};
use pathwarden_testkit::node::Programs;

/// Kills a real node at random moments, and looks whether it kept its promises.
#[derive(Debug, Parser)]
#[command(name = "crash", version)]
struct Cli {
    /// How often the node is killed.
    #[arg(long, value_name = "N", default_value_t = 200)]
    rounds: u32,
    /// Where chance starts from: the same traffic and moments, as far as the machine's own timing
    /// lets them be the same [default: another one each time].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The folder with `pathwarden` and `pathwarden-verify` [default: where this program is].
    #[arg(long, value_name = "DIR")]
    bin: Option<PathBuf>,
    /// The whole log is verified after every so many kills.
    #[arg(long, value_name = "N", default_value_t = 10)]
    verify_every: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut out = io::stdout();
    match torment(&Cli::parse(), &mut out).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(out, "FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn torment(cli: &Cli, out: &mut impl Write) -> Result<()> {
    let programs = match &cli.bin {
        Some(folder) => Programs::in_folder(folder)?,
        None => Programs::beside(&env::current_exe().context("find this program")?)?,
    };
    let seed = cli.seed.unwrap_or_else(|| RandomState::new().hash_one("crash") % 1_000_000);
    let plan = Plan { rounds: cli.rounds, seed, verify_every: cli.verify_every.max(1) };
    run(&programs, &plan, out).await?;
    let rows = flip::every_class(&programs).await?;
    flip::print(&rows, out)
}
