//! Receiving notified calls and answering them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use thiserror::Error;

use crate::sys::{self, NOTIFICATION_BYTES, Notification};

/// One call that waits for an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Call {
    /// The kernel's name for this waiting call; never used twice by one listener.
    pub id: u64,
    /// The calling *thread*, in the receiver's pid namespace; 0 when it is not visible there.
    pub tid: i32,
    /// The system call's number on x86_64.
    pub nr: i32,
    /// The six argument registers. Pointers are not read yet.
    pub args: [u64; 6],
}

/// What [`Listener::recv`] came back with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// A call waits.
    Call(Call),
    /// Nothing came in time.
    Quiet,
    /// No task lives any more that could call.
    Ended,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a caller that is gone did not see the answer"]
pub enum Delivery {
    /// The caller has it.
    Delivered,
    /// The caller died, or was interrupted, before; that is no error.
    Gone,
}

/// Why the listener does not work.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The kernel's structures are larger than we make room for.
    #[error("the kernel's notification has {bytes} bytes, we take 256; a newer version is needed")]
    Large {
        /// Size of the kernel's structure.
        bytes: u16,
    },
    /// A call on the listener failed.
    #[error("the seccomp listener fails; check that the descriptor is a listener")]
    Kernel {
        /// The kernel's answer.
        #[from]
        source: Errno,
    },
}

/// The receiving end of a notify filter.
///
/// One thread receives; any thread may answer. Dropping the last descriptor makes the kernel answer
/// all notified calls with `ENOSYS`, so a dead supervisor lets nothing pass.
#[derive(Debug)]
pub struct Listener {
    fd: OwnedFd,
}

impl Listener {
    /// Takes over a descriptor from [`crate::install_notify`].
    ///
    /// # Errors
    ///
    /// When this kernel's structures are larger than the buffers here.
    pub fn new(fd: OwnedFd) -> Result<Self, ListenError> {
        let sizes = sys::notification_sizes()?;
        let known = size_of::<libc::seccomp_notif_resp>();
        if usize::from(sizes.seccomp_notif) > NOTIFICATION_BYTES {
            return Err(ListenError::Large { bytes: sizes.seccomp_notif });
        }
        if usize::from(sizes.seccomp_notif_resp) > known {
            return Err(ListenError::Large { bytes: sizes.seccomp_notif_resp });
        }
        // An older kernel is a slower one.
        let _ = sys::wake_in_turn(fd.as_fd());
        Ok(Self { fd })
    }

    /// Waits for the next call, at most this long.
    ///
    /// # Errors
    ///
    /// When the descriptor is no listener.
    pub fn recv(&self, patience: Duration) -> Result<Next, ListenError> {
        let deadline = Instant::now() + patience;
        loop {
            match self.ready(deadline.saturating_duration_since(Instant::now()))? {
                Ready::Yes => {}
                Ready::Ended => return Ok(Next::Ended),
                Ready::No if Instant::now() < deadline => continue,
                Ready::No => return Ok(Next::Quiet),
            }
            let mut raw = Notification::zeroed();
            match sys::receive(self.fd.as_fd(), &mut raw) {
                Ok(()) => return Ok(Next::Call(Call::of(&raw.body))),
                // The caller died between the poll and now, or a signal came: look again.
                Err(Errno::NOENT | Errno::INTR) => {}
                Err(source) => return Err(source.into()),
            }
        }
    }

    /// Whether the caller still waits for this answer. While it does, its thread id is still its
    /// own, so what was read under that id came from it.
    #[must_use = "what was read of a dead caller may be another's"]
    pub fn is_alive(&self, id: u64) -> bool {
        sys::id_valid(self.fd.as_fd(), id).is_ok()
    }

    /// Answers with an error.
    ///
    /// # Errors
    ///
    /// When the descriptor is no listener.
    pub fn answer_errno(&self, id: u64, errno: Errno) -> Result<Delivery, ListenError> {
        self.send(id, 0, -errno.raw_os_error(), 0)
    }

