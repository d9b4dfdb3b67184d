//! Who calls: the identity under which its call is carried out.

use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, openat, readlinkat};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid, getgid, getgroups, getuid, umask};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};
use rustix::thread::{Gid, Uid};

use crate::sys;
use crate::target::Target;

/// Bytes of `/proc/TID/status` that are read; the kernel writes about two thousand, and up to
/// 65,536 supplementary groups.
const MAX_STATUS_BYTES: u64 = 1024 * 1024;

/// The rights of a task on files, and its names in its pid namespaces.
///
/// A caller in another user namespace keeps no capability here, although it has some over the files
/// of that namespace: it is refused more than the kernel would refuse it, never less.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    uid: u32,
    gid: u32,
    euid: u32,
    egid: u32,
    groups: Vec<u32>,
    capabilities: CapabilitySet,
    umask: u32,
    tgid: i32,
    same_user_namespace: bool,
    /// Thread ids, from our pid namespace inwards.
    thread_names: Vec<u32>,
    /// Process ids, likewise.
    process_names: Vec<u32>,
}

impl Caller {
    /// Reads what `/proc` says.
    ///
    /// # Errors
    ///
    /// `ESRCH` when the task is gone, `EPERM` when the kernel's text cannot be understood.
    pub(crate) fn of(target: &Target<'_>) -> Result<Self, Errno> {
        let fd = openat(target.proc()?, "status", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let text = slurp(fd)?;
        let mut caller = Self::parse(&text).ok_or(Errno::PERM)?;
        caller.same_user_namespace = same_user_namespace(target)?;
        if !caller.same_user_namespace {
            caller.capabilities = CapabilitySet::empty();
        }
        target.still(caller)
    }

    fn parse(status: &str) -> Option<Self> {
        let field = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
        };
        let numbers = |name: &str| -> Option<Vec<u32>> {
            field(name)?.split_whitespace().map(|word| word.parse().ok()).collect()
        };
        let [_, euid, _, uid] = *numbers("Uid")?.as_slice() else { return None };
        let [_, egid, _, gid] = *numbers("Gid")?.as_slice() else { return None };
        let effective = u64::from_str_radix(field("CapEff")?, 16).ok()?;
        Some(Self {
            uid,
            gid,
            euid,
            egid,
            groups: numbers("Groups")?,
            capabilities: CapabilitySet::from_bits_retain(effective),
            umask: u32::from_str_radix(field("Umask")?, 8).ok()?,
            tgid: field("Tgid")?.parse().ok()?,
            same_user_namespace: false,
            thread_names: numbers("NSpid")?,
            process_names: numbers("NStgid")?,
        })
    }

    /// The user id for file accesses.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The group id for file accesses.
    pub fn gid(&self) -> u32 {
        self.gid
    }

    /// The process, as seen from here.
    pub fn tgid(&self) -> i32 {
        self.tgid
    }

    /// Whether user ids mean the same to the caller and to us.
    pub(crate) fn same_user_namespace(&self) -> bool {
        self.same_user_namespace
    }

    /// Pairs of process and thread id, from the innermost pid namespace outwards.
    pub(crate) fn names(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.process_names.iter().copied().zip(self.thread_names.iter().copied()).rev()
    }

    /// Whether what this process may by its ids is what the caller may, too.
    fn has_ids_of(&self, own: &Own) -> bool {
        let own_groups = own.groups.iter().map(|group| group.as_raw());
        (self.uid, self.euid) == (own.euid.as_raw(), own.euid.as_raw())
            && (self.gid, self.egid) == (own.egid.as_raw(), own.egid.as_raw())
            && self.groups.iter().copied().eq(own_groups)
    }

    /// Takes on the rights on files, on this thread, until the guard is dropped.
    pub(crate) fn act(&self) -> Result<Acting<'_>, Errno> {
        Acting::start(self, false)
    }

    /// As [`Caller::act`], and also the effective ids, which a socket shows to its peer.
    pub(crate) fn act_fully(&self) -> Result<Acting<'_>, Errno> {
        Acting::start(self, true)
    }

    /// As [`Caller::act`], and also the umask, for creations.
    pub(crate) fn create(&self) -> Result<Acting<'_>, Errno> {
        let mut acting = Acting::start(self, false)?;
        acting.umask = Some(own_umask(self.umask)?);
        Ok(acting)
    }
}

/// What this process was when it first acted for somebody.
#[derive(Debug)]
struct Own {
    uid: Uid,
    euid: Uid,
    gid: Gid,
    egid: Gid,
    groups: Vec<Gid>,
    capabilities: CapabilitySets,
}

