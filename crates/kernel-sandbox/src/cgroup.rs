//! Control groups: the handle on a whole tree of processes.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

mod session;

pub use session::Cgroup;

/// The folder of ours in every hierarchy.
const OURS: &str = "pathwarden";
/// Characters of a session's or child's name.
const NAME_MAX: usize = 64;

/// Why a cgroup could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CgroupError {
    /// This machine has no cgroup v2 hierarchy that we can see from its root.
    #[error("no cgroup2 mount; mount one with `mount -t cgroup2 none /sys/fs/cgroup/unified`")]
    NoTree,
    /// A name that could leave its folder or be taken for one of the kernel's files.
    #[error("cgroup name {name:?} refused; use 1 to 64 of `a-z A-Z 0-9 - _`")]
    Name {
        /// As it came.
        name: String,
    },
    /// The session is already there.
    #[error("cgroup `{}` exists; choose another name or remove it", path.display())]
    Exists {
        /// Its folder.
        path: PathBuf,
    },
    /// A file of the hierarchy could not be read or written.
    #[error("cgroup file `{}` could not be used; run as root", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The kernel was asked and has not finished. What was asked stays asked.
    #[error(
        "cgroup `{}` not {wanted} after {} ms; a process is stuck in the kernel",
        path.display(),
        after.as_millis()
    )]
    Deadline {
        /// Its folder.
        path: PathBuf,
        /// `frozen`, `thawed`, `empty`.
        wanted: &'static str,
        /// How long we waited.
        after: Duration,
    },
}

/// Where the number of processes in a session is bounded.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Bound {
    /// By the v2 hierarchy.
    Unified,
    /// By the v1 hierarchy mounted here.
    Legacy(PathBuf),
    /// Nowhere: no `pids` controller. A fork bomb takes the machine's processes until it is killed.
    Absent,
}

/// The machine's cgroup v2 hierarchy.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    bound: Bound,
}

impl Tree {
    /// Finds it, and where processes are counted.
    ///
    /// # Errors
    ///
    /// [`CgroupError::NoTree`] without a cgroup2 mount, [`CgroupError::File`] without `/proc`.
    pub fn find() -> Result<Tree, CgroupError> {
        let mounts = mounts(&read(Path::new("/proc/self/mountinfo"))?);
        let whole = |kind: &'static str| {
            mounts.iter().filter(move |found| found.kind == kind && found.is_whole)
        };
        let root = whole("cgroup2").next().ok_or(CgroupError::NoTree)?.at.clone();
        let controllers = read(&root.join("cgroup.controllers"))?;
        let bound = if has_word(&controllers, "pids") {
            Bound::Unified
        } else {
            let counts = |found: &&Mount| found.options.split(',').any(|option| option == "pids");
            whole("cgroup")
                .find(counts)
                .map_or(Bound::Absent, |found| Bound::Legacy(found.at.clone()))
        };
        Ok(Tree { root, bound })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the number of processes is bounded.
    #[must_use]
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// Creates the cgroup of one session, empty and without a bound on processes yet.
    ///
    /// # Errors
    ///
    /// [`CgroupError::Name`], [`CgroupError::Exists`], or [`CgroupError::File`] when not root; then
    /// nothing is left behind.
    pub fn session(&self, id: &str) -> Result<Cgroup, CgroupError> {
        check_name(id)?;
        let ours = self.root.join(OURS);
        make_if_missing(&ours)?;
        if self.bound == Bound::Unified {
            // Counting is a threaded controller: a session may still have processes and children.
            write(&self.root.join("cgroup.subtree_control"), "+pids")?;
            write(&ours.join("cgroup.subtree_control"), "+pids")?;
        }
        make(&ours.join(id))?;
        self.with_counter(id).inspect_err(|_| {
            let _ = fs::remove_dir(ours.join(id));
        })
    }

    /// The cgroup of a session that is already there, perhaps of an earlier run.
    ///
    /// # Errors
    ///
    /// [`CgroupError::Name`], or [`CgroupError::File`] when there is none.
    pub fn open(&self, id: &str) -> Result<Cgroup, CgroupError> {
        check_name(id)?;
        Cgroup::open(&self.root, self.root.join(OURS).join(id), self.counter(id))
    }

    /// Names of the sessions that have no process: those of runs that crashed, and those that were just
    /// created. Only the caller can tell them apart; it removes them with [`Tree::open`] and
    /// [`Cgroup::remove`].
    ///
    /// # Errors
    ///
    /// [`CgroupError::File`] when the hierarchy cannot be read.
    pub fn stale(&self) -> Result<Vec<String>, CgroupError> {
        let mut found = Vec::new();
        for folder in folders(&self.root.join(OURS))? {
            let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
            if session::state(&folder, "populated")? == Some(false) {
                found.push(name.to_owned());
            }
        }
        found.sort();
        Ok(found)
    }

