//! Starts the victim under the filters, and answers for it.

use std::fs::{self, File};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use pathwarden_kernel_seccomp::{
    Attempt, Call, Deed, Done, Errno, Listener, Next, Scope, Target, attempt, install_notify,
    install_refusals,
};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::thread::{Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// No test takes longer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// `nobody`, who has no right that is not given to all.
pub(crate) const NOBODY: u32 = 65_534;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Filters {
    None,
    Notify(Scope),
    Refusals,
    Both,
}

/// The part of the test binary that becomes the victim; a plain test run passes by.
#[test]
fn launcher() {
    let Ok(words) = std::env::var("PATHWARDEN_LAUNCH") else { return };
    let mut words = words.split('\u{1f}');
    let uid: u32 = words.next().unwrap().parse().unwrap();
    let filters = words.next().unwrap().to_owned();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).env_remove("PATHWARDEN_LAUNCH");
    if uid != 0 {
        set_thread_groups(&[]).unwrap();
        set_thread_res_gid(Gid::from_raw(uid), Gid::from_raw(uid), Gid::from_raw(uid)).unwrap();
        set_thread_res_uid(Uid::from_raw(uid), Uid::from_raw(uid), Uid::from_raw(uid)).unwrap();
    }
    let listener = match filters.as_str() {
        "Notify(Writes)" | "Both" => Some(install_notify(Scope::Writes).unwrap()),
        "Notify(AllOpens)" => Some(install_notify(Scope::AllOpens).unwrap()),
        _ => None,
    };
    if filters == "Refusals" || filters == "Both" {
        install_refusals().unwrap();
    }
    if let Some(listener) = listener {
        let fds = [listener.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
        let socket = std::io::stdin();
        sendmsg(&socket, &[IoSlice::new(b"l")], &mut control, SendFlags::empty()).unwrap();
    }
    panic!("the victim was not started: {}", command.exec());
}

/// A victim that runs, its output kept in a file.
pub(crate) struct Victim {
    pub(crate) child: Child,
    pub(crate) listener: Option<Listener>,
    output: PathBuf,
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn start(folder: &Path, uid: u32, filters: Filters, words: &[&str]) -> Victim {
    let program = victim().to_str().unwrap();
    start_program(folder, uid, filters, &[&[program], words].concat())
}

/// Any program, by its whole command line.
pub(crate) fn start_program(folder: &Path, uid: u32, filters: Filters, words: &[&str]) -> Victim {
    let output = folder.with_extension("out");
    let file = File::create(&output).unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut line = vec![uid.to_string(), format!("{filters:?}")];
    line.extend(words.iter().map(ToString::to_string));
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness::launcher", "--nocapture", "--test-threads=1"])
        .env("PATHWARDEN_LAUNCH", line.join("\u{1f}"))
        .current_dir(folder)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(file)
        .process_group(0)
        .spawn()
        .unwrap();
    let listener = match filters {
        Filters::None | Filters::Refusals => None,
        Filters::Notify(_) | Filters::Both => Some(Listener::new(take_listener(&ours)).unwrap()),
    };
    Victim { child, listener, output }
}

fn take_listener(socket: &UnixStream) -> OwnedFd {
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let end = Instant::now() + DEADLINE;
    let mut into = [IoSliceMut::new(&mut byte)];
    while let Err(errno) = recvmsg(socket, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC) {
        assert!(errno == Errno::INTR && Instant::now() < end, "no listener came: {errno}");
    }
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut fds) = message {
            return fds.next().unwrap();
        }
    }
    panic!("the launcher sent no listener");
}

/// What a test thinks of an attempt.
pub(crate) type Judge<'j> = dyn Fn(&Attempt) -> Result<(), Errno> + Sync + 'j;

impl Victim {
    /// Answers until the victim has ended, and returns what it printed.
    pub(crate) fn serve(mut self, judge: &Judge<'_>) -> String {
        let end = Instant::now() + DEADLINE;
        if let Some(listener) = self.listener.take() {
            thread::scope(|scope| {
                loop {
                    assert!(Instant::now() < end, "the victim did not end in time");
                    match listener.recv(Duration::from_millis(200)).unwrap() {
                        Next::Call(call) => answer(scope, &listener, call, judge),
                        Next::Quiet => {}
                        Next::Ended => break,
                    }
                }
            });
        }
        let _ = self.child.wait().unwrap();
        let text = fs::read_to_string(&self.output).unwrap();
        // What libtest prints before the victim takes over.
        text.lines().filter(|line| !line.is_empty() && !line.starts_with("running ")).fold(
            String::new(),
            |mut text, line| {
                text.push_str(line.trim_start_matches("test harness::launcher ... "));
                text.push('\n');
                text
            },
        )
    }
}

fn answer<'s>(
    scope: &'s thread::Scope<'s, '_>,
    listener: &'s Listener,
    call: Call,
    judge: &'s Judge<'s>,
) {
    let made = Target::of(listener, &call).and_then(|target| attempt(&call, &target));
    match made {
        Err(errno) => drop(listener.answer_errno(call.id, errno).unwrap()),
        Ok(attempt) if attempt.may_block() => {
            scope.spawn(move || settle(listener, call, attempt, judge));
        }
        Ok(attempt) => settle(listener, call, attempt, judge),
    }
}

