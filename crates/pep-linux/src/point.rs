//! The point itself: what the node orders is put in force here, and acknowledged.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use pathwarden_kernel_bpf::{Destination, Egress, Protocol, Session};
use pathwarden_kernel_sandbox::{Cgroup, Descendants};
use pathwarden_types::{Digest, Name, PointPhase, PointStanding, Restriction, SessionId, Verb};
use pathwarden_wire::{AwaitOrders, Fault, FaultKind, Found, Orders, PointPdp};

use crate::decider::{Decider, Taken};
use crate::governed::words;
use crate::opens::Opens;
use crate::tools::Tools;
use crate::watch::Watch;

/// How long one call to the node waits for orders, in ms.
const ORDERS_MS: u64 = 2_000;

/// How long the point waits before it asks again after the node could not be reached.
const AGAIN: Duration = Duration::from_millis(200);

/// The parts of a point that enforce.
pub(crate) struct Point {
    pub(crate) pdp: Arc<dyn PointPdp>,
    pub(crate) session: SessionId,
    pub(crate) name: String,
    pub(crate) decider: Arc<Decider>,
    pub(crate) tools: Arc<Tools>,
    pub(crate) watch: Option<Arc<Watch>>,
    pub(crate) kernel: Option<Kernel>,
    pub(crate) cgroup: Option<Cgroup>,
    /// The agent's processes where there is no cgroup, once it is started.
    pub(crate) descendants: OnceLock<Descendants>,
    /// What was ordered last, to bring a tool server under it that starts later.
    pub(crate) ordered: Mutex<Taken>,
    /// The tool servers of the session where they have no places of their own.
    pub(crate) guests: Mutex<BTreeSet<Name>>,
    /// What is in force, to know what is news here; `None` while some of what is ordered is not.
    pub(crate) obeyed: Mutex<Option<(Digest, Vec<Restriction>)>>,
    pub(crate) standing: Mutex<PointStanding>,
}

/// What asks and cuts in the kernel itself.
pub(crate) struct Kernel {
    pub(crate) bpf: Arc<Session>,
    pub(crate) opens: Arc<Opens>,
    /// Addresses of the node, reachable whatever is taken.
    pub(crate) node: BTreeSet<std::net::SocketAddr>,
}

impl Point {
    /// Carries out orders until the task is dropped. What is in force stays so while the node cannot be
    /// reached.
    pub(crate) async fn obey(self: Arc<Self>, applied: u64) {
        let (mut applied, mut failed) = (applied, Vec::new());
        let mut told = self.standing();
        let mut news = Some(told.clone());
        loop {
            let waits = AwaitOrders {
                session: self.session,
                point: self.name.clone(),
                applied,
                failed: failed.clone(),
                standing: news.take(),
                up_to_ms: ORDERS_MS,
            };
            match self.pdp.orders(waits.clone()).await {
                Ok(orders) if orders.epoch == applied && !self.is_behind() => {}
                Ok(orders) => {
                    let point = Arc::clone(&self);
                    let apply = move || (orders.epoch, point.apply(&orders));
                    let done = tokio::task::spawn_blocking(apply).await;
                    (applied, failed) = match done {
                        Ok(done) => done,
                        Err(_) => (applied, vec!["the orders could not be carried out".to_owned()]),
                    };
                }
                Err(fault) if fault.kind == FaultKind::NotFound => {
                    tracing::warn!(%fault, "the session is over, and so is its box");
                    let point = Arc::clone(&self);
                    let ended = tokio::task::spawn_blocking(move || point.end()).await;
                    if !matches!(ended, Ok(Ok(()))) {
                        tracing::error!(?ended, "the box could not be ended");
                    }
                    tokio::time::sleep(AGAIN).await;
                }
                Err(fault) => {
                    tracing::warn!(%fault, "no orders; what is in force stays");
                    news = waits.standing;
                    // Another node may count from one again.
                    applied = 0;
                    tokio::time::sleep(AGAIN).await;
                }
            }
            self.tell_findings().await;
            let standing = self.standing();
            if standing.phase != told.phase || standing.canaries != told.canaries {
                told = standing.clone();
                news = Some(standing);
            }
        }
    }

