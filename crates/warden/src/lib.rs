//! The node runtime: session shards around the pure engine, with the ledger below.
//!
//! **What it is for.** It keeps the state of every open session, asks the engine, makes every
//! decision durable before it is released, closes every permit, and swaps policies whole.
//!
//! **What it never does.** It judges nothing itself, speaks no protocol, and opens no socket. It never
//! answers with a permit that the ledger has not acknowledged.
//!
//! **Where to start.** [`Warden::start`], then `carry.rs`: how one action goes through the gate.

mod carry;
mod clock;
mod containment;
mod context;
mod explain;
mod history;
mod knowledge;
mod learn;
mod live;
mod memory;
mod model;
mod near;
mod operate;
mod pdp;
mod policy;
mod replay;
mod start;
mod supply;
mod sweep;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use arc_swap::ArcSwap;
use pathwarden_context::Marks;
use pathwarden_decide::{Engine, Snapshot};
use pathwarden_store::Store;
use pathwarden_types::{Agent, Digest, Event, Millis, Name, Record, SessionId};
use pathwarden_wire::{Fault, FaultKind, Reach, SessionRow};
use tokio::sync::watch;

pub use crate::history::HistoryError;
pub use crate::knowledge::knowledge;
pub use crate::learn::QUIET_MS;
pub use crate::model::LOCAL;
pub use crate::pdp::Door;
pub use crate::start::{Parts, StartError};
pub use crate::supply::FINDINGS_LISTED_MAX;
pub use crate::tokens::{Caller, Role, TokenError, TokenKey};

use crate::clock::Clock;
use crate::containment::Restraint;
use crate::history::History;
use crate::live::{Live, Shard};
use crate::memory::Remembered;
use crate::supply::Supplies;

/// The node runtime.
pub struct Warden {
    node: String,
    store: Store,
    history: History,
    clock: Clock,
    shards: Vec<Mutex<Shard>>,
    snapshot: ArcSwap<Snapshot>,
    refused_reload: Mutex<Option<String>>,
    /// Held while a policy is loaded: each load builds on the one before.
    reloading: tokio::sync::Mutex<()>,
    load_policy: LoadPolicy,
    tokens: TokenKey,
    agents: BTreeMap<Name, Agent>,
    joins: tokio::sync::Mutex<BTreeMap<(Name, String), SessionId>>,
    ended: Mutex<Vec<SessionRow>>,
    answers: watch::Sender<u64>,
    effect_ms_max: u64,
    supplies: Supplies,
    restraint: Restraint,
    remembered: Remembered,
    /// What of agents' models was seen in any session.
    marks: Mutex<Marks>,
    /// Agents whose client may answer for the person behind it.
    near: BTreeSet<Name>,
    /// Servers that the node's own gateway reaches.
    reached: BTreeSet<Name>,
    hold_ms: u64,
    listening: OnceLock<Listening>,
    writable: AtomicBool,
}

/// Where the gateways of a node listen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listening {
    /// The one for tools.
    pub gateway: std::net::SocketAddr,
    /// The one for models.
    pub models: std::net::SocketAddr,
}

/// Reads the policy that the operator wants, or says why it cannot.
pub type LoadPolicy = Box<dyn Fn() -> Result<Snapshot, String> + Send + Sync>;

/// The most ended sessions that are listed; older ones are still in the ledger.
pub const ENDED_LISTED_MAX: usize = 1_000;

/// The most sessions that are open at a time; one more is refused.
pub const SESSIONS_OPEN_MAX: usize = 10_000;

impl Warden {
    /// The caller that a bearer token stands for.
    ///
    /// # Errors
    ///
    /// A fault that says what to do, and nothing about why.
    pub fn authenticate(&self, token: &str) -> Result<Caller, Fault> {
        self.tokens.check(token).map_err(|TokenError| {
            Fault::new(
                FaultKind::Unauthenticated,
                "the token is not one of this node's",
                "use the token that `pathwarden session start` printed, or the one in the home \
                 folder's `tokens`",
            )
        })
    }

    /// The caller that somebody else vouches for: this agent, in sessions of its own, through gateways.
    /// `credential` is what it showed.
    #[must_use]
    pub fn vouched(&self, agent: Name, credential: &str) -> Caller {
        Caller {
            role: Role::Agent,
            agent: Some(agent),
            session: None,
            reach: Reach::Gateways,
            credential: Digest::of(credential.as_bytes()),
        }
    }

    /// The decision point as this caller reaches it.
    #[must_use]
    pub fn door(self: &Arc<Self>, caller: Caller) -> Door {
        Door::new(Arc::clone(self), caller)
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn record(&self, now: Millis, session: Option<SessionId>, event: Event) -> Record {
        Record { version: Record::VERSION, at: now, node: self.node.clone(), session, event }
    }

    /// The shard of a session, its engine deciding by the current policy.
    fn shard(&self, session: SessionId) -> Result<MutexGuard<'_, Shard>, Fault> {
        let number = session.as_bytes().iter().fold(0_usize, |sum, byte| sum + usize::from(*byte));
        let shard = self.shards.get(number % self.shards.len().max(1)).ok_or_else(internal)?;
        let mut shard = shard.lock().map_err(|_| internal())?;
        let current = self.snapshot.load();
        if shard.engine.snapshot().version() != current.version() {
            shard.engine = Engine::new(Snapshot::clone(&current));
        }
        Ok(shard)
    }

    /// A session that can be worked on: known, allowed to this caller, its state the ledger's.
    fn live<'a>(
        &self,
        shard: &'a mut Shard,
        session: SessionId,
        caller: &Caller,
    ) -> Result<(&'a mut Engine, &'a mut Live), Fault> {
        let Shard { engine, sessions } = shard;
        let live = sessions.get_mut(&session).ok_or_else(|| no_session(session))?;
        let is_theirs = caller.agent.as_ref() == Some(&live.state.agent().name)
            && match caller.session {
                Some(bound) => bound == session,
                // A token for sessions of the agent's own is not for one that a person started.
                None => live.state.join_key().is_some(),
            };
        if !is_theirs {
            return Err(no_session(session));
        }
        if let Some(recorded) = live.stale() {
            self.fold_again(session, live, recorded)?;
        }
        Ok((engine, live))
    }

    /// A record that the state held did not reach the ledger; the ledger is right.
    fn fold_again(
        &self,
        session: SessionId,
        live: &mut Live,
        recorded: usize,
    ) -> Result<(), Fault> {
        let records = self.history.of_session(session).map_err(explain::unreadable)?;
        if records.len() < recorded {
            return Err(ledger_unavailable("records of this session are on their way to disk"));
        }
        let state = records
            .iter()
            .try_fold(None, |state, (_, record)| self.history.fold(state, record))
            .map_err(explain::unreadable)?;
        live.refold(state.ok_or_else(|| no_session(session))?);
        Ok(())
    }
}

fn no_session(session: SessionId) -> Fault {
    let message = format!("there is no open session `{session}` for this caller");
    Fault::new(FaultKind::NotFound, message, "start one with `pathwarden session start`")
}

fn internal() -> Fault {
    let advice = "look at the daemon's log; nothing was let through";
    Fault::new(FaultKind::Internal, "something is broken in the daemon", advice)
}

fn ledger_unavailable(why: &str) -> Fault {
    let message = format!("the ledger cannot take records: {why}");
    Fault::new(FaultKind::LedgerUnavailable, message, "make room or wait, then try again")
}

/// An error with its causes, once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
