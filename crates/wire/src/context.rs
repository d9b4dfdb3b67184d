//! Bodies of the HTTP API about what models were shown and what they said.

use pathwarden_types::{ActionId, Digest, Integrity, ObservationKind, SessionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stood in the window of a model call.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct ContextShown {
    /// The session.
    pub session: SessionId,
    /// The model call.
    pub call: ActionId,
    /// The model that was asked.
    pub model: String,
    /// The conversation: its first call.
    pub thread: ActionId,
    /// The call before in this conversation.
    pub before: Option<ActionId>,
    /// The tool call that told this conversation what to do, when it is a sub-agent's.
    pub spawned_by: Option<ActionId>,
    /// What happened to the window before, in a word.
    pub change: String,
    /// How many pieces of the window before are nowhere in this one.
    pub gone: u64,
    /// What the provider added from what it keeps, by its id there.
    pub continues: Option<String>,
    /// The pieces, in order.
    pub pieces: Vec<PieceShown>,
    /// The tools that were declared, as one JSON text; `None` when there were none.
    pub tools: Option<String>,
    /// What the model answered, as it is on record.
    pub said: Option<serde_json::Value>,
}

/// One piece of a window.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct PieceShown {
    /// What it is.
    pub kind: ObservationKind,
    /// Who may have shaped it, as far as was known when it was first shown.
    pub integrity: Integrity,
    /// Digest of its content.
    pub content: Digest,
    /// Length of its content.
    pub bytes: u64,
    /// The tool or the file, where it has a name.
    pub name: Option<String>,
    /// The tool call that it is or answers, where that is known.
    pub action: Option<ActionId>,
    /// Whether it was not in the window before.
    pub is_new: bool,
    /// Its text; `None` when the payload is gone.
    pub text: Option<String>,
}

/// Two windows beside each other.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct ContextDiff {
    /// The first call.
    pub first: ActionId,
    /// The second call.
    pub second: ActionId,
    /// How many pieces stand in both.
    pub both: u64,
    /// Pieces that only the first has.
    pub only_first: Vec<PieceShown>,
    /// Pieces that only the second has.
    pub only_second: Vec<PieceShown>,
}

/// Two runs beside each other.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct Comparison {
    /// The first run.
    pub first: SessionId,
    /// The second run.
    pub second: SessionId,
    /// How many model calls of both are the same, from the first one on.
    pub same_calls: u64,
    /// Where they part; `None` when they do not.
    pub parting: Option<PartingShown>,
}

/// Where two runs part.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct PartingShown {
    /// What differs: `input`, `asked`, `output` or `length`.
    pub on: String,
    /// In words.
    pub words: String,
    /// The call of the first run, if it has one there.
    pub first_call: Option<ActionId>,
    /// The call of the second run, if it has one there.
    pub second_call: Option<ActionId>,
    /// What stands there in the first run, and in the second: a piece, or what the model said.
    pub first_text: Option<String>,
    /// See [`PartingShown::first_text`].
    pub second_text: Option<String>,
}

/// What a model said, in a path.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct SaidShown {
    /// What it said, cut short.
    pub text: String,
    /// What it reasoned, cut short.
    pub reasoning: String,
    /// Why it stopped, as the provider spells it.
    pub finish: String,
}

/// What was new in a window, in a path.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct WindowShown {
    /// The conversation: its first call.
    pub thread: ActionId,
    /// The tool call that told this conversation what to do.
    pub spawned_by: Option<ActionId>,
    /// What happened to the window before, in a word.
    pub change: String,
    /// What is new in it, cut short.
    pub added: Vec<PieceShown>,
}
