//! `fixture-mcp`: an MCP server that does everything a gateway must cope with.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use pathwarden_testkit::fixture::{Fixture, Journal};
use pathwarden_testkit::serve;

/// An MCP server for gateway tests: over stdio, or over Streamable HTTP with `--http`.
#[derive(Debug, Parser)]
#[command(name = "fixture-mcp", version)]
struct Cli {
    /// Serve over HTTP at this address (port 0 picks one); the URL is the first line printed.
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// Append one JSON line per call received and per call cancelled, so that a test can tell what
    /// reached the server and what did not.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// List the tools of this file as well (JSON, as in `tools/list`), read anew for every list.
    #[arg(long, value_name = "FILE")]
    extra: Option<PathBuf>,
    /// The newest protocol revision to speak, for example 2025-06-18.
    #[arg(long, value_name = "REVISION")]
    newest: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let journal = cli.journal.as_deref().map(Journal::open).transpose().context("open journal")?;
    let fixture = Fixture::new(journal.unwrap_or_default(), cli.newest.as_deref())?;
    let fixture = fixture.with_extra(cli.extra.as_deref());
    match cli.http {
        Some(address) => serve::http(address, fixture).await,
        None => serve::stdio(fixture).await,
    }
}
