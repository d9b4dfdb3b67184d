//! System calls that wait for a verdict: programs, connections, and whatever changes files.

mod connect;
mod exec;

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use pathwarden_kernel_bpf::Session;
use pathwarden_kernel_seccomp::{
    Address, Attempt, Call, Deed, Done, Entry, Errno, Kind, Listener, Need, Next, Requirement,
    Target, attempt,
};
use pathwarden_lens_shell::Surroundings;
use pathwarden_places::Place;
use pathwarden_types::{HostAct, HostVerb, Verb};

use crate::asker::{CALL_DEADLINE, Said};
use crate::decider::{Decider, FileId};
use crate::programs::Programs;
use crate::question::Actor;
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
    /// Held by the one thread that receives. It answers by itself what is decided already: to wake another
    /// for it would take longer than the answer.
    pub(crate) receiving: Mutex<()>,
    pub(crate) blocking: Arc<std::sync::atomic::AtomicUsize>,
}

/// What is answered to a caller.
type Answer = Result<Goes, Halt>;

/// Why a call is not carried out.
enum Halt {
    /// It is refused.
    Refused(Errno),
    /// What decides it is not at hand, and nobody may wait for it.
    Unknown,
}

impl From<Errno> for Halt {
    fn from(errno: Errno) -> Self {
        Self::Refused(errno)
    }
}

/// Whether a verdict that is not at hand may be waited for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Patience {
    None,
    Some,
}

