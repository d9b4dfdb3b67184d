//! What a model answered, in one form for all APIs.

use pathwarden_types::Ratio;

/// Everything that a model said in one answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Output {
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model as served, which may be more precise than the one that was asked for.
    pub model: Option<String>,
    /// What it said to the user.
    pub text: String,
    /// What it reasoned, or the summary of it, where the provider tells.
    pub reasoning: String,
    /// Calls of tools that the agent is to make, in order.
    pub calls: Vec<Call>,
    /// Calls of tools that the provider made itself, in order.
    pub server_calls: Vec<ServerCall>,
    /// Why it stopped, as the provider spells it.
    pub finish: Option<String>,
    /// What it cost.
    pub usage: Usage,
    /// The mean probability of its tokens, where the provider gives log-probabilities.
    pub confidence: Option<Ratio>,
    /// The provider's mark of the system that served it (`system_fingerprint`).
    pub fingerprint: Option<String>,
}

/// A call of a tool that a model asks the agent to make.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The provider's id of it; made from its place where the provider gives none (Gemini).
    pub id: String,
    /// The tool, by the name that the request gave it.
    pub name: String,
    /// The arguments: JSON text of an object. What is no object stands in one, as `{"input": …}`.
    pub arguments: String,
    /// How the provider spells it.
    pub kind: CallKind,
}

/// How a provider spells a call.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum CallKind {
    /// A function with an object as arguments.
    Function,
    /// A tool that takes free text (OpenAI `custom_tool_call`).
    Custom,
    /// A tool that the provider defines and the agent runs: shell, computer, patch, text editor.
    BuiltIn,
}

/// A call of a tool that the provider made by itself: nobody could stop it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerCall {
    /// What kind, as the provider spells it: `mcp_call`, `web_search_call`, `server_tool_use`.
    pub kind: String,
    /// The tool, where it has a name.
    pub name: String,
    /// What it was called with, as JSON text; empty where the provider does not tell.
    pub arguments: String,
}

/// Tokens, where the provider tells.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Tokens of the window.
    pub input_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub output_tokens: u64,
    /// Of the answer, those of reasoning.
    pub reasoning_tokens: u64,
    /// Of the window, those that were cached.
    pub cached_tokens: u64,
}

/// What becomes of a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ruling {
    /// The agent gets it as it came.
    Release,
    /// The agent gets it with these arguments: JSON text of an object, in the form of
    /// [`Call::arguments`].
    Rewrite(String),
    /// The agent gets these words of the model instead.
    Instead(String),
}
