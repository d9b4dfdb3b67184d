//! The supervisor's side: starting a box, letting it go, waiting for it.

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::cgroup::{Cgroup, CgroupError};
use crate::child::ENTER;
use crate::descendants::Descendants;
use crate::keeper::UNKNOWN;
use crate::spec::{Report, Spec};
use crate::step::Failure;
use crate::sys;
use crate::wire::{self, Received, Word};

/// How long building a box may take.
pub const START_MAX: Duration = Duration::from_secs(10);
/// How long a box may take to end when the supervisor drops it.
const END_MAX: Duration = Duration::from_secs(5);
/// Bytes of the message about a program that could not be started.
const FAILURE_MAX: u64 = 64 << 10;

/// Why a box could not be started, steered or waited for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// Our own program could not be started again.
    #[error("the box's first process did not start; check that /proc is mounted")]
    Spawn {
        /// Why.
        source: io::Error,
    },
    /// The conversation with the box broke off.
    #[error("the box ended without a word; check that `main` calls `entered` first")]
    Gone {
        /// How.
        source: io::Error,
    },
    /// Not ready in time. All of it was killed.
    #[error("the box was not ready after {} s; look for a stuck mount", START_MAX.as_secs())]
    Deadline,
    /// The box says what went wrong. Nothing was executed.
    #[error("{0}")]
    Step(Failure),
    /// The box could not be put into its cgroup.
    #[error("the box could not be put into its cgroup")]
    Cgroup {
        /// Why.
        source: CgroupError,
    },
    /// The process that says it is ready is not one of the box.
    #[error("process {pid} is not in the box's cgroup")]
    Stranger {
        /// Its id.
        pid: u32,
    },
    /// No such signal.
    #[error("signal {number} has no name here; use 1 to 31")]
    Signal {
        /// As it came.
        number: i32,
    },
    /// A call about a process of the box failed.
    #[error("the box's process could not be reached")]
    Process {
        /// Why.
        source: io::Error,
    },
}

/// The agent's three standard streams; by default the supervisor's own.
#[derive(Debug)]
pub struct Streams {
    /// Standard input.
    pub stdin: Stdio,
    /// Standard output.
    pub stdout: Stdio,
    /// Standard error.
    pub stderr: Stdio,
}

impl Default for Streams {
    fn default() -> Streams {
        Streams { stdin: Stdio::inherit(), stdout: Stdio::inherit(), stderr: Stdio::inherit() }
    }
}

/// A box with a program in it. Dropping it kills everything inside.
#[derive(Debug)]
pub struct Launch {
    /// The agent's main process, in our process namespace.
    pub pid: u32,
    /// What the notify filter gave: the calls to answer arrive here.
    pub listener: OwnedFd,
    /// What the box became.
    pub report: Report,
    /// Our end of the agent's standard input, where it is a pipe.
    pub stdin: Option<ChildStdin>,
    /// Our end of the agent's standard output, where it is a pipe.
    pub stdout: Option<ChildStdout>,
    /// Our end of the agent's standard error, where it is a pipe.
    pub stderr: Option<ChildStderr>,
    agent: OwnedFd,
    told: PipeReader,
    keeper: KeeperProcess,
}

impl Launch {
    /// Builds the box up to just before the program starts; [`Launch::go`] starts it. Blocks for some
    /// milliseconds, at most [`START_MAX`].
    ///
    /// With a cgroup, every process that runs anything of the agent's is in it. The process that waits
    /// for them is not: it still answers when all others are frozen or killed.
    ///
    /// # Errors
    ///
    /// Any [`LaunchError`]; then nothing of the box is left and nothing was executed.
    pub fn start(
        spec: &Spec,
        cgroup: Option<&Cgroup>,
        streams: Streams,
    ) -> Result<Launch, LaunchError> {
        let deadline = Instant::now() + START_MAX;
        let (mut keeper, socket) = KeeperProcess::spawn(spec, streams)?;
        wire::send(&socket, spec, &[]).map_err(broken)?;
        let Word::Inner { pid } = hear(&wire::receive(&socket, Some(deadline)).map_err(broken)?)?
        else {
            return Err(broken(io::ErrorKind::InvalidData.into()));
        };
        if let Some(cgroup) = cgroup {
            let pid = u32::try_from(pid).map_err(|_| broken(io::ErrorKind::InvalidData.into()))?;
            cgroup.add(pid).map_err(|source| LaunchError::Cgroup { source })?;
        }
        wire::say_go(&socket).map_err(broken)?;
        let mut received = wire::receive(&socket, Some(deadline)).map_err(broken)?;
        let Word::Ready(report) = hear(&received)? else {
            return Err(broken(io::ErrorKind::InvalidData.into()));
        };
        let (pid, agent) = sender(&received, cgroup)?;
        let (Some(told), Some(listener)) = (received.fds.pop(), received.fds.pop()) else {
            return Err(broken(io::ErrorKind::InvalidData.into()));
        };
        let (stdin, stdout, stderr) =
            (keeper.child.stdin.take(), keeper.child.stdout.take(), keeper.child.stderr.take());
        keeper.socket = Some(socket);
        let told = PipeReader::from(told);
        Ok(Launch { pid, listener, report, stdin, stdout, stderr, agent, told, keeper })
    }

    /// Lets the program start. Whatever answers the listener must be running: the start itself is the
    /// first call it is asked about. Not blocking; once is enough, more does nothing.
    ///
    /// # Errors
    ///
    /// [`LaunchError::Gone`] when the box has ended.
    pub fn go(&mut self) -> Result<(), LaunchError> {
        self.keeper.socket.as_ref().map_or(Ok(()), wire::say_go).map_err(broken)
    }

