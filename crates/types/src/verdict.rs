//! The answer about one action, and what comes with it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Name, Verb};

/// What the decision point answers about one action, ordered by restraint: a later variant always
/// wins, so combining verdicts is [`Ord::max`] and nothing else.
///
/// Deliberately exhaustive: a new variant must break every enforcement point that has not said what
/// it does with it.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
#[must_use = "a verdict that is not enforced is a hole"]
pub enum Verdict {
    /// Let the action through as it is.
    Allow,
    /// Let it through with obligations fulfilled.
    Constrain,
    /// Wait until a person answers.
    Hold,
    /// Refuse it.
    Deny,
    /// Refuse it and everything else that this session attempts.
    Isolate,
}

impl Verdict {
    /// Whether the action may happen, obligations fulfilled.
    #[must_use]
    pub const fn lets_through(self) -> bool {
        match self {
            Self::Allow | Self::Constrain => true,
            Self::Hold | Self::Deny | Self::Isolate => false,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Constrain => "constrain",
            Self::Hold => "hold",
            Self::Deny => "deny",
            Self::Isolate => "isolate",
        })
    }
}

/// What an enforcement point must do if it lets the action through.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Obligation {
    /// Replace what is sensitive in one argument. Resolved to a [`Obligation::Rewrite`] by the
    /// engine before it is recorded.
    Redact {
        /// RFC 6901 pointer into the arguments.
        pointer: String,
        /// Classes of content to replace.
        classes: Vec<String>,
    },
    /// Put another string in place of one argument.
    Rewrite {
        /// RFC 6901 pointer into the arguments.
        pointer: String,
        /// The string that replaces what is there.
        value: String,
    },
    /// Let at most so many such actions through per minute; enforced by the engine.
    RateLimit {
        /// How many.
        per_minute: u32,
    },
    /// Let it through, and mark it for a person to look at.
    Watch,
}

/// A restriction that a rule orders.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Containment {
    /// What to take away.
    pub verb: Verb,
    /// From what.
    pub target: ContainmentScope,
    /// For how long, in ms.
    pub expires_ms: u64,
}

/// From whom a rule takes something away, seen from the action that it judges.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ContainmentScope {
    /// The session of the action.
    Session,
    /// Every session of its agent.
    Agent,
    /// Its tool server, in every session; the session where it has none.
    Server,
    /// The tool that it calls: with `disable_tool`.
    Tool,
}

/// Which person must approve, and how soon.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalNeed {
    /// Role of the person, in the organisation's words.
    pub role: String,
    /// How long the question stands, in ms; the node's own limit when lower.
    pub within_ms: u64,
}

/// One rule that spoke, and where it stands.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
pub struct RuleHit {
    /// Name of the rule, unique in the bundle.
    pub rule: String,
    /// File in the bundle; empty for a check of the engine itself.
    pub file: String,
    /// Line in the file, from 1; 0 for a check of the engine itself.
    pub line: u32,
    /// What it said.
    pub verdict: Verdict,
    /// Why, for the operator.
    pub reason: String,
    /// What the agent may do instead; told to the agent.
    pub advice: String,
}

/// The answer of a person.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct ApprovalAnswer {
    /// Whether the action may go on.
    pub choice: Choice,
    /// Who answered.
    pub by: Name,
    /// What they said.
    pub note: String,
}

/// What a person chose.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Let it happen, once.
    Approve,
    /// Refuse it.
    Deny,
}
