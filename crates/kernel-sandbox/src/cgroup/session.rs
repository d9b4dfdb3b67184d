//! One session's cgroup: what can be done to all its processes at once.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{CgroupError, at, cgroup_of, check_name, folders, make, read, write};

/// How long a freeze, a thaw or a kill may take. A process that waits in the kernel for an answer of
/// ours freezes only when it has it, so this is above every such wait.
const SETTLE_MAX: Duration = Duration::from_secs(5);
/// Between two looks at a v1 hierarchy, which cannot be waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Where this session's processes are counted.
#[derive(Clone, Debug)]
pub(super) enum Counter {
    Unified,
    Legacy(PathBuf),
    Absent,
}

/// A cgroup of ours. Dropping it changes nothing in the kernel.
#[derive(Clone, Debug)]
pub struct Cgroup {
    path: PathBuf,
    /// The same from the hierarchy's root, as the kernel names it in `/proc/PID/cgroup`.
    name: PathBuf,
    id: u64,
    counter: Counter,
}

impl Cgroup {
    pub(super) fn open(
        root: &Path,
        path: PathBuf,
        counter: Counter,
    ) -> Result<Cgroup, CgroupError> {
        let id = fs::metadata(&path).map_err(at(&path))?.ino();
        let name = Path::new("/").join(path.strip_prefix(root).unwrap_or(&path));
        Ok(Cgroup { path, name, id, counter })
    }

    /// The kernel's number for it, the one BPF programs see.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its folder in the v2 hierarchy.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates a cgroup below this one. Whatever is done to this one is done to it too.
    ///
    /// # Errors
    ///
    /// [`CgroupError::Name`], [`CgroupError::Exists`], [`CgroupError::File`].
    pub fn child(&self, name: &str) -> Result<Cgroup, CgroupError> {
        check_name(name)?;
        let path = self.path.join(name);
        make(&path)?;
        let id = fs::metadata(&path).map_err(at(&path))?.ino();
        // Children are not counted apart: in v1 their processes stay where the session is counted.
        Ok(Cgroup { path, name: self.name.join(name), id, counter: self.counter.clone() })
    }

    /// Moves a process, all its threads, into it; its future children follow.
    ///
    /// # Errors
    ///
    /// [`CgroupError::File`] when there is no such process or we are not root. The process may then
    /// be counted already but is not in the cgroup: it must not go on.
    pub fn add(&self, pid: u32) -> Result<(), CgroupError> {
        if let Counter::Legacy(path) = &self.counter {
            write(&path.join("cgroup.procs"), &pid.to_string())?;
        }
        write(&self.path.join("cgroup.procs"), &pid.to_string())
    }

    /// Bounds how many processes and threads the whole session may have. A fork beyond it fails.
    ///
    /// # Errors
    ///
    /// [`CgroupError::File`]; also when nothing counts processes here, with `Unsupported` as its source.
    pub fn bound_processes(&self, max: u32) -> Result<(), CgroupError> {
        let path = match &self.counter {
            Counter::Unified => &self.path,
            Counter::Legacy(path) => path,
            Counter::Absent => return Err(at(&self.path)(io::ErrorKind::Unsupported.into())),
        };
        write(&path.join("pids.max"), &max.to_string())
    }

    /// Whether a process is in it or in a cgroup below it.
    #[must_use]
    pub fn contains(&self, pid: u32) -> bool {
        cgroup_of(pid).is_some_and(|path| path.starts_with(&self.name))
    }

    /// All processes in it and below it, in no order.
    ///
    /// # Errors
    ///
    /// [`CgroupError::File`] when it is gone.
    pub fn processes(&self) -> Result<Vec<u32>, CgroupError> {
        let mut found = Vec::new();
        let mut left = vec![self.path.clone()];
        while let Some(path) = left.pop() {
            let text = read(&path.join("cgroup.procs"))?;
            found.extend(
                String::from_utf8_lossy(&text).lines().filter_map(|line| line.parse::<u32>().ok()),
            );
            left.extend(folders(&path)?);
        }
        Ok(found)
    }

