//! Walking a path in somebody else's view, one pinned step after the other.
//!
//! The kernel's own walk (`openat2`) does most of the way where it means the same to us as to the
//! caller. Where it does not (another root, `/proc/self`, links that jump), each name is opened by
//! itself with `O_PATH | O_NOFOLLOW` and links are followed by hand.

use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, ResolveFlags, fstatfs, openat, openat2, readlinkat};
use rustix::io::Errno;

use crate::caller::{Caller, slurp};
use crate::object::{Kind, Spot};

/// Links followed on one way, as in the kernel.
const MAX_LINKS: u32 = 40;

/// `PROC_SUPER_MAGIC`.
const PROCFS: i64 = 0x9fa0;

/// The inode of a procfs root.
const PROC_ROOT_INO: u64 = 1;

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// What to do with a symlink at the very end of a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Last {
    Follow,
    Keep,
}

/// Where a walk came to an end.
#[derive(Clone, Debug)]
pub(crate) enum Landing {
    There(Spot),
    /// Only the last name is missing, here.
    Missing {
        parent: Spot,
        name: Vec<u8>,
        slash: bool,
    },
}

/// A walk in the view of a caller whose rights the thread has taken on.
pub(crate) struct Walk<'a> {
    root: &'a Spot,
    caller: &'a Caller,
    links_left: u32,
}

/// The first name of a path and what follows.
struct Head<'p> {
    name: &'p [u8],
    rest: &'p [u8],
    /// A slash follows the name.
    slash: bool,
}

impl Head<'_> {
    fn is_last(&self) -> bool {
        self.rest.is_empty()
    }

    fn needs_directory(&self) -> bool {
        self.slash || !self.is_last()
    }
}

/// Where a link leads.
enum Jump {
    Text(Vec<u8>),
    Object(Spot),
}

impl<'a> Walk<'a> {
    pub(crate) fn new(root: &'a Spot, caller: &'a Caller) -> Self {
        Self { root, caller, links_left: MAX_LINKS }
    }

    /// Walks from `base`, or from the caller's root when the path begins with a slash.
    pub(crate) fn run(&mut self, base: &Spot, path: &[u8], last: Last) -> Result<Landing, Errno> {
        let mut here = if path.starts_with(b"/") { self.root.clone() } else { base.clone() };
        let mut rest = path.to_vec();
        if let Some((folder, name)) = split_last(path)
            && let Some(spot) = self.leap(base, folder)
        {
            here = spot;
            rest = name.to_vec();
        }
        while let Some(head) = split_first(&rest) {
            if head.name == b".." {
                here = self.up(&here)?;
                rest = head.rest.to_vec();
                continue;
            }
            let spot = match here.step(head.name) {
                Ok(spot) => spot,
                Err(Errno::NOENT) if head.is_last() => {
                    let name = head.name.to_vec();
                    return Ok(Landing::Missing { parent: here, name, slash: head.slash });
                }
                Err(errno) => return Err(errno),
            };
            let followed = head.needs_directory() || last == Last::Follow;
            if spot.kind == Kind::Link && followed {
                (here, rest) = self.follow(here, &spot, &head)?;
            } else if head.needs_directory() && !spot.is_directory() {
                return Err(Errno::NOTDIR);
            } else {
                here = spot;
                rest = head.rest.to_vec();
            }
        }
        Ok(Landing::There(here))
    }

    /// Does the way to the last name in one go where that gives the same answer; otherwise `None`,
    /// and the slow walk finds out, errors included.
    fn leap(&self, base: &Spot, folder: &[u8]) -> Option<Spot> {
        // A root that is ours or not: IN_ROOT holds absolute links and `..` in it. BENEATH stops
        // at both, so that a relative path is only done where neither matters.
        let (from, how) = if folder.starts_with(b"/") {
            (self.root, ResolveFlags::IN_ROOT)
        } else {
            (base, ResolveFlags::BENEATH)
        };
        let how = how | ResolveFlags::NO_MAGICLINKS;
        let fd = openat2(&*from.fd, folder, DIRECTORY, Mode::empty(), how).ok()?;
        let spot = Spot::of(fd).ok()?;
        // On procfs `self` would have been our own. It can be left again only by jumping links,
        // which the kernel was told not to take, or upwards, which is the same for everybody.
        if is_procfs(&spot) { None } else { Some(spot) }
    }

    fn up(&self, here: &Spot) -> Result<Spot, Errno> {
        if !here.is_directory() {
            return Err(Errno::NOTDIR);
        }
        if here.same_place(self.root) {
            // As the kernel does: it asks for search permission, and stays.
            return Spot::of(openat(&*here.fd, c".", DIRECTORY, Mode::empty())?);
        }
        Spot::of(openat(&*here.fd, c"..", DIRECTORY, Mode::empty())?)
    }

