//! One session from its box to its end.

mod ground;
mod left;
mod outcome;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Read;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use pathwarden_client::Client;
use pathwarden_kernel_bpf::{Egress, Session};
use pathwarden_kernel_sandbox::{Cgroup, Launch, Spec, Streams, Tier, Tree, User};
use pathwarden_types::{
    Canary, Finding, FindingKind, HostAttempt, HostVerb, Name, Operation, OperationKind,
    PointPhase, PointStanding, SessionId, Verb,
};
use pathwarden_wire::{Answer, Ask, Found, Pdp, PointPdp};
use rustix::process::Signal;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use crate::asker::{Asker, CALL_DEADLINE};
use crate::calls::surroundings;
use crate::canary::{Canaries, TRY};
use crate::decider::Decider;
use crate::governed::{Governed, Governor, strangers, words};
use crate::opens::Opens;
use crate::point::{Kernel, Point};
use crate::question::Actor;
use crate::relay::Relay;
use crate::sockets;
use crate::terrain::Terrain;
use crate::tools::Tools;
use crate::watch::{EVERY, Watch};

pub use outcome::{Ended, Ready, RunError};
use outcome::{explained, part};

/// How often the canaries are tried while the agent works.
const CANARIES_EVERY: Duration = Duration::from_secs(60);

/// How often names that the operator gave are resolved again.
const NAMES_EVERY: Duration = Duration::from_secs(60);

/// The level of a session's cgroup below the root of its hierarchy.
const SESSION_LEVEL: u32 = 2;

/// An agent that is to be started, and what governs it.
pub struct Setup {
    /// The node, as the caller who may act in this session.
    pub node: Client,
    /// The session.
    pub session: SessionId,
    /// How it is held.
    pub tier: Tier,
    /// The folder that it works in, without symbolic links.
    pub workspace: PathBuf,
    /// The home folder of whoever it runs as.
    pub home: PathBuf,
    /// Folders of the node, which nobody inside sees.
    pub warden: Vec<PathBuf>,
    /// Where this session keeps its socket and its canaries: a folder that is made for it.
    pub folder: PathBuf,
    /// Paths that it may read.
    pub read: Vec<PathBuf>,
    /// Paths that it may read and write.
    pub write: Vec<PathBuf>,
    /// Hosts with ports that it may reach.
    pub reach: Vec<String>,
    /// Addresses of the node.
    pub addresses: Vec<SocketAddr>,
    /// The most processes that it may have at a time.
    pub processes_max: u32,
    /// Whom it runs as; as the caller when `None`.
    pub user: Option<User>,
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// Its environment, complete but for the way to the node.
    pub environment: Vec<(OsString, OsString)>,
}

/// Starts an agent, governs it, and comes back when it has ended. `ready` is called just before its
/// program starts.
///
/// # Errors
///
/// [`RunError`] when it was not started; nothing of it is left then.
pub async fn run(setup: Setup, ready: impl FnOnce(&Ready)) -> Result<Ended, RunError> {
    let stage = Stage::build(setup).await?;
    let ended = stage.perform(ready).await;
    stage.clear();
    ended
}

/// Everything that governs one session.
struct Stage {
    setup: Setup,
    governor: Arc<Governor>,
    point: Arc<Point>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    canaries: Canaries,
}

impl Stage {
    async fn build(setup: Setup) -> Result<Self, RunError> {
        left::clear(&setup.folder);
        left::own(&setup.folder).map_err(words).map_err(part("make a folder"))?;
        let canaries = Canaries::put_out(&setup.folder.join("canary"));
        let canaries = canaries.map_err(words).map_err(part("put out canaries"))?;
        let cgroup = make_cgroup(&setup)?;
        let decider = decider(&setup, &canaries).await?;
        let governor = Arc::new(governor(&setup, decider, cgroup)?);
        let point = Arc::new(point(&setup, &governor));
        let (tasks, threads) = (Vec::new(), Mutex::default());
        let mut stage = Self { setup, governor, point, tasks, threads, canaries };
        stage.set_going(&Handle::current())?;
        Ok(stage)
    }

