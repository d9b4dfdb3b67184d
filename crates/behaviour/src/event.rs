//! What behaviour is told: one event per call and one per result.

use std::collections::BTreeSet;

use pathwarden_types::{ActionId, Millis, Name, ToolClass};
use serde::{Deserialize, Serialize};

/// One call of a session, or the result of one.
///
/// Only what was released is part of the past: ask about an action with `would`, and tell it with
/// `step` once it was let through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// The action. A result has the id of its call, and replaces it as a cause of what follows.
    pub id: ActionId,
    /// Whether it is the call or its result.
    pub phase: Phase,
    /// What led to it.
    pub cause: Cause,
    /// When.
    pub at: Millis,
    /// The server.
    pub server: Name,
    /// The tool, resource or prompt.
    pub tool: String,
    /// What the tool does to the world.
    pub class: ToolClass,
    /// The names of its arguments and their JSON types, in one spelling; empty when not known.
    pub shape: String,
    /// What is known of it.
    pub facts: Facts,
    /// What this event adds to what the session used.
    pub usage: Usage,
}

/// Which half of an action an event is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// The action is attempted. Rules are checked here, and steps are counted here.
    Call,
    /// Its result has come.
    Result,
}

/// What led to an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cause {
    /// Not known: everything before it in the session counts.
    SessionOrder,
    /// Exactly these actions of the session, and what led to them. Give only what an enforcement point
    /// knows for itself: an agent that may name its own causes names harmless ones.
    Parents(Vec<ActionId>),
}

/// What can be known of an event besides its tool.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// It brought content that outsiders may have shaped.
    UntrustedRead,
    /// It brought restricted content: personal data, account numbers.
    RestrictedRead,
    /// It brought a credential.
    SecretRead,
    /// It carries something out of the organisation.
    Egress,
    /// A person approved it.
    Approved,
    /// It grants a permission, makes a credential or adds a member.
    Grant,
    /// It proves who the person is.
    Authenticated,
    /// It failed.
    Failed,
    /// It touches what the operator calls production.
    Production,
    /// It cannot be undone.
    Irreversible,
    /// A target of it was never used before by this agent.
    NewTarget,
    /// It hands work to another agent.
    Delegated,
}

/// A set of facts.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Facts(u32);

impl Facts {
    /// No fact.
    pub const NONE: Self = Self(0);

    /// This set and one more fact.
    #[must_use]
    pub const fn with(self, fact: Fact) -> Self {
        Self(self.0 | 1 << fact as u32)
    }

    /// Whether the fact is in the set.
    #[must_use]
    pub const fn has(self, fact: Fact) -> bool {
        self.0 & (1 << fact as u32) != 0
    }

    /// Both sets.
    #[must_use]
    pub const fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Fact> for Facts {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Self {
        facts.into_iter().fold(Self::NONE, Self::with)
    }
}

/// What an event uses up. Each amount is told once: with the call where it is known then, otherwise
/// with the result.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Bytes, in either direction.
    pub bytes: u64,
    /// Rows or items, read or changed.
    pub rows: u64,
    /// Rows or items that were changed.
    pub rows_changed: u64,
    /// Money spent.
    pub spend: Option<Money>,
    /// What it acts on, in one spelling: paths, accounts, hosts.
    pub targets: BTreeSet<String>,
    /// Who receives something, in one spelling.
    pub recipients: BTreeSet<String>,
}

/// An amount of money.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Money {
    /// The currency (ISO 4217), upper case.
    pub currency: String,
    /// The amount in its minor unit: cents.
    pub minor: u64,
}
