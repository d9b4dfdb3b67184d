//! A reply of the script, made for one request: templates filled, tools found, ids given.

use anyhow::Result;
use serde_json::Value;

use super::conversation::{Conversation, Tool, ToolKind};
use super::scenario::{Finish, Reply, ScriptedCall};
use super::seed::Seed;
use super::template;

/// Bytes in one delta, when the script does not say.
const PIECE_BYTES: usize = 16;

/// Bytes that are counted as one token.
const TOKEN_BYTES: usize = 4;

/// What a script that says nothing says.
const DEFAULT_TEXT: &str = "ok";

/// What the model answers.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) seed: Seed,
    /// When, in seconds since the epoch.
    pub(super) created: u64,
    pub(super) model: String,
    pub(super) reasoning: String,
    pub(super) text: String,
    pub(super) calls: Vec<Call>,
    pub(super) finish: Option<Finish>,
    pub(super) logprobs: bool,
    pub(super) partial_args: bool,
    /// What the stream ends with instead of its end.
    pub(super) error: Option<Value>,
    piece_bytes: usize,
    input_tokens: usize,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) tool: Tool,
    pub(super) arguments: String,
    /// The id that the script gives it, if it does.
    id: Option<String>,
}

impl Answer {
    /// Makes the answer to a request.
    ///
    /// # Errors
    ///
    /// When a template finds nothing.
    pub(super) fn new(
        reply: &Reply,
        asked: &Conversation,
        seed: Seed,
        created: u64,
    ) -> Result<Self> {
        let calls = reply.calls.iter().map(|call| Call::new(call, asked)).collect::<Result<_>>()?;
        let silent = reply.text.is_empty() && reply.calls.is_empty();
        let text = if silent { DEFAULT_TEXT } else { &reply.text };
        Ok(Self {
            seed,
            created,
            model: reply.model.clone().unwrap_or_else(|| asked.model.clone()),
            reasoning: template::fill(&reply.reasoning, asked)?,
            text: template::fill(text, asked)?,
            calls,
            finish: reply.finish,
            logprobs: reply.logprobs,
            partial_args: reply.partial_args,
            error: reply.error.clone(),
            piece_bytes: reply.chunks.unwrap_or(PIECE_BYTES).max(1),
            input_tokens: tokens(&asked.body.to_string()),
        })
    }

    /// The deltas that a text is sent in.
    pub(super) fn pieces<'a>(&self, text: &'a str) -> Vec<&'a str> {
        pieces(text, self.piece_bytes)
    }

    pub(super) const fn input_tokens(&self) -> usize {
        self.input_tokens
    }

    pub(super) fn reasoning_tokens(&self) -> usize {
        if self.reasoning.is_empty() { 0 } else { tokens(&self.reasoning) }
    }

    /// All output tokens, those of the reasoning included.
    pub(super) fn output_tokens(&self) -> usize {
        let calls: usize = self.calls.iter().map(|call| tokens(&call.arguments) + 8).sum();
        self.reasoning_tokens() + tokens(&self.text) + calls
    }

    pub(super) fn call_id(&self, place: usize, prefix: &str, length: usize) -> String {
        self.calls
            .get(place)
            .and_then(|call| call.id.clone())
            .unwrap_or_else(|| self.seed.id(prefix, place, length))
    }
}

impl Call {
    fn new(call: &ScriptedCall, asked: &Conversation) -> Result<Self> {
        let undeclared =
            || Tool { name: call.tool.clone(), namespace: None, kind: ToolKind::Function };
        let tool = asked.tool(&call.tool).cloned().unwrap_or_else(undeclared);
        let arguments = match &call.arguments_text {
            Some(text) => template::fill(text, asked)?,
            None => written(&tool, template::fill_value(&call.arguments, asked)?),
        };
        Ok(Self { tool, arguments, id: call.id.clone() })
    }

    /// The arguments as an object, which is empty if they are not one.
    pub(super) fn object(&self) -> Value {
        serde_json::from_str(&self.arguments)
            .ok()
            .filter(Value::is_object)
            .unwrap_or_else(|| Value::Object(serde_json::Map::new()))
    }
}

fn written(tool: &Tool, arguments: Value) -> String {
    match (tool.kind, arguments) {
        (_, Value::Null) => "{}".to_owned(),
        (ToolKind::Custom, Value::String(text)) => text,
        (_, arguments) => arguments.to_string(),
    }
}

fn tokens(text: &str) -> usize {
    text.len() / TOKEN_BYTES + 1
}

/// Parts of at least `bytes` bytes that end where a character ends.
fn pieces(text: &str, bytes: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut left = text;
    while !left.is_empty() {
        let end = (bytes..left.len()).find(|at| left.is_char_boundary(*at)).unwrap_or(left.len());
        let (piece, rest) = left.split_at(end);
        pieces.push(piece);
        left = rest;
    }
    pieces
}
