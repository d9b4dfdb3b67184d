//! The filter that hands calls to a listener.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use seccompiler::BpfProgram;
use thiserror::Error;

use crate::assemble::{self, ALLOW, NOTIFY, Test, Tree, Word, when};
use crate::refuse::call;
use crate::sys;

/// The kernel's limit of instructions in one program, `BPF_MAXINSNS`.
pub(crate) const MAX_INSTRUCTIONS: usize = 4096;

/// `O_TMPFILE` without the `O_DIRECTORY` that it includes.
const TMPFILE_BIT: i32 = libc::O_TMPFILE & !libc::O_DIRECTORY;

/// Flags that make an open more than a look. `O_ACCMODE` holds both write modes.
const WRITE_FLAGS: i32 = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | TMPFILE_BIT;

/// Which opens are handed to the listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Those that can change something: write, create, truncate. The flags are in a register, so
    /// nobody can change them afterwards. Reading is then left to fanotify.
    Writes,
    /// All but `O_PATH` ones, for machines without fanotify.
    AllOpens,
}

/// Why a filter was not installed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The kernel took no filter with a listener: an older kernel, or the thread has one already.
    #[error("the kernel installed no notify filter; one thread can have one listener only")]
    Notify {
        /// The kernel's answer.
        source: Errno,
    },
    /// `no_new_privs` could not be set.
    #[error("cannot give up new privileges, without which no filter is installed")]
    Privileges {
        /// The kernel's answer.
        source: Errno,
    },
    /// The kernel took no deny-list.
    #[error("the kernel installed no deny-list; see whether seccomp filters are built in")]
    Refusals {
        /// What seccompiler says.
        source: seccompiler::Error,
    },
    /// The program is longer than the kernel takes.
    #[error("the filter has {instructions} instructions, the kernel takes 4096; shorten the list")]
    TooLong {
        /// Its length.
        instructions: usize,
    },
    /// A system call number is no 32-bit number.
    #[error("`{number}` is no system call number")]
    Number {
        /// The number.
        number: i64,
    },
}

/// Calls that are always handed over.
const ALWAYS: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_connect,
    libc::SYS_creat,
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    libc::SYS_rmdir,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_link,
    libc::SYS_linkat,
    libc::SYS_symlink,
    libc::SYS_symlinkat,
    libc::SYS_mknod,
    libc::SYS_mknodat,
    libc::SYS_chmod,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchmodat2,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_utimensat,
    libc::SYS_futimesat,
];

/// The notify filter as a program for `seccomp(2)`.
///
/// `openat2` is handed over whatever its flags, since they lie in memory; [`crate::attempt()`]
/// answers it `ENOSYS`, should the deny-list not have done so.
///
/// # Errors
///
/// When a call number does not fit; never on x86_64.
pub fn notify_program(scope: Scope) -> Result<BpfProgram, InstallError> {
    let mut calls = Vec::new();
    for number in ALWAYS.iter().chain(&[libc::SYS_openat2]) {
        calls.push((call(*number)?, Tree::Verdict(NOTIFY)));
    }
    calls.push((call(libc::SYS_open)?, open(Word::Argument(1), scope)));
    calls.push((call(libc::SYS_openat)?, open(Word::Argument(2), scope)));
    Ok(assemble::program(calls))
}

/// With `O_PATH` the kernel ignores all other flags, and the descriptor can neither be read nor
/// written; opening it anew goes through this filter again.
fn open(flags: Word, scope: Scope) -> Tree {
    let rest = match scope {
        Scope::AllOpens => Tree::Verdict(NOTIFY),
        Scope::Writes => when(
            flags,
            Test::AnyBit(WRITE_FLAGS.unsigned_abs()),
            Tree::Verdict(NOTIFY),
            Tree::Verdict(ALLOW),
        ),
    };
    when(flags, Test::AnyBit(libc::O_PATH.unsigned_abs()), Tree::Verdict(ALLOW), rest)
}

/// Installs the notify filter on this thread and all that it starts, sets `no_new_privs`, and
/// returns the listener's descriptor (close-on-exec), to be sent to whoever answers.
///
/// From then on this thread's own execs and writes wait for an answer. Once a call was received,
/// only a fatal signal interrupts it (`WAIT_KILLABLE_RECV`, Linux 6.0): otherwise a signal could
/// make the caller repeat a mutation that was carried out already. A signal before that interrupts
/// the call with nothing done; a handler without `SA_RESTART` then sees `EINTR`, even from `mkdir`.
///
/// # Errors
///
/// When the kernel refuses; nothing is then installed.
pub fn install_notify(scope: Scope) -> Result<OwnedFd, InstallError> {
    let program = notify_program(scope)?;
    rustix::thread::set_no_new_privs(true).map_err(|source| InstallError::Privileges { source })?;
    let flags =
        libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    sys::seccomp_listener(&program, flags).map_err(|source| InstallError::Notify { source })
}
