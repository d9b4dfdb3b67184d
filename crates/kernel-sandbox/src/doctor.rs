//! What of the box this machine can do, tried out and undone.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;

use rustix::fs::{Access, access, statfs};
use rustix::process::geteuid;
use rustix::thread::UnshareFlags;

use crate::cgroup::{Bound, Tree};
use crate::sys;

/// The magic number of ext2, ext3 and ext4, which share it.
const EXT4: u32 = 0xEF53;
/// The Landlock ABI that scopes signals and abstract sockets.
const LANDLOCK_WANTED: i64 = 6;

/// One thing a machine can do or not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ability {
    /// Its name, which stays the same.
    pub name: &'static str,
    /// Whether it is there.
    pub has: bool,
    /// What was found.
    pub detail: String,
    /// What to do when it is missing.
    pub advice: &'static str,
}

/// Tries everything. `folder` is where the agent is to work. Nothing is left behind.
#[must_use]
pub fn abilities(folder: &Path) -> Vec<Ability> {
    let tree = Tree::find();
    vec![
        root(),
        cgroup(tree.as_ref().ok()),
        cgroup_kill(),
        process_bound(tree.as_ref().ok()),
        tried(
            "namespaces",
            &try_namespaces(),
            "run as root, outside of a container that forbids it",
        ),
        landlock(),
        tried("seccomp_notify", &sys::try_notify(), "use Linux 5.0 or newer, with seccomp"),
        tried("fanotify_permission", &sys::try_fanotify(), "run as root, with CONFIG_FANOTIFY"),
        tried("bpf", &sys::try_bpf(), "run as root, with CONFIG_BPF_SYSCALL"),
        file_system(folder),
    ]
}

fn root() -> Ability {
    let uid = geteuid();
    let advice = "run as root for the kernel tier; without it there are Landlock and filters";
    Ability { name: "root", has: uid.is_root(), detail: format!("uid {}", uid.as_raw()), advice }
}

fn cgroup(tree: Option<&Tree>) -> Ability {
    let writable = |tree: &&Tree| access(tree.root(), Access::WRITE_OK).is_ok();
    let detail = tree.map_or("not mounted".to_owned(), |tree| tree.root().display().to_string());
    let advice = "mount it with `mount -t cgroup2 none /sys/fs/cgroup/unified` and run as root";
    Ability { name: "cgroup2", has: tree.filter(writable).is_some(), detail, advice }
}

/// Freezing is older than killing, so that the kernel's release tells both.
fn cgroup_kill() -> Ability {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split('.').map_while(|part| {
        let digits = part.find(|byte: char| !byte.is_ascii_digit()).unwrap_or(part.len());
        part.get(..digits)?.parse::<u32>().ok()
    });
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let advice = "use Linux 5.14 or newer";
    let detail = format!("Linux {}", release.trim());
    Ability { name: "cgroup_kill_freeze", has: version >= (5, 14), detail, advice }
}

fn process_bound(tree: Option<&Tree>) -> Ability {
    let (has, detail) = match tree.map(Tree::bound) {
        Some(Bound::Unified) => (true, "cgroup v2".to_owned()),
        Some(Bound::Legacy(path)) => (true, format!("cgroup v1 at {}", path.display())),
        Some(Bound::Absent) | None => (false, "no pids controller".to_owned()),
    };
    let advice = "enable the pids controller; RLIMIT_NPROC does not bind root";
    Ability { name: "process_bound", has, detail, advice }
}

fn landlock() -> Ability {
    let advice = "use Linux 6.12 or newer, with `landlock` in CONFIG_LSM or on the `lsm=` line";
    let (has, detail) = match sys::landlock_abi() {
        Ok(abi) => (abi >= LANDLOCK_WANTED, format!("ABI {abi}")),
        Err(error) => (false, error.to_string()),
    };
    Ability { name: "landlock", has, detail, advice }
}

fn file_system(folder: &Path) -> Ability {
    let (has, detail) = match statfs(folder) {
        Ok(found) => {
            let magic = u32::try_from(found.f_type).unwrap_or(0);
            (magic == EXT4, format!("{}: type {magic:#x}", folder.display()))
        }
        Err(error) => (false, format!("{}: {error}", folder.display())),
    };
    let advice =
        "keep the agent's folder on ext4: elsewhere writes through open files are not seen";
    Ability { name: "workspace_ext4", has, detail, advice }
}

fn tried(name: &'static str, outcome: &io::Result<()>, advice: &'static str) -> Ability {
    let detail = outcome.as_ref().err().map_or("works".to_owned(), ToString::to_string);
    Ability { name, has: outcome.is_ok(), detail, advice }
}

/// In a thread of its own, which takes the namespaces with it when it ends.
fn try_namespaces() -> io::Result<()> {
    let flags = UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWIPC;
    thread::spawn(move || sys::unshare(flags))
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the attempt broke")))
}
