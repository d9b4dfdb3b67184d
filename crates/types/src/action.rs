//! What is decided.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionId, Claim, Digest, Name, Restriction, SessionId, Supply};

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
    /// How what it uses stands, as fetched for its decision; `None` for what no server has listed.
    pub supply: Option<Supply>,
    /// What it has to do with what a model emitted; `None` where no model is seen.
    pub claim: Option<Claim>,
    /// What is taken from its session, its agent or its server, as fetched for its decision.
    pub restrictions: Vec<Restriction>,
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
    Clone, Copy, Debug, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// MCP `tools/call`.
    ToolCall,
    /// MCP `resources/read` and `resources/subscribe`.
    ResourceRead,
    /// MCP `prompts/get`.
    PromptGet,
    /// MCP `sampling/createMessage`: a server asks the client's model.
    Sampling,
    /// MCP `elicitation/create`: a server asks the person behind the client.
    Elicitation,
    /// MCP `roots/list`: a server asks which folders the client works on.
    Roots,
    /// What a client answers to a server that asked.
    Reply,
    /// A call of a model: the server is its provider, the name is that of the model.
    ModelCall,
    /// A program is to be started on the machine. The arguments are a
    /// [`HostAttempt`](crate::HostAttempt), as for the next three.
    Exec,
    /// A file or a folder is to be opened or changed.
    File,
    /// An address is to be reached.
    Connect,
    /// Something was done on the machine that no decision on the machine covers: it is judged
    /// afterwards, and what follows from it is containment.
    Effect,
}

impl OperationKind {
    /// Every kind, in order.
    pub const ALL: [Self; 12] = [
        Self::ToolCall,
        Self::ResourceRead,
        Self::PromptGet,
        Self::Sampling,
        Self::Elicitation,
        Self::Roots,
        Self::Reply,
        Self::ModelCall,
        Self::Exec,
        Self::File,
        Self::Connect,
        Self::Effect,
    ];

    /// As policies and records spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToolCall => "tool_call",
            Self::ResourceRead => "resource_read",
            Self::PromptGet => "prompt_get",
            Self::Sampling => "sampling",
            Self::Elicitation => "elicitation",
            Self::Roots => "roots",
            Self::Reply => "reply",
            Self::ModelCall => "model_call",
            Self::Exec => "exec",
            Self::File => "file",
            Self::Connect => "connect",
            Self::Effect => "effect",
        }
    }

    /// Whether it is something that processes do to a machine.
    #[must_use]
    pub const fn is_on_host(self) -> bool {
        match self {
            Self::Exec | Self::File | Self::Connect | Self::Effect => true,
            Self::ToolCall
            | Self::ResourceRead
            | Self::PromptGet
            | Self::Sampling
            | Self::Elicitation
            | Self::Roots
            | Self::Reply
            | Self::ModelCall => false,
        }
    }
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
