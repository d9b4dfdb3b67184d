//! Contracts as an operator writes them.

use pathwarden_types::ToolClass;
use serde::{Deserialize, Serialize};

use crate::event::{Event, Fact};

/// A contract as written, in TOML or JSON.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ContractSpec {
    /// Its name; deviations say it.
    pub name: String,
    /// The agent it binds; every agent when not given.
    #[serde(default)]
    pub agent: Option<String>,
    /// The task type it binds; every task when not given.
    #[serde(default)]
    pub task: Option<String>,
    /// What must hold, or must not have happened, when a call is made.
    #[serde(default)]
    pub rules: Vec<RuleSpec>,
    /// The only steps from one call to the next that may be taken; any when empty.
    #[serde(default)]
    pub transitions: Vec<TransitionSpec>,
    /// How much may be used.
    #[serde(default)]
    pub budgets: Vec<BudgetSpec>,
}

impl ContractSpec {
    /// Whether it binds this agent at this type of task.
    #[must_use]
    pub fn binds(&self, agent: &str, task: &str) -> bool {
        self.agent.as_deref().is_none_or(|bound| bound == agent)
            && self.task.as_deref().is_none_or(|bound| bound == task)
    }
}

/// A temporal rule: when a call matches `on`, `require` holds, or `never` does not.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Its name.
    pub name: String,
    /// What to tell a person when it is broken.
    pub words: String,
    /// The calls it is about.
    pub on: Match,
    /// What must hold at the call.
    #[serde(default)]
    pub require: Option<FormulaSpec>,
    /// What must not hold at the call.
    #[serde(default)]
    pub never: Option<FormulaSpec>,
    /// Which past counts.
    #[serde(default)]
    pub over: Over,
}

/// Which past a rule is about.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// What led to the call where that is known, else the whole session before it.
    #[default]
    Causes,
    /// The whole session before it, always.
    Session,
}

/// A formula of past-time temporal logic, about a call and what was before it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FormulaSpec {
    /// The event itself matches.
    Event(Match),
    /// The formula does not hold.
    Not(Box<Self>),
    /// All of them hold.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
    /// It held at some event, this one included.
    Once(Box<PastSpec>),
    /// It held at every event, this one included.
    Historically(Box<PastSpec>),
    /// `hold` has held ever since `from` did. Where several paths of causes lead to the call, it is so
    /// on all of them when a rule requires it, and on one of them when a rule forbids it.
    Since(Box<SinceSpec>),
}

/// A formula about the past.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PastSpec {
    /// What held.
    pub of: FormulaSpec,
    /// How far back; to the beginning when not given.
    #[serde(default)]
    pub within: Option<WithinSpec>,
}

/// The formula `hold since from`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SinceSpec {
    /// What has held at each event after `from` did.
    pub hold: FormulaSpec,
    /// What began it.
    pub from: FormulaSpec,
    /// How far back; to the beginning when not given.
    #[serde(default)]
    pub within: Option<WithinSpec>,
}

/// How far back the past goes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WithinSpec {
    /// Events at most this many ms old.
    Ms(u64),
    /// Events with at most this many calls after them, the call in question counted.
    Steps(u64),
}

/// Which events are meant: those of which everything given here is true.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The tool's name; with `*` at the end, the beginning of it.
    #[serde(default)]
    pub tool: Option<String>,
    /// The server's name.
    #[serde(default)]
    pub server: Option<String>,
    /// The tool's class is one of these; any when empty.
    #[serde(default)]
    pub class: Vec<ToolClass>,
    /// All of these are known of it.
    #[serde(default)]
    pub facts: Vec<Fact>,
}

impl Match {
    /// Whether this event is meant.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let tool_matches = |wanted: &str| match wanted.strip_suffix('*') {
            Some(start) => event.tool.starts_with(start),
            None => event.tool == wanted,
        };
        self.tool.as_deref().is_none_or(tool_matches)
            && self.server.as_deref().is_none_or(|wanted| event.server.as_str() == wanted)
            && (self.class.is_empty() || self.class.contains(&event.class))
            && self.facts.iter().all(|fact| event.facts.has(*fact))
    }
}

/// One step from a call to the next that may be taken.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TransitionSpec {
    /// The call before; the start of the session when not given.
    #[serde(default)]
    pub from: Option<Match>,
    /// The call that may follow.
    pub to: Match,
}

/// How much may be used.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetSpec {
    /// Its name.
    pub name: String,
    /// What is counted.
    pub what: What,
    /// The events whose use is counted; all when not given.
    #[serde(default)]
    pub of: Match,
    /// The most that may be used.
    pub most: u64,
    /// In how much time, in ms; in the session when not given.
    #[serde(default)]
    pub within_ms: Option<u64>,
}

/// What a budget counts.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Calls.
    Calls,
    /// Bytes.
    Bytes,
    /// Rows.
    Rows,
    /// Different targets.
    Targets,
    /// Different recipients.
    Recipients,
    /// Money of this currency (ISO 4217), in its minor unit. Money of another is over the budget.
    Money(String),
}
