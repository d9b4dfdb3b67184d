//! The HTTP API of a node: routes, roles, and the OpenAPI document that is made from them.
//!
//! **What it is for.** People's tools and enforcement points in other processes reach their node
//! through it, over a Unix socket or loopback TCP, each with a bearer token.
//!
//! **What it never does.** It decides nothing and keeps nothing. A route without a role does not
//! exist: the table says who may call what, and an agent's token can do nothing but act.
//!
//! **Where to start.** `routes.rs`, the table from which router and document are made.

mod connections;
mod exchange;
mod openapi;
mod routes;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use pathwarden_warden::Warden;
use pathwarden_wire::{Fault, FaultKind};
use tokio::net::{TcpListener, UnixListener};

use crate::connections::Limits;
pub use crate::connections::{SOCKET_CONNECTIONS_MAX, TCP_CONNECTIONS_MAX};
use crate::exchange::Reply;

/// The longest request body, in bytes: the longest observation and what JSON makes of it.
pub const BODY_BYTES_MAX: usize = 20 << 20;

/// How long the body of a request may take.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The router of a node.
fn router(warden: &Arc<Warden>) -> Router {
    routes::all()
        .into_iter()
        .fold(Router::new(), |router, route| route.add_to(router, warden))
        .fallback(|| async { Reply::<()>(Err(no_route())) })
        .method_not_allowed_fallback(|| async { (StatusCode::METHOD_NOT_ALLOWED, "") })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

fn no_route() -> Fault {
    Fault::new(FaultKind::NotFound, "there is no such route", "see /v1/openapi.json")
}

/// Serves the API on a Unix socket until the shutdown.
///
/// # Errors
///
/// None today: a failure to accept a connection is logged, and the next one is waited for.
pub async fn serve_socket(
    warden: &Arc<Warden>,
    listener: UnixListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    connections::serve(listener, router(warden), Limits::of(SOCKET_CONNECTIONS_MAX), shutdown)
        .await;
    Ok(())
}

/// Serves the API on TCP until the shutdown.
///
/// # Errors
///
/// None today: a failure to accept a connection is logged, and the next one is waited for.
pub async fn serve_tcp(
    warden: &Arc<Warden>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    connections::serve(listener, router(warden), Limits::of(TCP_CONNECTIONS_MAX), shutdown).await;
    Ok(())
}

/// The OpenAPI document of the API.
#[must_use]
pub fn openapi_document() -> serde_json::Value {
    openapi::document(&routes::all())
}
