//! Judges a typed input with Rego policies, failing closed.
//!
//! **What it is for.** Operators write rules in Rego; a [`Bundle`] compiles them once, each worker
//! has a [`Judge`] that runs them on the engine's bytecode machine, and a [`Judgement`] says what
//! each rule said and where it stands. [`Oracle`] does the same with the engine's interpreter, so
//! that one can be checked against the other; [`run_tests`] runs tests that are written in Rego.
//!
//! **What it never does.** No I/O, no clock, no randomness, and no rule that could do any of these:
//! a bundle that calls such a function is refused. It never loosens: every result can only raise the
//! verdict, no result is a deny, and so is an error, a result that is not understood, an overrun
//! budget, or input that is not exactly an [`Input`].
//!
//! **Where to start.** [`Bundle::compile`], then [`Judge::judge`]. What rules look like is in
//! `policies/README.md`.

mod builtins;
mod bundle;
mod compile;
mod input;
mod judge;
mod judgement;
mod limits;
mod oracle;
mod rego_tests;
mod result;
mod scan;
mod value;

pub use bundle::{Bundle, CompileFault, RulePlace, Source};
pub use input::{
    ActionFacts, AgentFacts, ApprovalState, ConductFacts, Content, HostActFacts, HostFacts, Input,
    ModelFacts, OriginFacts, PurposeFacts, ServerToolFacts, SessionFacts, SupplyFacts, Target,
    TargetKind, TaskFacts,
};
pub use judge::Judge;
pub use judgement::Judgement;
pub use limits::{
    ARGUMENTS_DEPTH_MAX, INSTRUCTIONS_MAX, NESTING_MAX, RESULT_ORDERS_MAX, RESULT_TEXT_BYTES_MAX,
    RESULTS_MAX, RULE_DEPTH_MAX, SOURCE_BYTES_MAX, SOURCES_MAX,
};
pub use oracle::Oracle;
pub use rego_tests::{FileCoverage, TestCase, TestOutcome, TestReport, run_tests};

#[cfg(test)]
mod tests;