    /// Starts what answers, watches and obeys.
    fn set_going(&mut self, runtime: &Handle) -> Result<(), RunError> {
        let relay = Arc::new(Relay {
            node: self.setup.node.clone(),
            tools: Arc::clone(&self.governor.tools),
            watch: self.governor.watch.clone(),
            point: Arc::clone(&self.point),
        });
        let listening = relay
            .listen(&self.governor.relay)
            .map_err(words)
            .map_err(part("listen inside the box"))?;
        self.tasks.push(listening);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opens) = &self.governor.opens {
            threads.extend(opens.answer());
        }
        if let Some(watch) = &self.governor.watch {
            let (watch, governor) = (Arc::clone(watch), Arc::clone(&self.governor));
            threads.push(std::thread::spawn(move || {
                while !governor.is_over.load(Ordering::Relaxed) {
                    watch.settle();
                    governor.ask_about(watch.unasked());
                    std::thread::sleep(EVERY);
                }
            }));
        }
        if let Some(kernel) = &self.point.kernel {
            let decided = kernel.bpf.set_egress(Egress::Decided).map_err(words);
            let enforced = decided.and_then(|()| kernel.bpf.enforce_exec(true).map_err(words));
            enforced.and_then(|()| kernel.let_node()).map_err(part("set up the kernel"))?;
        }
        let (terrain, names) =
            (Arc::clone(&self.governor.decider.terrain), self.setup.reach.clone());
        self.tasks.push(runtime.spawn(async move {
            loop {
                tokio::time::sleep(NAMES_EVERY).await;
                terrain.name(resolve(names.clone()).await);
            }
        }));
        Ok(())
    }

    async fn perform(&self, ready: impl FnOnce(&Ready)) -> Result<Ended, RunError> {
        let begun = self.point.begin().await.map_err(words);
        let epoch = begun.map_err(part("carry out what is ordered"))?;
        self.warm_up().await;
        self.try_canaries().await.map_err(part("try the canaries"))?;
        let standing = self.point.standing();
        let passed = standing.canaries.iter().filter(|canary| !canary.refused);
        let passed: Vec<String> = passed.map(|canary| canary.name.clone()).collect();
        if !passed.is_empty() {
            return Err(RunError::NotReady(passed));
        }
        self.forget_canaries();
        let mut launch = self.start().await?;
        let obeying = tokio::spawn(Arc::clone(&self.point).obey(epoch));
        ready(&Ready { standing });
        launch.go().map_err(words).map_err(part("start the agent"))?;
        let code = self.wait(launch).await;
        obeying.abort();
        self.settle_all().await;
        let standing = match self.point.finish().await {
            Ok(standing) => standing,
            Err(fault) => {
                tracing::warn!(%fault, "the node does not hear how the run ended");
                self.point.standing()
            }
        };
        let denials = self.governor.decider.asker.take_denials();
        let code = code.map_err(|fault| explained(fault, &denials))?;
        Ok(Ended { code, standing, denials })
    }

    /// What the canaries were refused is none of the agent's.
    fn forget_canaries(&self) {
        let _ = self.governor.decider.asker.take_denials();
        if let Some(watch) = &self.governor.watch {
            watch.settle();
            watch.restart();
        }
    }

    /// The agent's box, governed, before its program starts.
    async fn start(&self) -> Result<Launch, RunError> {
        let spec = self.spec(self.setup.command.clone());
        let governor = Arc::clone(&self.governor);
        let governing = move || governor.govern(&spec, Streams::default());
        let governed = tokio::task::spawn_blocking(governing).await.map_err(words);
        let Governed { launch, threads } =
            governed.and_then(|governed| governed).map_err(part("build the box"))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).extend(threads);
        if self.point.cgroup.is_none() {
            self.point.descendants.get_or_init(|| launch.descendants());
        }
        Ok(launch)
    }

    /// Asks once for what every program does, so that nothing waits for it later where waiting is short.
    async fn warm_up(&self) {
        let decider = Arc::clone(&self.governor.decider);
        let workspace = self.setup.workspace.clone();
        let asking = move || {
            let actor = Actor::default();
            let inside = workspace.join("x");
            let usual = ["/usr/lib/x", "/etc/x", "/tmp/x", "/dev/null", "/proc/1/stat", "/sys/x"];
            let usual = usual.map(Path::new);
            for path in usual.into_iter().chain([inside.as_path()]) {
                let act = decider.act(HostVerb::Read, path, None);
                let _ = decider.decide(act, &actor, CALL_DEADLINE);
            }
            let act = decider.act(HostVerb::Run, Path::new("/usr/bin/x"), None);
            let _ = decider.decide(act, &actor, CALL_DEADLINE);
        };
        if let Err(error) = tokio::task::spawn_blocking(asking).await {
            tracing::warn!(%error, "the first questions were not asked");
        }
    }

    /// Tries from inside a box of the same make what must be refused, and notes what came of it.
    async fn try_canaries(&self) -> Result<(), String> {
        let program = std::env::current_exe().map_err(words)?;
        let mut spec = self.spec(vec![program.into(), TRY.into()]);
        spec.environment.extend(self.canaries.environment().map_err(words)?);
        let governor = Arc::clone(&self.governor);
        let trying = move || -> Result<(String, Vec<JoinHandle<()>>), String> {
            let streams =
                Streams { stdin: Stdio::null(), stdout: Stdio::piped(), stderr: Stdio::null() };
            let Governed { mut launch, threads } = governor.govern(&spec, streams)?;
            launch.go().map_err(words)?;
            let mut told = String::new();
            if let Some(stdout) = launch.stdout.take() {
                stdout.take(TOLD_BYTES_MAX).read_to_string(&mut told).map_err(words)?;
            }
            launch.wait().map_err(words)?;
            Ok((told, threads))
        };
        let tried = tokio::task::spawn_blocking(trying).await.map_err(words)?;
        let (told, threads) = tried?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).extend(threads);
        let mut canaries = self.canaries.outcome(&told);
        canaries.push(Canary { name: "tool".to_owned(), refused: self.tool_is_refused().await });
        self.note(canaries).await;
        Ok(())
    }

    /// A call of a tool that no server offers and no rule provides for.
    async fn tool_is_refused(&self) -> bool {
        let Ok(server) = "pathwarden-canary".parse::<Name>() else { return false };
        let operation =
            Operation { kind: OperationKind::ToolCall, server, name: "canary".to_owned() };
        let ask = Ask {
            session: self.setup.session,
            operation,
            arguments: "{}".to_owned(),
            canonical: pathwarden_types::Digest::of(b"{}"),
            parent: None,
            near_person: false,
            resume: None,
            minted: None,
        };
        matches!(self.setup.node.ask(ask).await, Ok(Answer::Refuse(_) | Answer::Held(_)))
    }

    async fn note(&self, canaries: Vec<Canary>) {
        let passed = canaries.iter().filter(|canary| !canary.refused);
        let passed: Vec<String> = passed.map(|canary| canary.name.clone()).collect();
        let is_ready = passed.is_empty();
        {
            let mut standing = self.point.standing.lock().unwrap_or_else(PoisonError::into_inner);
            standing.phase = if is_ready { PointPhase::Ready } else { PointPhase::NotReady };
            standing.canaries = canaries;
        }
        self.governor.decider.set_ready(is_ready);
        if is_ready {
            return;
        }
        let finding = Finding {
            kind: FindingKind::CanaryPassed,
            server: None,
            subject: self.point.name.clone(),
            detail: format!("let through: {}", passed.join(", ")),
            action: None,
        };
        if let Err(fault) =
            self.point.pdp.found(Found { session: self.setup.session, finding }).await
        {
            tracing::error!(%fault, "a canary was let through, and the node does not hear of it");
        }
    }

    /// Waits for the agent to end, and tries the canaries meanwhile.
    async fn wait(&self, launch: Launch) -> Result<u8, RunError> {
        let launch = Arc::new(Mutex::new(launch));
        let waiting = Arc::clone(&launch);
        let pidfd = {
            let launch = launch.lock().unwrap_or_else(PoisonError::into_inner);
            launch.keeper().try_clone_to_owned().map_err(words).map_err(part("wait"))?
        };
        let mut ended = tokio::task::spawn_blocking(move || {
            let mut ready = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
            while rustix::event::poll(&mut ready, None).is_err() {}
        });
        let on = |kind| signal(kind).map_err(words).map_err(part("wait for signals"));
        let (mut terminate, mut interrupt) =
            (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
        let (mut hang_up, mut quit) = (on(SignalKind::hangup())?, on(SignalKind::quit())?);
        let mut stop = on(SignalKind::from_raw(SIGTSTP))?;
        let mut every = tokio::time::interval(CANARIES_EVERY);
        every.tick().await;
        loop {
            tokio::select! {
                _ = &mut ended => break,
                _ = terminate.recv() => pass_on(&waiting, SIGTERM),
                // A terminal has told everybody in its foreground already.
                _ = interrupt.recv() => {}
                _ = quit.recv() => {}
                // Whoever governs ends what is governed, and never the other way round.
                _ = hang_up.recv() => self.end_box(&waiting),
                _ = stop.recv() => self.stand_still(),
                // What stands still or may start nothing cannot try anything.
                _ = every.tick(), if !self.is_held() => {
                    if let Err(error) = self.try_canaries().await {
                        tracing::warn!(error, "the canaries could not be tried");
                    }
                }
            }
        }
        let mut launch = launch.lock().unwrap_or_else(PoisonError::into_inner);
        launch.wait().map_err(words).map_err(part("run the agent"))
    }

    /// Ends everything in the box.
    fn end_box(&self, launch: &Mutex<Launch>) {
        match &self.point.cgroup {
            Some(cgroup) => {
                if let Err(error) = cgroup.kill() {
                    tracing::error!(%error, "the box is not ended yet");
                }
            }
            None => pass_on(launch, SIGKILL),
        }
    }

    /// Stops with the job that this is part of, while nothing moves in the box; goes on with it.
    fn stand_still(&self) {
        // Without a cgroup, nobody may stop whoever governs.
        let Some(cgroup) = &self.point.cgroup else { return };
        if cgroup.freeze().is_err() {
            return;
        }
        let stopped = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP);
        if let Err(error) = stopped.map_err(words).and_then(|()| self.point.move_on()) {
            tracing::error!(error, "the box stands still");
        }
    }

    /// Whether nothing can be tried in the box now.
    fn is_held(&self) -> bool {
        let held = [Verb::Freeze, Verb::NoExec, Verb::Terminate];
        held.iter().any(|verb| self.governor.decider.is_taken(*verb, None))
    }

    async fn settle_all(&self) {
        if let Some(watch) = self.governor.watch.clone() {
            let settled = tokio::task::spawn_blocking(move || watch.settle()).await;
            if settled.is_err() {
                tracing::warn!("what was seen last is not judged");
            }
        }
    }

    fn spec(&self, command: Vec<OsString>) -> Spec {
        let setup = &self.setup;
        let mut spec = Spec::new(setup.tier, command, setup.workspace.clone());
        spec.environment.clone_from(&setup.environment);
        let socket = self.governor.relay.clone().into_os_string();
        spec.environment.push(("PATHWARDEN_ENDPOINT".into(), socket));
        spec.user.clone_from(&setup.user);
        // Should this process die, nothing opens before the box is gone.
        let (opens, bpf) = (self.governor.opens.iter(), self.governor.bpf.iter());
        let holds = opens.flat_map(|opens| opens.holds()).chain(bpf.flat_map(|bpf| bpf.holds()));
        spec.hold_fds = holds.map(|held| held.as_raw_fd()).collect();
        spec.masks = ground::masked(setup);
        spec.writable = ground::writable(setup);
        spec.readable = ground::readable(setup);
        spec
    }

    /// Leaves nothing behind.
    fn clear(self) {
        self.governor.is_over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.abort();
        }
        if let Some(cgroup) = &self.point.cgroup
            && let Err(error) = cgroup.kill()
        {
            tracing::warn!(%error, "processes of the session may be left");
        }
        for thread in self.threads.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let _ = thread.join();
        }
        if let Some(cgroup) = self.point.cgroup.clone()
            && let Err(error) = cgroup.remove()
        {
            tracing::warn!(%error, "the session's cgroup is left");
        }
        drop(self.canaries);
        if let Err(error) = std::fs::remove_dir_all(&self.setup.folder) {
            tracing::warn!(%error, "the session's folder is left");
        }
    }
}

