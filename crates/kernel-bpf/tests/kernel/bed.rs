//! A cgroup of one's own, a session that watches it, and children inside.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::yield_now;
use std::time::{Duration, Instant};

use pathwarden_kernel_bpf::{Event, Session};
use tempfile::TempDir;

/// How long anything may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a state, busily: it is there at once as a rule.
pub(crate) fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "{what} did not come");
        yield_now();
    }
}

/// A session at level 2 and a folder on disk.
pub(crate) struct Bed {
    top: PathBuf,
    pub(crate) cgroup: PathBuf,
    pub(crate) folder: TempDir,
    session: Option<Session>,
}

impl Bed {
    /// `None` after saying why, where this machine cannot do it.
    pub(crate) fn new(test: &str) -> Option<Self> {
        let reason = match (root_of_cgroups(), fs::metadata("/sys/kernel/btf/vmlinux")) {
            (_, Err(_)) => "the kernel has no BTF",
            (None, _) => "no cgroup2 is mounted",
            _ if !rustix::process::geteuid().is_root() => "not root",
            (Some(root), Ok(_)) => return Some(Self::below(&root)),
        };
        println!("skipped: {test}: {reason}");
        None
    }

    fn below(root: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let top = root.join(format!("pathwarden-test-{}-{number}", std::process::id()));
        let cgroup = top.join("s");
        fs::create_dir_all(&cgroup).unwrap();
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let mut bed = Self { top, cgroup, folder, session: None };
        bed.session = Some(Session::attach(&bed.cgroup, 2).unwrap());
        bed
    }

    pub(crate) fn session(&self) -> &Session {
        self.session.as_ref().expect("attached")
    }

    /// Takes the programs away.
    pub(crate) fn detach(&mut self) {
        self.session = None;
    }

    pub(crate) fn id(&self) -> u64 {
        fs::metadata(&self.cgroup).unwrap().ino()
    }

    /// A cgroup for a tool, and its id.
    pub(crate) fn tool(&self, name: &str) -> (PathBuf, u64) {
        let path = self.cgroup.join(name);
        fs::create_dir(&path).unwrap();
        let id = fs::metadata(&path).unwrap().ino();
        (path, id)
    }

    /// The helper, compiled.
    pub(crate) fn probe(&self) -> String {
        let out = self.folder.path().join("probe");
        if !out.exists() {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/probe.c");
            let mut compiler = Command::new("gcc");
            compiler.args(["-O1", "-pthread", "-o"]).arg(&out).arg(source);
            assert!(compiler.status().unwrap().success());
        }
        out.to_str().unwrap().to_owned()
    }

    /// Starts a program inside the session.
    pub(crate) fn start(&self, words: &[&str]) -> Inside {
        self.start_in(&self.cgroup, words)
    }

    /// Starts a program inside this cgroup.
    pub(crate) fn start_in(&self, cgroup: &Path, words: &[&str]) -> Inside {
        let mut inside = self.start_held(cgroup, words);
        inside.say("go");
        inside
    }

    /// A shell that is inside and turns into the program once something is said to it.
    pub(crate) fn start_held(&self, cgroup: &Path, words: &[&str]) -> Inside {
        let procs = cgroup.join("cgroup.procs");
        let mut child = Command::new("/bin/sh")
            .args(["-c", r#"echo $$ > "$0"; echo in; read go; exec "$@""#])
            .arg(procs)
            .args(words)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut inside = Inside { child, input, output };
        assert_eq!(inside.line(), "in");
        inside
    }

    /// Runs a program inside the session to its end, and gives what it printed.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        self.run_in(&self.cgroup, words)
    }

    pub(crate) fn run_in(&self, cgroup: &Path, words: &[&str]) -> String {
        self.start_in(cgroup, words).rest().0
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let count = self.session().drain(&mut |event| events.push(event)).unwrap();
        assert_eq!(count, events.len());
        events
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = fs::write(self.top.join("cgroup.kill"), "1");
        let deadline = Instant::now() + PATIENCE;
        while remove_tree(&self.top).is_err() && Instant::now() < deadline {
            yield_now();
        }
    }
}

/// Cgroups go folder by folder, once nobody is in them.
fn remove_tree(top: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(top)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(top)
}

fn root_of_cgroups() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    mount.split(' ').nth(4).map(PathBuf::from)
}

/// A child inside a session.
pub(crate) struct Inside {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Inside {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next line that it prints; empty when it has ended.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Says no more, and waits for its end.
    pub(crate) fn rest(mut self) -> (String, ExitStatus) {
        drop(self.input.take());
        let mut status = None;
        until("the end of a child", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let text = std::io::read_to_string(&mut self.output).unwrap();
        (text, status.unwrap())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
