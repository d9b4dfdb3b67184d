//! `conformance-server`: the server that the official conformance suite tests.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use clap::Parser;
use pathwarden_testkit::conformance::server::Server;
use pathwarden_testkit::serve;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;

/// The fixtures of the official conformance suite, over Streamable HTTP.
#[derive(Debug, Parser)]
#[command(name = "conformance-server", version)]
struct Cli {
    /// Serve at this address (port 0 picks one); the URL is the first line printed.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    http: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let sessions = Arc::new(LocalSessionManager::default());
    serve::http_in(cli.http, Arc::clone(&sessions), Server::new(sessions)).await
}