const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;
const SIGTSTP: i32 = 20;

/// How much a program that tries canaries says at most, in bytes.
const TOLD_BYTES_MAX: u64 = 4_096;

fn pass_on(launch: &Mutex<Launch>, number: i32) {
    let launch = launch.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = launch.signal(number) {
        tracing::warn!(%error, "a signal is not passed on");
    }
}

async fn resolve(names: Vec<String>) -> BTreeSet<SocketAddr> {
    let resolving = tokio::task::spawn_blocking(move || sockets::resolve(&names));
    resolving.await.unwrap_or_default()
}

/// What decides, by what is known or by asking the node.
async fn decider(setup: &Setup, canaries: &Canaries) -> Result<Arc<Decider>, RunError> {
    let canary = canaries.address().map_err(words).map_err(part("put out canaries"))?;
    let terrain = Terrain::new(ground::grounds(setup, canary)).map_err(words);
    let terrain = Arc::new(terrain.map_err(part("lay out the places"))?);
    terrain.name(resolve(setup.reach.clone()).await);
    let host: Name =
        HostAttempt::SERVER.parse().map_err(words).map_err(part("name the machine"))?;
    let pdp: Arc<dyn PointPdp> = Arc::new(setup.node.clone());
    let asker = Arc::new(Asker::new(pdp, setup.session, host, Handle::current()));
    let workspace = setup.workspace.clone();
    let found = tokio::task::spawn_blocking(move || strangers(&workspace)).await;
    let found = found.map_err(words).map_err(part("look through the workspace"))?;
    Ok(Arc::new(Decider::new(asker, terrain, found)))
}

