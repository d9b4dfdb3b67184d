//! A process to govern, and a judge to govern it with.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use pathwarden_kernel_fanotify::{Ask, Event, Group, Notice, Reached, Verdict, reach};
use tempfile::TempDir;

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Python process in a mount namespace of its own, with `folder` mounted there once more.
pub(crate) struct Agent {
    folder: TempDir,
    child: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
}

/// What a judge makes of a question. `None` drops it.
pub(crate) type Judge<'a> = &'a mut dyn FnMut(&Event) -> Option<Verdict>;

/// Whether this machine lets us ask the kernel; says so if not.
pub(crate) fn can_ask(test: &str) -> bool {
    let able = Group::new(pathwarden_kernel_fanotify::Class::Access);
    if let Err(fault) = &able {
        println!("skipped: {test}: {fault}");
    }
    able.is_ok()
}

impl Agent {
    pub(crate) fn start() -> Self {
        let folder =
            tempfile::Builder::new().prefix("pw-fanotify-").tempdir_in("/var/tmp").unwrap();
        let mut child = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "python3", "-u", "-c"])
            .arg(include_str!("agent.py"))
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        assert_eq!(answers.recv_timeout(PATIENCE).unwrap(), "ready");
        Self { folder, child, commands, answers }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// A path in its folder. Outside its namespace the same path is the same file on another mount.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a file in its folder, and says its inode.
    pub(crate) fn file(&self, name: &str, text: &str) -> u64 {
        fs::write(self.path(name), text).unwrap();
        self.inode(name)
    }

    pub(crate) fn inode(&self, name: &str) -> u64 {
        fs::metadata(self.path(name)).unwrap().ino()
    }

    /// Its folder as mounted in its namespace.
    pub(crate) fn mount(&self) -> Reached {
        reach(self.pid(), self.folder.path()).unwrap()
    }

    pub(crate) fn mark(&self, group: &Group, what: &[Ask]) {
        group.mark_mount(self.mount().path(), what).unwrap();
    }

    /// Has it do something, answers the questions that come of it, and says what it answered.
    pub(crate) fn does(&mut self, group: &Group, judge: Judge<'_>, words: &[&str]) -> String {
        writeln!(self.commands, "{}", words.join("\t")).unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            match self.answers.try_recv() {
                Ok(answer) => return answer.trim_end().to_owned(),
                Err(TryRecvError::Empty) => assert!(Instant::now() < end, "no answer: {words:?}"),
                Err(TryRecvError::Disconnected) => panic!("the agent died: {words:?}"),
            }
            turn(group, judge);
        }
    }

    /// As [`Agent::does`], with a path in its folder as the last word.
    pub(crate) fn opens(&mut self, group: &Group, judge: Judge<'_>, name: &str) -> String {
        let path = self.path(name);
        self.does(group, judge, &["open", path.to_str().unwrap()])
    }

    /// Has it do something that raises no question.
    pub(crate) fn does_unasked(&mut self, group: &Group, words: &[&str]) -> String {
        let mut asked = 0;
        let answer = self.does(group, &mut counting(&mut asked), words);
        assert_eq!(asked, 0, "asked about {words:?}");
        answer
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers what is asked within a few milliseconds.
pub(crate) fn turn(group: &Group, judge: Judge<'_>) {
    let mut each = |notice| match notice {
        Notice::Asked(event) => {
            let verdict = judge(&event);
            if let Some(verdict) = verdict {
                event.answer(verdict).unwrap();
            }
        }
        Notice::Overflow => panic!("the kernel lost a question"),
    };
    group.read(2, &mut each).unwrap();
}

/// A judge that allows everything but one file.
pub(crate) fn all_but(secret: u64) -> impl FnMut(&Event) -> Option<Verdict> {
    move |event| {
        let is_secret = event.stat().unwrap().inode == secret;
        Some(if is_secret { Verdict::Refuse } else { Verdict::Allow })
    }
}

/// A judge that allows everything, and counts.
pub(crate) fn counting(asked: &mut usize) -> impl FnMut(&Event) -> Option<Verdict> {
    move |_| {
        *asked += 1;
        Some(Verdict::Allow)
    }
}

/// Does something in this process, on a thread, and answers meanwhile.
pub(crate) fn meanwhile<T: Send + 'static>(
    group: &Group,
    judge: Judge<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (end, thread) = (Instant::now() + PATIENCE, thread::spawn(work));
    while !thread.is_finished() {
        assert!(Instant::now() < end, "it hangs");
        turn(group, judge);
    }
    thread.join().unwrap()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
