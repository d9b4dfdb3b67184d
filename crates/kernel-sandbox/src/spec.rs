//! What a box is to be, and what it became.

use std::ffi::OsString;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How much the machine lets us do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// As root: namespaces, masks, few capabilities, Landlock, filters.
    Kernel,
    /// Without privileges: Landlock and filters.
    Landlock,
}

/// What becomes of processes that outlive the agent's main process.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Leftover {
    /// They are killed with it.
    #[default]
    Kill,
    /// The box lives until the last of them ends.
    Wait,
}

/// Whom the agent runs as.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct User {
    /// User id, real, effective and saved.
    pub uid: u32,
    /// Group id, real, effective and saved.
    pub gid: u32,
    /// All supplementary groups.
    pub groups: Vec<u32>,
}

/// A box and the program in it. Paths are absolute and UTF-8.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Spec {
    /// The program and its arguments. A name without `/` is looked up in the `PATH` of `environment`.
    pub command: Vec<OsString>,
    /// The agent's whole environment; nothing is inherited.
    pub environment: Vec<(OsString, OsString)>,
    /// Where the program starts.
    pub directory: PathBuf,
    /// The folder the agent works on: writable.
    pub workspace: PathBuf,
    /// Whom the agent runs as; `None` is whom the supervisor runs as.
    pub user: Option<User>,
    /// What the box is made of.
    pub tier: Tier,
    /// Files and folders to hide, with all below them. Hiding is by path: another hard link stays
    /// visible. One that does not exist is left out and reported.
    pub masks: Vec<PathBuf>,
    /// Writable besides the workspace, with all below them.
    pub writable: Vec<PathBuf>,
    /// Readable and executable, with all below them. Only of the Landlock tier: in the kernel tier the
    /// whole tree but the masks is.
    pub readable: Vec<PathBuf>,
    /// Device files and folders below `/dev` that the box has besides the harmless ones.
    pub devices: Vec<PathBuf>,
    /// Descriptors of the supervisor that the agent has under the same numbers, besides 0, 1 and 2.
    pub keep_fds: Vec<RawFd>,
    /// Descriptors of the supervisor that the outermost process keeps until the whole box is gone: what they
    /// keep in force outlives a supervisor that is killed. Nothing inside the box has them.
    pub hold_fds: Vec<RawFd>,
    /// What becomes of processes that outlive the agent's main process.
    pub leftover: Leftover,
}

impl Spec {
    /// A box around a command, with nothing hidden and only the workspace writable.
    #[must_use]
    pub fn new(tier: Tier, command: Vec<OsString>, workspace: PathBuf) -> Spec {
        Spec {
            command,
            environment: Vec::new(),
            directory: workspace.clone(),
            workspace,
            user: None,
            tier,
            masks: Vec::new(),
            writable: Vec::new(),
            readable: Vec::new(),
            devices: Vec::new(),
            keep_fds: Vec::new(),
            hold_fds: Vec::new(),
            leftover: Leftover::default(),
        }
    }
}

/// The two seccomp filters, installed on the calling thread, `notify` first, last before the program.
///
/// After `notify` the box still calls `sendmsg`, `read`, `write`, `close` and what memory needs, while
/// nobody answers the listener yet: the filter must let these pass unasked. The first call that may
/// wait for an answer is `execve`.
#[derive(Clone, Copy, Debug)]
pub struct Filters {
    /// Installs the filter of calls that are never allowed.
    pub refuse: fn() -> io::Result<()>,
    /// Installs the filter of calls that the supervisor answers, and gives the listener.
    pub notify: fn(Tier) -> io::Result<OwnedFd>,
}

/// How much of the Landlock domain asked for the kernel enforces.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Landlock {
    /// Nothing.
    #[default]
    Absent,
    /// What an older kernel knows.
    Partial,
    /// Everything.
    Full,
}

/// What the box became, told by the process in it just before the program starts.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The Landlock ABI that is used, 0 without Landlock.
    pub landlock_abi: u8,
    /// How much of the domain is enforced.
    pub landlock: Landlock,
    /// Names of the new namespaces.
    pub namespaces: Vec<String>,
    /// The agent's permitted capabilities, as the bits of `CapPrm`.
    pub capabilities: u64,
    /// How many masks are in place.
    pub masked: usize,
    /// Masks, paths and devices that were asked for and do not exist.
    pub absent: Vec<PathBuf>,
}
