//! A group of marks, and the questions that they raise.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::sys::{self, Target};
use crate::{Ask, Asks, Event};

/// How the files of events are opened: for a look only; `O_NONBLOCK`, so that a FIFO or a terminal would
/// not hold us, should a kernel ask about them.
const EVENT_FLAGS: i32 = libc::O_RDONLY | libc::O_LARGEFILE | libc::O_CLOEXEC | libc::O_NONBLOCK;

/// Without the unlimited queue the kernel would *let through* what does not fit.
const GROUP_FLAGS: u32 = libc::FAN_CLOEXEC
    | libc::FAN_NONBLOCK
    | libc::FAN_REPORT_TID
    | libc::FAN_UNLIMITED_QUEUE
    | libc::FAN_UNLIMITED_MARKS;

const MOUNT: u32 = libc::FAN_MARK_MOUNT;
const IGNORE_MOUNT: u32 = libc::FAN_MARK_MOUNT | libc::FAN_MARK_IGNORE_SURV;

/// What a group is for. Groups of [`Class::Access`] are asked first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// Deciding [`Ask::Open`] and [`Ask::Execute`].
    Decide,
    /// Containment: in addition [`Ask::Access`].
    Access,
}

impl Class {
    /// What it can ask. The kernel takes no mask with anything else in it, not even to take it away.
    pub(crate) fn asks(self) -> Asks {
        let asks = match self {
            Self::Decide => &[Ask::Open, Ask::Execute][..],
            Self::Access => &Ask::ALL,
        };
        asks.iter().copied().collect()
    }
}

/// Why there is no group.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// It takes `CAP_SYS_ADMIN` in the first user namespace.
    #[error("the kernel lets only an administrator decide on files; run the node as root")]
    NotAllowed(#[source] io::Error),
    /// The kernel has no fanotify with permission events, or a limit is reached.
    #[error("the kernel makes no fanotify group; it needs CONFIG_FANOTIFY_ACCESS_PERMISSIONS")]
    Unavailable(#[source] io::Error),
}

/// Why a mark was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MarkError {
    /// No ask, or [`Ask::Access`] in a group of [`Class::Decide`].
    #[error("this group cannot ask {asks:?}; name at least one ask that its class knows")]
    Asks {
        /// What was wanted.
        asks: Asks,
    },
    /// A path with a zero byte in it.
    #[error("`{path}` has a zero byte in it; no file has", path = .0.display())]
    NoPath(PathBuf),
    /// The file system cannot ask this: `/proc` nothing at all, and [`Ask::Access`] only ext4, XFS, Btrfs.
    #[error(
        "the file system of `{path}` cannot ask {asks:?}; have the files on ext4, or guard them otherwise",
        path = .path.display()
    )]
    Unsupported {
        /// The path.
        path: PathBuf,
        /// What was wanted.
        asks: Asks,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The path leads nowhere, there is no such mark to take away, or memory is short.
    #[error("the mount of `{path}` keeps its marks; look whether it still exists", path = .path.display())]
    Kernel {
        /// The path.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file of one question could not be opened for us (it is gone, a driver refuses, or we have too
    /// many open). The kernel has refused that question. Go on reading.
    #[error(
        "the kernel refused a question because it could not open the file for us; go on reading"
    )]
    Unopened(#[source] io::Error),
    /// The group answers no more, or speaks a language that we do not know: contain whoever is governed.
    #[error("the fanotify group is broken; contain the agent")]
    Broken(#[source] io::Error),
}

/// What [`Group::read`] hands over.
#[derive(Debug)]
pub enum Notice {
    /// Somebody waits for an answer.
    Asked(Event),
    /// The kernel lost a question, or asked one that nobody can answer: contain whoever is governed. Never
    /// seen with an unlimited queue.
    Overflow,
}

/// Marks and their questions. To be shared among threads.
///
/// All marks go when the last handle goes, be it the group or an event; whatever waits then is *let
/// through* by the kernel.
#[derive(Debug)]
pub struct Group {
    inner: Arc<Inner>,
}

/// What a group and its events share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) file: File,
    pub(crate) class: Class,
    /// Held while what is remembered of a file is replaced, which takes two calls.
    pub(crate) memory: Mutex<()>,
}