/// What answers for every box of the session.
fn governor(
    setup: &Setup,
    decider: Arc<Decider>,
    cgroup: Option<Cgroup>,
) -> Result<Governor, RunError> {
    let tools = Arc::new(Tools::new(cgroup.clone()));
    let is_over = Arc::new(AtomicBool::new(false));
    let bpf = attach(setup.tier, cgroup.as_ref())?.map(Arc::new);
    let watch = bpf.as_ref().map(|bpf| {
        let (terrain, asker) = (Arc::clone(&decider.terrain), Arc::clone(&decider.asker));
        Arc::new(Watch::new(Arc::clone(bpf), Arc::clone(&tools), terrain, asker))
    });
    let opens = match &watch {
        None => None,
        Some(watch) => {
            let (decider, tools) = (Arc::clone(&decider), Arc::clone(&tools));
            let opens = Opens::new(decider, tools, Arc::clone(watch), Arc::clone(&is_over));
            Some(Arc::new(opens.map_err(part("ask the kernel about files"))?))
        }
    };
    Ok(Governor {
        decider,
        tools,
        bpf,
        watch,
        opens,
        cgroup,
        relay: setup.folder.join("node.sock"),
        surroundings: surroundings(&setup.home, &setup.environment),
        is_over,
    })
}

/// The point that the node knows.
fn point(setup: &Setup, governor: &Governor) -> Point {
    let name = format!("linux/{}", std::process::id());
    let kernel = match (&governor.bpf, &governor.opens) {
        (Some(bpf), Some(opens)) => Some(Kernel {
            bpf: Arc::clone(bpf),
            opens: Arc::clone(opens),
            node: setup.addresses.iter().flat_map(|one| sockets::spellings(*one)).collect(),
        }),
        _ => None,
    };
    Point {
        pdp: Arc::new(setup.node.clone()),
        session: setup.session,
        name: name.clone(),
        decider: Arc::clone(&governor.decider),
        tools: Arc::clone(&governor.tools),
        watch: governor.watch.clone(),
        kernel,
        cgroup: governor.cgroup.clone(),
        descendants: OnceLock::new(),
        ordered: Mutex::default(),
        guests: Mutex::default(),
        obeyed: Mutex::default(),
        standing: Mutex::new(PointStanding {
            point: name,
            phase: PointPhase::NotReady,
            tier: tier_name(setup.tier).to_owned(),
            canaries: Vec::new(),
            coverage: Vec::new(),
            lost: 0,
        }),
    }
}

fn make_cgroup(setup: &Setup) -> Result<Option<Cgroup>, RunError> {
    if setup.tier == Tier::Landlock {
        return Ok(None);
    }
    let tree = Tree::find().map_err(words).map_err(part("find the cgroups"))?;
    let cgroup = tree.session(&setup.session.to_string()).map_err(words);
    let cgroup = cgroup.map_err(part("make a cgroup"))?;
    cgroup.bound_processes(setup.processes_max).map_err(words).map_err(part("bound processes"))?;
    Ok(Some(cgroup))
}

fn attach(tier: Tier, cgroup: Option<&Cgroup>) -> Result<Option<Session>, RunError> {
    match (tier, cgroup) {
        (Tier::Kernel, Some(cgroup)) => {
            let session = Session::attach(cgroup.path(), SESSION_LEVEL).map_err(words);
            session.map(Some).map_err(part("load the kernel's programs"))
        }
        (Tier::Kernel | Tier::Landlock, _) => Ok(None),
    }
}

/// The tier, as people spell it.
pub(crate) const fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Kernel => "kernel",
        Tier::Landlock => "landlock",
    }
}
