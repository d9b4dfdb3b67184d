//! The processes below one, where no cgroup holds them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long the processes may take to stop, or to end.
const SIGNALLED_MAX: Duration = Duration::from_secs(2);
/// How often it is looked again meanwhile.
const LOOK: Duration = Duration::from_millis(1);

/// All processes below the one that waits for them, to whom they all come back in the end.
///
/// Weaker than a cgroup: they are found one by one, so that it takes a look at all processes of the machine
/// to know that none was missed.
#[derive(Debug)]
pub struct Descendants {
    of: Pid,
    /// Those that were stopped here; others may have been stopped before.
    stopped: Mutex<BTreeSet<i32>>,
}

impl Descendants {
    pub(crate) fn new(of: Pid) -> Self {
        Self { of, stopped: Mutex::default() }
    }

    /// Their numbers.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let all = descendants(self.of);
        all.into_iter().filter_map(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok()).collect()
    }

    /// Lets all stand still; comes back when they do. Not more than once does nothing.
    ///
    /// # Errors
    ///
    /// When one does not stop within two seconds. It is stopped as soon as the kernel lets it.
    pub fn freeze(&self) -> io::Result<()> {
        // A process that is being stopped may still start another one, which the first look missed.
        let mut quiet_looks = 0;
        self.until("stop", || {
            let moving = self.in_state(|state| !matches!(state, 'T' | 't' | 'Z' | 'X'));
            let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            for pid in &moving {
                if kill_process(*pid, Signal::STOP).is_ok() {
                    stopped.insert(pid.as_raw_nonzero().get());
                }
            }
            quiet_looks = if moving.is_empty() { quiet_looks + 1 } else { 0 };
            quiet_looks > 1
        })
    }

    /// Lets those go on that were stopped here.
    pub fn thaw(&self) {
        let stopped =
            std::mem::take(&mut *self.stopped.lock().unwrap_or_else(PoisonError::into_inner));
        if stopped.is_empty() {
            return;
        }
        let is_ours = |pid: &Pid| stopped.contains(&pid.as_raw_nonzero().get());
        for pid in descendants(self.of).into_iter().filter(is_ours) {
            // It may have been killed meanwhile.
            let _ = kill_process(pid, Signal::CONT);
        }
    }

    /// Ends them all.
    ///
    /// # Errors
    ///
    /// When one is left after two seconds.
    pub fn kill(&self) -> io::Result<()> {
        self.until("end", || {
            let left = self.in_state(|state| !matches!(state, 'Z' | 'X'));
            left.iter().for_each(|pid| {
                let _ = kill_process(*pid, Signal::KILL);
            });
            left.is_empty()
        })
    }

    fn in_state(&self, is_wanted: impl Fn(char) -> bool) -> Vec<Pid> {
        let all = descendants(self.of).into_iter();
        all.filter(|pid| state_of(*pid).is_some_and(&is_wanted)).collect()
    }

    fn until(&self, what: &str, mut is_done: impl FnMut() -> bool) -> io::Result<()> {
        let deadline = Instant::now() + SIGNALLED_MAX;
        while !is_done() {
            if Instant::now() >= deadline {
                let message = format!("a process does not {what}; it is stuck in the kernel");
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }
}

/// Every process below this one.
pub(crate) fn descendants(of: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parents: BTreeMap<i32, i32> = pids.filter_map(|pid| Some((pid, parent_of(pid)?))).collect();
    let root = of.as_raw_nonzero().get();
    let below = |pid: &i32| {
        let chain = std::iter::successors(Some(*pid), |pid| parents.get(pid).copied());
        chain.skip(1).take(parents.len()).any(|ancestor| ancestor == root)
    };
    parents.keys().filter(|pid| below(pid)).filter_map(|pid| Pid::from_raw(*pid)).collect()
}

fn parent_of(pid: i32) -> Option<i32> {
    field(pid, 1)?.parse().ok()
}

fn state_of(pid: Pid) -> Option<char> {
    field(pid.as_raw_nonzero().get(), 0)?.chars().next()
}

/// A field of what the kernel says of a process, counted from behind its name.
fn field(pid: i32, number: usize) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so the fields count from its last parenthesis.
    text.rsplit_once(')')?.1.split_whitespace().nth(number).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn wait_for(mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !is_so() {
            assert!(Instant::now() < deadline, "it never is");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_tree_stands_still_goes_on_and_ends() {
        // The shell is the one that waits; its children are the tree.
        let script = "sleep 1000 & (sleep 1000 & wait) & wait";
        let mut root =
            Command::new("sh").args(["-c", script]).stdin(Stdio::null()).spawn().unwrap();
        let tree = Descendants::new(Pid::from_child(&root));
        wait_for(|| tree.processes().len() == 3);
        let states = || -> Vec<char> {
            tree.processes()
                .iter()
                .filter_map(|pid| Pid::from_raw(*pid as i32))
                .filter_map(state_of)
                .collect()
        };
        let before = tree.processes()[0];
        kill_process(Pid::from_raw(before as i32).unwrap(), Signal::STOP).unwrap();
        wait_for(|| states().contains(&'T'));
        tree.freeze().unwrap();
        assert_eq!(states(), ['T', 'T', 'T']);
        tree.thaw();
        wait_for(|| states().iter().filter(|state| **state == 'T').count() == 1);
        tree.freeze().unwrap();
        tree.kill().unwrap();
        assert!(states().iter().all(|state| *state == 'Z'), "{:?}", states());
        let _ = root.kill();
        root.wait().unwrap();
    }
}
