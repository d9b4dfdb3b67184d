//! `conformance-client`: the client that the official conformance suite tests.

use anyhow::Result;
use clap::Parser;
use pathwarden_testkit::conformance::client::{self, Scenario};

/// Plays one client scenario of the official conformance suite, which names it in the environment.
#[derive(Debug, Parser)]
#[command(name = "conformance-client", version)]
struct Cli {
    /// Where the server is.
    #[arg(value_name = "URL")]
    url: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    client::run(&cli.url, &Scenario::from_environment()?).await
}
