//! The server's process.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::StdioError;

/// Every variable of ours begins so. One of them holds our credential, which the server must not see:
/// with it, it could act as its own warden's client.
const OWN_VARIABLES: &str = "PATHWARDEN_";

/// The server's process and its two ends.
pub(super) struct Child {
    pub(super) process: tokio::process::Child,
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
}

impl Child {
    /// Starts the server with its standard input and output piped. Its standard error is ours.
    pub(super) fn start(command: &[OsString]) -> Result<Self, StdioError> {
        let (program, arguments) = command.split_first().ok_or(StdioError::NoCommand)?;
        let failed =
            |source| StdioError::Start { command: program.to_string_lossy().into_owned(), source };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().to_ascii_uppercase().starts_with(OWN_VARIABLES) {
                command.env_remove(name);
            }
        }
        let mut process = command.spawn().map_err(failed)?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok(Self { process, stdin, stdout }),
            _ => Err(failed(std::io::Error::other("the process has no pipes"))),
        }
    }
}

/// Waits for the server to end, and kills it when it does not within `grace`. Gives its status if it
/// ended by itself.
pub(super) async fn end(
    process: &mut tokio::process::Child,
    grace: Duration,
) -> Option<ExitStatus> {
    match timeout(grace, process.wait()).await {
        Ok(Ok(status)) => Some(status),
        Ok(Err(error)) => {
            tracing::warn!(%error, "waiting for the server");
            None
        }
        Err(_) => {
            if let Err(error) = process.kill().await {
                tracing::warn!(%error, "killing the server");
            }
            None
        }
    }
}
