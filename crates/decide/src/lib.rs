//! The decision engine: the gate, the state of a session, risk and explanation.
//!
//! **What it is for.** To decide one action in the context of its session, and to say why. The same
//! code runs in the daemon, in `why`, in replay and in the simulator: equal inputs give equal
//! decisions, bytes included.
//!
//! **What it never does.** No I/O, no clock, no randomness, no `async`: time and ids come in as
//! arguments, and records go out as values that somebody else must make durable. It never lets an
//! action through without the ledger's receipt.
//!
//! **Where to start.** [`Gate`] is the protocol, [`decide()`] the judgement behind it, `case.rs` the
//! order of checks, [`State`] what a session remembers.

mod asks;
mod case;
mod conduct;
mod decision;
mod engine;
mod facts;
mod gate;
mod host;
mod knowledge;
mod label;
mod leaves;
mod links;
mod listed;
mod models;
mod obligations;
mod origins;
mod permit;
mod reading;
mod recipients;
mod risk;
mod settings;
mod snapshot;
mod sources;
mod state;
mod what_if;

pub use conduct::Conduct;
pub use decision::{Asker, Decision, decide};
pub use engine::Engine;
pub use gate::{Gate, Input, Output, Refused};
pub use host::host_attempt;
pub use knowledge::{FeedFile, Files, Knowledge, KnowledgeError};
pub use label::{label, own_label, unwatched_label};
pub use listed::is_listed;
pub use models::{Claimed, Models};
pub use pathwarden_lineage::{Snippet, snippet};
pub use permit::{Permit, PermitError, Release};
pub use reading::Reading;
pub use settings::{RiskSettings, ServerSettings, Settings};
pub use snapshot::{Snapshot, SnapshotError};
pub use sources::{Pointed, Provenance, Sources};
pub use state::{Binding, OpenPermit, Question, Standing, State};
pub use what_if::{Change, what_if};
