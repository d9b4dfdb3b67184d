//! A session on the real kernel that cleans up after itself.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use pathwarden_kernel_sandbox::{Cgroup, Filters, Launch, LaunchError, Spec, Streams, Tier, Tree};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use tempfile::TempDir;

/// What the listener of [`FILTERS`] holds, so that a test knows it again.
pub(crate) const LISTENER: &str = "the listener";
/// How long anything may take here.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A refuse filter with one call in it, and a file in place of a listener.
pub(crate) const FILTERS: Filters = Filters { refuse: refuse_personality, notify: no_notify };

fn refuse_personality() -> io::Result<()> {
    let rules = BTreeMap::from([(135, Vec::new())]);
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(1),
        std::env::consts::ARCH.try_into().map_err(io::Error::other)?,
    );
    let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

fn no_notify(_tier: Tier) -> io::Result<OwnedFd> {
    let file = rustix::fs::memfd_create("listener", rustix::fs::MemfdFlags::CLOEXEC)?;
    rustix::io::pwrite(&file, LISTENER.as_bytes(), 0)?;
    Ok(file)
}

/// A folder on ext4 and a cgroup, both gone afterwards.
pub(crate) struct Session {
    pub(crate) folder: TempDir,
    pub(crate) cgroup: Cgroup,
}

impl Session {
    pub(crate) fn new(name: &str) -> Session {
        let folder = tempfile::Builder::new().prefix("pw-box-").tempdir_in("/var/tmp").unwrap();
        let id = format!("test-{name}-{}", std::process::id());
        let cgroup = Tree::find().unwrap().session(&id).unwrap();
        Session { folder, cgroup }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A shell in the kernel tier.
    pub(crate) fn shell(&self, script: &str) -> Spec {
        shell(Tier::Kernel, self.folder.path(), script)
    }

    /// A shell in the tier without privileges, with what a shell reads.
    pub(crate) fn plain_shell(&self, script: &str) -> Spec {
        let mut spec = shell(Tier::Landlock, self.folder.path(), script);
        spec.readable =
            ["/usr", "/bin", "/lib", "/lib64", "/etc", "/proc"].map(PathBuf::from).into();
        spec
    }

    /// Starts it with pipes and lets it go.
    pub(crate) fn launch(&self, spec: &Spec) -> Running {
        let mut launch = self.start(spec).unwrap();
        launch.go().unwrap();
        Running::new(launch)
    }

    pub(crate) fn start(&self, spec: &Spec) -> Result<Launch, LaunchError> {
        let streams =
            Streams { stdin: Stdio::piped(), stdout: Stdio::piped(), stderr: Stdio::piped() };
        Launch::start(spec, Some(&self.cgroup), streams)
    }

    /// Exit code and output, both streams in one.
    pub(crate) fn run(&self, spec: &Spec) -> (u8, String) {
        self.launch(spec).finish()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.cgroup.kill();
        let _ = self.cgroup.clone().remove();
    }
}

/// A launched box and its output.
pub(crate) struct Running {
    pub(crate) launch: Launch,
    lines: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn new(mut launch: Launch) -> Running {
        let lines = BufReader::new(launch.stdout.take().unwrap());
        Running { launch, lines }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.launch.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub(crate) fn finish(mut self) -> (u8, String) {
        drop(self.launch.stdin.take());
        let mut text = String::new();
        self.lines.read_to_string(&mut text).unwrap();
        self.launch.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (self.launch.wait().unwrap(), text)
    }
}

pub(crate) fn shell(tier: Tier, workspace: &Path, script: &str) -> Spec {
    let command = ["sh", "-c", script].map(Into::into).into();
    let mut spec = Spec::new(tier, command, workspace.to_owned());
    spec.environment = vec![("PATH".into(), "/usr/bin:/bin:/usr/sbin:/sbin".into())];
    spec
}

/// Looks again and again until it holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::yield_now();
    }
}

/// Whether a process ends within this time.
pub(crate) fn ends_within(pidfd: BorrowedFd<'_>, longest: Duration) -> bool {
    let longest = Timespec::try_from(longest).unwrap();
    poll(&mut [PollFd::new(&pidfd.as_fd(), PollFlags::IN)], Some(&longest)).unwrap() == 1
}

/// Whether a process is there and no zombie.
pub(crate) fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|text| !text.rsplit_once(')').unwrap().1.trim_start().starts_with('Z'))
}
