//! Files that are opened for reading, and programs that are loaded: the kernel asks, and what was allowed
//! once is allowed by the kernel alone until something changes.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use pathwarden_kernel_fanotify::{
    Ask, Change, Class, Event, Group, Intent, Notice, Reached, ReadError, Verdict, mounts_of,
    reach, syscall_of,
};
use pathwarden_types::{HostAct, HostVerb, Verb};

use crate::asker::{OPEN_DEADLINE, Said};
use crate::decider::{Decider, FileId};
use crate::governed::words;
use crate::question::Actor;
use crate::tools::Tools;
use crate::watch::Watch;

/// Threads that ask while others wait; with all of them busy and as many waiting, opens are refused.
const ASKING: usize = 4;

/// Opens that wait for one of them.
const WAITING_MAX: usize = 256;

/// How long the threads wait for an event before they look whether the session is over, in ms.
const LOOK_MS: i32 = 200;

/// File systems that hold no files of anybody's: what they show is governed by other means.
const PSEUDO: [&str; 13] = [
    "proc",
    "sysfs",
    "cgroup",
    "cgroup2",
    "devpts",
    "mqueue",
    "tracefs",
    "debugfs",
    "securityfs",
    "bpf",
    "pstore",
    "configfs",
    "fusectl",
];

/// File systems that ask before each read and write of a file that is open.
const ASKING_SYSTEMS: [&str; 1] = ["ext4"];

/// What the kernel asks about files.
pub(crate) struct Opens {
    decide: Group,
    /// Before each read and write, while nothing may be written.
    access: Group,
    /// Mounts on which `access` was put.
    asking: Mutex<Vec<Reached>>,
    is_read_only: AtomicBool,
    pub(crate) decider: Arc<Decider>,
    pub(crate) tools: Arc<Tools>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) is_over: Arc<AtomicBool>,
}

/// An open about which nothing is known yet.
struct Waiting {
    event: Event,
    acts: Vec<HostAct>,
    actor: Actor,
    /// Of what is decided, when it came.
    generation: u64,
}

impl Opens {
    pub(crate) fn new(
        decider: Arc<Decider>,
        tools: Arc<Tools>,
        watch: Arc<Watch>,
        is_over: Arc<AtomicBool>,
    ) -> Result<Self, String> {
        Ok(Self {
            decide: Group::new(Class::Decide).map_err(words)?,
            access: Group::new(Class::Access).map_err(words)?,
            asking: Mutex::default(),
            is_read_only: false.into(),
            decider,
            tools,
            watch,
            is_over,
        })
    }

    /// Stands before every file that this process can see, in its own view of the machine.
    pub(crate) fn stand_before(&self, process: u32) -> Result<(), String> {
        let process = i32::try_from(process).map_err(words)?;
        let mounts = mounts_of(process).map_err(words)?;
        for mount in mounts.iter().filter(|mount| !PSEUDO.contains(&mount.kind.as_str())) {
            let fault = |error: String| format!("`{}`: {error}", mount.point.display());
            let reached = reach(process, &mount.point).map_err(words).map_err(fault)?;
            let point = reached.path();
            let decide = self.decide.mark_mount(point, &[Ask::Open, Ask::Execute]);
            decide.map_err(words).map_err(fault)?;
            if ASKING_SYSTEMS.contains(&mount.kind.as_str()) {
                let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
                if !self.is_read_only.load(Ordering::SeqCst) {
                    self.access
                        .ignore_mount(point, &[Ask::Access])
                        .map_err(words)
                        .map_err(fault)?;
                }
                self.access.mark_mount(point, &[Ask::Access]).map_err(words).map_err(fault)?;
                asking.push(reached);
            }
        }
        Ok(())
    }

    /// Answers until the session is over.
    pub(crate) fn answer(self: &Arc<Self>) -> Vec<thread::JoinHandle<()>> {
        let (sender, receiver) = sync_channel::<Waiting>(WAITING_MAX);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads: Vec<_> = (0..ASKING)
            .map(|_| {
                let (opens, receiver) = (Arc::clone(self), Arc::clone(&receiver));
                thread::spawn(move || opens.ask(&receiver))
            })
            .collect();
        let opens = Arc::clone(self);
        threads.push(thread::spawn(move || opens.read_opens(&sender)));
        let opens = Arc::clone(self);
        threads.push(thread::spawn(move || opens.read_accesses()));
        threads
    }

    /// Every verdict must be given again; and from here on nothing is written, or it is again.
    pub(crate) fn renew(&self, is_read_only: bool) -> Result<(), String> {
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_read_only.load(Ordering::SeqCst) != is_read_only {
            for point in asking.iter().map(Reached::path) {
                // Also after a try that came only to some of them: what is ignored once more can be heeded.
                self.access.ignore_mount(point, &[Ask::Access]).map_err(words)?;
                if is_read_only {
                    self.access.heed_mount(point, &[Ask::Access]).map_err(words)?;
                }
            }
            // Not before it is so everywhere: what failed is tried again.
            self.is_read_only.store(is_read_only, Ordering::SeqCst);
        }
        drop(asking);
        self.forget()
    }

    /// The descriptors that keep the kernel asking.
    pub(crate) fn holds(&self) -> [BorrowedFd<'_>; 2] {
        [self.decide.as_fd(), self.access.as_fd()]
    }