    /// Stops all processes where they are, and answers how long that took.
    ///
    /// # Errors
    ///
    /// [`CgroupError::File`], or [`CgroupError::Deadline`] after five seconds; what has stopped then
    /// stays stopped, and the rest stops as soon as it leaves the kernel.
    pub fn freeze(&self) -> Result<Duration, CgroupError> {
        self.settle("cgroup.freeze", "1", ("frozen", true), "frozen")
    }

    /// Lets all processes run again, and answers how long that took.
    ///
    /// # Errors
    ///
    /// [`CgroupError::File`], [`CgroupError::Deadline`].
    pub fn thaw(&self) -> Result<Duration, CgroupError> {
        self.settle("cgroup.freeze", "0", ("frozen", false), "thawed")
    }

    /// Kills all processes, frozen or not, and those they are just starting; answers how long it took
    /// until none was left.
    ///
    /// # Errors
    ///
    /// [`CgroupError::File`], [`CgroupError::Deadline`].
    pub fn kill(&self) -> Result<Duration, CgroupError> {
        self.settle("cgroup.kill", "1", ("populated", false), "empty")
    }

    /// Whether a process is in it or below it.
    ///
    /// # Errors
    ///
    /// [`CgroupError::File`] when it is gone.
    pub fn is_populated(&self) -> Result<bool, CgroupError> {
        Ok(state(&self.path, "populated")? != Some(false))
    }

    /// Removes it with all below it, waiting for processes that are just ending. One that is gone is
    /// removed.
    ///
    /// # Errors
    ///
    /// [`CgroupError::Deadline`] when processes are still in it after five seconds; kill them first.
    pub fn remove(self) -> Result<(), CgroupError> {
        let started = Instant::now();
        remove_tree(&self.path, started)?;
        match &self.counter {
            // A child shares the session's counter.
            Counter::Legacy(path) if path.file_name() == self.path.file_name() => {
                remove_tree(path, started)
            }
            Counter::Legacy(_) | Counter::Unified | Counter::Absent => Ok(()),
        }
    }

    fn settle(
        &self,
        file: &str,
        text: &str,
        (key, wanted): (&str, bool),
        word: &'static str,
    ) -> Result<Duration, CgroupError> {
        let started = Instant::now();
        let path = self.path.join("cgroup.events");
        // Opened before asking, so that no change is missed.
        let mut events = File::open(&path).map_err(at(&path))?;
        write(&self.path.join(file), text)?;
        loop {
            if state_in(&mut events, key).map_err(at(&path))? == Some(wanted) {
                return Ok(started.elapsed());
            }
            let left = SETTLE_MAX.saturating_sub(started.elapsed());
            if left.is_zero() {
                let (path, after) = (self.path.clone(), SETTLE_MAX);
                return Err(CgroupError::Deadline { path, wanted: word, after });
            }
            await_change(&events, left).map_err(at(&path))?;
        }
    }
}

/// A yes or no from `cgroup.events`; `None` when the kernel does not say.
pub(super) fn state(cgroup: &Path, key: &str) -> Result<Option<bool>, CgroupError> {
    let path = cgroup.join("cgroup.events");
    File::open(&path).and_then(|mut events| state_in(&mut events, key)).map_err(at(&path))
}

fn state_in(events: &mut File, key: &str) -> io::Result<Option<bool>> {
    events.rewind()?;
    let mut text = String::new();
    events.read_to_string(&mut text)?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    Ok(match value {
        Some("0") => Some(false),
        Some("1") => Some(true),
        Some(_) | None => None,
    })
}

fn await_change(events: &File, longest: Duration) -> io::Result<()> {
    let longest = Timespec::try_from(longest).map_err(io::Error::other)?;
    match poll(&mut [PollFd::new(events, PollFlags::PRI)], Some(&longest)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn remove_tree(path: &Path, started: Instant) -> Result<(), CgroupError> {
    for below in folders(path)? {
        remove_tree(&below, started)?;
    }
    loop {
        match fs::remove_dir(path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() != io::ErrorKind::ResourceBusy => {
                return Err(at(path)(error));
            }
            Err(_) if started.elapsed() < SETTLE_MAX => std::thread::sleep(LOOK_AGAIN),
            Err(_) => {
                let (path, after) = (path.to_owned(), SETTLE_MAX);
                return Err(CgroupError::Deadline { path, wanted: "empty", after });
            }
        }
    }
}