    fn follow(
        &mut self,
        here: Spot,
        link: &Spot,
        head: &Head<'_>,
    ) -> Result<(Spot, Vec<u8>), Errno> {
        self.links_left = self.links_left.checked_sub(1).ok_or(Errno::LOOP)?;
        if head.is_last() {
            self.may_follow(&here, link)?;
        }
        match self.jump(&here, link, head.name)? {
            Jump::Object(spot) => {
                if head.needs_directory() && !spot.is_directory() {
                    return Err(Errno::NOTDIR);
                }
                Ok((spot, head.rest.to_vec()))
            }
            Jump::Text(mut text) => {
                if text.is_empty() {
                    return Err(Errno::NOENT);
                }
                let from = if text.starts_with(b"/") { self.root.clone() } else { here };
                if head.slash {
                    text.push(b'/');
                }
                text.extend_from_slice(head.rest);
                Ok((from, text))
            }
        }
    }

    fn jump(&self, here: &Spot, link: &Spot, name: &[u8]) -> Result<Jump, Errno> {
        if is_procfs(here) {
            if here.id.ino == PROC_ROOT_INO && matches!(name, b"self" | b"thread-self") {
                return self.own_folder(here, name == b"thread-self").map(Jump::Text);
            }
            // A link that jumps has no text to follow: the kernel leads to the object itself, if
            // the caller may look at that process.
            let plain =
                openat2(&*here.fd, name, OFlags::PATH, Mode::empty(), ResolveFlags::NO_MAGICLINKS);
            if plain.is_err_and(|errno| errno == Errno::LOOP) {
                let flags = OFlags::PATH | OFlags::CLOEXEC;
                return Spot::of(openat(&*here.fd, name, flags, Mode::empty())?).map(Jump::Object);
            }
        }
        Ok(Jump::Text(readlinkat(&*link.fd, c"", Vec::new())?.into_bytes()))
    }

    /// What `self` reads like for the caller in this procfs, which shows one of the pid namespaces
    /// that the caller is in: the folder there whose own names are the caller's from that
    /// namespace inwards.
    fn own_folder(&self, proc: &Spot, thread: bool) -> Result<Vec<u8>, Errno> {
        for (process, task) in self.caller.names() {
            let folder = format!("{process}/task/{task}");
            if self.is_own(proc, &folder) {
                let text = if thread { folder } else { process.to_string() };
                return Ok(text.into_bytes());
            }
        }
        Err(Errno::NOENT)
    }

    fn is_own(&self, proc: &Spot, folder: &str) -> bool {
        let names = |folder: &str| -> Option<Vec<u32>> {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let file = openat(&*proc.fd, format!("{folder}/status"), flags, Mode::empty()).ok()?;
            let text = slurp(file).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
            line.split_whitespace().map(|word| word.parse().ok()).collect()
        };
        let all: Vec<u32> = self.caller.names().map(|(_, task)| task).collect();
        names(folder).is_some_and(|shown| {
            !shown.is_empty() && shown.iter().rev().copied().eq(all.into_iter().take(shown.len()))
        })
    }

    /// `fs.protected_symlinks`, which the kernel asks where it follows the last link itself.
    fn may_follow(&self, folder: &Spot, link: &Spot) -> Result<(), Errno> {
        let open_to_all = folder.mode & 0o1002 == 0o1002;
        let trusted = link.uid == self.caller.uid() || link.uid == folder.uid;
        if open_to_all && !trusted && links_are_protected() { Err(Errno::ACCESS) } else { Ok(()) }
    }
}

fn links_are_protected() -> bool {
    static PROTECTED: OnceLock<bool> = OnceLock::new();
    *PROTECTED.get_or_init(|| {
        // What cannot be read is taken for protected.
        !std::fs::read_to_string("/proc/sys/fs/protected_symlinks")
            .is_ok_and(|text| text.trim() == "0")
    })
}

fn is_procfs(spot: &Spot) -> bool {
    // An unknown file system takes the careful way.
    fstatfs(&*spot.fd).is_ok_and(|stat| stat.f_type == PROCFS)
}

/// The first name; `None` when only slashes are left.
fn split_first(path: &[u8]) -> Option<Head<'_>> {
    let path = skip_slashes(path);
    if path.is_empty() {
        return None;
    }
    let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
    let (name, rest) = path.split_at(end);
    Some(Head { name, rest: skip_slashes(rest), slash: !rest.is_empty() })
}

/// The folder, and the last name with the slashes after it; `None` when there is no folder.
pub(crate) fn split_last(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slashes = path.iter().rev().take_while(|byte| **byte == b'/').count();
    let bare = path.get(..path.len() - slashes)?;
    let end = bare.iter().rposition(|byte| *byte == b'/')? + 1;
    if bare.is_empty() { None } else { path.split_at_checked(end) }
}

fn skip_slashes(path: &[u8]) -> &[u8] {
    let mut rest = path;
    while let [b'/', tail @ ..] = rest {
        rest = tail;
    }
    rest
}
