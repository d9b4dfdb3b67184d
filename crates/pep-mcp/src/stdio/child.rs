//! The server's process.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
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

/// How long a server may take to end by itself once its standard input is closed, and once more when it
/// was told to. Clients give us about two seconds for both, and a server must not outlive them (MCP
/// 2025-11-25, basic/lifecycle, «Shutdown»).
const ENDS_BY_ITSELF: Duration = Duration::from_millis(1_000);
const ENDS_WHEN_TOLD: Duration = Duration::from_millis(400);

/// Waits for the server to end, tells it to, and kills it. Gives its status if it ended by itself. When
/// it `is_urgent` it is told at once.
pub(super) async fn end(
    process: &mut tokio::process::Child,
    is_urgent: bool,
) -> Option<ExitStatus> {
    if !is_urgent && let Ok(status) = timeout(ENDS_BY_ITSELF, process.wait()).await {
        return status.map_err(|error| tracing::warn!(%error, "waiting for the server")).ok();
    }
    let pid = process.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let told = pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
    if told && let Ok(status) = timeout(ENDS_WHEN_TOLD, process.wait()).await {
        return status.ok();
    }
    if let Err(error) = process.kill().await {
        tracing::warn!(%error, "killing the server");
    }
    None
}
