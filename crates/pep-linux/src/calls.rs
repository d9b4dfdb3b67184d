//! System calls that wait for a verdict: programs, connections, and whatever changes files.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pathwarden_kernel_bpf::{Changed, Destination, ExecApproval, Protocol, Session};
use pathwarden_kernel_seccomp::{
    Address, Attempt, Call, Connect, Deed, Done, Errno, Exec, Kind, Listener, Need, Next,
    Requirement, Target, attempt,
};
use pathwarden_lens_shell::{Act, Plan, Surroundings, of_argv};
use pathwarden_places::Place;
use pathwarden_types::{Digest, HostAct, HostAttempt, HostVerb, OperationKind, Verb};

use crate::asker::{CALL_DEADLINE, Question, Said};
use crate::decider::{Decider, FileId};
use crate::programs::{Programs, is_lasting};
use crate::question::{self, Actor};
use crate::sockets;
use crate::tools::Tools;
use crate::watch::Watch;

/// Threads that answer calls: so many may wait for the node at a time, others wait behind them.
const ANSWERING: usize = 8;

/// How long a thread waits for a call before it looks whether the session is over.
const LOOK: Duration = Duration::from_millis(200);

/// How long a call that waits for others (a FIFO, a connection) is carried out at most.
const CARRY_OUT: Duration = Duration::from_secs(3_600);

/// The most calls that wait for others at a time; one more is refused.
const BLOCKING_MAX: usize = 256;

/// How often a call is looked at anew whose names change under it.
const TRIES_MAX: usize = 8;

/// The longest arguments of a program whose meaning is read, in bytes: the kernel's limit of one argument.
const ARGUMENTS_BYTES_MAX: usize = 128 << 10;

/// What answers the calls of one session.
pub(crate) struct Calls {
    pub(crate) listener: Arc<Listener>,
    pub(crate) decider: Arc<Decider>,
    pub(crate) tools: Arc<Tools>,
    /// `None` where the kernel takes no programs of ours.
    pub(crate) bpf: Option<Arc<Session>>,
    pub(crate) watch: Option<Arc<Watch>>,
    pub(crate) programs: Programs,
    /// The way to the node, for whoever is inside.
    pub(crate) relay: PathBuf,
    pub(crate) surroundings: Surroundings,
    pub(crate) processes: Box<dyn Fn() -> Vec<u32> + Send + Sync>,
    pub(crate) is_over: Arc<AtomicBool>,
    /// Held by the one thread that receives.
    pub(crate) receiving: Mutex<()>,
    pub(crate) blocking: Arc<std::sync::atomic::AtomicUsize>,
}

/// What is answered to a caller whose call is not carried out.
type Answer = Result<Goes, Errno>;

/// How a call that may happen happens.
enum Goes {
    /// The kernel carries it out: what it means stands in registers, or is checked again by the kernel.
    On,
    /// We carry it out, on what was decided.
    ByUs(Box<Attempt>),
}

impl Calls {
    /// Answers until the session is over.
    pub(crate) fn answer(self: &Arc<Self>) -> Vec<thread::JoinHandle<()>> {
        (0..ANSWERING)
            .map(|_| {
                let calls = Arc::clone(self);
                thread::spawn(move || calls.answer_in_turn())
            })
            .collect()
    }

    fn answer_in_turn(self: &Arc<Self>) {
        while !self.is_over.load(Ordering::Relaxed) {
            let next = {
                let _turn = self.receiving.lock().unwrap_or_else(PoisonError::into_inner);
                self.listener.recv(LOOK)
            };
            match next {
                Ok(Next::Call(call)) => self.answer_safely(call),
                Ok(Next::Quiet) => {}
                Ok(Next::Ended) => return,
                Err(error) => {
                    tracing::error!(%error, "calls cannot be received; they are refused");
                    return;
                }
            }
        }
    }

    /// Nobody waits for ever because something here is broken: that is refused, and so is all that is new.
    fn answer_safely(self: &Arc<Self>, call: Call) {
        let calls = Arc::clone(self);
        let answering = AssertUnwindSafe(move || calls.answer_one(&call));
        if catch_unwind(answering).is_err() {
            tracing::error!("a call could not be decided; nothing new is let through");
            self.decider.set_ready(false);
            let _ = self.listener.answer_errno(call.id, Errno::PERM);
        }
    }

