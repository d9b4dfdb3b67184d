//! What the kernel saw, beside what was decided: measured effects, orphans, coverage.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pathwarden_kernel_bpf::{Destination, Event, Image, PathOrigin, Session, Verdict};
use pathwarden_types::{
    ActionId, Coverage, Finding, FindingKind, HostAct, HostVerb, Measured, Name,
};

use crate::asker::{Asker, CALL_DEADLINE, Question, Said};
use crate::question::{self, Actor};
use crate::terrain::Terrain;
use crate::tools::Tools;
use crate::window::{Traffic, WINDOWS_MAX, Window};

/// The most effects that are remembered as judged; with more, all are forgotten and judged again.
const TOLD_MAX: usize = 16_384;

/// The most processes whose programs are remembered.
const PROGRAMS_MAX: usize = 65_536;

/// File types of `st_mode`.
const TYPE_BITS: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

/// What the kernel saw of one session.
pub(crate) struct Watch {
    bpf: Arc<Session>,
    tools: Arc<Tools>,
    terrain: Arc<Terrain>,
    asker: Arc<Asker>,
    /// Held while what was seen is judged, so that whoever waits for it waits for all of it.
    settling: Mutex<()>,
    seen: Mutex<Seen>,
    /// Counts effects that were out of order.
    alarms: AtomicU64,
}

#[derive(Default)]
struct Seen {
    programs: HashMap<u32, String>,
    windows: BTreeMap<ActionId, Window>,
    /// Tools whose calls wait for a person.
    held: HashMap<ActionId, String>,
    /// Servers that were called at least once: before, they start.
    called: BTreeSet<Name>,
    told: HashSet<(Option<ActionId>, HostAct)>,
    /// What is known to be covered by a decision, so that it is looked up once.
    covered: HashSet<(Option<Name>, HostAct)>,
    planes: BTreeMap<&'static str, Coverage>,
    findings: Vec<Finding>,
    /// Addresses of datagrams about which nobody was asked: they are, and the next one may go.
    unasked: BTreeSet<(SocketAddr, Option<Name>)>,
    lost: u64,
}

/// One thing that a process did.
struct Doing {
    act: HostAct,
    /// The same, by name, for what is measured.
    exact: HostAct,
    plane: &'static str,
    refused: bool,
    /// Whether a decision covers it; `None` where it must be looked up.
    governed: Option<bool>,
}

impl Watch {
    pub(crate) fn new(
        bpf: Arc<Session>,
        tools: Arc<Tools>,
        terrain: Arc<Terrain>,
        asker: Arc<Asker>,
    ) -> Self {
        let (settling, seen, alarms) = (Mutex::default(), Mutex::default(), 0.into());
        Self { bpf, tools, terrain, asker, settling, seen, alarms }
    }

