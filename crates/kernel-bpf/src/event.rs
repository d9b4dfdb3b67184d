//! What the programs in the kernel report.

use std::path::PathBuf;

use crate::Destination;

/// Something that a process of the session did, or tried.
///
/// In every one: `at_ns` is the time since the machine started, sleep included, in nanoseconds; `pid`
/// and `tid` are process and thread in the machine's own numbering; `cgroup` is the id of the cgroup that
/// the thread is in, which may be a tool's below the session's.
///
/// Exhaustive on purpose: who reads events must say what it does with a new one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// A thread was made; the four common fields are its maker's.
    Fork {
        /// When.
        at_ns: u64,
        /// The maker's process.
        pid: u32,
        /// The maker's thread.
        tid: u32,
        /// The maker's cgroup.
        cgroup: u64,
        /// The process of the new thread: the maker's own when it is no new process.
        child_pid: u32,
        /// The new thread.
        child_tid: u32,
    },
    /// A process turned into another program.
    Exec {
        /// When.
        at_ns: u64,
        /// Its process.
        pid: u32,
        /// Its thread, the only one now.
        tid: u32,
        /// Its cgroup.
        cgroup: u64,
        /// The program.
        image: Image,
    },
    /// A process was killed when it turned into a program without an approval for that.
    ExecRefused {
        /// When.
        at_ns: u64,
        /// Its process.
        pid: u32,
        /// Its thread.
        tid: u32,
        /// Its cgroup.
        cgroup: u64,
        /// The program, none of which has run.
        image: Image,
        /// What was wrong.
        fault: ExecFault,
    },
    /// A thread ended.
    Exit {
        /// When.
        at_ns: u64,
        /// Its process.
        pid: u32,
        /// The thread.
        tid: u32,
        /// Its cgroup.
        cgroup: u64,
        /// As `waitpid` gives it: the code in the second byte, or the signal in the first.
        status: i32,
        /// Whether the process ended with it.
        last: bool,
    },
    /// A file was opened, or could not be for want of permission or because all is read-only.
    Open {
        /// When.
        at_ns: u64,
        /// Its process.
        pid: u32,
        /// Its thread.
        tid: u32,
        /// Its cgroup.
        cgroup: u64,
        /// The path; what it is worth says `origin`.
        path: PathBuf,
        /// Where the path comes from.
        origin: PathOrigin,
        /// The number of the system call, as 64-bit programs on x86 have it.
        syscall: u32,
        /// What the call answered: a descriptor, or an error below zero.
        result: i64,
        /// The flags that were asked for; `None` for `openat2`, which has them in memory.
        flags: Option<u32>,
        /// The file that was opened; `None` after a refusal, or when another thread has closed it since.
        file: Option<OpenedFile>,
    },
    /// A call that changes names, modes, owners or lengths returned, well or not.
    Mutation {
        /// When.
        at_ns: u64,
        /// Its process.
        pid: u32,
        /// Its thread.
        tid: u32,
        /// Its cgroup.
        cgroup: u64,
        /// The number of the system call, as 64-bit programs on x86 have it.
        syscall: u32,
        /// What the call answered: 0, or an error below zero.
        result: i64,
        /// Its first path; for a call on a descriptor the path of that.
        first: Named,
        /// Its second path, for calls that take two.
        second: Option<Named>,
    },
    /// A connection or a datagram to a named address was allowed or refused.
    Connect {
        /// When.
        at_ns: u64,
        /// Its process.
        pid: u32,
        /// Its thread.
        tid: u32,
        /// Its cgroup.
        cgroup: u64,
        /// Where to.
        to: Destination,
        /// What the kernel side answered.
        verdict: Verdict,
    },
    /// `connect` returned, whatever the kind of socket.
    Connected {
        /// When.
        at_ns: u64,
        /// Its process.
        pid: u32,
        /// Its thread.
        tid: u32,
        /// Its cgroup.
        cgroup: u64,
        /// The socket.
        descriptor: i32,
        /// 0, or an error below zero.
        result: i64,
    },
}