impl Group {
    /// A group without marks.
    ///
    /// # Errors
    ///
    /// [`GroupError`], when this process or this kernel cannot decide on files.
    pub fn new(class: Class) -> Result<Self, GroupError> {
        let kind = match class {
            Class::Decide => libc::FAN_CLASS_CONTENT,
            Class::Access => libc::FAN_CLASS_PRE_CONTENT,
        };
        let fd = sys::init(kind | GROUP_FLAGS, EVENT_FLAGS.cast_unsigned()).map_err(|source| {
            match source.raw_os_error() {
                Some(libc::EPERM) => GroupError::NotAllowed(source),
                _ => GroupError::Unavailable(source),
            }
        })?;
        let inner = Inner { file: File::from(fd), class, memory: Mutex::new(()) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// From now on the kernel asks `what` about every file of the mount that `path` is on; not of other
    /// mounts of the same file system, so that with `/proc/PID/root/…` only the mount namespace of that
    /// process is asked.
    ///
    /// Links in `path` are followed, and out of `/proc/PID/root` an absolute one leads to *our* files:
    /// take the path of a [`Reached`](crate::Reached).
    ///
    /// # Errors
    ///
    /// [`MarkError`]; then nothing has changed.
    pub fn mark_mount(&self, path: &Path, what: &[Ask]) -> Result<(), MarkError> {
        self.mount(libc::FAN_MARK_ADD | MOUNT, path, what)
    }

    /// Takes back [`Group::mark_mount`].
    ///
    /// # Errors
    ///
    /// [`MarkError::Kernel`] when there is no such mark, and as above.
    pub fn unmark_mount(&self, path: &Path, what: &[Ask]) -> Result<(), MarkError> {
        self.mount(libc::FAN_MARK_REMOVE | MOUNT, path, what)
    }

    /// The kernel keeps a mark but does not ask, until [`Group::heed_mount`].
    ///
    /// A mount that is to be contained at any moment is ignored first and then marked for
    /// [`Ask::Access`]: what is opened meanwhile can be asked about later, and until then nothing waits.
    ///
    /// # Errors
    ///
    /// [`MarkError`]; then nothing has changed.
    pub fn ignore_mount(&self, path: &Path, what: &[Ask]) -> Result<(), MarkError> {
        self.mount(libc::FAN_MARK_ADD | IGNORE_MOUNT, path, what)
    }

    /// Takes back [`Group::ignore_mount`].
    ///
    /// # Errors
    ///
    /// [`MarkError::Kernel`] when the mount is not ignored, and as above.
    pub fn heed_mount(&self, path: &Path, what: &[Ask]) -> Result<(), MarkError> {
        self.mount(libc::FAN_MARK_REMOVE | IGNORE_MOUNT, path, what)
    }

    /// Forgets everything that [`Event::remember`] told the kernel; marks of mounts stay.
    ///
    /// A verdict that was made before this call but is remembered after it stays: who changes a policy
    /// compares its epoch after remembering.
    ///
    /// # Errors
    ///
    /// Only when the group is broken.
    pub fn forget_all(&self) -> io::Result<()> {
        sys::mark(self.inner.file.as_fd(), libc::FAN_MARK_FLUSH, 0, Target::All)
    }

    /// Waits up to `wait_ms` milliseconds (negative: for ever) for questions, and hands a batch of them to
    /// `each`; says how many. It may come back early and with none. Several threads may read.
    ///
    /// # Errors
    ///
    /// [`ReadError::Unopened`] is no reason to stop. What came before a fault is handed over or refused.
    pub fn read(&self, wait_ms: i32, each: &mut dyn FnMut(Notice)) -> Result<usize, ReadError> {
        match sys::wait(self.inner.file.as_fd(), wait_ms) {
            Ok(true) => {}
            Ok(false) => return Ok(0),
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => return Ok(0),
            Err(fault) => return Err(ReadError::Broken(fault)),
        }
        let (given, end) = match sys::read(&self.inner.file) {
            Ok(batch) => batch,
            Err(fault) => return nothing_read(fault),
        };
        let count = given.len();
        // All of them are events before the first is handed over: should `each` panic, they are refused.
        let notices: Vec<_> = given.into_iter().map(|given| self.notice(given)).collect();
        notices.into_iter().for_each(each);
        match end {
            Ok(()) => Ok(count),
            Err(sys::Strange) => Err(ReadError::Broken(io::ErrorKind::InvalidData.into())),
        }
    }

    fn notice(&self, given: sys::Given) -> Notice {
        let asks = Asks::from_mask(given.mask);
        match given.file {
            Some(file) if !asks.is_empty() => {
                Notice::Asked(Event::new(Arc::clone(&self.inner), given.tid, asks, file.into()))
            }
            Some(_) | None => Notice::Overflow,
        }
    }

    fn mount(&self, flags: u32, path: &Path, what: &[Ask]) -> Result<(), MarkError> {
        let asks = what.iter().copied().collect::<Asks>();
        if asks.is_empty() || !self.inner.class.asks().holds(asks) {
            return Err(MarkError::Asks { asks });
        }
        let name = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| MarkError::NoPath(path.to_owned()))?;
        let target = Target::Path(&name);
        sys::mark(self.inner.file.as_fd(), flags, asks.mask(), target).map_err(|source| {
            let path = path.to_owned();
            match source.raw_os_error() {
                Some(libc::EOPNOTSUPP | libc::EINVAL | libc::ENODEV | libc::EXDEV) => {
                    MarkError::Unsupported { path, asks, source }
                }
                _ => MarkError::Kernel { path, source },
            }
        })
    }
}

impl AsFd for Group {
    /// Readable when there are questions; for an event loop.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.file.as_fd()
    }
}

/// Tells a question that the kernel refused from a group that is broken.
fn nothing_read(fault: io::Error) -> Result<usize, ReadError> {
    match fault.raw_os_error() {
        Some(libc::EAGAIN | libc::EINTR) => Ok(0),
        Some(libc::EBADF | libc::EFAULT | libc::EINVAL) => Err(ReadError::Broken(fault)),
        _ => Err(ReadError::Unopened(fault)),
    }
}
