//! The calls that no safe crate offers, each as thin as it can be.
#![expect(
    unsafe_code,
    reason = "fork, execve, signal masks and probes of the kernel have no safe form"
)]

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// Bytes of one record of a signalfd, as `signalfd(2)` fixes it.
pub(crate) const SIGNAL_RECORD: usize = 128;
/// The highest signal number of Linux.
const SIGNAL_MAX: libc::c_int = 64;
/// The first descriptor above the standard streams.
const FIRST_OWN: libc::c_uint = 3;
/// `LANDLOCK_CREATE_RULESET_VERSION`.
const LANDLOCK_VERSION: libc::c_uint = 1;

/// Which of the two processes a fork left us in.
pub(crate) enum Forked {
    /// The new process.
    Child,
    /// The old one, with the new one's id.
    Parent(Pid),
}

/// Duplicates the calling process, which must have one thread.
pub(crate) fn fork() -> io::Result<Forked> {
    // SAFETY: `entered` has checked that this process has no second thread, so no lock is held by
    // anyone who is missing in the child.
    let pid = checked(unsafe { libc::fork() })?;
    Ok(Pid::from_raw(pid).map_or(Forked::Child, Forked::Parent))
}

/// Takes a descriptor that this process was started with.
pub(crate) fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD only reads a flag.
    checked(unsafe { libc::fcntl(fd, libc::F_GETFD) })?;
    // SAFETY: the descriptor is open, came with execve, and is named once on our command line; nothing
    // in this process has opened it or will close it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lets the command's process keep these descriptors, and no other child of ours.
pub(crate) fn inherit(command: &mut Command, fds: Vec<RawFd>) {
    let keep = move || fds.iter().try_for_each(|fd| keep_open(*fd));
    // SAFETY: between fork and execve the closure only calls fcntl, which is async-signal-safe, and
    // reads memory allocated before.
    unsafe { command.pre_exec(keep) };
}

/// Clears the close-on-exec flag.
pub(crate) fn keep_open(fd: RawFd) -> io::Result<()> {
    // SAFETY: F_SETFD changes one flag of a descriptor and no memory.
    checked(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) }).map(drop)
}

/// Closes a descriptor that nobody in this process owns.
pub(crate) fn close(fd: RawFd) {
    // SAFETY: called with the descriptors of `Spec::keep_fds` and `hold_fds` only, which no object here owns.
    unsafe { libc::close(fd) };
}

/// Marks every descriptor above the three streams close-on-exec.
pub(crate) fn close_on_exec() -> io::Result<()> {
    // SAFETY: with this flag the call only sets a flag on descriptors.
    unsafe { close_range(FIRST_OWN, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) }
}

/// Closes every descriptor above the three streams but these. Only for a fresh process, which owns no
/// others.
pub(crate) fn close_all_but(kept: &[RawFd]) -> io::Result<()> {
    let mut kept: Vec<libc::c_uint> =
        kept.iter().filter_map(|fd| libc::c_uint::try_from(*fd).ok()).collect();
    kept.sort_unstable();
    let mut next = FIRST_OWN;
    for fd in kept.into_iter().filter(|fd| *fd >= FIRST_OWN) {
        if next < fd {
            // SAFETY: the caller owns nothing in between.
            unsafe { close_range(next, fd.saturating_sub(1), 0) }?;
        }
        next = fd.saturating_add(1);
    }
    // SAFETY: the caller owns nothing above.
    unsafe { close_range(next, libc::c_uint::MAX, 0) }
}

/// # Safety
///
/// Without a flag, nothing may own a descriptor from `first` to `last`.
unsafe fn close_range(
    first: libc::c_uint,
    last: libc::c_uint,
    flags: libc::c_uint,
) -> io::Result<()> {
    // SAFETY: as this function demands.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
    checked_long(done).map(drop)
}

/// Leaves the given namespaces for new ones.
pub(crate) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: only the flag for the descriptor table could break ownership of descriptors, and it is
    // removed here.
    Ok(unsafe { rustix::thread::unshare_unsafe(flags.difference(UnshareFlags::FILES)) }?)
}

/// How far a change of a mount goes.
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    /// The mount alone.
    Mount,
    /// With all mounts below it.
    Below,
}

