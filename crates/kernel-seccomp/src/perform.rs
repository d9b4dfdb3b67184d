//! Carrying an attempt out, on pinned descriptors and nothing else.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{
    AtFlags, CWD, Gid, Mode, OFlags, RenameFlags, Uid, chownat, fchmod, fchown, fcntl_setfl,
    futimens, linkat, mkdirat, open, openat, renameat_with, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;
use thiserror::Error;

use crate::attempt::{Attempt, Deed, Place};
use crate::caller::Caller;
use crate::listener::{Delivery, ListenError, Listener};
use crate::object::{Entry, Hold, Kind, Object};
use crate::sys;
use crate::times::Times;
use crate::wait::{Stop, Wait};

/// Nanoseconds between two looks at whether the caller still waits.
const LOOK_NANOS: i64 = 20_000_000;

/// How carrying out ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "after `Changed` the caller still waits"]
pub enum Done {
    /// The caller has its answer: the error that it got, if any.
    Answered(Option<Errno>),
    /// The kernel goes on with the exec.
    GoesOn,
    /// The caller died before the answer. Nothing was done if it died before we began.
    Gone,
    /// A name that was missing has been taken since. **Nothing was done or answered**: make the
    /// attempt anew, decide anew, a bounded number of times.
    Changed,
}

/// Why an attempt could not be answered at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PerformError {
    /// The listener failed; the caller may still wait.
    #[error("the answer cannot be delivered; drop the listener, so that the kernel refuses")]
    Listener {
        /// What failed.
        #[from]
        source: ListenError,
    },
}

/// What to answer.
enum Outcome {
    Value(i64),
    Descriptor { fd: OwnedFd, close_on_exec: bool },
    GoOn,
}

impl Attempt {
    /// Carries it out with the caller's rights and answers the call. An exec is left to the kernel.
    ///
    /// Waits for others no longer than `patience` where [`Attempt::may_block`]: a FIFO without its
    /// other end then gives `EINTR`, which a patient caller repeats, a connect `ETIMEDOUT`. Nobody is
    /// waited for while `is_halted`: that gives `EINTR`, and so lets the caller be frozen.
    ///
    /// This thread takes on the caller's ids, capabilities and umask meanwhile; it keeps a umask
    /// and working directory of its own from then on.
    ///
    /// # Errors
    ///
    /// When the listener does not take the answer. Errors of the call itself are answers.
    pub fn perform(
        &self,
        listener: &Listener,
        id: u64,
        patience: Duration,
        is_halted: &dyn Fn() -> bool,
    ) -> Result<Done, PerformError> {
        // Who died while it was being decided about has nothing more to do.
        if !listener.is_alive(id) {
            return Ok(Done::Gone);
        }
        let wait = Wait::new(listener, id, patience, is_halted);
        let connects = matches!(self.deed(), Deed::Connect(_));
        let late = if connects { Errno::TIMEDOUT } else { Errno::INTR };
        let (delivery, done) = match self.carry_out(&wait) {
            Ok(Outcome::Value(value)) => (listener.answer_value(id, value)?, Done::Answered(None)),
            Ok(Outcome::GoOn) => (listener.go_on(id)?, Done::GoesOn),
            Ok(Outcome::Descriptor { fd, close_on_exec }) => {
                (listener.answer_fd(id, fd.as_fd(), close_on_exec)?, Done::Answered(None))
            }
            Err(Stop::Errno(errno)) => {
                (listener.answer_errno(id, errno)?, Done::Answered(Some(errno)))
            }
            Err(Stop::Late) => (listener.answer_errno(id, late)?, Done::Answered(Some(late))),
            Err(Stop::Gone) => return Ok(Done::Gone),
            Err(Stop::Changed) => return Ok(Done::Changed),
        };
        Ok(match delivery {
            Delivery::Delivered => done,
            Delivery::Gone => Done::Gone,
        })
    }

    fn carry_out(&self, wait: &Wait<'_>) -> Result<Outcome, Stop> {
        let caller = self.caller();
        match self.deed() {
            Deed::Exec(_) => return Ok(Outcome::GoOn),
            Deed::Connect(connect) => connect.perform(caller, wait)?,
            Deed::Open { place: Place::Existing(object), flags, .. } => {
                return handed(open_existing(object, *flags, caller, wait)?, *flags);
            }
            Deed::Open { place: Place::New(at), flags, mode } => {
                return handed(open_new(at, *flags, *mode, caller)?, *flags);
            }
            Deed::Temporary { folder, flags, mode } => {
                let _acting = caller.create()?;
                let fd = openat(folder.fd(), c".", own_flags(*flags), Mode::from_raw_mode(*mode))?;
                return handed(fd, *flags);
            }
            Deed::Mkdir { at, mode } => {
                let _acting = caller.create()?;
                mkdirat(at.parent.fd(), &at.name, Mode::from_raw_mode(*mode))?;
            }
            Deed::Mknod { at, mode } => {
                let _acting = caller.create()?;
                sys::make_node(at.parent.fd(), &at.name, *mode)?;
            }
            Deed::Unlink { at, directory } => acting(caller, || unlink(at, *directory))?,
            Deed::Rename { from, to, flags } => acting(caller, || rename(from, to, *flags))?,
            Deed::Link { from, to } => acting(caller, || link(from, to))?,
            Deed::Symlink { text, at } => {
                acting(caller, || symlinkat(text.as_slice(), at.parent.fd(), &at.name))?;
            }
            Deed::Chmod { object, mode } => acting(caller, || chmod(object, *mode))?,
            Deed::Chown { object, uid, gid } => acting(caller, || chown(object, *uid, *gid))?,
            Deed::Truncate { object, length } => acting(caller, || truncate(object, *length))?,
            Deed::Fallocate { object, mode, offset, length } => {
                acting(caller, || sys::fallocate(object.fd(), *mode, *offset, *length))?;
            }
            Deed::Utimes { object, times } => acting(caller, || utimes(object, times))?,
        }
        Ok(Outcome::Value(0))
    }
}