    /// Carries out what is ordered already, before anything starts; gives the epoch.
    pub(crate) async fn begin(self: &Arc<Self>) -> Result<u64, Fault> {
        let waits = AwaitOrders {
            session: self.session,
            point: self.name.clone(),
            applied: 0,
            failed: Vec::new(),
            standing: None,
            up_to_ms: 0,
        };
        let orders = self.pdp.orders(waits).await?;
        let taken = Taken::of(&orders);
        // Without the kernel's help, datagrams would go on.
        let is_forbidding = |verb: &Verb| match verb {
            Verb::Freeze | Verb::NoExec | Verb::Terminate => true,
            Verb::NoEgress => self.kernel.is_none(),
            Verb::ReadOnly | Verb::DisableTool => false,
        };
        if let Some(verb) = taken.session.iter().find(|verb| is_forbidding(verb)) {
            let message = format!("`{verb}` is in force for the agent");
            let advice =
                "see `pathwarden contain list`, and give it back with `pathwarden release`";
            return Err(Fault::new(FaultKind::Forbidden, format!("{message}; {advice}"), advice));
        }
        // Nothing is open yet that this tier could not take.
        let failed = tokio::task::block_in_place(|| self.apply(&orders));
        match failed.first().filter(|_| self.is_behind()) {
            None => Ok(orders.epoch),
            Some(failed) => {
                let advice = "see `pathwarden doctor`";
                Err(Fault::new(FaultKind::Internal, failed.clone(), advice))
            }
        }
    }

    async fn tell_findings(&self) {
        let found = self.watch.as_ref().map(|watch| watch.findings()).unwrap_or_default();
        for finding in found {
            if let Err(fault) = self.pdp.found(Found { session: self.session, finding }).await {
                tracing::warn!(%fault, "a finding is not recorded");
            }
        }
    }

    /// How the point stands now.
    pub(crate) fn standing(&self) -> PointStanding {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(watch) = &self.watch {
            (standing.coverage, standing.lost) = watch.coverage();
        }
        standing
    }

    /// Says for the last time how the point stands.
    pub(crate) async fn finish(&self) -> Result<PointStanding, Fault> {
        self.tell_findings().await;
        let standing = PointStanding { phase: PointPhase::Done, ..self.standing() };
        let waits = AwaitOrders {
            session: self.session,
            point: self.name.clone(),
            applied: 0,
            failed: Vec::new(),
            standing: Some(standing.clone()),
            up_to_ms: 0,
        };
        self.pdp.orders(waits).await?;
        Ok(standing)
    }

    /// Puts in force what is ordered, and nothing else; gives what could not be.
    fn apply(&self, orders: &Orders) -> Vec<String> {
        let taken = Taken::of(orders);
        let key = Some(key_of(orders));
        // Where it is what is obeyed, something changed elsewhere: nothing here has to be asked again.
        if *self.obeyed() != key {
            let failed = self.put_in_force(&taken);
            *self.obeyed() = key.filter(|_| failed.is_empty());
            if !failed.is_empty() {
                return failed;
            }
        }
        self.limit(&taken).into_iter().collect()
    }

    fn obeyed(&self) -> MutexGuard<'_, Option<(Digest, Vec<Restriction>)>> {
        self.obeyed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something that was ordered is not in force yet.
    fn is_behind(&self) -> bool {
        self.obeyed().is_none()
    }

    /// Whatever fails, the rest is put in force.
    fn put_in_force(&self, taken: &Taken) -> Vec<String> {
        // Held to the end: nobody puts what was ordered before in force after this.
        let mut ordered = self.ordered();
        *ordered = taken.clone();
        let mut failed = Vec::new();
        let mut note = |what: &str, result: Result<(), String>| {
            if let Err(error) = result {
                failed.push(format!("{what}: {error}"));
            }
        };
        // What is taken comes first, and what is given back last: nothing slips through between.
        note("egress", self.set_egress(taken));
        let usual = self.decider.renew(taken.clone());
        if let Some(kernel) = &self.kernel {
            note("reads and writes", kernel.opens.renew(taken.has_any(Verb::ReadOnly)));
        }
        // What is ended need not stand still first.
        note("ending", self.terminate(taken));
        note("freezing", self.set_frozen(taken));
        // What was allowed a moment ago is asked for before somebody waits for it.
        let decider = Arc::clone(&self.decider);
        std::thread::spawn(move || decider.ask_again(usual));
        failed
    }

    /// What the tier without the kernel's help cannot take.
    fn limit(&self, taken: &Taken) -> Option<String> {
        if self.kernel.is_some() {
            return None;
        }
        let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = if taken.servers.keys().any(|server| guests.contains(server)) {
            "this tier does not tell processes of tool servers from the agent's"
        } else if taken.session.contains(&Verb::NoEgress) {
            "new connections are refused; in this tier those that are open go on, and datagrams"
        } else if taken.session.contains(&Verb::ReadOnly) {
            "in this tier files that are open stay writable"
        } else {
            return None;
        };
        Some(limit.to_owned())
    }

