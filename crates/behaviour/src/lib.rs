//! How an agent behaves over time: what it may do by contract, and what it usually does.
//!
//! **What it is for.** The decision point keeps a [`Monitor`], [`Loops`], [`Velocity`] and an
//! [`Escalation`] for each session, as parts of its state, and asks them about each action before it
//! happens. [`Baseline`]s and [`Reputation`] outlive a session and only ever weigh in: they block
//! nothing.
//!
//! **What it never does.** No I/O, no clock, no randomness, no floating point: equal events give equal
//! answers. No memory without a named limit; where a limit is reached, the stricter reading holds.
//!
//! **Where to start.** [`Event`] is what everything here is told. Then [`Contracts`] for what is
//! declared, and [`Learner`] for what is learned.

mod contract;
mod effects;
mod escalation;
mod event;
mod fixed;
mod loops;
mod profile;
mod reputation;
mod velocity;
mod window;
mod words;

pub use contract::{
    BudgetSpec, ContractFault, ContractFaults, ContractSpec, Contracts, Deviation, FormulaSpec,
    Limits as ContractLimits, Match, Monitor, Over, PastSpec, RuleSpec, SinceSpec, TransitionSpec,
    What, WithinSpec,
};
pub use effects::EffectContract;
pub use escalation::{Escalation, Finding, FindingKind, RuleOfTwo};
pub use event::{Cause, Event, Fact, Facts, Money, Phase, Usage};
pub use loops::{Loop, LoopKind, LoopLevel, Loops};
pub use profile::{
    Baseline, Drift, DriftKind, Learner, LearnerError, Lesson, Novelty, Trail, drift,
};
pub use reputation::{Approvals, Reputation, Standing};
pub use velocity::{Blast, Excess, Metric, Velocity, VelocityLimits};
pub use window::{Distinct, Window};

#[cfg(test)]
mod testing;
