//! What is decided.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionId, Digest, Name, SessionId};

/// One attempted operation, caught before it happens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Action {
    /// Its id on all planes.
    pub id: ActionId,
    /// The session it belongs to.
    pub session: SessionId,
    /// The action that caused it, where known.
    pub parent: Option<ActionId>,
    /// What it would do.
    pub operation: Operation,
    /// The arguments, as the JSON text that the agent sent.
    pub arguments: String,
    /// Digest of the arguments in canonical form: sorted keys, no white space, numbers as spelled.
    pub canonical: Digest,
}

/// The operation that an action attempts.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Operation {
    /// The kind of operation.
    pub kind: OperationKind,
    /// The server, as the operator named it.
    pub server: Name,
    /// The tool, resource or prompt.
    pub name: String,
}

/// Kinds of operation that an enforcement point can catch.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// MCP `tools/call`.
    ToolCall,
    /// MCP `resources/read` and `resources/subscribe`.
    ResourceRead,
    /// MCP `prompts/get`.
    PromptGet,
}

/// What a tool does to the world, ordered by how much harm a wrong call can do.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ToolClass {
    /// Looks and changes nothing.
    Read,
    /// Changes things that can be changed back.
    Write,
    /// Tells somebody something.
    Send,
    /// Changes how other things work.
    Configure,
    /// Destroys.
    Delete,
    /// Moves money.
    Pay,
    /// Runs code.
    Execute,
    /// Nobody said: treated as the most harmful.
    Unknown,
}

impl ToolClass {
    /// Whether a call of this class may change anything outside the agent.
    #[must_use]
    pub const fn has_effect(self) -> bool {
        !matches!(self, Self::Read)
    }
}
