//! Paths in another mount namespace.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};

/// Something that was found in the files of a process, held fast.
#[derive(Debug)]
pub struct Reached {
    path: PathBuf,
    /// What the path is of.
    _held: OwnedFd,
}

impl Reached {
    /// A path that leads to it and nowhere else, as long as this value lives.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Finds `point` as the process itself would find it.
///
/// Links are followed within the root of the process. Joining `/proc/PID/root` and `point` would not do: an
/// agent could put an absolute link in the way, and the mark would hit one of our own mounts.
///
/// # Errors
///
/// When the process or the point is not there, or something moves on the way: then try again, or refuse.
pub fn reach(pid: i32, point: &Path) -> io::Result<Reached> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let root = open(format!("/proc/{pid}/root"), flags | OFlags::DIRECTORY, Mode::empty())?;
    let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let held = openat2(&root, point, flags, Mode::empty(), within)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", held.as_raw_fd()));
    Ok(Reached { path, _held: held })
}