    /// Brings a tool server that has just got its place under what is ordered.
    pub(crate) fn bring_under(&self, server: &Name) -> Result<(), String> {
        let taken = self.ordered();
        let is_restrained = taken.servers.contains_key(server);
        let Some(kernel) = &self.kernel else {
            if is_restrained {
                return Err("something is taken from it, which this tier cannot hold".to_owned());
            }
            self.guests.lock().unwrap_or_else(PoisonError::into_inner).insert(server.clone());
            return Ok(());
        };
        // From here on it matters whose process opens a file: what is being allowed now is not kept.
        self.decider.outdate();
        kernel.opens.forget()?;
        if !is_restrained {
            return Ok(());
        }
        self.set_egress(&taken)?;
        self.set_frozen(&taken)?;
        self.terminate(&taken)
    }

    fn set_egress(&self, taken: &Taken) -> Result<(), String> {
        let Some(kernel) = &self.kernel else { return Ok(()) };
        let egress = match taken.session.contains(&Verb::NoEgress) {
            true => Egress::None,
            false => Egress::Decided,
        };
        let mut all = vec![kernel.bpf.set_egress(egress).map_err(words)];
        for (server, place) in self.tools.all() {
            let is_cut = taken.has(Verb::NoEgress, Some(&server));
            all.push(kernel.bpf.cut(place.id(), is_cut).map_err(words));
        }
        all.push(kernel.bpf.next_epoch().map_err(words));
        all.push(kernel.let_node());
        every(all)
    }

    fn set_frozen(&self, taken: &Taken) -> Result<(), String> {
        let Some(session) = &self.cgroup else {
            let is_frozen = taken.session.contains(&Verb::Freeze);
            return self.each_process(is_frozen, |all| {
                if is_frozen {
                    return all.freeze();
                }
                all.thaw();
                Ok(())
            });
        };
        // From the inside out, so that what is given back moves only when all of it may. One that does not
        // stand still is no reason to let the others go on.
        let of_server = |server| taken.servers.get(server);
        let is_frozen = |server| of_server(server).is_some_and(|all| all.contains(&Verb::Freeze));
        let servers = self.tools.all();
        let servers = servers.iter().map(|(server, place)| freeze(place, is_frozen(server)));
        let mut all: Vec<_> = servers.collect();
        all.push(freeze(session, taken.session.contains(&Verb::Freeze)));
        every(all)
    }

    /// Lets everything move again that is not ordered to stand still.
    pub(crate) fn move_on(&self) -> Result<(), String> {
        self.set_frozen(&self.ordered())
    }

    fn ordered(&self) -> MutexGuard<'_, Taken> {
        self.ordered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn terminate(&self, taken: &Taken) -> Result<(), String> {
        if taken.session.contains(&Verb::Terminate) {
            return self.end();
        }
        let is_ended = |server: &Name| {
            taken.servers.get(server).is_some_and(|all| all.contains(&Verb::Terminate))
        };
        let servers = self.tools.all();
        let servers = servers.iter().filter(|(server, _)| is_ended(server));
        every(servers.map(|(_, place)| place.kill().map(drop).map_err(words)))
    }

    /// Ends all processes of the session.
    fn end(&self) -> Result<(), String> {
        match &self.cgroup {
            Some(session) => session.kill().map(drop).map_err(words),
            None => self.each_process(true, Descendants::kill),
        }
    }

    /// Does something to all processes of the agent, where no cgroup does. What must be done cannot be done
    /// before there are any.
    fn each_process(
        &self,
        is_taken: bool,
        act: impl FnOnce(&Descendants) -> io::Result<()>,
    ) -> Result<(), String> {
        match self.descendants.get() {
            Some(descendants) => act(descendants).map_err(words),
            None if is_taken => Err("the agent is not started yet, and is not now".to_owned()),
            None => Ok(()),
        }
    }
}

/// All that failed, after all was tried.
fn every(all: impl IntoIterator<Item = Result<(), String>>) -> Result<(), String> {
    let failed: Vec<String> = all.into_iter().filter_map(Result::err).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

/// What of orders makes a difference here.
fn key_of(orders: &Orders) -> (Digest, Vec<Restriction>) {
    (orders.policy, orders.restrictions().cloned().collect())
}

fn freeze(place: &Cgroup, is_frozen: bool) -> Result<(), String> {
    if is_frozen { place.freeze() } else { place.thaw() }.map(drop).map_err(words)
}

impl Kernel {
    /// The node is reachable whatever is taken: without it nothing harmless could go on.
    pub(crate) fn let_node(&self) -> Result<(), String> {
        for address in &self.node {
            let to =
                Destination { addr: address.ip(), port: address.port(), protocol: Protocol::Tcp };
            self.bpf.exempt(to).map_err(words)?;
        }
        Ok(())
    }
}
