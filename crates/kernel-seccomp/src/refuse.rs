//! What no agent needs: answered in the kernel, whoever asks, with no way back.

use seccompiler::{BpfProgram, apply_filter};

use crate::assemble::{self, ALLOW, Test, Tree, Word, errno, when, when_any};
use crate::notify::InstallError;

/// Newer than the libc crate's tables.
const FILE_SETATTR: i64 = 469;
const OPEN_TREE_ATTR: i64 = 467;
const SETXATTRAT: i64 = 463;
const REMOVEXATTRAT: i64 = 466;

/// Answered as by a kernel that lacks them, since libraries then fall back to calls that a filter
/// can read: `clone3` and `openat2` keep their flags in memory, and io_uring passes no filter.
const ABSENT: &[i64] = &[
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_openat2,
    libc::SYS_clone3,
    libc::SYS_memfd_secret,
    libc::SYS_uselib,
    libc::SYS__sysctl,
    FILE_SETATTR,
];

/// Other processes' memory and descriptors, the kernel's own machinery, mounts and namespaces,
/// keys, handles that pass by the path, and the machine's clock, name and power.
const FORBIDDEN: &[i64] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_open_by_handle_at,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    libc::SYS_vhangup,
    libc::SYS_syslog,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
];

/// Attributes carry capabilities and labels; tools take this answer as "not on this file system".
const UNSUPPORTED: &[i64] = &[
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    SETXATTRAT,
    REMOVEXATTRAT,
];

/// New namespaces by `clone`; its lowest byte is the exit signal.
const NAMESPACES: u32 = 0x7e02_0000;

/// `unshare` can also make a time namespace.
const NAMESPACES_AND_TIME: u32 = NAMESPACES | 0x80;

/// Input pushed into a terminal, its line discipline, and the console.
const TERMINAL_TRICKS: &[u32] = &[0x5412, 0x541c, 0x541d, 0x5423];

/// File flags (immutable, append-only) set through a descriptor that was opened for reading:
/// `FS_IOC_SETFLAGS`, its 32-bit twin, `FS_IOC_FSSETXATTR`.
const FILE_FLAGS: &[u32] = &[0x4008_6602, 0x4004_6602, 0x401c_5820];

/// Personalities that weaken nothing: the usual one, the question, and fixed addresses (debuggers
/// and reproducible builds).
const PERSONALITIES: &[u32] = &[0, u32::MAX, 0x0004_0000];

/// The deny-list as a program for `seccomp(2)`.
///
/// An error number, not death: an agent that tries gets an answer it can read.
///
/// # Errors
///
/// When the list does not fit the kernel's limit of instructions.
pub fn refuse_dangerous() -> Result<BpfProgram, InstallError> {
    let mut calls = Vec::new();
    for (numbers, code) in
        [(ABSENT, libc::ENOSYS), (FORBIDDEN, libc::EPERM), (UNSUPPORTED, libc::EOPNOTSUPP)]
    {
        for number in numbers {
            calls.push((call(*number)?, Tree::Verdict(errno(code))));
        }
    }
    for (number, tree) in by_argument() {
        calls.push((call(number)?, tree));
    }
    let program = assemble::program(calls);
    if program.len() > crate::notify::MAX_INSTRUCTIONS {
        return Err(InstallError::TooLong { instructions: program.len() });
    }
    Ok(program)
}

/// Installs [`refuse_dangerous`] on this thread and all that it starts, and sets
/// `no_new_privs`. Install it *after* the notify filter, whose installation it refuses.
///
/// # Errors
///
/// When the kernel refuses the filter; nothing is then installed.
pub fn install_refusals() -> Result<(), InstallError> {
    let program = refuse_dangerous()?;
    apply_filter(&program).map_err(|source| InstallError::Refusals { source })
}

/// A number of the libc crate as the filter sees it.
pub(crate) fn call(number: i64) -> Result<u32, InstallError> {
    u32::try_from(number).map_err(|_| InstallError::Number { number })
}