fn own() -> Result<&'static Own, Errno> {
    static OWN: OnceLock<Result<Own, Errno>> = OnceLock::new();
    let read = || {
        Ok(Own {
            uid: getuid(),
            euid: geteuid(),
            gid: getgid(),
            egid: getegid(),
            groups: getgroups()?,
            capabilities: capabilities(None)?,
        })
    };
    OWN.get_or_init(read).as_ref().map_err(|errno| *errno)
}

/// This thread has somebody else's rights. Dropping it gives back its own; should that fail, the
/// thread is left with fewer rights than before and refuses what comes after.
#[must_use = "the rights last as long as the guard"]
pub(crate) struct Acting<'c> {
    caller: &'c Caller,
    ids: Ids,
    /// Whether the caller's rights are not our own.
    differs: bool,
    umask: Option<Mode>,
}

/// Which ids are taken on. Most callers have ours, with fewer capabilities.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Ids {
    /// They are the same.
    Own,
    /// Those that count on files.
    OnFiles,
    /// And the effective ones.
    Effective,
}

impl<'c> Acting<'c> {
    fn start(caller: &'c Caller, fully: bool) -> Result<Self, Errno> {
        let own = own()?;
        let ids = match caller.has_ids_of(own) {
            true => Ids::Own,
            false if fully => Ids::Effective,
            false => Ids::OnFiles,
        };
        let differs = ids != Ids::Own || !caller.capabilities.contains(own.capabilities.effective);
        let acting = Self { caller, ids, differs, umask: None };
        // From here on a failure drops the guard, which puts everything back.
        if acting.differs {
            acting.change(own)?;
        }
        Ok(acting)
    }

    /// Groups first and capabilities last: each step needs the rights that the next takes away.
    fn change(&self, own: &Own) -> Result<(), Errno> {
        if self.ids != Ids::Own {
            let groups: Vec<Gid> = self.caller.groups.iter().map(|id| Gid::from_raw(*id)).collect();
            set_thread_groups(&groups)?;
        }
        match self.ids {
            Ids::Own => {}
            Ids::OnFiles => {
                sys::set_fs_group(self.caller.gid)?;
                sys::set_fs_user(self.caller.uid)?;
            }
            Ids::Effective => {
                set_thread_res_gid(own.gid, Gid::from_raw(self.caller.egid), own.gid)?;
                set_thread_res_uid(own.uid, Uid::from_raw(self.caller.euid), own.uid)?;
            }
        }
        let mut sets = own.capabilities;
        sets.effective &= self.caller.capabilities & sets.permitted;
        set_capabilities(None, sets)
    }

    fn restore(&self, own: &Own) -> Result<(), Errno> {
        set_capabilities(None, own.capabilities)?;
        match self.ids {
            Ids::Own => return Ok(()),
            Ids::OnFiles => {
                sys::set_fs_user(own.euid.as_raw())?;
                sys::set_fs_group(own.egid.as_raw())?;
            }
            Ids::Effective => {
                set_thread_res_uid(own.uid, own.euid, own.uid)?;
                set_thread_res_gid(own.gid, own.egid, own.gid)?;
                set_capabilities(None, own.capabilities)?;
            }
        }
        set_thread_groups(&own.groups)
    }
}

impl Drop for Acting<'_> {
    fn drop(&mut self) {
        if let Some(old) = self.umask.take() {
            umask(old);
        }
        if self.differs
            && let Ok(own) = own()
        {
            // Fewer rights than before is the safe side; see the type.
            let _ = self.restore(own);
        }
    }
}

/// Sets the umask of this thread alone and returns the one before. Threads share it, so the thread
/// is first given its own; that stays.
fn own_umask(mask: u32) -> Result<Mode, Errno> {
    thread_local!(static APART: Cell<bool> = const { Cell::new(false) });
    if !APART.get() {
        sys::unshare_fs()?;
        APART.set(true);
    }
    Ok(umask(Mode::from_raw_mode(mask)))
}

fn same_user_namespace(target: &Target<'_>) -> Result<bool, Errno> {
    static OURS: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    let ours = OURS.get_or_init(|| {
        let link = rustix::fs::readlink("/proc/self/ns/user", Vec::new()).ok()?;
        Some(link.into_bytes())
    });
    let theirs = readlinkat(target.proc()?, "ns/user", Vec::new())?;
    Ok(ours.as_deref() == Some(theirs.as_bytes()))
}

/// The whole of a small `/proc` file.
pub(crate) fn slurp(fd: OwnedFd) -> Result<String, Errno> {
    let mut text = String::with_capacity(4096);
    let read = File::from(fd).take(MAX_STATUS_BYTES).read_to_string(&mut text);
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::SRCH)),
    }
}