    fn answer_one(self: &Arc<Self>, call: &Call) {
        let answered = match self.decide(call) {
            Ok(Goes::On) => self.listener.go_on(call.id).map(drop),
            Ok(Goes::ByUs(attempt)) => return self.carry_out(*call, attempt),
            Err(errno) => self.listener.answer_errno(call.id, errno).map(drop),
        };
        if let Err(error) = answered {
            tracing::debug!(%error, "an answer reached nobody");
        }
    }

    /// Carries out what was allowed; what may wait for others on a thread of its own.
    fn carry_out(self: &Arc<Self>, call: Call, attempt: Box<Attempt>) {
        let id = call.id;
        if !attempt.may_block() {
            return self.perform(call, attempt);
        }
        if self.blocking.fetch_add(1, Ordering::Relaxed) >= BLOCKING_MAX {
            self.blocking.fetch_sub(1, Ordering::Relaxed);
            let _ = self.listener.answer_errno(id, Errno::AGAIN);
            return;
        }
        let calls = Arc::clone(self);
        thread::spawn(move || {
            calls.perform(call, attempt);
            calls.blocking.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Carries out an attempt. Where a name was taken since it was decided, all is looked at anew.
    fn perform(&self, call: Call, mut attempt: Box<Attempt>) {
        for _ in 0..TRIES_MAX {
            match attempt.perform(&self.listener, call.id, CARRY_OUT) {
                Ok(Done::Changed) => {}
                Ok(Done::Answered(_) | Done::GoesOn | Done::Gone) => return,
                Err(error) => {
                    tracing::debug!(%error, "a call could not be answered");
                    return;
                }
            }
            attempt = match self.decide(&call) {
                Ok(Goes::ByUs(again)) => again,
                Ok(Goes::On) => {
                    let _ = self.listener.go_on(call.id);
                    return;
                }
                Err(errno) => {
                    let _ = self.listener.answer_errno(call.id, errno);
                    return;
                }
            };
        }
        let _ = self.listener.answer_errno(call.id, Errno::AGAIN);
    }

    fn decide(&self, call: &Call) -> Answer {
        let target = Target::of(&self.listener, call)?;
        let tid = u32::try_from(call.tid).map_err(|_| Errno::SRCH)?;
        let attempt = attempt(call, &target)?;
        let actor = Actor { program: String::new(), server: self.tools.of_process(tid) };
        match attempt.deed() {
            Deed::Exec(exec) => self.exec(tid, exec, &actor),
            Deed::Connect(connect) => match self.connect(tid, connect, &actor)? {
                true => Ok(Goes::On),
                false => Ok(Goes::ByUs(Box::new(attempt))),
            },
            Deed::Open { .. }
            | Deed::Temporary { .. }
            | Deed::Unlink { .. }
            | Deed::Rename { .. }
            | Deed::Mkdir { .. }
            | Deed::Link { .. }
            | Deed::Symlink { .. }
            | Deed::Mknod { .. }
            | Deed::Chmod { .. }
            | Deed::Chown { .. }
            | Deed::Truncate { .. }
            | Deed::Fallocate { .. }
            | Deed::Utimes { .. } => {
                self.refuse_risen(attempt.deed(), &actor)?;
                if !self.is_empty_hooks(attempt.deed(), &actor) {
                    self.files(&attempt.needs(), &actor)?;
                }
                Ok(Goes::ByUs(Box::new(attempt)))
            }
        }
    }

    /// What a file becomes by more than its path: a program with somebody's rights, or a folder that others
    /// take commands from.
    fn refuse_risen(&self, deed: &Deed, actor: &Actor) -> Result<(), Errno> {
        let rises = |mode: u32| mode & SET_USER != 0 || mode & SET_GROUP_RUN == SET_GROUP_RUN;
        match deed {
            Deed::Chmod { mode, .. } | Deed::Open { mode, .. } | Deed::Mknod { mode, .. }
                if rises(*mode) =>
            {
                self.note_refused("mutation");
                Err(Errno::PERM)
            }
            Deed::Rename { from, to, .. } if is_commanding(to.path()) => {
                let is_folder = from.object().is_some_and(|one| one.kind() == Kind::Directory);
                let place = Place::Persistence.as_str().to_owned();
                let act =
                    HostAct { place, ..self.decider.terrain.exactly(HostVerb::Write, to.path()) };
                match is_folder && self.decider.file(act, actor, CALL_DEADLINE) == Said::Refuse {
                    true => Err(Errno::PERM),
                    false => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Whether an empty folder for the hooks of a repository is made, where one may make folders: what is put
    /// into it is decided by itself.
    fn is_empty_hooks(&self, deed: &Deed, actor: &Actor) -> bool {
        let Deed::Mkdir { at, .. } = deed else { return false };
        let Some(repository) = at.path().parent().filter(|_| at.path().ends_with(".git/hooks"))
        else {
            return false;
        };
        let act = self.decider.act(HostVerb::Write, repository, None);
        !self.decider.is_taken(Verb::ReadOnly, actor.server.as_ref())
            && self.decider.file(act, actor, CALL_DEADLINE) == Said::Allow
    }

    /// Whether all that is needed may be done to files.
    fn files(&self, needs: &[Requirement], actor: &Actor) -> Result<(), Errno> {
        for need in needs {
            if need.need != Need::Read
                && self.decider.is_taken(Verb::ReadOnly, actor.server.as_ref())
            {
                return Err(Errno::ROFS);
            }
            // What has no name any more is nobody's but its holders'.
            if need.links == 0 && need.id.is_some() && need.need != Need::Execute {
                continue;
            }
            let act = self.act(need);
            if self.decider.file(act, actor, CALL_DEADLINE) == Said::Refuse {
                self.note_refused("mutation");
                return Err(Errno::PERM);
            }
        }
        Ok(())
    }

    fn act(&self, need: &Requirement) -> HostAct {
        let verb = match need.need {
            Need::Execute => HostVerb::Run,
            Need::Read => HostVerb::Read,
            Need::Write | Need::Create => HostVerb::Write,
            Need::Remove => HostVerb::Remove,
            Need::Change => HostVerb::Change,
        };
        let file = need.id.map(|id| FileId {
            device: id.dev,
            inode: id.ino,
            links: u64::from(need.links),
        });
        self.decider.act(verb, &need.path, file)
    }

    fn note_refused(&self, plane: &'static str) {
        if let Some(watch) = &self.watch {
            watch.refused(plane);
        }
    }

    /// Whether the kernel carries out a connection; an address is known to the kernel before it does.
    fn connect(&self, tid: u32, connect: &Connect, actor: &Actor) -> Result<bool, Errno> {
        match connect.address() {
            Address::Inet(address) => self.connect_inet(tid, *address, actor),
            Address::Unix(_) => {
                let Some(file) = connect.socket_file() else { return Err(Errno::PERM) };
                if file.path() == self.relay {
                    return Ok(false);
                }
                let is_own = sockets::holds_unix(file.path(), &(self.processes)());
                let act = self.decider.terrain.on_socket(file.path(), is_own);
                match self.decider.connect(act, actor, CALL_DEADLINE) {
                    Said::Allow => Ok(false),
                    Said::Refuse => {
                        self.note_refused("connect");
                        Err(Errno::PERM)
                    }
                }
            }
            // It has no file that says whose it is.
            Address::Abstract(_) => Err(Errno::PERM),
            // Nothing is reached; and should it be another address by the time the kernel reads it, that is
            // refused there unless it was decided.
            Address::Other { .. } => Ok(self.bpf.is_some()),
        }
    }

    fn connect_inet(&self, tid: u32, address: SocketAddr, actor: &Actor) -> Result<bool, Errno> {
        // Whatever is decided below counts for the epoch in which it began.
        let epoch = self.bpf.as_ref().map_or(0, |bpf| bpf.epoch());
        if let Some(watch) = self.watch.as_ref().filter(|_| actor.server.is_some()) {
            // What the server did before it connects counts before it connects.
            watch.settle();
            self.heed(watch);
        }
        let is_own = || sockets::listens(address, &(self.processes)());
        let act = self.decider.terrain.on_address(address, is_own);
        let said = self.decider.connect(act, actor, CALL_DEADLINE);
        let Some(bpf) = &self.bpf else {
            return if said == Said::Allow { Ok(false) } else { Err(Errno::PERM) };
        };
        let (addr, port) = (address.ip(), address.port());
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let to = Destination { addr, port, protocol };
            bpf.judge(to, said == Said::Allow, epoch).map_err(|_| Errno::PERM)?;
        }
        match said {
            Said::Allow => {
                // An order may come between our word and the kernel's look; this very call was decided.
                let to = Destination { addr, port, protocol: Protocol::Tcp };
                bpf.pass(tid, to).map_err(|_| Errno::PERM)?;
                Ok(true)
            }
            Said::Refuse => {
                self.note_refused("connect");
                Err(Errno::PERM)
            }
        }
    }

    /// After something was out of order, nothing counts that was allowed before.
    fn heed(&self, watch: &Watch) {
        let alarms = watch.alarms();
        if self.decider.alarms.swap(alarms, Ordering::SeqCst) != alarms {
            self.decider.distrust();
        }
    }

    /// Whether a program may start: its file, and what its arguments say that it would do.
    fn exec(&self, tid: u32, exec: &Exec, actor: &Actor) -> Answer {
        if self.decider.is_taken(Verb::NoExec, actor.server.as_ref()) {
            self.note_refused("exec");
            return Err(Errno::PERM);
        }
        let argument_bytes: usize = exec.argv().iter().map(|one| one.len() + 1).sum();
        if argument_bytes > ARGUMENTS_BYTES_MAX {
            return Err(Errno::TOOBIG);
        }
        let question = self.exec_question(tid, exec, actor)?;
        if self.decider.exec(&question, CALL_DEADLINE) == Said::Refuse {
            self.note_refused("exec");
            return Err(Errno::PERM);
        }
        self.foresee(exec, actor);
        if let Some(bpf) = &self.bpf {
            let approval = approval(exec, &question.attempt.programs);
            bpf.approve_exec(tid, &approval).map_err(|_| Errno::PERM)?;
        }
        Ok(Goes::On)
    }

    /// Asks now what the kernel will ask when it loads the program, where waiting is short.
    fn foresee(&self, exec: &Exec, actor: &Actor) {
        for file in exec.files() {
            for verb in [HostVerb::Run, HostVerb::Read] {
                let act = self.decider.act(verb, file.path(), None);
                let _ = self.decider.file(act, actor, CALL_DEADLINE);
            }
        }
    }

    fn exec_question(&self, tid: u32, exec: &Exec, actor: &Actor) -> Result<Question, Errno> {
        let mut acts: BTreeSet<HostAct> = BTreeSet::new();
        let mut programs = BTreeMap::new();
        for file in exec.files() {
            let id = file.id();
            let links = u64::from(file.object().links());
            let about = FileId { device: id.dev, inode: id.ino, links };
            let act = self.decider.act(HostVerb::Run, file.path(), Some(about));
            if is_lasting(&act.place) {
                let path = file.path().to_string_lossy().into_owned();
                programs.insert(path, self.programs.fingerprint(file)?);
            }
            acts.insert(act);
        }
        let arguments: Vec<&[u8]> = exec.argv().iter().map(Vec::as_slice).collect();
        let Plan { would, doubts } = of_argv(&arguments, &self.surroundings);
        let folder = std::fs::read_link(format!("/proc/{tid}/cwd")).unwrap_or_default();
        for one in would {
            acts.extend(self.planned(&folder, one.act, &one.what));
        }
        let mut doubts: Vec<String> =
            doubts.into_iter().map(|one| one.as_str().to_owned()).collect();
        if acts.len() > HostAttempt::ACTS_MAX {
            doubts.push("too_long".to_owned());
        }
        if exec.file().object().links() == 0 {
            // A program without a name was made by whoever starts it, and cannot be looked at afterwards.
            doubts.push("nameless".to_owned());
        }
        let program = exec.file().path().to_string_lossy().into_owned();
        let program_place = self.decider.terrain.place(exec.file().path()).as_str().to_owned();
        let attempt = HostAttempt {
            program: program.clone(),
            program_place,
            acts: acts.into_iter().take(HostAttempt::ACTS_MAX).collect(),
            doubts,
            server: question::server(actor),
            tool: String::new(),
            programs,
        };
        Ok(Question { kind: OperationKind::Exec, name: program, attempt, parent: None })
    }

    /// What a command line would do, in the words of policies. Programs that it would start are asked about
    /// when it starts them.
    fn planned(&self, folder: &Path, act: Act, what: &str) -> Option<HostAct> {
        // Signals stay within the box whatever a command line says, and what a package manager does to files
        // is asked about when it does it.
        if what.starts_with("process:") || what.starts_with("package:") {
            return None;
        }
        let verb = match act {
            Act::Run => return None,
            Act::Read => HostVerb::Read,
            Act::Write => HostVerb::Write,
            Act::Remove => HostVerb::Remove,
            Act::Change => HostVerb::Change,
            Act::Reach => {
                let (place, what) = ("outside".to_owned(), what.to_owned());
                return Some(HostAct { verb: HostVerb::Reach, place, what, in_workspace: false });
            }
        };
        if is_no_file(what) {
            let (place, what) = (Place::Control.as_str().to_owned(), what.to_owned());
            return Some(HostAct { verb, place, what, in_workspace: false });
        }
        Some(self.decider.terrain.on_path(verb, &plain(&folder.join(what))))
    }
}

/// Whether what a command line changes is no file, but something else of the machine: `unit:ssh`, `firewall`.
fn is_no_file(what: &str) -> bool {
    const KINDS: [&str; 6] = ["unit:", "account:", "module:", "sysctl:", "namespace:", "system:"];
    const THINGS: [&str; 6] = ["crontab", "at", "firewall", "network", "power", "system"];
    KINDS.iter().any(|kind| what.starts_with(kind)) || THINGS.contains(&what)
}

/// Bits of a mode: run as the owner; run as the group.
const SET_USER: u32 = 0o4000;
const SET_GROUP_RUN: u32 = 0o2010;

/// Whether programs outside of the box take commands from a folder of this name.
fn is_commanding(path: &Path) -> bool {
    const NAMES: [&str; 8] =
        [".git", "hooks", ".vscode", ".cursor", ".claude", ".gemini", ".codex", ".husky"];
    path.file_name().is_some_and(|name| NAMES.iter().any(|known| name == *known))
}

/// A path without `.` and `..`, by its text alone: it need not be there.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

/// What the kernel holds a program to when it has started it: this file, these arguments; and the content
/// that it had, where that was asked about.
fn approval(exec: &Exec, programs: &BTreeMap<String, Digest>) -> ExecApproval {
    let last = exec.files().last().unwrap_or(exec.file());
    let (id, tail) = (last.id(), exec.argument_tail());
    let approval = match exec.file().interpreter() {
        Some(_) => ExecApproval::tail(id.ino, Some(id.dev), &tail),
        None => ExecApproval::whole(id.ino, Some(id.dev), &tail),
    };
    let form = last.object().form();
    let changed = Changed { seconds: form.changed_seconds, nanoseconds: form.changed_nanoseconds };
    let is_fingerprinted = programs.contains_key(&*last.path().to_string_lossy());
    approval.unchanged_since(is_fingerprinted.then_some(changed))
}

/// The surroundings in which command lines are read.
pub(crate) fn surroundings(
    home: &Path,
    environment: &[(std::ffi::OsString, std::ffi::OsString)],
) -> Surroundings {
    let text = |text: &std::ffi::OsStr| String::from_utf8_lossy(text.as_bytes()).into_owned();
    let variables: BTreeMap<String, String> =
        environment.iter().map(|(name, value)| (text(name), text(value))).collect();
    Surroundings { home: home.to_string_lossy().into_owned(), variables }
}