impl Event {
    /// The process that did it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        match self {
            Self::Fork { pid, .. }
            | Self::Exec { pid, .. }
            | Self::ExecRefused { pid, .. }
            | Self::Exit { pid, .. }
            | Self::Open { pid, .. }
            | Self::Mutation { pid, .. }
            | Self::Connect { pid, .. }
            | Self::Connected { pid, .. } => *pid,
        }
    }

    /// The cgroup it was in.
    #[must_use]
    pub fn cgroup(&self) -> u64 {
        match self {
            Self::Fork { cgroup, .. }
            | Self::Exec { cgroup, .. }
            | Self::ExecRefused { cgroup, .. }
            | Self::Exit { cgroup, .. }
            | Self::Open { cgroup, .. }
            | Self::Mutation { cgroup, .. }
            | Self::Connect { cgroup, .. }
            | Self::Connected { cgroup, .. } => *cgroup,
        }
    }
}

/// A program that a process turned into.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Image {
    /// The thread that called: another number than now when it was not the first of its process.
    pub old_tid: u32,
    /// The process that made this one, or took it over.
    pub parent: u32,
    /// The kernel's short name for it.
    pub comm: Vec<u8>,
    /// The inode number of the file; for a script, of its interpreter.
    pub inode: u64,
    /// The device of the file, in the form of `st_dev`.
    pub device: u64,
    /// The path of the file.
    pub path: PathBuf,
    /// Where the path comes from.
    pub origin: PathOrigin,
    /// The first bytes of the arguments, each with a zero behind it, as the kernel has copied them. At
    /// most 1024.
    pub argv: Vec<u8>,
    /// How many bytes all arguments have.
    pub argv_total: u64,
}

/// What the kernel knows of a file that was opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OpenedFile {
    /// Its inode number.
    pub inode: u64,
    /// Its device, in the form of `st_dev`.
    pub device: u64,
    /// Its type and permissions, as `st_mode` has them.
    pub mode: u32,
    /// What it can be used for: the kernel's `f_mode`. Bit 0 reading, bit 1 writing, bit 20 created by
    /// this very call.
    pub access: u32,
}

impl OpenedFile {
    const WRITE: u32 = 1 << 1;
    const CREATED: u32 = 1 << 20;

    /// Whether it can be written to.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.access & Self::WRITE != 0
    }

    /// Whether the call has created it.
    #[must_use]
    pub fn is_created(&self) -> bool {
        self.access & Self::CREATED != 0
    }
}

/// A path that a call was given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Named {
    /// What a relative path is relative to: a descriptor, or -100 for the working directory. For a call on
    /// a descriptor, that one.
    pub base: i32,
    /// The path as it was given, or the kernel's own for a descriptor; empty when it cannot be read.
    pub path: PathBuf,
    /// Where the path comes from.
    pub origin: PathOrigin,
}

/// What a path is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PathOrigin {
    /// There is none: it could not be read.
    Unknown,
    /// The kernel's own, from the root of the process's mount namespace.
    Walked,
    /// The kernel's own, but only its last components: it is too deep or too long.
    Tail,
    /// The kernel's own, of something that no path leads to: a name that is gone, a pipe, a mount that
    /// was taken away.
    Detached,
    /// What stood in the caller's memory when the call returned. The caller may have changed it by then,
    /// so it proves nothing.
    Named,
}

/// Why a program was not allowed to start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExecFault {
    /// Nobody approved an exec of this thread.
    Unapproved,
    /// Another file was approved.
    OtherInode,
    /// A file of another device was approved.
    OtherDevice,
    /// More or fewer arguments were approved.
    OtherExtent,
    /// The approval covers more than [`crate::TAIL_BYTES_MAX`].
    TooLong,
    /// The arguments could not be read to the end.
    Unreadable,
    /// Other arguments were approved.
    OtherArgv,
    /// The file was changed since it was approved.
    OtherContent,
}

/// What the kernel side answered about a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It may go on.
    Allowed,
    /// Refused: the session reaches nothing.
    NoEgress,
    /// Refused: its tool reaches nothing.
    Cut,
    /// Refused: nobody judged this destination, or it was long ago and has been forgotten.
    Unknown,
    /// Refused: it was judged before the last change of epoch.
    Lapsed,
    /// Refused: it was judged, and denied.
    Denied,
    /// Refused: neither TCP nor UDP.
    OtherProtocol,
}

impl Verdict {
    /// Whether it may go on.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }
}