    /// Takes in what the kernel has seen so far and judges what no decision covers. When this comes back,
    /// the node has decided by it; what it orders is carried out within milliseconds.
    pub(crate) fn settle(&self) {
        let _one_at_a_time = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        for question in self.drain() {
            // What follows is containment, which is the node's; nothing is let through here.
            if self.asker.ask_within(&question, CALL_DEADLINE) == Said::Refuse {
                self.alarms.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// How many effects were out of order so far: with each, what was allowed before must be asked again.
    pub(crate) fn alarms(&self) -> u64 {
        self.alarms.load(Ordering::SeqCst)
    }

    /// A tool's call was let through: from here on it is open.
    pub(crate) fn open(&self, server: &Name, tool: &str, action: ActionId) {
        self.settle();
        let traffic = self.traffic(server);
        let lost = self.bpf.lost().unwrap_or(u64::MAX);
        let mut seen = self.seen();
        seen.held.remove(&action);
        seen.called.insert(server.clone());
        if seen.windows.len() < WINDOWS_MAX {
            let window = Window::new(server.clone(), tool.to_owned(), traffic, lost);
            seen.windows.insert(action, window);
        }
    }

    /// A tool's call waits for a person.
    pub(crate) fn hold(&self, action: ActionId, tool: &str) {
        let mut seen = self.seen();
        if seen.held.len() < WINDOWS_MAX {
            seen.held.insert(action, tool.to_owned());
        }
    }

    /// The tool of a call that waits for a person.
    pub(crate) fn held(&self, action: ActionId) -> Option<String> {
        self.seen().held.get(&action).cloned()
    }

    /// A tool's call has ended: what was done meanwhile.
    pub(crate) fn close(&self, action: ActionId) -> Option<Measured> {
        self.settle();
        let window = self.seen().windows.remove(&action)?;
        let traffic = self.traffic(&window.server);
        Some(window.measure(&traffic, self.bpf.lost().unwrap_or(u64::MAX)))
    }

    /// What was seen on each plane, and how much of it a decision covers.
    pub(crate) fn coverage(&self) -> (Vec<Coverage>, u64) {
        let seen = self.seen();
        (seen.planes.values().cloned().collect(), seen.lost)
    }

    /// Addresses about which nobody was asked, since the last call.
    pub(crate) fn unasked(&self) -> BTreeSet<(SocketAddr, Option<Name>)> {
        std::mem::take(&mut self.seen().unasked)
    }

    /// What was out of order since the last call.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        std::mem::take(&mut self.seen().findings)
    }

    /// A program was refused before it could start: seen by whoever refused it.
    pub(crate) fn refused(&self, plane: &'static str) {
        let mut seen = self.seen();
        let of = seen.plane(plane);
        of.refused = of.refused.saturating_add(1);
    }

    /// Counts from nothing.
    pub(crate) fn restart(&self) {
        self.seen().planes.clear();
    }

    /// The kernel had more questions than it keeps: some were answered without us.
    pub(crate) fn lose_questions(&self) {
        let detail = "the kernel answered questions about files itself, because too many waited";
        self.seen().find(FindingKind::EventsLost, "questions", detail);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that a server's processes have sent and received so far, by address.
    fn traffic(&self, server: &Name) -> Traffic {
        let mut all = Traffic::new();
        let Some(place) = self.tools.place(server) else { return all };
        for one in self.bpf.traffic().unwrap_or_default() {
            if one.cgroup == place.id() {
                let (sent, received) = all.entry(address(&one.remote).to_string()).or_default();
                *sent = sent.saturating_add(one.bytes_out);
                *received = received.saturating_add(one.bytes_in);
            }
        }
        all
    }

    /// Reads what is there, and gives what must be judged.
    fn drain(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        let drained = self.bpf.drain(&mut |event| self.take(event, &mut questions));
        if let Err(error) = drained {
            tracing::error!(%error, "what the kernel saw cannot be read");
        }
        let lost = self.bpf.lost().unwrap_or(u64::MAX);
        let mut seen = self.seen();
        if lost > seen.lost {
            let detail = format!("{} events in all; what was seen is not all", lost);
            seen.find(FindingKind::EventsLost, "events", &detail);
            seen.lost = lost;
        }
        questions
    }

    fn take(&self, event: Event, questions: &mut Vec<Question>) {
        let (pid, cgroup) = (event.pid(), event.cgroup());
        let server = self.tools.of_cgroup(cgroup);
        let doing = match event {
            Event::Fork { child_pid, pid, .. } => return self.fork(pid, child_pid),
            Event::Exit { pid, last, .. } => return self.exit(pid, last),
            Event::Connected { .. } => return,
            Event::Exec { image, .. } => self.exec(pid, &image, server.as_ref()),
            Event::ExecRefused { image, fault, .. } => {
                let what = image.path.to_string_lossy().into_owned();
                let mut seen = self.seen();
                seen.find(FindingKind::ExecAltered, &what, &format!("{fault:?}"));
                let of = seen.plane("exec");
                of.refused = of.refused.saturating_add(1);
                return;
            }
            Event::Open { path, origin, flags, file, .. } => {
                // Whoever refuses counts it.
                let Some(file) = file.filter(|file| file.mode & TYPE_BITS == REGULAR) else {
                    return;
                };
                let is_writing = file.is_writable() || flags.is_some_and(|flags| flags & 3 != 0);
                let verb = if is_writing { HostVerb::Write } else { HostVerb::Read };
                let Some(doing) = self.on_path(verb, &path, origin) else { return };
                doing
            }
            Event::Mutation { syscall, result, first, .. } => {
                let verb = mutation(syscall);
                let path = self.absolute(pid, &first.path);
                let Some(doing) = self.on_path(verb, &path, PathOrigin::Walked) else { return };
                // Carried out on the caller's behalf, after it was decided: the call returned by our answer.
                Doing { plane: "mutation", governed: Some(true), refused: result < 0, ..doing }
            }
            Event::Connect { to, verdict, .. } => {
                let act = self.terrain.on_address(address(&to), || false);
                if matches!(verdict, Verdict::Unknown | Verdict::Lapsed) {
                    let mut seen = self.seen();
                    if seen.unasked.len() < UNASKED_MAX {
                        seen.unasked.insert((address(&to), server.clone()));
                    }
                }
                let refused = !verdict.is_allowed();
                if refused {
                    self.refused("connect");
                }
                let exact = act.clone();
                Doing { act, exact, plane: "connect", refused, governed: Some(true) }
            }
        };
        self.note(pid, server, doing, questions);
    }

    fn is_covered(&self, seen: &mut Seen, act: &HostAct, actor: &Actor) -> bool {
        let key = (actor.server.clone(), act.clone());
        if seen.covered.contains(&key) {
            return true;
        }
        let is_covered = self.asker.was_allowed(&question::act(act.clone(), actor));
        if is_covered && seen.covered.len() < TOLD_MAX {
            seen.covered.insert(key);
        }
        is_covered
    }

    fn fork(&self, parent: u32, child: u32) {
        let mut seen = self.seen();
        if parent != child
            && seen.programs.len() < PROGRAMS_MAX
            && let Some(program) = seen.programs.get(&parent).cloned()
        {
            seen.programs.insert(child, program);
        }
    }

    fn exit(&self, pid: u32, last: bool) {
        if last {
            self.seen().programs.remove(&pid);
        }
    }

    fn exec(&self, pid: u32, image: &Image, server: Option<&Name>) -> Doing {
        let mut seen = self.seen();
        if seen.programs.len() < PROGRAMS_MAX {
            seen.programs.insert(pid, image.path.to_string_lossy().into_owned());
        }
        let of_server = seen.windows.values_mut().filter(|one| Some(&one.server) == server);
        of_server.for_each(Window::start_process);
        drop(seen);
        let act = self.terrain.on_path(HostVerb::Run, &image.path);
        let exact = self.terrain.exactly(HostVerb::Run, &image.path);
        // Without an approval it would have been killed.
        Doing { act, exact, plane: "exec", refused: false, governed: Some(true) }
    }

    fn on_path(&self, verb: HostVerb, path: &Path, origin: PathOrigin) -> Option<Doing> {
        match origin {
            PathOrigin::Walked | PathOrigin::Tail => {}
            // A pipe, a file without a name: no place on the machine.
            PathOrigin::Unknown | PathOrigin::Detached | PathOrigin::Named => return None,
        }
        let act = self.terrain.on_path(verb, path);
        let exact = match Terrain::is_ambient(&act) {
            true => act.clone(),
            false => self.terrain.exactly(verb, path),
        };
        Some(Doing { act, exact, plane: "open", refused: false, governed: None })
    }

    /// A path that a process named, from the root.
    fn absolute(&self, pid: u32, path: &Path) -> std::path::PathBuf {
        if path.is_absolute() {
            return path.to_owned();
        }
        let base = std::fs::read_link(format!("/proc/{pid}/cwd"));
        base.unwrap_or_else(|_| self.terrain.workspace().to_owned()).join(path)
    }

    /// Counts what was done, adds it to the calls that are open, and asks about what is telling.
    fn note(&self, pid: u32, server: Option<Name>, doing: Doing, questions: &mut Vec<Question>) {
        let mut seen = self.seen();
        // Before its first program, a process is still ours, building the box.
        let Some(program) = seen.programs.get(&pid).cloned() else { return };
        let actor = Actor { program, server };
        let Doing { act, exact, plane, refused, governed } = doing;
        // What the box shows of processes is of its own alone: there is nothing to decide about.
        let is_own = act.verb == HostVerb::Read && act.place == "process";
        let governed =
            governed.unwrap_or_else(|| is_own || self.is_covered(&mut seen, &act, &actor));
        if !refused {
            seen.count(plane, governed);
        }
        if !governed && !refused {
            let detail = format!("{} {}", exact.verb.as_str(), exact.what);
            seen.find(FindingKind::Ungoverned, &actor.program, &detail);
        }
        let Some(server) = &actor.server else { return };
        let mut during = None;
        for (action, window) in &mut seen.windows {
            if window.server == *server {
                window.note(&exact, refused);
                during = Some((*action, window.tool.clone()));
            }
        }
        let is_starting = during.is_none() && !seen.called.contains(server);
        let is_start = is_starting && act.place == "workspace";
        // A contract says what a call does with files of somebody's, not which libraries it loads.
        let is_idle = during.is_none() || act.place != "workspace";
        if refused || is_start || (Terrain::is_ambient(&act) && is_idle) {
            return;
        }
        // What is decided alike is judged alike, and once.
        let key = (during.as_ref().map(|(action, _)| *action), act.clone());
        if seen.told.len() >= TOLD_MAX {
            seen.told.clear();
        }
        if seen.told.insert(key) {
            questions.push(question::effect(act, &actor, during));
        }
    }
}

impl Seen {
    fn plane(&mut self, name: &'static str) -> &mut Coverage {
        let of = self.planes.entry(name).or_default();
        if of.plane.is_empty() {
            of.plane = name.to_owned();
        }
        of
    }

    fn count(&mut self, plane: &'static str, governed: bool) {
        let of = self.plane(plane);
        of.observed = of.observed.saturating_add(1);
        of.governed = of.governed.saturating_add(u64::from(governed));
    }

    fn find(&mut self, kind: FindingKind, subject: &str, detail: &str) {
        let finding = Finding {
            kind,
            server: None,
            subject: subject.to_owned(),
            detail: detail.to_owned(),
            action: None,
        };
        if self.findings.len() < FINDINGS_MAX && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// The most addresses that are to be asked about.
const UNASKED_MAX: usize = 64;

/// The most findings that wait to be told.
const FINDINGS_MAX: usize = 64;

/// How often what the kernel saw is read.
pub(crate) const EVERY: Duration = Duration::from_millis(2);

fn address(to: &Destination) -> SocketAddr {
    SocketAddr::new(to.addr, to.port)
}

/// What a call that changes files does, by its number on x86-64.
fn mutation(syscall: u32) -> HostVerb {
    match i64::from(syscall) {
        libc::SYS_unlink | libc::SYS_unlinkat | libc::SYS_rmdir => HostVerb::Remove,
        libc::SYS_mkdir | libc::SYS_mkdirat | libc::SYS_truncate | libc::SYS_ftruncate => {
            HostVerb::Write
        }
        _ => HostVerb::Change,
    }
}
