//! Waiting for a process and all that it leaves behind, without ever running anything of the agent's.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, wait};

use crate::descendants::descendants;
use crate::spec::Leftover;
use crate::sys;

/// What the keeper answers when it cannot know better.
pub(crate) const UNKNOWN: u8 = 125;
/// Added to a signal's number, as shells do.
const SIGNALLED: u8 = 128;
/// How long killing the rest of a tree may take before the keeper gives up.
const KILL_MAX: Duration = Duration::from_secs(5);
/// Signals that are for the agent when a process sends them to the keeper.
const FORWARDED: [Signal; 6] =
    [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

/// A process that waits for `main`.
pub(crate) struct Keeper<'a> {
    /// The process whose end is the box's end.
    pub(crate) main: Pid,
    /// All signals of this process.
    pub(crate) signals: OwnedFd,
    /// When its other end closes, all is killed.
    pub(crate) supervisor: Option<&'a UnixStream>,
    /// What becomes of the others when `main` has ended.
    pub(crate) leftover: Leftover,
    /// Whether ending the others is ours to do: the end of a process namespace does it by itself.
    pub(crate) others: Others,
}

/// Who ends the processes that are left.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Others {
    /// The kernel, with the process namespace.
    Kernel,
    /// The keeper.
    Keeper,
}

impl Keeper<'_> {
    /// Returns `main`'s exit code, 128 and the signal's number where one ended it.
    pub(crate) fn keep(&self) -> u8 {
        let mut code = None;
        loop {
            let left = self.reap(&mut code);
            match (code, left) {
                (Some(code), Left::None) => return code,
                (Some(code), Left::Some) if self.leftover == Leftover::Kill => {
                    self.end_others();
                    return code;
                }
                (None, Left::None) => return UNKNOWN,
                (Some(_) | None, Left::Some) => {}
            }
            if self.wake().is_err() {
                self.end_all();
                return SIGNALLED + 9;
            }
        }
    }

    /// Sleeps until a signal; an error when the supervisor is gone.
    fn wake(&self) -> io::Result<()> {
        let mut watched = vec![PollFd::new(&self.signals, PollFlags::IN)];
        watched.extend(self.supervisor.map(|socket| PollFd::new(socket, PollFlags::empty())));
        match poll(&mut watched, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if watched.iter().skip(1).any(|socket| !socket.revents().is_empty()) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        while let Some(signal) = self.next_signal() {
            // It may have ended meanwhile, which the next round sees.
            let _ = kill_process(self.main, signal);
        }
        Ok(())
    }

    /// The next signal to pass on. What the terminal sends reaches the agent by itself, being in the
    /// same process group.
    fn next_signal(&self) -> Option<Signal> {
        loop {
            let mut record = [0; sys::SIGNAL_RECORD];
            rustix::io::read(&self.signals, &mut record).ok()?;
            let number = word(&record, 0)?;
            let from_process = word(&record, 8)? <= 0;
            let forwarded = FORWARDED.iter().find(|signal| signal.as_raw() == number);
            if let (Some(signal), true) = (forwarded, from_process) {
                return Some(*signal);
            }
        }
    }

    fn reap(&self, code: &mut Option<u8>) -> Left {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.main => *code = Some(code_of(status)),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return Left::Some,
                Err(_) => return Left::None,
            }
        }
    }

    fn end_all(&self) {
        let _ = kill_process(self.main, Signal::KILL);
        self.end_others();
        let mut code = None;
        while self.others == Others::Kernel && self.reap(&mut code) == Left::Some && code.is_none()
        {
            if self.sleep(KILL_MAX).is_err() {
                return;
            }
        }
    }

    /// Kills all descendants, who all become our children in the end, until none is left.
    fn end_others(&self) {
        let deadline = Instant::now() + KILL_MAX;
        let mut code = None;
        while self.others == Others::Keeper
            && self.reap(&mut code) == Left::Some
            && Instant::now() < deadline
        {
            for pid in descendants(getpid()) {
                let _ = kill_process(pid, Signal::KILL);
            }
            let _ = self.sleep(Duration::from_millis(2));
        }
    }

    /// Until a child ends, at most `longest`.
    fn sleep(&self, longest: Duration) -> io::Result<()> {
        let longest = Timespec::try_from(longest).map_err(io::Error::other)?;
        let ready = poll(&mut [PollFd::new(&self.signals, PollFlags::IN)], Some(&longest))?;
        while self.next_signal().is_some() {}
        if ready == 0 { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Left {
    None,
    Some,
}

fn code_of(status: WaitStatus) -> u8 {
    let signal = status.terminating_signal().and_then(|signal| u8::try_from(signal).ok());
    let exit = status.exit_status().and_then(|code| u8::try_from(code).ok());
    exit.or(signal.map(|signal| signal.saturating_add(SIGNALLED))).unwrap_or(UNKNOWN)
}

/// The four bytes at `from`, as the kernel wrote them.
fn word(record: &[u8], from: usize) -> Option<i32> {
    let bytes = record.get(from..from.checked_add(4)?)?;
    Some(i32::from_ne_bytes(bytes.try_into().ok()?))
}

/// Whether a descriptor reports that its other end is closed.
pub(crate) fn is_hung_up(fd: impl AsFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut watched = [PollFd::new(&fd, PollFlags::empty())];
    !matches!(poll(&mut watched, Some(&now)), Ok(0))
}
