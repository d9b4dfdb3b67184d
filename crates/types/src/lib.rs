//! The words of Pathwarden as types.
//!
//! **What it is for.** Every crate speaks of sessions, actions, verdicts and records with the types
//! defined here, so that one word means one thing from the wire to the console.
//!
//! **What it never does.** No I/O, no clock, no randomness: ids and times come in as arguments.
//!
//! **Where to start.** [`Action`] is what is decided, [`Verdict`] is the answer, [`Record`] is what
//! the ledger keeps.

mod action;
mod containment;
mod digest;
mod finding;
mod hex;
mod host;
mod id;
mod label;
mod memory;
mod model;
mod name;
mod observation;
mod origin;
mod point;
mod principal;
mod ratio;
mod record;
mod risk;
mod supply;
mod time;
mod verdict;

pub use action::{Action, Operation, OperationKind, ToolClass};
pub use containment::{Restriction, StandingRestriction, Target, Verb, VerbError};
pub use digest::{Digest, Digesting};
pub use finding::{Finding, FindingKind};
pub use hex::HexError;
pub use host::{HostAct, HostAttempt, HostVerb, Measured, MeasuredAct};
pub use id::{ActionId, ApprovalId, IdError, SessionId};
pub use label::{Confidentiality, Integrity, Label};
pub use memory::{EntryId, MemoryEvent, VersionRef, WriteMode};
pub use model::{Claim, DecidedAt, Emission, Mark, MarkKind};
pub use name::{Name, NameError, escape_invisible, is_invisible};
pub use observation::{Effect, Observation, ObservationKind, Outcome};
pub use origin::{GivenBy, Origin, Place};
pub use point::{Canary, Coverage, PointPhase, PointStanding};
pub use principal::{Agent, Task, TaskSource};
pub use ratio::Ratio;
pub use record::{
    Approval, Decided, Event, Identity, Mode, Position, Receipt, Record, RecordError,
};
pub use risk::{Band, Risk, Signal, SignalKind, Term};
pub use supply::{Item, ItemKind, Ruling, Supply, Trust};
pub use time::Millis;
pub use verdict::{
    ApprovalAnswer, ApprovalNeed, Choice, Containment, ContainmentScope, Obligation, RuleHit,
    Verdict,
};

#[cfg(test)]
mod tests;