/// What became of a call.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Outcome {
    /// It has its answer, or will have it from a thread of its own.
    Answered,
    /// It still waits: what decides it is not at hand.
    Unknown,
}

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
        let mut turn = self.take_turn();
        while !self.is_over.load(Ordering::Relaxed) {
            match self.listener.recv(LOOK) {
                Ok(Next::Call(call)) => {
                    if self.answer_safely(call, Patience::None) == Outcome::Unknown {
                        drop(turn);
                        self.answer_safely(call, Patience::Some);
                        turn = self.take_turn();
                    }
                }
                Ok(Next::Quiet) => {}
                Ok(Next::Ended) => return,
                Err(error) => {
                    tracing::error!(%error, "calls cannot be received; they are refused");
                    return;
                }
            }
        }
    }

    fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.receiving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody waits for ever because something here is broken: that is refused, and so is all that is new.
    fn answer_safely(self: &Arc<Self>, call: Call, patience: Patience) -> Outcome {
        let answering = AssertUnwindSafe(|| self.answer_one(&call, patience));
        catch_unwind(answering).unwrap_or_else(|_| {
            tracing::error!("a call could not be decided; nothing new is let through");
            self.decider.set_ready(false);
            let _ = self.listener.answer_errno(call.id, Errno::PERM);
            Outcome::Answered
        })
    }

    fn answer_one(self: &Arc<Self>, call: &Call, patience: Patience) -> Outcome {
        let answered = match self.decide(call, patience) {
            Ok(Goes::On) => self.listener.go_on(call.id).map(drop),
            Ok(Goes::ByUs(attempt)) => return self.carry_out(*call, attempt, patience),
            Err(Halt::Refused(errno)) => self.listener.answer_errno(call.id, errno).map(drop),
            Err(Halt::Unknown) => return Outcome::Unknown,
        };
        if let Err(error) = answered {
            tracing::debug!(%error, "an answer reached nobody");
        }
        Outcome::Answered
    }

    /// Carries out what was allowed; what may wait for others on a thread of its own.
    fn carry_out(
        self: &Arc<Self>,
        call: Call,
        attempt: Box<Attempt>,
        patience: Patience,
    ) -> Outcome {
        let id = call.id;
        if !attempt.may_block() {
            return self.perform(call, attempt, patience);
        }
        if self.blocking.fetch_add(1, Ordering::Relaxed) >= BLOCKING_MAX {
            self.blocking.fetch_sub(1, Ordering::Relaxed);
            let _ = self.listener.answer_errno(id, Errno::AGAIN);
            return Outcome::Answered;
        }
        let calls = Arc::clone(self);
        thread::spawn(move || {
            calls.perform(call, attempt, Patience::Some);
            calls.blocking.fetch_sub(1, Ordering::Relaxed);
        });
        Outcome::Answered
    }

    /// Carries out an attempt. Where a name was taken since it was decided, all is looked at anew.
    fn perform(&self, call: Call, mut attempt: Box<Attempt>, patience: Patience) -> Outcome {
        let is_halted = || {
            let server = u32::try_from(call.tid).ok().and_then(|tid| self.tools.of_process(tid));
            self.decider.is_taken(Verb::Freeze, server.as_ref())
        };
        for _ in 0..TRIES_MAX {
            match attempt.perform(&self.listener, call.id, CARRY_OUT, &is_halted) {
                Ok(Done::Changed) => {}
                Ok(Done::Answered(_) | Done::GoesOn | Done::Gone) => return Outcome::Answered,
                Err(error) => {
                    tracing::debug!(%error, "a call could not be answered");
                    return Outcome::Answered;
                }
            }
            attempt = match self.decide(&call, patience) {
                Ok(Goes::ByUs(again)) => again,
                Ok(Goes::On) => {
                    let _ = self.listener.go_on(call.id);
                    return Outcome::Answered;
                }
                Err(Halt::Refused(errno)) => {
                    let _ = self.listener.answer_errno(call.id, errno);
                    return Outcome::Answered;
                }
                Err(Halt::Unknown) => return Outcome::Unknown,
            };
        }
        let _ = self.listener.answer_errno(call.id, Errno::AGAIN);
        Outcome::Answered
    }

    fn decide(&self, call: &Call, patience: Patience) -> Answer {
        // No two command lines are alike: there is much to look at, and mostly to ask.
        if patience == Patience::None && call.starts_program() {
            return Err(Halt::Unknown);
        }
        let target = Target::of(&self.listener, call)?;
        let tid = u32::try_from(call.tid).map_err(|_| Errno::SRCH)?;
        let actor = Actor { program: String::new(), server: self.tools.of_process(tid) };
        if let Some(bpf) = self.bpf.as_ref().filter(|_| call.connects())
            && let Address::Inet(address) = Address::of(&target, call)?
        {
            self.connect_by_kernel(bpf, tid, address, &actor, patience)?;
            return Ok(Goes::On);
        }
        let attempt = attempt(call, &target)?;
        match attempt.deed() {
            Deed::Exec(exec) => self.exec(tid, exec, &actor),
            Deed::Connect(connect) => match self.connect(tid, connect, &actor, patience)? {
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
                self.refuse_risen(attempt.deed(), &actor, patience)?;
                if !self.is_empty_hooks(attempt.deed(), &actor, patience)? {
                    self.files(&attempt.needs(), &actor, patience)?;
                }
                Ok(Goes::ByUs(Box::new(attempt)))
            }
        }
    }

    /// What a file becomes by more than its path: a program with somebody's rights, or a folder that others
    /// take commands from.
    fn refuse_risen(&self, deed: &Deed, actor: &Actor, patience: Patience) -> Result<(), Halt> {
        let rises = |mode: u32| mode & SET_USER != 0 || mode & SET_GROUP_RUN == SET_GROUP_RUN;
        match deed {
            Deed::Chmod { mode, .. }
            | Deed::Open { mode, .. }
            | Deed::Temporary { mode, .. }
            | Deed::Mknod { mode, .. }
                if rises(*mode) =>
            {
                self.note_refused("mutation");
                Err(Errno::PERM.into())
            }
            deed => {
                let workspace = self.decider.terrain.workspace();
                let below =
                    |at: &Entry| at.path().strip_prefix(workspace).unwrap_or(at.path()).to_owned();
                let moved = deed.moved_to();
                let mut commanding =
                    moved.iter().filter(|(at, kind)| is_commanding(&below(at), *kind));
                commanding.try_for_each(|(at, _)| self.refuse_command(at, actor, patience))
            }
        }
    }

    /// Refuses a name from which others take commands to what was made elsewhere, where nobody was asked
    /// about them.
    fn refuse_command(&self, at: &Entry, actor: &Actor, patience: Patience) -> Result<(), Halt> {
        let place = Place::Persistence.as_str().to_owned();
        let act = HostAct { place, ..self.decider.terrain.exactly(HostVerb::Write, at.path()) };
        self.permit("mutation", act, actor, patience)
    }

    /// Whether an empty folder for the hooks of a repository is made, where one may make folders: what is put
    /// into it is decided by itself.
    fn is_empty_hooks(&self, deed: &Deed, actor: &Actor, patience: Patience) -> Result<bool, Halt> {
        let Deed::Mkdir { at, .. } = deed else { return Ok(false) };
        let Some(repository) = at.path().parent().filter(|_| at.path().ends_with(".git/hooks"))
        else {
            return Ok(false);
        };
        let act = self.decider.act(HostVerb::Write, repository, None);
        Ok(!self.decider.is_taken(Verb::ReadOnly, actor.server.as_ref())
            && self.said(act, actor, patience)? == Said::Allow)
    }

    /// What is said about one act.
    fn said(&self, act: HostAct, actor: &Actor, patience: Patience) -> Result<Said, Halt> {
        match patience {
            Patience::None => self.decider.known(&act, actor).ok_or(Halt::Unknown),
            Patience::Some => Ok(self.decider.decide(act, actor, CALL_DEADLINE)),
        }
    }

    /// Refuses one act unless it is allowed.
    fn permit(
        &self,
        plane: &'static str,
        act: HostAct,
        actor: &Actor,
        patience: Patience,
    ) -> Result<(), Halt> {
        if self.said(act, actor, patience)? == Said::Allow {
            return Ok(());
        }
        self.note_refused(plane);
        Err(Errno::PERM.into())
    }

    /// Whether all that is needed may be done to files.
    fn files(&self, needs: &[Requirement], actor: &Actor, patience: Patience) -> Result<(), Halt> {
        for need in needs {
            // Neither holds anything: what is written is gone, or with whoever reads it.
            let is_kept = !matches!(need.kind, Some(Kind::Character | Kind::Fifo));
            if need.need != Need::Read
                && is_kept
                && self.decider.is_taken(Verb::ReadOnly, actor.server.as_ref())
            {
                self.note_refused("mutation");
                return Err(Errno::ROFS.into());
            }
            // What is open already, or never had a name, is its holders' and nobody's else.
            let is_pipe = need.kind == Some(Kind::Fifo) && need.path.is_relative();
            if need.need != Need::Execute && (is_pipe || need.is_open && need.links == 0) {
                continue;
            }
            self.permit("mutation", self.act(need), actor, patience)?;
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
}

/// Bits of a mode: run as the owner; run as the group.
const SET_USER: u32 = 0o4000;
const SET_GROUP_RUN: u32 = 0o2010;

/// Whether programs outside of the box take commands from something of this kind by this name. A folder, or a
/// link to one, may hold hooks wherever in a repository it comes to stand.
fn is_commanding(path: &Path, kind: Option<Kind>) -> bool {
    const NAMES: [&str; 7] =
        [".git", ".vscode", ".cursor", ".claude", ".gemini", ".codex", ".husky"];
    const HARMLESS: [&str; 5] = ["refs", "logs", "objects", "lfs", "info"];
    let is_named = path.file_name().is_some_and(|name| NAMES.iter().any(|known| name == *known));
    let mut parts = path.iter();
    let is_in_repository = parts.any(|part| part.as_bytes().ends_with(b".git"));
    let is_harmless = parts.next().is_some_and(|part| HARMLESS.iter().any(|known| part == *known));
    let may_hold = matches!(kind, None | Some(Kind::Directory | Kind::Link));
    is_named || is_in_repository && may_hold && !is_harmless
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
