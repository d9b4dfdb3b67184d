//! A stdio server behind the enforcement point: a drop-in for the server's command in the
//! configuration of any MCP client.

mod asked;
mod child;
mod lines;
mod news;
mod program;
mod session;
mod table;

use std::ffi::OsString;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};

use asked::Asked;
use child::Child;
use news::News;
use pathwarden_types::Name;
use pathwarden_wire::{Fault, Pdp};
use session::{Acquaintance, Session};
use table::Table;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::Limits;
use crate::exchange::{Cleared, Exchange};
use crate::params::Params;

/// How a run came to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StdioEnd {
    /// The client closed its end, or the caller stopped the run; the server has ended or was killed.
    ClientClosed,
    /// The server ended by itself, with this status.
    ServerEnded(ExitStatus),
}

/// Why a server could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StdioError {
    /// No command was given.
    #[error("no server command; give it after `--`")]
    NoCommand,
    /// The command could not be started.
    #[error("could not start the server `{command}`; check that it is installed and on the PATH")]
    Start {
        /// The program.
        command: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The node did not give a session to act in.
    #[error("no session to act in: {}", .0.advice)]
    Join(#[source] Fault),
}

/// What is wrapped, for whom.
pub struct Wrap {
    /// Where decisions come from.
    pub pdp: Arc<dyn Pdp>,
    /// The server's name in policies and records.
    pub server: Name,
    /// The server's program and arguments.
    pub command: Vec<OsString>,
    /// What the enforcement points of one client have in common.
    pub join_key: String,
    /// Every bound.
    pub limits: Limits,
}

/// Runs the wrapped server behind two streams, this process's standard input and output as a rule,
/// until either side ends or `shutdown` is done. Standard input is read by a thread that cannot be
/// stopped: the program should exit without waiting for it.
///
/// # Errors
///
/// [`StdioError`] when it cannot begin; later faults are answered to the client.
pub async fn run(
    wrap: Wrap,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
    shutdown: impl Future<Output = ()>,
) -> Result<StdioEnd, StdioError> {
    let Wrap { pdp, server, command, join_key, limits } = wrap;
    let params = Arc::new(Params::new());
    let joining = Exchange::join(pdp, server, join_key, params, limits);
    let exchange = joining.await.map_err(StdioError::Join)?;
    let Child { mut process, stdin, stdout } = Child::start(&command)?;
    let (to_client, for_client) = mpsc::channel(MESSAGES_QUEUED_MAX);
    let (to_server, for_server) = mpsc::channel(MESSAGES_QUEUED_MAX);
    let writing_client = tokio::spawn(write_lines(for_client, output, |bytes| bytes));
    let writing_server = tokio::spawn(write_lines(for_server, stdin, Cleared::into_bytes));
    let table = Table::new(limits.open_max);
    let asked = Asked::new(limits.open_max);
    let tasks = Mutex::default();
    let (news, pid, acquaintance) = (News::default(), process.id(), Acquaintance::default());
    let session = Arc::new(Session {
        exchange,
        table,
        asked,
        news,
        pid,
        acquaintance,
        to_client,
        to_server,
        tasks,
    });
    let telling = tokio::spawn(Arc::clone(&session).tell_news());
    let mut client = tokio::spawn(Arc::clone(&session).read_client(input));
    let mut server = tokio::spawn(Arc::clone(&session).read_server(stdout));
    let mut shutdown = std::pin::pin!(shutdown);
    let (client_closed, mut is_urgent) = tokio::select! {
        _ = &mut client => (true, false),
        () = &mut shutdown => (true, true),
        _ = &mut server => (false, false),
    };
    client.abort();
    telling.abort();
    if client_closed && !is_urgent {
        is_urgent = tokio::select! {
            _ = timeout(limits.grace, session.table.empty()) => false,
            () = &mut shutdown => true,
        };
    }
    // Closes the server's standard input, which asks it to end.
    writing_server.abort();
    let status = child::end(&mut process, is_urgent).await;
    if client_closed {
        let _ = timeout(limits.grace, &mut server).await;
        server.abort();
    }
    session.finish("the server has ended", is_urgent).await;
    drop(session);
    let _ = timeout(limits.grace, writing_client).await;
    Ok(match status {
        Some(status) if !client_closed => StdioEnd::ServerEnded(status),
        _ => StdioEnd::ClientClosed,
    })
}

/// The most messages that wait to be written to one side; then its readers wait.
const MESSAGES_QUEUED_MAX: usize = 64;

/// Writes each message on a line of its own. Messages hold no newline: they came as lines.
async fn write_lines<T>(
    mut messages: mpsc::Receiver<T>,
    mut to: impl AsyncWrite + Unpin,
    bytes_of: impl Fn(T) -> Vec<u8>,
) {
    while let Some(message) = messages.recv().await {
        let mut bytes = bytes_of(message);
        bytes.push(b'\n');
        let written = async {
            to.write_all(&bytes).await?;
            to.flush().await
        };
        if let Err(error) = written.await {
            tracing::warn!(%error, "writing a message");
            return;
        }
    }
}

#[cfg(test)]
mod tests;