fn settle(listener: &Listener, call: Call, mut made: Attempt, judge: &Judge<'_>) {
    for _ in 0..16 {
        let is_exec = matches!(made.deed(), Deed::Exec(_));
        if let Err(errno) = judge(&made) {
            let _ = listener.answer_errno(call.id, errno).unwrap();
            return;
        }
        match made.perform(listener, call.id, Duration::from_millis(700), &|| false).unwrap() {
            Done::Changed => {
                let target = Target::of(listener, &call).unwrap();
                match attempt(&call, &target) {
                    Ok(again) => made = again,
                    Err(errno) => {
                        let _ = listener.answer_errno(call.id, errno).unwrap();
                        return;
                    }
                }
            }
            Done::GoesOn => {
                assert!(is_exec, "only an exec goes on");
                return;
            }
            Done::Answered(_) | Done::Gone => return,
        }
    }
    panic!("changed again and again");
}

pub(crate) fn yes(_: &Attempt) -> Result<(), Errno> {
    Ok(())
}

/// The compiled victim, in the build's own folder for such things.
pub(crate) fn victim() -> &'static Path {
    static VICTIM: OnceLock<PathBuf> = OnceLock::new();
    VICTIM.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernel-seccomp-victim");
        // Other test runs may use the one that is there.
        let fresh = program.with_extension(std::process::id().to_string());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/victim.c");
        let mut gcc = Command::new("gcc");
        gcc.args(["-O1", "-pthread", "-o"]).arg(&fresh).arg(source);
        assert!(gcc.status().unwrap().success(), "gcc failed");
        fs::rename(&fresh, &program).unwrap();
        program
    })
}

/// A folder on a disk, which everybody may enter.
pub(crate) fn scratch() -> tempfile::TempDir {
    let folder =
        tempfile::Builder::new().prefix("pathwarden-seccomp-").tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The same small tree each time, owned by `uid` where it is not root's.
pub(crate) fn furnish(folder: &Path, uid: u32) {
    let own = |path: &Path| std::os::unix::fs::lchown(path, Some(uid), Some(uid)).unwrap();
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    fs::create_dir(folder).unwrap();
    own(folder);
    for name in ["dir", "empty", "empty2", "empty3", "empty4", "full", "setgid", "dir/inner"] {
        fs::create_dir(folder.join(name)).unwrap();
        own(&folder.join(name));
    }
    let files = [
        "a.txt",
        "b.txt",
        "c.txt",
        "w.txt",
        "trunc.txt",
        "u1",
        "u2",
        "r1",
        "r2",
        "suid",
        "dir/x",
        "dir/u3",
        "dir/u4",
        "dir/r4",
        "full/f",
    ];
    for name in files {
        fs::write(folder.join(name), format!("content of {name}")).unwrap();
        own(&folder.join(name));
    }
    for (name, text) in [
        ("link", "a.txt"),
        ("link2", "a.txt"),
        ("link3", "a.txt"),
        ("dangling", "missing.txt"),
        ("chain", "dir/../chain2"),
        ("chain2", "./dir/chained"),
        ("loop", "loop"),
        ("dirlink", "dir"),
        ("servedlink", "served"),
        ("proclink", "/proc/self"),
    ] {
        symlink(text, folder.join(name)).unwrap();
        own(&folder.join(name));
    }
    symlink(folder.join("a.txt"), folder.join("abs")).unwrap();
    for (name, bits) in [("ro.txt", 0o444), ("foreign.txt", 0o644), ("shared.txt", 0o666)] {
        fs::write(folder.join(name), "root's").unwrap();
        mode(&folder.join(name), bits);
    }
    for (name, bits) in [("rootdir", 0o755), ("secretdir", 0o700), ("sticky", 0o1777)] {
        fs::create_dir(folder.join(name)).unwrap();
        mode(&folder.join(name), bits);
    }
    for name in ["rootdir/f", "secretdir/x", "sticky/other"] {
        fs::write(folder.join(name), "root's").unwrap();
    }
    mode(&folder.join("suid"), 0o6755);
    chown(folder.join("setgid"), Some(uid), Some(12_345)).unwrap();
    mode(&folder.join("setgid"), 0o2777);
    assert!(Command::new("mkfifo").arg(folder.join("fifo")).status().unwrap().success());
    own(&folder.join("fifo"));
    drop(UnixListener::bind(folder.join("sock")).unwrap());
    own(&folder.join("sock"));
    settle_times(folder);
}

/// The same times everywhere, so that they can be compared.
fn settle_times(path: &Path) {
    let long_ago = Timespec { tv_sec: 1_000_000, tv_nsec: 1 };
    let times = Timestamps { last_access: long_ago, last_modification: long_ago };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    if fs::symlink_metadata(path).unwrap().is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| settle_times(&entry.unwrap().path()));
    }
}

/// All that two trees could differ in, except times and inode numbers.
pub(crate) fn portrait(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(path) = todo.pop() {
        let stat = fs::symlink_metadata(&path).unwrap();
        let content = if stat.is_file() {
            String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()
        } else if stat.is_symlink() {
            fs::read_link(&path).unwrap().display().to_string()
        } else {
            String::new()
        };
        if stat.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let name = path.strip_prefix(folder).unwrap().display();
        lines.push(format!(
            "{name}: {:o} {}:{} links {} {content:?}",
            stat.mode(),
            stat.uid(),
            stat.gid(),
            stat.nlink()
        ));
    }
    lines.sort();
    lines
}
