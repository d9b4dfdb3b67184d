//! What a policy is told: every field is always present, so that a rule cannot fail open because
//! something was missing.

use pathwarden_types::{OperationKind, Risk, ToolClass};
use serde::{Deserialize, Serialize};

/// The `input` of a policy.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What is attempted.
    pub action: ActionFacts,
    /// Who attempts it.
    pub agent: AgentFacts,
    /// What they were asked to do.
    pub task: TaskFacts,
    /// What the session did before.
    pub session: SessionFacts,
    /// Whom or what the action reaches.
    pub targets: Vec<Target>,
    /// Sensitive content found in the arguments.
    pub contents: Vec<Content>,
    /// Whether a person has answered.
    pub approval: ApprovalState,
    /// The fused score and its terms.
    pub risk: Risk,
    /// The node's clock, in ms since the Unix epoch.
    pub now_ms: u64,
}

/// What is attempted.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ActionFacts {
    /// The kind of operation.
    pub kind: OperationKind,
    /// The server, as the operator named it.
    pub server: String,
    /// Whether the operator runs the server.
    pub server_inside: bool,
    /// The tool, resource or prompt.
    pub name: String,
    /// What such a tool does to the world.
    pub class: ToolClass,
    /// The arguments: any JSON object.
    pub arguments: serde_json::Value,
    /// Length of the arguments as sent.
    pub arguments_bytes: u64,
}

/// Who attempts it.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgentFacts {
    /// Its identity.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// What it is in the organisation.
    pub role: String,
    /// What it is for.
    pub purpose: String,
}

/// What they were asked to do.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaskFacts {
    /// Whether a person stated a task at all.
    pub stated: bool,
    /// The statement; empty when there is none.
    pub text: String,
}

/// What the session did before.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionFacts {
    /// Decisions so far.
    pub actions: u64,
    /// Of these, refused.
    pub refused: u64,
    /// How often this very call (server, name, canonical arguments) was decided before.
    pub repeats: u64,
    /// Whether content that outsiders may have shaped was read.
    pub untrusted_seen: bool,
    /// Whether restricted content was read.
    pub restricted_seen: bool,
}

/// Whom or what the action reaches, found in a target argument.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// RFC 6901 pointer into the arguments.
    pub pointer: String,
    /// What kind of target.
    pub kind: TargetKind,
    /// The value, normalised (lower-case address).
    pub value: String,
    /// Whether it belongs to the operator's own organisation.
    pub inside: bool,
    /// Where the value came from.
    pub given_by: GivenBy,
}

/// Kinds of target.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// An e-mail address.
    Email,
    /// A URL.
    Url,
    /// A bank account.
    Account,
}

/// Where a target's value came from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenBy {
    /// The person who stated the task named it.
    Task,
    /// It stands in content of the organisation's own that the session read.
    Content,
    /// It stands only in content that outsiders may have written.
    OutsideContent,
    /// Nobody: the agent made it up, or it came from where we do not see.
    Nobody,
}

/// Sensitive content found in one argument.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// RFC 6901 pointer into the arguments.
    pub pointer: String,
    /// Class of content, for example `iban` or `tax_id`.
    pub class: String,
    /// How many pieces of it.
    pub count: u64,
}

/// Whether a person has answered.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody was asked, or nobody has answered yet.
    None,
    /// A person approved this very action.
    Approved,
}
