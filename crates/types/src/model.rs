//! What happens between an agent and its models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionId, Digest, Name, Operation, Ratio};

/// A tool call that a model emitted. Its action is born here: whoever carries it out claims this id.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Emission {
    /// The id of the call on all planes.
    pub action: ActionId,
    /// The model call that emitted it.
    pub model_call: ActionId,
    /// The provider's id of the call, cut to [`Emission::CALL_BYTES_MAX`].
    pub call: String,
    /// The operation that it asks for.
    pub operation: Operation,
    /// The arguments as emitted, a payload.
    pub arguments: Digest,
    /// Digest of the arguments in canonical form.
    pub canonical: Digest,
    /// Who decides it.
    pub decided: DecidedAt,
    /// How sure the model was of what it said so far, where the provider tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Ratio>,
    /// Digests of the longer strings among the arguments, at most [`Emission::WORDS_MAX`]: what a
    /// sub-agent is told stands among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Digest>,
}

impl Emission {
    /// The longest id of a provider that is kept, in bytes.
    pub const CALL_BYTES_MAX: usize = 256;
    /// The most strings that are kept of the arguments.
    pub const WORDS_MAX: usize = 16;
    /// The shortest string that is kept, in bytes: shorter ones stand everywhere by chance.
    pub const WORD_BYTES_MIN: usize = 12;
}

/// Where a call that a model emitted is decided.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedAt {
    /// In the answer of the model, before the agent sees it: nobody else stands in its way.
    Emission,
    /// Where it is carried out: an enforcement point stands before its server.
    Execution,
}

/// What an action that is carried out has to do with what a model emitted.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// A model emitted this very call.
    Emitted,
    /// A model emitted it with other arguments.
    Altered,
    /// No model emitted it, in a session whose model calls are seen.
    Orphan,
}

impl Claim {
    /// As policies and people spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Emitted => "emitted",
            Self::Altered => "altered",
            Self::Orphan => "orphan",
        }
    }
}

/// What of an agent's models can be recognised again.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// The model as served, by the name that was asked for.
    Model,
    /// The system prompt.
    SystemPrompt,
    /// The tools that are declared to the model.
    ToolSet,
}

impl MarkKind {
    /// As people spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::SystemPrompt => "system prompt",
            Self::ToolSet => "set of tools",
        }
    }
}

/// A mark of an agent that was not seen before.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Mark {
    /// Whose.
    pub agent: Name,
    /// What kind.
    pub kind: MarkKind,
    /// Of what: the provider, and for a model the name that was asked for.
    pub of: String,
    /// The mark: a digest, of a model the digest of the name as served.
    pub form: Digest,
    /// In words, where it is short.
    pub words: String,
}