/// Does something with the caller's rights.
fn acting(caller: &Caller, act: impl FnOnce() -> Result<(), Errno>) -> Result<(), Stop> {
    let _acting = caller.act()?;
    Ok(act()?)
}

fn unlink(at: &Entry, directory: bool) -> Result<(), Errno> {
    let flags = if directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    unlinkat(at.parent.fd(), &at.name, flags)
}

fn rename(from: &Entry, to: &Entry, flags: u32) -> Result<(), Errno> {
    let flags = RenameFlags::from_bits_retain(flags);
    renameat_with(from.parent.fd(), &from.name, to.parent.fd(), &to.name, flags)
}

/// Through our own descriptor, so that it is this object and no other.
fn link(from: &Object, to: &Entry) -> Result<(), Errno> {
    linkat(CWD, from.reopen_path(), to.parent.fd(), &to.name, AtFlags::SYMLINK_FOLLOW)
}

fn truncate(object: &Object, length: i64) -> Result<(), Errno> {
    match object.hold() {
        Hold::File => sys::ftruncate(object.fd(), length),
        Hold::Pin => sys::truncate(&object.reopen_path(), length),
    }
}

fn chmod(object: &Object, mode: u32) -> Result<(), Errno> {
    match object.hold() {
        Hold::File => fchmod(object.fd(), Mode::from_raw_mode(mode)),
        Hold::Pin => sys::chmod_object(object.fd(), mode),
    }
}

fn chown(object: &Object, uid: Option<u32>, gid: Option<u32>) -> Result<(), Errno> {
    let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
    match object.hold() {
        Hold::File => fchown(object.fd(), uid, gid),
        Hold::Pin => chownat(object.fd(), c"", uid, gid, AtFlags::EMPTY_PATH),
    }
}

fn utimes(object: &Object, times: &Times) -> Result<(), Errno> {
    match object.hold() {
        Hold::File => futimens(object.fd(), &times.stamps()),
        Hold::Pin => utimensat(object.fd(), c"", &times.stamps(), AtFlags::EMPTY_PATH),
    }
}

fn handed(fd: OwnedFd, flags: i32) -> Result<Outcome, Stop> {
    Ok(Outcome::Descriptor { fd, close_on_exec: flags & libc::O_CLOEXEC != 0 })
}

/// A caller's flags for an open of ours: never inherited, and never our controlling terminal.
fn own_flags(flags: i32) -> OFlags {
    OFlags::from_bits_retain(flags.unsigned_abs()) | OFlags::CLOEXEC | OFlags::NOCTTY
}

/// Creates, and never takes what has come there since: it was not decided about.
fn open_new(at: &Entry, flags: i32, mode: u32, caller: &Caller) -> Result<OwnedFd, Stop> {
    let _acting = caller.create()?;
    let flags_here = own_flags(flags) | OFlags::CREATE | OFlags::EXCL;
    match openat(at.parent.fd(), &at.name, flags_here, Mode::from_raw_mode(mode)) {
        Err(Errno::EXIST) if flags & libc::O_EXCL == 0 => Err(Stop::Changed),
        other => Ok(other?),
    }
}

/// Opens the pinned object anew, with the flags and rights of the caller.
fn open_existing(
    object: &Object,
    flags: i32,
    caller: &Caller,
    wait: &Wait<'_>,
) -> Result<OwnedFd, Stop> {
    let _acting = caller.act()?;
    let dropped = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    let flags = own_flags(flags).difference(dropped);
    let path = object.reopen_path();
    if object.kind() == Kind::Fifo && !flags.contains(OFlags::NONBLOCK) {
        return open_fifo(&path, flags, wait);
    }
    Ok(open(path, flags, Mode::empty())?)
}

/// Opens a FIFO without being held by it, and waits for the other end as the kernel would: a writer
/// until there is a reader, a reader until a writer has written or left.
fn open_fifo(path: &std::ffi::CStr, flags: OFlags, wait: &Wait<'_>) -> Result<OwnedFd, Stop> {
    let fd = loop {
        match open(path, flags | OFlags::NONBLOCK, Mode::empty()) {
            Err(Errno::NXIO) => wait.pause()?,
            other => break other?,
        }
    };
    if flags.intersection(OFlags::ACCMODE) == OFlags::RDONLY {
        wait_for_writer(fd.as_fd(), wait)?;
    }
    fcntl_setfl(&fd, flags)?;
    Ok(fd)
}

fn wait_for_writer(fd: BorrowedFd<'_>, wait: &Wait<'_>) -> Result<(), Stop> {
    let step = Timespec { tv_sec: 0, tv_nsec: LOOK_NANOS };
    loop {
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        match poll(&mut fds, Some(&step)) {
            Ok(0) | Err(Errno::INTR) => wait.check()?,
            Ok(_) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
    }
}
