//! Start: fold the ledger, close what a crash left open, record what decides from now on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use arc_swap::ArcSwap;
use pathwarden_context::Marks;
use pathwarden_decide::{Engine, Snapshot, State};
use pathwarden_memory::{Memories, Stores};
use pathwarden_store::{Append, AppendError, IndexKey, Store};
use pathwarden_supply::Registry;
use pathwarden_types::{
    ActionId, Agent, Effect, Event, Millis, Mode, Name, Outcome, Record, RecordError, SessionId,
    Target,
};
use pathwarden_wire::{FindingRow, SessionRow, SessionStanding};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::containment::{self, Restraint, Standing};
use crate::history::{History, HistoryError};
use crate::live::{Live, Shard};
use crate::memory::Remembered;
use crate::operate::row;
use crate::supply::{Supplies, keep};
use crate::{ENDED_LISTED_MAX, LoadPolicy, TokenKey, Warden};

/// What a node is made of.
pub struct Parts {
    /// Its name: the origin of its log.
    pub node: String,
    /// Its ledger, open.
    pub store: Store,
    /// What it decides by at first.
    pub snapshot: Snapshot,
    /// How it loads what it decides by later.
    pub load_policy: LoadPolicy,
    /// The key of its tokens.
    pub tokens: TokenKey,
    /// The agents that the operator knows.
    pub agents: BTreeMap<Name, Agent>,
    /// How long an action may stay without a reported effect, in ms.
    pub effect_ms_max: u64,
    /// Agents whose client may answer for the person behind it.
    pub near: BTreeSet<Name>,
    /// Servers that the node's own gateway reaches.
    pub reached: BTreeSet<Name>,
    /// How long an enforcement point keeps a client waiting for a person, in ms.
    pub hold_ms: u64,
    /// What is memory of agents.
    pub stores: Stores,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The ledger could not be folded.
    #[error("the ledger could not be read back")]
    History(#[source] HistoryError),
    /// The ledger did not take the first records.
    #[error("the ledger takes no records")]
    Append(#[source] AppendError),
    /// A record of ours could not be written down.
    #[error("a record could not be written down")]
    Record(#[source] RecordError),
}

/// Sessions per engine stay few, and two cores do not wait for each other.
const SHARDS_PER_CORE: usize = 4;

impl Warden {
    /// The keys that a leaf of the ledger is found by; the ledger must be opened with it.
    #[must_use]
    pub fn keys_of(entry: &[u8]) -> Vec<IndexKey> {
        History::keys_of(entry)
    }

    /// Starts a node: folds its ledger, closes as `unknown` every permit that a crash left open, and
    /// records which policy decides from here on.
    ///
    /// # Errors
    ///
    /// [`StartError`] when the ledger cannot be read back or takes no records.
    pub fn start(parts: Parts) -> Result<Arc<Self>, StartError> {
        let Parts { node, store, snapshot, load_policy, tokens, agents, .. } = parts;
        let history = History::new(store.reader());
        let told = fold_all(&history).map_err(StartError::History)?;
        let Told { live, ended, joins, registry, standing, findings, marks, memories } = told;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let shards = (0..cores * SHARDS_PER_CORE)
            .map(|_| {
                Mutex::new(Shard {
                    engine: Engine::new(snapshot.clone()),
                    sessions: BTreeMap::new(),
                })
            })
            .collect();
        let warden = Arc::new(Self {
            node,
            store,
            history,
            clock: Clock::default(),
            shards,
            snapshot: ArcSwap::from_pointee(snapshot),
            refused_reload: Mutex::new(None),
            reloading: tokio::sync::Mutex::default(),
            load_policy,
            tokens,
            agents,
            joins: tokio::sync::Mutex::new(joins),
            ended: Mutex::new(ended),
            answers: watch::Sender::new(0),
            effect_ms_max: parts.effect_ms_max,
            supplies: Supplies::new(registry, findings),
            restraint: Restraint::new(standing),
            remembered: Remembered::new(parts.stores, memories),
            marks: Mutex::new(marks),
            near: parts.near,
            reached: parts.reached,
            hold_ms: parts.hold_ms,
            listening: OnceLock::new(),
            writable: AtomicBool::new(true),
        });
        warden.begin(live)?;
        Ok(warden)
    }

    fn begin(&self, live: BTreeMap<SessionId, Folded>) -> Result<(), StartError> {
        let software = env!("CARGO_PKG_VERSION").to_owned();
        self.append_first(None, Event::NodeStarted { software }, Vec::new())?;
        let snapshot = self.snapshot.load();
        let event = Event::PolicyLoaded { policy: snapshot.version() };
        self.append_first(None, event, vec![snapshot.to_bytes().to_vec()])?;
        for (session, folded) in live {
            let Folded { mut state, started, mut recorded } = folded;
            for (action, effect) in left_open(&state) {
                let event = Event::Closed { action, effect };
                state.apply(&self.append_first(Some(session), event, Vec::new())?, None);
                recorded = recorded.saturating_add(1);
            }
            if let Ok(mut shard) = self.shard(session) {
                shard.sessions.insert(session, Live::new(state, started, recorded));
            }
        }
        Ok(())
    }

    fn append_first(
        &self,
        session: Option<SessionId>,
        event: Event,
        payloads: Vec<Vec<u8>>,
    ) -> Result<Record, StartError> {
        let record = self.record(self.now(), session, event);
        let entry = record.to_bytes().map_err(StartError::Record)?;
        let pending = self.store.append(Append { entry, payloads }).map_err(StartError::Append)?;
        let receipt = pending.wait().map_err(StartError::Append)?;
        debug_assert_eq!(receipt.mode, Mode::Strict, "`append` acknowledges what is on disk");
        Ok(record)
    }
}

/// What a node that stopped left behind, and how it is closed.
fn left_open(state: &State) -> Vec<(ActionId, Effect)> {
    let open = state
        .open()
        .map(|(action, _)| (action, unknown("the node stopped before the effect was reported")));
    let waiting = state.waiting().map(|action| {
        let detail = "it never happened: the node stopped while a person was asked";
        (action, Effect { outcome: Outcome::Failed, ..unknown(detail) })
    });
    open.chain(waiting).collect()
}

/// The effect of an action whose outcome nobody can tell.
pub(crate) fn unknown(detail: &str) -> Effect {
    Effect {
        outcome: Outcome::Unknown,
        request_bytes: 0,
        response_bytes: 0,
        elapsed_ms: 0,
        detail: detail.to_owned(),
        measured: None,
    }
}

/// One session, folded.
struct Folded {
    state: State,
    started: Millis,
    recorded: usize,
}

/// What a ledger tells of its sessions.
#[derive(Default)]
struct Told {
    live: BTreeMap<SessionId, Folded>,
    ended: Vec<SessionRow>,
    joins: BTreeMap<(Name, String), SessionId>,
    registry: Registry,
    standing: Standing,
    findings: VecDeque<FindingRow>,
    marks: Marks,
    memories: Memories,
}

fn fold_all(history: &History) -> Result<Told, HistoryError> {
    let mut told = Told::default();
    for item in history.from(0) {
        let (_, record) = item?;
        told.registry.apply(record.at, &record.event);
        containment::apply(&mut told.standing, &record.event);
        keep(&mut told.findings, &record);
        match &record.event {
            Event::Marked { mark } => told.marks.apply(record.session, mark),
            Event::Memory { event } => told.memories.apply(record.at, record.session, event),
            _ => {}
        }
        let Some(session) = record.session else { continue };
        let (before, started, recorded) = match told.live.remove(&session) {
            Some(Folded { state, started, recorded }) => (Some(state), started, recorded),
            None => (None, record.at, 0),
        };
        let Some(state) = history.fold(before, &record)? else { continue };
        if state.is_open() {
            let recorded = recorded.saturating_add(1);
            told.live.insert(session, Folded { state, started, recorded });
        } else {
            told.ended.push(row(session, &state, started, SessionStanding::Ended));
        }
    }
    // What was taken from a session alone ended with it.
    let live = &told.live;
    told.standing.retain(|restriction, _| match &restriction.target {
        Target::Session { session } => live.contains_key(session),
        Target::Agent { .. } | Target::Server { .. } => true,
    });
    let surplus = told.ended.len().saturating_sub(ENDED_LISTED_MAX);
    told.ended.drain(..surplus);
    for (session, folded) in &told.live {
        if let Some(key) = folded.state.join_key() {
            let agent = folded.state.agent().name.clone();
            told.joins.insert((agent, key.to_owned()), *session);
        }
    }
    Ok(told)
}