/// Makes the mount at `path` read-only for this namespace, with no set-user-id programs and nothing to
/// execute in it.
pub(crate) fn seal_mount(path: &CStr, reach: Reach) -> io::Result<()> {
    let flags = match reach {
        Reach::Mount => 0,
        Reach::Below => libc::AT_RECURSIVE,
    };
    // SAFETY: an all-zero mount_attr is valid, it changes nothing.
    let mut attributes: libc::mount_attr = unsafe { MaybeUninit::zeroed().assume_init() };
    attributes.attr_set =
        libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC;
    // SAFETY: both pointers are valid for the call and the size is that of the structure.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw mut attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    checked_long(done).map(drop)
}

/// Blocks every signal of this thread, so that they are read from a descriptor and not lost.
pub(crate) fn block_signals() -> io::Result<OwnedFd> {
    let every = filled(true);
    // SAFETY: the set is initialised; the old mask is not asked for.
    match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const every, ptr::null_mut()) } {
        0 => {}
        code => return Err(io::Error::from_raw_os_error(code)),
    }
    // SAFETY: the set is initialised, and -1 asks for a new descriptor.
    let fd =
        unsafe { libc::signalfd(-1, &raw const every, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    // SAFETY: the kernel has just given us this descriptor.
    checked(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Gives every signal its default action and unblocks all, as a fresh program expects.
pub(crate) fn default_signals() -> io::Result<()> {
    // The kernel's own structure: handler (0 is the default), flags, restorer, mask. The C library
    // would leave out the two signals that it keeps for itself.
    let (default, size) = ([0_u64; 4], size_of::<u64>());
    let nothing: *mut libc::c_void = ptr::null_mut();
    for signal in 1..=SIGNAL_MAX {
        // SAFETY: the structure is at least as long as the kernel reads, and installs no handler; the
        // two signals that cannot be changed fail harmlessly.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), nothing, size);
        }
    }
    let none = filled(false);
    // SAFETY: the set is initialised; the old mask is not asked for.
    match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut()) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// Becomes another program; returns only when that failed.
pub(crate) fn execute(program: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    // SAFETY: both lists end in a null pointer and borrow strings that outlive the call.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// Asks for a fanotify group with permission events, and gives it back.
pub(crate) fn try_fanotify() -> io::Result<()> {
    let flags = libc::FAN_CLASS_CONTENT | libc::FAN_CLOEXEC;
    // SAFETY: the call takes no pointers.
    let fd = checked(unsafe { libc::fanotify_init(flags, libc::O_RDONLY as libc::c_uint) })?;
    // SAFETY: the kernel has just given us this descriptor.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    Ok(())
}

/// Creates a BPF array of one value, and gives it back.
pub(crate) fn try_bpf() -> io::Result<()> {
    // BPF_MAP_CREATE reads: type (2 is an array), key size, value size, entries, flags.
    let (create, attributes): (libc::c_int, [u32; 5]) = (0, [2, 4, 8, 1, 0]);
    // SAFETY: the pointer and the size describe the array above, which the kernel only reads.
    let fd = unsafe {
        libc::syscall(libc::SYS_bpf, create, attributes.as_ptr(), size_of_val(&attributes))
    };
    let fd = RawFd::try_from(checked_long(fd)?).map_err(io::Error::other)?;
    // SAFETY: the kernel has just given us this descriptor.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    Ok(())
}

/// Whether the kernel knows seccomp's user notification.
pub(crate) fn try_notify() -> io::Result<()> {
    let action: u32 = libc::SECCOMP_RET_USER_NOTIF;
    // SAFETY: the kernel reads four bytes behind the pointer.
    let done = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action)
    };
    checked_long(done).map(drop)
}

/// The kernel's Landlock ABI; an error when there is none.
pub(crate) fn landlock_abi() -> io::Result<i64> {
    let nothing: *const libc::c_void = ptr::null();
    // SAFETY: with this flag and a null pointer the call only answers a number.
    let abi = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, LANDLOCK_VERSION)
    };
    checked_long(abi)
}

fn filled(full: bool) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset and sigemptyset initialise the whole set behind a valid pointer.
    unsafe {
        if full {
            libc::sigfillset(set.as_mut_ptr())
        } else {
            libc::sigemptyset(set.as_mut_ptr())
        };
        set.assume_init()
    }
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn checked_long(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
