//! The calls that have no safe wrapper elsewhere. Each does one system call and nothing more.

#![expect(unsafe_code, reason = "seccomp's ioctls and per-thread identity have no safe wrapper")]

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_long, seccomp_notif_addfd, seccomp_notif_resp, seccomp_notif_sizes};
use rustix::io::Errno;
use seccompiler::sock_filter;

/// Bytes of the buffer for one notification. The kernel's structure has 80 today and may grow.
pub(crate) const NOTIFICATION_BYTES: usize = 256;

/// A notification as the kernel writes it; larger than our idea of the structure, so that a newer
/// kernel has room.
#[repr(C, align(8))]
pub(crate) struct Notification {
    pub(crate) body: libc::seccomp_notif,
    rest: [u8; NOTIFICATION_BYTES - size_of::<libc::seccomp_notif>()],
}

impl Notification {
    /// All bytes zero, as the kernel demands of the receiver.
    pub(crate) fn zeroed() -> Self {
        // SAFETY: the structure holds integers only, for which zero is a value.
        unsafe { std::mem::zeroed() }
    }
}

fn check(result: c_long) -> Result<c_long, Errno> {
    if result >= 0 {
        return Ok(result);
    }
    let code = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
    Err(Errno::from_raw_os_error(code))
}

/// Installs a program on this thread and returns its listener.
pub(crate) fn seccomp_listener(program: &[sock_filter], flags: u64) -> Result<OwnedFd, Errno> {
    let len = u16::try_from(program.len()).map_err(|_| Errno::INVAL)?;
    let prog = libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: `sock_filter` here and in libc are the kernel's layout; the kernel only reads `len`
    // of them, and the call returns a new descriptor that nobody else owns.
    unsafe {
        let fd = check(libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const prog,
        ))?;
        Ok(OwnedFd::from_raw_fd(RawFd::try_from(fd).map_err(|_| Errno::INVAL)?))
    }
}

/// The sizes of the kernel's own structures.
pub(crate) fn notification_sizes() -> Result<seccomp_notif_sizes, Errno> {
    let mut sizes =
        seccomp_notif_sizes { seccomp_notif: 0, seccomp_notif_resp: 0, seccomp_data: 0 };
    // SAFETY: the kernel writes one structure of this layout.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_NOTIF_SIZES, 0, &raw mut sizes)
    };
    check(result).map(|_| sizes)
}

/// Takes the next notification; blocks when there is none.
pub(crate) fn receive(listener: BorrowedFd<'_>, into: &mut Notification) -> Result<(), Errno> {
    // SAFETY: the buffer is zeroed by its constructor and at least as large as the kernel's
    // structure, which the listener checked when it was made.
    let result = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut *into)
    };
    check(result.into()).map(drop)
}

/// Answers a notification.
pub(crate) fn send(listener: BorrowedFd<'_>, mut answer: seccomp_notif_resp) -> Result<(), Errno> {
    // SAFETY: the kernel reads one structure of this layout.
    let result = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer)
    };
    check(result.into()).map(drop)
}

/// Lets caller and receiver take turns on one processor: while one of them waits for the other, there is
/// nothing that it could do (Linux 6.6).
pub(crate) fn wake_in_turn(listener: BorrowedFd<'_>) -> Result<(), Errno> {
    /// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`.
    const SYNC_WAKE_UP: u64 = 1;
    // SAFETY: the kernel takes the flags as a number.
    let result = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP)
    };
    check(result.into()).map(drop)
}

/// Whether the notification still waits for an answer.
pub(crate) fn id_valid(listener: BorrowedFd<'_>, id: u64) -> Result<(), Errno> {
    // SAFETY: the kernel reads one u64.
    let result = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const id)
    };
    check(result.into()).map(drop)
}

/// Puts a descriptor into the caller's table and answers with its number, in one step.
pub(crate) fn add_fd(
    listener: BorrowedFd<'_>,
    id: u64,
    fd: BorrowedFd<'_>,
    flags: u32,
) -> Result<i64, Errno> {
    let source = u32::try_from(fd.as_raw_fd()).map_err(|_| Errno::BADF)?;
    let request = seccomp_notif_addfd {
        id,
        flags: u32::try_from(libc::SECCOMP_ADDFD_FLAG_SEND).map_err(|_| Errno::INVAL)?,
        srcfd: source,
        newfd: 0,
        newfd_flags: flags,
    };
    // SAFETY: the kernel reads one structure of this layout.
    let result = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD, &raw const request)
    };
    check(result.into())
}

