//! Benchmarks of Pathwarden, as ratios measured side by side; run as `cargo xtask bench`.
//!
//! **What it is for.** An absolute time means little on a shared machine, so every figure stands
//! beside a baseline that was measured in the same run, in turns with it, under the same load: the
//! policy evaluation alone, a peer that the registries have, a byte proxy, no proxy. Where there is
//! an aim, the table says whether it was met.
//!
//! **What it never does.** It is never shipped, and it leaves out nothing that a node does: policy,
//! lineage, durable ledger, index and publication are on.
//!
//! **Where to start.** [`Bench`] lists what is measured; `measure` is the harness.

mod decision;
mod ingest;
mod ledger;
mod llm;
mod mcp_http;
mod measure;
mod memory;
mod node;
mod peer;
mod replay;
mod report;
mod scan;
mod serving;
mod sessions;
mod trace;
mod verify;
mod work;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use tempfile::TempDir;

use crate::measure::Effort;
use crate::report::Table;

/// Measures Pathwarden beside baselines, in one run.
#[derive(Debug, Parser)]
#[command(name = "pathwarden-bench")]
struct Cli {
    /// What to measure; everything when nothing is named.
    names: Vec<Bench>,
    /// Only see whether it works: a few seconds, figures that mean little.
    #[arg(long)]
    quick: bool,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
    /// Folder for logs and databases; its file system is part of what is measured.
    #[arg(long, default_value = "target")]
    dir: PathBuf,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Bench {
    /// One decision in process.
    Decision,
    /// Decisions by how long the session is and how many are live.
    Sessions,
    /// A tool's result taken in.
    Ingest,
    /// The search for sensitive content, beside a `RegexSet`.
    Scan,
    /// The search for where a value came from.
    Trace,
    /// What a session holds in memory.
    Memory,
    /// Durable appends beside redb and SQLite.
    Ledger,
    /// Checking a log beside `sha256sum`.
    Verify,
    /// Deciding again what was recorded.
    Replay,
    /// The MCP gateway beside a byte proxy and no proxy.
    McpHttp,
    /// The gateway before models beside a byte proxy, LiteLLM and no proxy.
    Llm,
}

impl Bench {
    fn run(self, effort: Effort, dir: &std::path::Path) -> Result<Table> {
        match self {
            Self::Decision => decision::run(effort),
            Self::Sessions => sessions::run(effort),
            Self::Ingest => ingest::run(effort),
            Self::Scan => scan::run(effort),
            Self::Trace => trace::run(effort),
            Self::Memory => memory::run(),
            Self::Ledger => ledger::run(effort, dir),
            Self::Verify => verify::run(effort, dir),
            Self::Replay => replay::run(effort, dir),
            Self::McpHttp => mcp_http::run(effort, dir),
            Self::Llm => llm::run(effort, dir),
        }
    }
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let effort = if cli.quick { Effort::QUICK } else { Effort::FULL };
    let names = if cli.names.is_empty() { Bench::value_variants() } else { &cli.names };
    let mut tables = Vec::new();
    for bench in names {
        let dir = TempDir::with_prefix_in("bench-", &cli.dir)
            .with_context(|| format!("make a folder in `{}`", cli.dir.display()))?;
        let table = bench.run(effort, dir.path()).with_context(|| format!("measure {bench:?}"))?;
        if !cli.json {
            writeln!(std::io::stdout(), "{table}")?;
        }
        tables.push(table);
    }
    if cli.json {
        writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&tables)?)?;
    }
    Ok(())
}
