//! One question.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use crate::batch::response;
use crate::group::Inner;
use crate::sys::{self, Target};
use crate::{Ask, Asks};

/// For one file (no flag for a mount), and gone with the file's place in the kernel's cache.
const REMEMBER: u32 = libc::FAN_MARK_ADD | libc::FAN_MARK_IGNORE | libc::FAN_MARK_EVICTABLE;
const FORGET: u32 = libc::FAN_MARK_REMOVE | libc::FAN_MARK_IGNORE;

/// What is answered.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[must_use = "a verdict that is not given is a refusal"]
pub enum Verdict {
    /// It may.
    Allow,
    /// It may not: the call fails with `EPERM`.
    Refuse,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answered {
    /// It was given.
    Given,
    /// Nobody waits any more: the thread was killed.
    Gone,
}

/// Whether what is remembered of a file holds when its content changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// The kernel asks again once somebody wrote to it, and remembers nothing while somebody has it open
    /// to write. It does not notice when who opens it later writes through shared memory.
    Forgets,
    /// It stays. Right only where the verdict does not depend on the content.
    Survives,
}

/// Why a verdict was not remembered. The kernel just asks again; nothing else follows from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RememberError {
    /// A verdict on execution is one on the content.
    #[error("leave to execute must not survive a change of the file; remember it with `Forgets`")]
    Execution,
    /// No memory, or the group is broken.
    #[error("the kernel does not remember the verdict; it asks again")]
    Kernel(#[source] io::Error),
}

/// What tells files apart, and what sort of file it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FileId {
    /// Device of the file system.
    pub device: u64,
    /// Number within it.
    pub inode: u64,
    /// How many names it has. With more than one, the path is only one of them.
    pub links: u64,
    /// Type and permissions, as in `st_mode`.
    pub mode: u32,
}

/// A thread that waits for leave.
///
/// To be answered soon: who waits can be neither frozen nor, for most signals, interrupted. Never wait
/// for a person; refuse, and let the agent try again. An event that is dropped is refused.
#[derive(Debug)]
pub struct Event {
    group: Arc<Inner>,
    tid: i32,
    asks: Asks,
    file: File,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Waits,
    Answered,
}

impl Event {
    pub(crate) const fn new(group: Arc<Inner>, tid: i32, asks: Asks, file: File) -> Self {
        Self { group, tid, asks, file, state: State::Waits }
    }

    /// Answers.
    ///
    /// # Errors
    ///
    /// When the group is broken, or memory is short; then the thread still waits, until the group goes.
    pub fn answer(mut self, verdict: Verdict) -> io::Result<Answered> {
        self.state = State::Answered;
        self.give(verdict)
    }

    /// Has the kernel ask no more `what` of this file, until it is forgotten: by
    /// [`Group::forget_all`](crate::Group::forget_all), by a write to it (see [`Change`]), or when the
    /// kernel needs the memory. Only for an answer of [`Verdict::Allow`], and before it is given, lest
    /// the file change in between.
    ///
    /// What was remembered of the file with the other kind of [`Change`] is forgotten, since the kernel
    /// knows only one kind per file and would stretch it to all.
    ///
    /// # Errors
    ///
    /// [`RememberError`]; then the kernel asks again.
    pub fn remember(&self, what: &[Ask], change: Change) -> Result<(), RememberError> {
        let asks = what.iter().copied().collect::<Asks>();
        if asks.is_empty() {
            return Ok(());
        }
        let _held = self.group.memory.lock().unwrap_or_else(PoisonError::into_inner);
        match change {
            Change::Survives if asks.has(Ask::Execute) => return Err(RememberError::Execution),
            Change::Survives => {
                self.forget()?;
                self.mark(REMEMBER | libc::FAN_MARK_IGNORED_SURV_MODIFY, asks)
            }
            Change::Forgets => match self.mark(REMEMBER, asks) {
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {
                    self.forget()?;
                    self.mark(REMEMBER, asks)
                }
                done => done,
            },
        }
        .map_err(RememberError::Kernel)
    }

    /// Where the file is, as the kernel names it in the namespace of whoever asks. It ends in
    /// ` (deleted)` when the file has no name any more; of several links it is the one that was used.
    ///
    /// # Errors
    ///
    /// When `/proc` is not there or the path is too long.
    pub fn path(&self) -> io::Result<PathBuf> {
        fs::read_link(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// Which file it is.
    ///
    /// # Errors
    ///
    /// When the file system does not say.
    pub fn stat(&self) -> io::Result<FileId> {
        let found = self.file.metadata()?;
        Ok(FileId {
            device: found.dev(),
            inode: found.ino(),
            links: found.nlink(),
            mode: found.mode(),
        })
    }

    /// The thread that waits, in our PID namespace; 0 when it has no number there.
    #[must_use]
    pub const fn tid(&self) -> i32 {
        self.tid
    }

    /// What is asked.
    #[must_use]
    pub const fn asks(&self) -> Asks {
        self.asks
    }

    /// The file itself, open for reading. Reading it raises no questions.
    #[must_use]
    pub const fn file(&self) -> &File {
        &self.file
    }

    fn forget(&self) -> Result<(), RememberError> {
        match self.mark(FORGET, self.group.class.asks()) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => {
                Err(RememberError::Kernel(fault))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn mark(&self, flags: u32, asks: Asks) -> io::Result<()> {
        sys::mark(self.group.file.as_fd(), flags, asks.mask(), Target::File(self.file.as_fd()))
    }

    fn give(&self, verdict: Verdict) -> io::Result<Answered> {
        let word = match verdict {
            Verdict::Allow => libc::FAN_ALLOW,
            Verdict::Refuse => libc::FAN_DENY,
        };
        match (&self.group.file).write_all(&response(self.file.as_raw_fd(), word)) {
            Ok(()) => Ok(Answered::Given),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(Answered::Gone),
            Err(fault) => Err(fault),
        }
    }
}

impl AsFd for Event {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if self.state == State::Waits {
            // Nothing more can be done here: whoever waits goes on waiting, which lets nothing through.
            let _ = self.give(Verdict::Refuse);
        }
    }
}
