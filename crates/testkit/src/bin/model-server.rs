//! `model-server`: a scripted model behind the APIs of OpenAI, Anthropic and Google.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use pathwarden_testkit::model::{self, Log, Scenario};

/// A model that follows a script, for tests with real agents.
#[derive(Debug, Parser)]
#[command(name = "model-server", version)]
struct Cli {
    /// What the model says to whom (TOML, or JSON if the name ends so).
    #[arg(long, value_name = "FILE")]
    scenario: PathBuf,
    /// Serve at this address (port 0 picks one); the URL is the first line printed.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    http: SocketAddr,
    /// Append one JSON line per request, so that a test can tell what reached the provider.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let log = cli.log.as_deref().map(Log::open).transpose().context("open the log")?;
    model::serve(cli.http, Scenario::load(&cli.scenario)?, log.unwrap_or_default()).await
}
