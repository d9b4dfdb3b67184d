//! What is seen and not decided, and what an action did.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionId, Measured, Name};

/// Something seen and not decided.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Observation {
    /// What kind of thing.
    pub kind: ObservationKind,
    /// The server it came from or went to.
    pub server: Name,
    /// The action it belongs to, where there is one.
    pub action: Option<ActionId>,
}

/// Kinds of observation.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ObservationKind {
    /// What a server says of itself: name, version, instructions, capabilities.
    ServerHello,
    /// A list of tools, prompts or resources.
    Catalogue,
    /// The result of an action, before the agent sees it.
    Result,
    /// A server asks the client's model or the person for something.
    ServerRequest,
    /// The person who stated the task said more, through a channel that the agent does not hold.
    UserMessage,
    /// What the agent's model said.
    ModelOutput,
    /// Stands in a window: what the model is told of its part.
    SystemPrompt,
    /// Stands in a window: what the agent says for whoever uses it.
    UserTurn,
    /// Stands in a window: what the model said before, as the agent tells it.
    AssistantTurn,
    /// Stands in a window: what a tool returned, as the agent tells it.
    ToolResult,
    /// Stands in a window: text of a document or a file.
    Document,
    /// Stands in a window: an image, a sound, or what only the provider can read.
    Media,
    /// The tools that are declared to a model.
    ToolSet,
    /// What stands in a window, item by item, beside the window before.
    Window,
    /// A message that an enforcement point refused because it could not be read.
    Malformed,
}

impl ObservationKind {
    /// As people and records spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServerHello => "server_hello",
            Self::Catalogue => "catalogue",
            Self::Result => "result",
            Self::ServerRequest => "server_request",
            Self::UserMessage => "user_message",
            Self::ModelOutput => "model_output",
            Self::SystemPrompt => "system_prompt",
            Self::UserTurn => "user_turn",
            Self::AssistantTurn => "assistant_turn",
            Self::ToolResult => "tool_result",
            Self::Document => "document",
            Self::Media => "media",
            Self::ToolSet => "tool_set",
            Self::Window => "window",
            Self::Malformed => "malformed",
        }
    }
}

/// The measured outcome of an action.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Effect {
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes sent to the server.
    pub request_bytes: u64,
    /// Bytes that came back.
    pub response_bytes: u64,
    /// From release to outcome, in ms, by the enforcement point's clock.
    pub elapsed_ms: u64,
    /// What the enforcement point saw, in words, when the outcome is not `done`.
    pub detail: String,
    /// What the kernel saw done, where the processes that served the action are governed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
}

/// How an action ended.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The server answered that it was done.
    Done,
    /// The server answered that it failed.
    Failed,
    /// Nobody knows: the answer never came.
    Unknown,
}