    fn with_counter(&self, id: &str) -> Result<Cgroup, CgroupError> {
        let legacy = match &self.bound {
            Bound::Legacy(root) => Some(root.join(OURS)),
            Bound::Unified | Bound::Absent => None,
        };
        if let Some(ours) = legacy {
            make_if_missing(&ours)?;
            // One that an earlier crash left is empty and as good as new.
            make_if_missing(&ours.join(id))?;
        }
        self.open(id)
    }

    fn counter(&self, id: &str) -> session::Counter {
        match &self.bound {
            Bound::Unified => session::Counter::Unified,
            Bound::Legacy(root) => session::Counter::Legacy(root.join(OURS).join(id)),
            Bound::Absent => session::Counter::Absent,
        }
    }
}

/// The v2 cgroup of a process, as a path from the hierarchy's root; `None` when there is no such
/// process, or it is in none.
#[must_use]
pub fn cgroup_of(pid: u32) -> Option<PathBuf> {
    let text = fs::read(format!("/proc/{pid}/cgroup")).ok()?;
    let line = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"0::"))?;
    Some(path_of(line.to_vec()))
}

/// One line of mountinfo, as far as we need it.
pub(crate) struct Mount {
    /// Where.
    pub(crate) at: PathBuf,
    /// The type of the file system.
    pub(crate) kind: String,
    /// Whether its root is what is mounted, not a folder of it.
    is_whole: bool,
    /// The file system's own options; a v1 hierarchy names its controllers there.
    options: String,
}

/// Reads mountinfo; a line of another form is left out.
pub(crate) fn mounts(text: &[u8]) -> Vec<Mount> {
    text.split(|byte| *byte == b'\n').filter_map(mount).collect()
}

fn mount(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let dash = fields.iter().position(|field| *field == b"-")?;
    let text = |at: usize| fields.get(at).map(|field| String::from_utf8_lossy(field).into_owned());
    Some(Mount {
        at: path_of(unescape(fields.get(4)?)),
        kind: text(dash.checked_add(1)?)?,
        is_whole: *fields.get(3)? == b"/",
        options: text(dash.checked_add(3)?)?,
    })
}

/// The kernel writes blanks and backslashes as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let (mut plain, mut rest) = (Vec::with_capacity(field.len()), field);
    while let Some((first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        plain.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    plain
}

fn path_of(bytes: Vec<u8>) -> PathBuf {
    std::ffi::OsString::from_vec(bytes).into()
}

fn check_name(name: &str) -> Result<(), CgroupError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(CgroupError::Name { name: name.chars().take(NAME_MAX).collect() })
    }
}

fn has_word(text: &[u8], word: &str) -> bool {
    String::from_utf8_lossy(text).split_whitespace().any(|found| found == word)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CgroupError {
    move |source| CgroupError::File { path: path.to_owned(), source }
}

fn read(path: &Path) -> Result<Vec<u8>, CgroupError> {
    fs::read(path).map_err(at(path))
}

fn write(path: &Path, text: &str) -> Result<(), CgroupError> {
    // Never creates: in a folder that is not a cgroup this must fail and leave nothing.
    let file = fs::File::options().write(true).open(path).map_err(at(path))?;
    io::Write::write_all(&mut &file, text.as_bytes()).map_err(at(path))
}

fn make(path: &Path) -> Result<(), CgroupError> {
    fs::create_dir(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => CgroupError::Exists { path: path.to_owned() },
        _ => CgroupError::File { path: path.to_owned(), source },
    })
}

fn make_if_missing(path: &Path) -> Result<(), CgroupError> {
    match make(path) {
        Err(CgroupError::Exists { .. }) => Ok(()),
        made => made,
    }
}

/// The cgroups directly below one; none where it does not exist.
fn folders(path: &Path) -> Result<Vec<PathBuf>, CgroupError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(path)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(at(path))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mountinfo_is_read_with_its_escapes() {
        let text = b"36 25 0:30 / /sys/fs/cgroup\\040x rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n\
            37 25 0:31 /sub /a\\134b rw - cgroup cgroup rw,pids\ngarbage\n\
            38 25 0:32 / / rw - ext4 /dev/vda rw";
        let found = mounts(text);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].at, Path::new("/sys/fs/cgroup x"));
        assert_eq!((found[0].kind.as_str(), found[0].is_whole), ("cgroup2", true));
        assert_eq!(found[1].at, Path::new("/a\\b"));
        assert_eq!((found[1].options.as_str(), found[1].is_whole), ("rw,pids", false));
    }

    #[test]
    fn names_that_could_leave_their_folder_are_refused() {
        for bad in ["", ".", "..", "a/b", "cgroup.kill", "a b", "a\0", "\n", "ü", &"x".repeat(65)]
        {
            assert!(matches!(check_name(bad), Err(CgroupError::Name { .. })), "{bad:?}");
        }
        for good in ["a", "run-1_B", &"x".repeat(64)] {
            check_name(good).unwrap();
        }
    }

    #[test]
    fn every_process_has_a_cgroup_and_no_process_has_none() {
        assert!(cgroup_of(std::process::id()).unwrap().is_absolute());
        assert_eq!(cgroup_of(u32::MAX), None);
    }
}
