//! The system calls that no crate wraps with what we need of them.
#![expect(unsafe_code, reason = "fanotify with pre-content masks has no safe wrapper yet")]

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

pub(crate) use crate::batch::Strange;
use crate::batch::parse;

/// The most that one read takes, in bytes: about 170 events, each of which is a descriptor of ours until
/// it is answered.
const READ_BYTES: usize = 4096;

/// What a mark is put on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// What a path leads to.
    Path(&'a CStr),
    /// An open file.
    File(BorrowedFd<'a>),
    /// Nothing: for flags that mean all marks.
    All,
}

/// One event with its own descriptor.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) mask: u64,
    pub(crate) tid: i32,
    pub(crate) file: Option<OwnedFd>,
}

/// `fanotify_init`.
pub(crate) fn init(flags: u32, event_flags: u32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes two integers and touches no memory of ours.
    let fd = unsafe { libc::fanotify_init(flags, event_flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `fanotify_mark`.
pub(crate) fn mark(
    group: BorrowedFd<'_>,
    flags: u32,
    mask: u64,
    target: Target<'_>,
) -> io::Result<()> {
    let (dirfd, path) = match target {
        Target::Path(path) => (libc::AT_FDCWD, path.as_ptr()),
        Target::File(file) => (file.as_raw_fd(), std::ptr::null()),
        Target::All => (libc::AT_FDCWD, std::ptr::null()),
    };
    // SAFETY: `path` is null, which the call allows, or a string that lives as long as `target`.
    let result = unsafe { libc::fanotify_mark(group.as_raw_fd(), flags, mask, dirfd, path) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Waits until there is something to read, at most `wait_ms` milliseconds; a negative number is for ever.
pub(crate) fn wait(file: BorrowedFd<'_>, wait_ms: i32) -> io::Result<bool> {
    let mut asked = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: `asked` is one valid entry, as the count says, and lives through the call.
    match unsafe { libc::poll(&raw mut asked, 1, wait_ms) } {
        -1 => Err(io::Error::last_os_error()),
        count => Ok(count > 0),
    }
}

/// Reads what there is, without waiting, and takes hold of every descriptor that came with it.
pub(crate) fn read(mut group: &File) -> io::Result<(Vec<Given>, Result<(), Strange>)> {
    let mut buffer = [0; READ_BYTES];
    let length = group.read(&mut buffer)?;
    let (events, end) = parse(buffer.get(..length).unwrap_or_default());
    let own = |fd: i32| {
        // SAFETY: the kernel has made this descriptor for this event of this read, and the bytes that
        // name it are read here and nowhere else.
        (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
    };
    let given =
        events.into_iter().map(|raw| Given { mask: raw.mask, tid: raw.tid, file: own(raw.fd) });
    Ok((given.collect(), end))
}