    /// Sends a signal to the agent's main process.
    ///
    /// # Errors
    ///
    /// [`LaunchError::Signal`], or [`LaunchError::Process`] when it has ended.
    pub fn signal(&self, number: i32) -> Result<(), LaunchError> {
        let signal = Signal::from_named_raw(number).ok_or(LaunchError::Signal { number })?;
        pidfd_send_signal(&self.agent, signal).map_err(unreachable_process)
    }

    /// Waits until the box has ended, and answers the main process' exit code; 128 and the signal's
    /// number when one ended it.
    ///
    /// # Errors
    ///
    /// [`LaunchError::Step`] when the program could not be started, [`LaunchError::Process`].
    pub fn wait(&mut self) -> Result<u8, LaunchError> {
        let status = self.keeper.child.wait().map_err(|source| LaunchError::Process { source })?;
        self.outcome(status)
    }

    /// The same without blocking; `None` while the box lives.
    ///
    /// # Errors
    ///
    /// As [`Launch::wait`].
    pub fn try_wait(&mut self) -> Result<Option<u8>, LaunchError> {
        let status =
            self.keeper.child.try_wait().map_err(|source| LaunchError::Process { source })?;
        status.map(|status| self.outcome(status)).transpose()
    }

    /// The agent's main process. Readable when that has ended.
    #[must_use]
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.agent.as_fd()
    }

    /// The process that waits for all others. Readable when [`Launch::wait`] no longer blocks.
    #[must_use]
    pub fn keeper(&self) -> BorrowedFd<'_> {
        self.keeper.pidfd.as_fd()
    }

    /// All processes of the box, for where no cgroup holds them.
    #[must_use]
    pub fn descendants(&self) -> Descendants {
        Descendants::new(Pid::from_child(&self.keeper.child))
    }

    /// Whether it was the program that ended, or whether there never was one.
    fn outcome(&mut self, status: ExitStatus) -> Result<u8, LaunchError> {
        let mut text = Vec::new();
        let read = self.told.by_ref().take(FAILURE_MAX).read_to_end(&mut text);
        read.map_err(|source| LaunchError::Process { source })?;
        if text.is_empty() {
            return Ok(code_of(status));
        }
        let failure = serde_json::from_slice(&text).map_err(|error| broken(error.into()))?;
        Err(LaunchError::Step(failure))
    }
}

/// The box's outermost process. It ends with its box when this is dropped.
#[derive(Debug)]
struct KeeperProcess {
    child: Child,
    pidfd: OwnedFd,
    /// Closing it is what ends the box.
    socket: Option<UnixStream>,
}

impl KeeperProcess {
    fn spawn(spec: &Spec, streams: Streams) -> Result<(KeeperProcess, UnixStream), LaunchError> {
        let failed = |source: io::Error| LaunchError::Spawn { source };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        rustix::net::sockopt::set_socket_passcred(&ours, true)
            .map_err(|error| failed(error.into()))?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("pathwarden").arg(ENTER).arg(theirs.as_raw_fd().to_string());
        // The supervisor's environment may hold its secrets; the agent's comes with the specification.
        command.env_clear();
        command.stdin(streams.stdin).stdout(streams.stdout).stderr(streams.stderr);
        let mut inherited = [spec.keep_fds.as_slice(), &spec.hold_fds].concat();
        inherited.push(theirs.as_raw_fd());
        sys::inherit(&mut command, inherited);
        let mut child = command.spawn().map_err(failed)?;
        match open_pidfd(child.id()) {
            Ok(pidfd) => Ok((KeeperProcess { child, pidfd, socket: None }, ours)),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }
}

impl Drop for KeeperProcess {
    fn drop(&mut self) {
        drop(self.socket.take());
        if let (Ok(None), Ok(longest)) = (self.child.try_wait(), Timespec::try_from(END_MAX)) {
            let _ = poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Some(&longest));
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The process that says it is ready, by the kernel's word and not by its own.
fn sender(received: &Received, cgroup: Option<&Cgroup>) -> Result<(u32, OwnedFd), LaunchError> {
    let pid = received.pid.and_then(|pid| u32::try_from(pid).ok());
    let pid = pid.ok_or_else(|| broken(io::ErrorKind::InvalidData.into()))?;
    let agent = open_pidfd(pid)?;
    match cgroup {
        Some(cgroup) if !cgroup.contains(pid) => Err(LaunchError::Stranger { pid }),
        Some(_) | None => Ok((pid, agent)),
    }
}

fn open_pidfd(pid: u32) -> Result<OwnedFd, LaunchError> {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| LaunchError::Process { source: io::ErrorKind::InvalidData.into() })?;
    pidfd_open(pid, PidfdFlags::empty()).map_err(unreachable_process)
}

fn hear(received: &Received) -> Result<Word, LaunchError> {
    match serde_json::from_slice(&received.body).map_err(|error| broken(error.into()))? {
        Word::Failed(failure) => Err(LaunchError::Step(failure)),
        word => Ok(word),
    }
}

fn code_of(status: ExitStatus) -> u8 {
    let signal = status.signal().map(|signal| signal.saturating_add(128));
    status.code().or(signal).and_then(|code| u8::try_from(code).ok()).unwrap_or(UNKNOWN)
}

fn broken(source: io::Error) -> LaunchError {
    match source.kind() {
        io::ErrorKind::TimedOut => LaunchError::Deadline,
        _ => LaunchError::Gone { source },
    }
}

fn unreachable_process(error: rustix::io::Errno) -> LaunchError {
    LaunchError::Process { source: error.into() }
}