/// Copies from another task's memory; returns how many bytes came.
pub(crate) fn read_memory(tid: i32, address: u64, into: &mut [u8]) -> Result<usize, Errno> {
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let base = usize::try_from(address).map_err(|_| Errno::FAULT)?;
    let remote =
        libc::iovec { iov_base: std::ptr::without_provenance_mut(base), iov_len: into.len() };
    // SAFETY: the local vector is the caller's slice; the remote one is checked by the kernel.
    let result =
        unsafe { libc::process_vm_readv(tid, &raw const local, 1, &raw const remote, 1, 0) };
    check(i64::try_from(result).map_err(|_| Errno::IO)?)
        .and_then(|count| usize::try_from(count).map_err(|_| Errno::IO))
}

/// Sets this thread's user for file accesses; the kernel reports no failure, so ask again.
pub(crate) fn set_fs_user(uid: u32) -> Result<(), Errno> {
    // SAFETY: changes this thread's credentials only; an invalid id changes nothing and asks.
    let now = unsafe {
        libc::syscall(libc::SYS_setfsuid, uid);
        libc::syscall(libc::SYS_setfsuid, u32::MAX)
    };
    if now == i64::from(uid) { Ok(()) } else { Err(Errno::PERM) }
}

/// As [`set_fs_user`], for the group.
pub(crate) fn set_fs_group(gid: u32) -> Result<(), Errno> {
    // SAFETY: as in `set_fs_user`.
    let now = unsafe {
        libc::syscall(libc::SYS_setfsgid, gid);
        libc::syscall(libc::SYS_setfsgid, u32::MAX)
    };
    if now == i64::from(gid) { Ok(()) } else { Err(Errno::PERM) }
}

/// Gives this thread its own umask, working directory and root, apart from the other threads'.
pub(crate) fn unshare_fs() -> Result<(), Errno> {
    // SAFETY: no memory is involved; only CLONE_FS is unshared, descriptors stay shared.
    check(unsafe { libc::unshare(libc::CLONE_FS) }.into()).map(drop)
}

/// Changes the mode of the object behind any descriptor, `O_PATH` ones included (Linux 6.6).
pub(crate) fn chmod_object(fd: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
    // SAFETY: the path is an empty constant string.
    let result = unsafe {
        libc::syscall(libc::SYS_fchmodat2, fd.as_raw_fd(), c"".as_ptr(), mode, libc::AT_EMPTY_PATH)
    };
    check(result).map(drop)
}

/// `truncate(2)`.
pub(crate) fn truncate(path: &CStr, length: i64) -> Result<(), Errno> {
    // SAFETY: the path is a C string that outlives the call.
    check(unsafe { libc::truncate(path.as_ptr(), length) }.into()).map(drop)
}

/// `ftruncate(2)`.
pub(crate) fn ftruncate(fd: BorrowedFd<'_>, length: i64) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::ftruncate(fd.as_raw_fd(), length) }.into()).map(drop)
}

/// Of `fcntl(2)`; not in the libc crate.
const F_SETSIG: i32 = 10;

/// Whether somebody has the file open to write, found out by a lease that is given back at once: there is
/// none then. Where no lease can be had for other reasons, it is not known, and `false`.
pub(crate) fn is_open_to_write(fd: BorrowedFd<'_>) -> bool {
    let set = |command: i32, value: i32| {
        // SAFETY: no memory is involved.
        check(unsafe { libc::fcntl(fd.as_raw_fd(), command, value) }.into())
    };
    // Should somebody open it in this very moment, the signal that says so is one that is ignored.
    if set(F_SETSIG, libc::SIGURG).is_err() {
        return false;
    }
    match set(libc::F_SETLEASE, libc::F_RDLCK) {
        Ok(_) => {
            let _ = set(libc::F_SETLEASE, libc::F_UNLCK);
            false
        }
        Err(errno) => errno == Errno::AGAIN,
    }
}

/// `fallocate(2)`.
pub(crate) fn fallocate(fd: BorrowedFd<'_>, mode: i32, at: i64, bytes: i64) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    check(unsafe { libc::fallocate(fd.as_raw_fd(), mode, at, bytes) }.into()).map(drop)
}

/// `mknodat(2)`, never of a device.
pub(crate) fn make_node(parent: BorrowedFd<'_>, name: &CStr, mode: u32) -> Result<(), Errno> {
    // SAFETY: the name is a C string that outlives the call.
    check(unsafe { libc::mknodat(parent.as_raw_fd(), name.as_ptr(), mode, 0) }.into()).map(drop)
}

/// `connect(2)` with an address as the caller wrote it.
pub(crate) fn connect(socket: impl AsFd, address: &[u8]) -> Result<(), Errno> {
    let len = u32::try_from(address.len()).map_err(|_| Errno::INVAL)?;
    // SAFETY: the kernel reads `len` bytes of the slice.
    let result = unsafe { libc::connect(socket.as_fd().as_raw_fd(), address.as_ptr().cast(), len) };
    check(result.into()).map(drop)
}
