//! The load: the same for every way to the server.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::SendRequest;

use crate::measure::Samples;
use crate::serving::connect;

/// No two calls of a run have the same arguments.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// The kind of call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Call {
    /// Changes nothing; its record may be batched.
    Read,
    /// Changes something; its record is on disk before it happens.
    Write,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

impl Call {
    fn message(self, number: u64) -> String {
        let (name, rest) = match self {
            Self::Read => ("read_text_file", String::from(r#""head":200"#)),
            Self::Write => {
                let text = "The vendor was asked for a new form W-9. ".repeat(10);
                ("write_file", format!(r#""content":"{text}""#))
            }
        };
        format!(
            r#"{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"name":"{name}","arguments":{{"path":"notes/{number}.txt",{rest}}}}}}}"#
        )
    }
}

/// Where calls go to, and as whom on each connection.
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) tokens: Vec<String>,
}

impl Target {
    /// A target that does not ask who calls.
    pub(super) const fn plain(address: SocketAddr) -> Self {
        Self { address, tokens: Vec::new() }
    }
}

/// Keeps one call under way on each connection until the turn is over.
pub(super) async fn run(
    target: &Target,
    call: Call,
    connections: usize,
    turn: Duration,
) -> Result<Samples> {
    let mut open = Vec::new();
    for number in 0..connections {
        let token = target.tokens.get(number).cloned().unwrap_or_else(|| "none".to_owned());
        open.push((connect(target.address).await?, format!("Bearer {token}")));
    }
    let host = target.address.to_string();
    let began = Instant::now();
    let until = began + turn;
    let tasks: Vec<_> = open
        .into_iter()
        .map(|(sender, token)| {
            tokio::spawn(one_connection(sender, host.clone(), token, call, until))
        })
        .collect();
    let mut samples = Samples::default();
    for task in tasks {
        samples.join(task.await??);
    }
    samples.did(samples.calls(), began.elapsed());
    Ok(samples)
}

async fn one_connection(
    mut sender: SendRequest<Full<Bytes>>,
    host: String,
    token: String,
    call: Call,
    until: Instant,
) -> Result<Samples> {
    let mut samples = Samples::default();
    loop {
        let body = call.message(NUMBERS.fetch_add(1, Ordering::Relaxed));
        let request = Request::post("/mcp/files")
            .header("host", &host)
            .header("authorization", &token)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .body(Full::new(Bytes::from(body)))?;
        let start = Instant::now();
        if start >= until {
            return Ok(samples);
        }
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        samples.call(start.elapsed());
        ensure!(
            status.is_success() && body.ends_with(br#""isError":false}}"#),
            "{call} was answered with {status}: {}",
            String::from_utf8_lossy(&body)
        );
    }
}
