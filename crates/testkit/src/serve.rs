//! Serving a handler over standard input and output, or over Streamable HTTP.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ServerHandler, ServiceExt, transport};
use tokio::net::TcpListener;

/// Where the MCP endpoint is served over HTTP.
pub const HTTP_PATH: &str = "/mcp";

/// Serves one client over standard input and output until it goes away.
///
/// # Errors
///
/// When the client's first message is not one the protocol allows.
pub async fn stdio<H: ServerHandler>(handler: H) -> Result<()> {
    let service = handler.serve(transport::stdio()).await.context("start over stdio")?;
    service.waiting().await.context("serve over stdio")?;
    Ok(())
}

/// Serves any number of clients over Streamable HTTP at [`HTTP_PATH`] until the process ends.
/// Prints `http://ADDRESS/mcp` with the port that was bound, as the first line, so that a caller
/// who asked for port 0 learns it.
///
/// # Errors
///
/// When the address cannot be bound.
pub async fn http<H>(address: SocketAddr, handler: H) -> Result<()>
where
    H: ServerHandler + Clone,
{
    http_in(address, Arc::default(), handler).await
}

/// The same, in sessions that the handler knows.
///
/// # Errors
///
/// When the address cannot be bound.
pub async fn http_in<H>(
    address: SocketAddr,
    sessions: Arc<LocalSessionManager>,
    handler: H,
) -> Result<()>
where
    H: ServerHandler + Clone,
{
    let listener = TcpListener::bind(address).await.context("bind the address of `--http`")?;
    announce(listener.local_addr()?)?;
    let service = StreamableHttpService::new(
        move || Ok(handler.clone()),
        sessions,
        StreamableHttpServerConfig::default(),
    );
    let router = axum::Router::new().route_service(HTTP_PATH, service);
    axum::serve(listener, router).await.context("serve over HTTP")
}

fn announce(bound: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "http://{bound}{HTTP_PATH}")?;
    out.flush().context("print the bound address")
}