fn by_argument() -> Vec<(i64, Tree)> {
    let forbid = errno(libc::EPERM);
    let namespaces = |bits| {
        when(Word::Argument(0), Test::AnyBit(bits), Tree::Verdict(forbid), Tree::Verdict(ALLOW))
    };
    vec![
        (libc::SYS_clone, namespaces(NAMESPACES)),
        (libc::SYS_unshare, namespaces(NAMESPACES_AND_TIME)),
        (libc::SYS_personality, when_any(Word::Argument(0), PERSONALITIES, ALLOW, forbid)),
        (libc::SYS_seccomp, nested_listener()),
        // A process must not change what its command line and program file appear to be.
        (
            libc::SYS_prctl,
            when_any(Word::Argument(0), &[libc::PR_SET_MM.unsigned_abs()], forbid, ALLOW),
        ),
        // A lease holds back whoever opens the file: it would stall the one that performs.
        (
            libc::SYS_fcntl,
            when_any(
                Word::Argument(1),
                &[libc::F_SETLEASE.unsigned_abs()],
                errno(libc::EINVAL),
                ALLOW,
            ),
        ),
        (libc::SYS_ioctl, ioctl()),
        (libc::SYS_socket, socket()),
        (
            libc::SYS_socketpair,
            when_any(Word::Argument(0), &[family(libc::AF_UNIX)], ALLOW, errno(libc::EAFNOSUPPORT)),
        ),
        (libc::SYS_sendto, unless_connecting(Word::Argument(3))),
        (libc::SYS_sendmsg, unless_connecting(Word::Argument(2))),
        (libc::SYS_sendmmsg, unless_connecting(Word::Argument(3))),
        (libc::SYS_mknod, device(Word::Argument(1))),
        (libc::SYS_mknodat, device(Word::Argument(2))),
    ]
}

/// Data that goes out with the connection (TCP Fast Open) makes one that nobody was asked about; clients
/// connect first when they get this answer.
fn unless_connecting(flags: Word) -> Tree {
    let connecting = libc::MSG_FASTOPEN.unsigned_abs();
    let refused = Tree::Verdict(errno(libc::EOPNOTSUPP));
    when(flags, Test::AnyBit(connecting), refused, Tree::Verdict(ALLOW))
}

/// A filter with a listener of its own could answer calls in our stead.
fn nested_listener() -> Tree {
    let flag = u32::try_from(libc::SECCOMP_FILTER_FLAG_NEW_LISTENER).unwrap_or(u32::MAX);
    when(
        Word::Argument(1),
        Test::AnyBit(flag),
        Tree::Verdict(errno(libc::EPERM)),
        Tree::Verdict(ALLOW),
    )
}

fn ioctl() -> Tree {
    let requests: Vec<(u32, i32)> = TERMINAL_TRICKS
        .iter()
        .map(|request| (*request, libc::EPERM))
        .chain(FILE_FLAGS.iter().map(|request| (*request, libc::EOPNOTSUPP)))
        .collect();
    requests.into_iter().fold(Tree::Verdict(ALLOW), |rest, (request, code)| {
        when(Word::Argument(1), Test::Equals(request), Tree::Verdict(errno(code)), rest)
    })
}

/// Unix and Internet sockets without raw ones, and the routing questions that `getaddrinfo` asks.
fn socket() -> Tree {
    let forbid = errno(libc::EPERM);
    // The type's low four bits: 1 stream, 2 datagram; 3 is raw, and 10 would become AF_PACKET.
    let cooked = when(
        Word::Argument(1),
        Test::AnyBit(0b1100),
        Tree::Verdict(forbid),
        when(
            Word::Argument(1),
            Test::AnyBit(0b0001),
            when(
                Word::Argument(1),
                Test::AnyBit(0b0010),
                Tree::Verdict(forbid),
                Tree::Verdict(ALLOW),
            ),
            Tree::Verdict(ALLOW),
        ),
    );
    let route = when_any(Word::Argument(2), &[0], ALLOW, forbid);
    [
        (libc::AF_NETLINK, route),
        (libc::AF_INET6, cooked.clone()),
        (libc::AF_INET, cooked),
        (libc::AF_UNIX, Tree::Verdict(ALLOW)),
    ]
    .into_iter()
    .fold(Tree::Verdict(errno(libc::EAFNOSUPPORT)), |rest, (name, tree)| {
        when(Word::Argument(0), Test::Equals(family(name)), tree, rest)
    })
}

/// Of the file types only character (2) and block (6) devices have bit 1 and neither bit 0 nor 3.
fn device(mode: Word) -> Tree {
    when(
        mode,
        Test::AnyBit(0o020_000),
        when(
            mode,
            Test::AnyBit(0o110_000),
            Tree::Verdict(ALLOW),
            Tree::Verdict(errno(libc::EPERM)),
        ),
        Tree::Verdict(ALLOW),
    )
}

const fn family(name: i32) -> u32 {
    name.unsigned_abs()
}