    /// Has the kernel ask about every file again: from here on it matters whose process it is.
    pub(crate) fn forget(&self) -> Result<(), String> {
        self.decide.forget_all().map_err(words)
    }

    fn read_opens(&self, asking: &SyncSender<Waiting>) {
        self.read(&self.decide, &mut |event| self.open(event, asking));
    }

    /// Reads questions until the session is over, or they cannot be read any more: then whoever asks waits,
    /// and is let through by nobody.
    fn read(&self, group: &Group, each: &mut dyn FnMut(Event)) {
        while !self.is_over.load(Ordering::Relaxed) {
            let read = group.read(LOOK_MS, &mut |notice| match notice {
                Notice::Asked(event) => each(event),
                Notice::Overflow => self.watch.lose_questions(),
            });
            match read {
                Ok(_) => {}
                Err(error @ ReadError::Unopened(_)) => tracing::debug!(%error, "a file is refused"),
                Err(error) => {
                    tracing::error!(%error, "nothing is let through any more");
                    self.decider.set_ready(false);
                    return;
                }
            }
        }
    }

    fn open(&self, event: Event, asking: &SyncSender<Waiting>) {
        let Ok(tid) = u32::try_from(event.tid()) else { return };
        let generation = self.decider.generation();
        if is_ours(tid) {
            return self.let_ours(event, generation);
        }
        let (Ok(path), Ok(about)) = (event.path(), event.stat()) else { return };
        let is_program = event.asks().has(Ask::Execute);
        // A program may be read as well as run by whoever may run it, once both are decided.
        let verbs: &[HostVerb] =
            if is_program { &[HostVerb::Run, HostVerb::Read] } else { &[HostVerb::Read] };
        let file = FileId { device: about.device, inode: about.inode, links: about.links };
        let acts: Vec<HostAct> =
            verbs.iter().map(|verb| self.decider.act(*verb, &path, Some(file))).collect();
        let actor = Actor { program: String::new(), server: self.tools.of_process(tid) };
        let known: Option<Vec<Said>> =
            acts.iter().map(|act| self.decider.known(act, &actor)).collect();
        match known.map(|all| all.contains(&Said::Refuse)) {
            Some(false) => self.let_through(event, generation),
            // Dropped unanswered, it is refused.
            Some(true) => self.watch.refused("open"),
            None => match asking.try_send(Waiting { event, acts, actor, generation }) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    tracing::warn!("too many opens wait for a decision; one is refused");
                }
            },
        }
    }

    /// Lets this process open what it was decided to open for somebody. Where the agent may read the file as
    /// well, the kernel need not ask about it again.
    fn let_ours(&self, event: Event, generation: u64) {
        let may_be_read = || {
            let (path, about) = (event.path().ok()?, event.stat().ok()?);
            let file = FileId { device: about.device, inode: about.inode, links: about.links };
            let act = self.decider.act(HostVerb::Read, &path, Some(file));
            self.decider.known(&act, &Actor::default())
        };
        let is_program = event.asks().has(Ask::Execute);
        match !is_program && self.tools.is_empty() && may_be_read() == Some(Said::Allow) {
            true => self.let_through(event, generation),
            false => answer(event),
        }
    }

    /// Answers those about whom nothing was known.
    fn ask(&self, receiver: &Mutex<Receiver<Waiting>>) {
        loop {
            let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Waiting { event, acts, actor, generation }) = next else { return };
            let mut said =
                acts.into_iter().map(|act| self.decider.decide(act, &actor, OPEN_DEADLINE));
            match said.all(|said| said == Said::Allow) {
                true => self.let_through(event, generation),
                false => self.watch.refused("open"),
            }
        }
    }

    /// Lets an open through; and, while all processes are the agent's own, every later one of this file.
    fn let_through(&self, event: Event, generation: u64) {
        if self.tools.is_empty() {
            // Where a file is does not change when it is written to. What a program is does.
            let kept = match event.asks().has(Ask::Execute) {
                true => event.remember(&[Ask::Open, Ask::Execute], Change::Forgets),
                false => event.remember(&[Ask::Open], Change::Survives),
            };
            if let Err(error) = kept {
                tracing::debug!(%error, "a verdict is not kept by the kernel");
            }
            // What was decided before everything was to be asked again must not outlast that.
            if self.decider.generation() != generation
                && let Err(error) = self.decide.forget_all()
            {
                tracing::error!(%error, "a verdict may outlast what it rests on");
                self.decider.set_ready(false);
            }
        }
        answer(event);
    }

    /// While nothing may be written, looks at each read and write of open files.
    fn read_accesses(&self) {
        self.read(&self.access, &mut |event| {
            let Ok(tid) = u32::try_from(event.tid()) else { return };
            let server = self.tools.of_process(tid);
            let may_write = !self.decider.is_taken(Verb::ReadOnly, server.as_ref());
            let reads = || syscall_of(event.tid()).is_some_and(|one| one.intent() == Intent::Read);
            if is_ours(tid) || may_write || reads() {
                answer(event);
            }
        });
    }
}

fn answer(event: Event) {
    if let Err(error) = event.answer(Verdict::Allow) {
        tracing::debug!(%error, "an answer reached nobody");
    }
}

/// Whether a thread is one of this process, which acts for others after it was decided.
fn is_ours(tid: u32) -> bool {
    Path::new(&format!("/proc/self/task/{tid}")).exists()
}
