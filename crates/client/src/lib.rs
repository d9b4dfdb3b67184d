//! Talks to a daemon over its Unix socket or over TCP.
//!
//! **What it is for.** The command line and enforcement points in other processes reach their node
//! through it. It is a [`Pdp`](pathwarden_wire::Pdp) like the one in the daemon's own process.
//!
//! **What it never does.** It decides nothing, and it turns every failure to reach the node into a
//! fault, never into a permit.
//!
//! **Where to start.** [`Client`].

mod connect;
mod remote;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use pathwarden_wire::{Fault, FaultKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::connect::{Endpoint, EndpointError};

use crate::connect::Connector;

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A connection to a node, as one caller. Cheap to clone; has no `Debug`, because of the token.
#[derive(Clone)]
pub struct Client {
    endpoint: Endpoint,
    token: String,
    http: legacy::Client<Connector, Full<Bytes>>,
}

impl Client {
    /// A client for the caller that this token stands for.
    #[must_use]
    pub fn new(endpoint: Endpoint, token: String) -> Self {
        let connector = Connector::new(endpoint.clone());
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Self { endpoint, token, http }
    }

    /// Reads.
    ///
    /// # Errors
    ///
    /// The node's fault, or one that says how the node could not be reached.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        parse(&self.send(Method::GET, path, Bytes::new()).await?)
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn text(&self, path: &str) -> Result<String, Fault> {
        let bytes = self.send(Method::GET, path, Bytes::new()).await?;
        String::from_utf8(bytes.into()).map_err(|_| unreadable())
    }

    /// Sends, and reads the answer.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, Fault> {
        let body = serde_json::to_vec(body).map_err(|_| unreadable())?;
        parse(&self.send(Method::POST, path, body.into()).await?)
    }

    /// Passes a request on as this caller, and gives the answer as it is, faults included.
    ///
    /// # Errors
    ///
    /// A fault that says how the node could not be reached.
    pub async fn forward(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Fault> {
        let uri: Uri = format!("http://{}{path}", self.endpoint.authority())
            .parse()
            .map_err(|_| unreadable())?;
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|_| unreadable())?;
        let response =
            self.http.request(request).await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
        Ok((status, body.collect().await.map_err(|_| unreadable())?.to_bytes()))
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, Fault> {
        let (status, bytes) = self.forward(method, path, body).await?;
        if status.is_success() { Ok(bytes) } else { Err(fault(&bytes)) }
    }

    fn unreachable(&self, error: &legacy::Error) -> Fault {
        let cause = std::error::Error::source(error).map_or_else(String::new, |e| format!(": {e}"));
        let message = format!("the node at {} cannot be reached{cause}", self.endpoint);
        Fault::new(FaultKind::Unreachable, message, "start it with `pathwarden up`")
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|_| unreadable())
}

fn fault(bytes: &[u8]) -> Fault {
    serde_json::from_slice(bytes).unwrap_or_else(|_| unreadable())
}

fn unreadable() -> Fault {
    let advice = "check that client and node are of the same version";
    Fault::new(FaultKind::Unreachable, "the node's answer could not be read", advice)
}
