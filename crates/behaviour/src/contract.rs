//! Declared contracts: what an agent, a task or a tool may do, and in which order.

mod budget;
mod compile;
mod formula;
mod monitor;
mod spec;

use pathwarden_types::ActionId;

pub use compile::{ContractFault, ContractFaults, Contracts};
pub use monitor::Monitor;
pub use spec::{
    BudgetSpec, ContractSpec, FormulaSpec, Match, Over, PastSpec, RuleSpec, SinceSpec,
    TransitionSpec, What, WithinSpec,
};

/// The limits of contracts and of what a session remembers for them.
#[derive(Clone, Copy, Debug)]
pub struct Limits;

impl Limits {
    /// Contracts on a node: each is asked whether a new session is its own.
    pub const CONTRACTS_MAX: usize = 256;
    /// Rules of one contract, each checked at each call.
    pub const RULES_MAX: usize = 128;
    /// `once`, `historically` and `since` in one contract: each is kept for each remembered action.
    pub const OPERATORS_MAX: usize = 64;
    /// Nesting of a formula; deeper ones are not read right by people either.
    pub const DEPTH_MAX: usize = 8;
    /// Parts of one `all` or `any`.
    pub const PARTS_MAX: usize = 32;
    /// Transitions of one contract.
    pub const TRANSITIONS_MAX: usize = 256;
    /// Budgets of one contract.
    pub const BUDGETS_MAX: usize = 32;
    /// Bytes of a name or a text in a contract.
    pub const TEXT_BYTES_MAX: usize = 256;
    /// The longest window, in ms: 31 days, longer than a session may last.
    pub const WINDOW_MS_MAX: u64 = 31 * 24 * 3_600_000;
    /// The longest window, in steps.
    pub const WINDOW_STEPS_MAX: u64 = 100_000;
    /// Actions that a session remembers as causes, for each contract. An older one counts as unknown:
    /// what a rule needs did not happen there, what a rule forbids may have.
    pub const CAUSES_MAX: usize = 256;
    /// Causes of one action; more count as unknown.
    pub const PARENTS_MAX: usize = 16;
}

/// A call that breaks a contract.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[must_use = "a deviation that nobody weighs is a hole"]
pub struct Deviation {
    /// The contract.
    pub contract: String,
    /// The rule, budget or transition in it.
    pub rule: String,
    /// What is wrong, in words.
    pub words: String,
    /// The call, and the earlier actions that make it wrong where there are such.
    pub events: Vec<ActionId>,
}

#[cfg(test)]
mod tests;