    /// Answers with a value, as if the kernel had carried the call out.
    ///
    /// # Errors
    ///
    /// When the descriptor is no listener.
    pub fn answer_value(&self, id: u64, value: i64) -> Result<Delivery, ListenError> {
        self.send(id, value, 0, 0)
    }

    /// Lets the kernel carry the call out. **Never** after a decision on anything but registers:
    /// the caller can rewrite its memory before the kernel reads it.
    ///
    /// # Errors
    ///
    /// When the descriptor is no listener.
    pub fn go_on(&self, id: u64) -> Result<Delivery, ListenError> {
        let flag = u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap_or(1);
        self.send(id, 0, 0, flag)
    }

    /// Gives the caller a copy of a descriptor and answers with its number, in one step. A caller
    /// that cannot take it (`EMFILE`) is answered so.
    ///
    /// # Errors
    ///
    /// When the descriptor is no listener.
    pub fn answer_fd(
        &self,
        id: u64,
        fd: BorrowedFd<'_>,
        close_on_exec: bool,
    ) -> Result<Delivery, ListenError> {
        let flags = if close_on_exec { libc::O_CLOEXEC.unsigned_abs() } else { 0 };
        loop {
            match sys::add_fd(self.fd.as_fd(), id, fd, flags) {
                Ok(_) => return Ok(Delivery::Delivered),
                Err(Errno::NOENT) => return Ok(Delivery::Gone),
                Err(Errno::INTR) => {}
                Err(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::PERM)) => {
                    return self.answer_errno(id, errno);
                }
                Err(source) => return Err(source.into()),
            }
        }
    }

    fn send(&self, id: u64, val: i64, error: i32, flags: u32) -> Result<Delivery, ListenError> {
        match sys::send(self.fd.as_fd(), libc::seccomp_notif_resp { id, val, error, flags }) {
            Ok(()) => Ok(Delivery::Delivered),
            Err(Errno::NOENT) => Ok(Delivery::Gone),
            Err(source) => Err(source.into()),
        }
    }

    fn ready(&self, patience: Duration) -> Result<Ready, Errno> {
        let timeout = Timespec::try_from(patience).map_err(|_| Errno::INVAL)?;
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        let [fd] = &fds;
        let seen = fd.revents();
        if seen.contains(PollFlags::IN) {
            Ok(Ready::Yes)
        } else if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            Ok(Ready::Ended)
        } else {
            Ok(Ready::No)
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

enum Ready {
    Yes,
    No,
    Ended,
}

impl Call {
    fn of(raw: &libc::seccomp_notif) -> Self {
        Self {
            id: raw.id,
            tid: i32::try_from(raw.pid).unwrap_or(0),
            nr: raw.data.nr,
            args: raw.data.args,
        }
    }

    /// Whether it is an exec.
    #[must_use]
    pub fn starts_program(&self) -> bool {
        [libc::SYS_execve, libc::SYS_execveat].contains(&self.nr.into())
    }

    /// Whether it connects a socket.
    #[must_use]
    pub fn connects(&self) -> bool {
        libc::SYS_connect == i64::from(self.nr)
    }

    /// A register, by place; 0 beyond the sixth.
    pub(crate) fn word(&self, index: usize) -> u64 {
        self.args.get(index).copied().unwrap_or(0)
    }

    /// A register that the kernel takes as an `int`: its lower half.
    pub(crate) fn int(&self, index: usize) -> i32 {
        let [a, b, c, d, ..] = self.word(index).to_le_bytes();
        i32::from_le_bytes([a, b, c, d])
    }

    /// As [`Call::int`], for an `unsigned int`.
    pub(crate) fn uint(&self, index: usize) -> u32 {
        let [a, b, c, d, ..] = self.word(index).to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    /// A register that the kernel takes as a `loff_t`.
    pub(crate) fn long(&self, index: usize) -> i64 {
        i64::from_le_bytes(self.word(index).to_le_bytes())
    }
}
