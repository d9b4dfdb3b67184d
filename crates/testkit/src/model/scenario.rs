//! The script: turns, each with what it answers to and what it says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::conversation::{Api, Conversation};
use super::pattern::Pattern;

/// An ordered list of turns. A request gets the first that matches it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The models that are listed.
    #[serde(default)]
    pub(super) models: Vec<String>,
    #[serde(default)]
    pub(super) turns: Vec<Turn>,
}

/// One turn of the model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    #[serde(default)]
    pub(super) when: When,
    pub(super) reply: Reply,
    /// How often this turn answers, in the life of the server; then later turns are looked at.
    pub(super) times: Option<usize>,
}

/// What a request must be for a turn to answer it: everything that is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    api: Option<Api>,
    /// How many tool results the conversation has so far.
    step: Option<Steps>,
    model_has: Option<Pattern>,
    system_has: Option<Pattern>,
    user_has: Option<Pattern>,
    result_has: Option<Pattern>,
    has_tool: Option<String>,
    /// The limit of output tokens that the request sets.
    max_tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Steps {
    One(usize),
    Any(Vec<usize>),
}

/// What the model says, and how the answer travels.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Reply {
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) calls: Vec<ScriptedCall>,
    /// Why the model stops, if not because it has said or called everything.
    pub(super) finish: Option<Finish>,
    /// The model that is said to have answered, instead of the one asked for.
    pub(super) model: Option<String>,
    pub(super) logprobs: bool,
    /// Bytes in one delta of text or arguments (characters stay whole).
    pub(super) chunks: Option<usize>,
    /// Gemini only: arguments come value by value, as Vertex can send them.
    pub(super) partial_args: bool,
    pub(super) status: Option<u16>,
    /// A message, which is put as the vendor would, or a body of its own. Without a `status` of 400
    /// or more it comes in the stream, in place of the end.
    pub(super) error: Option<Value>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) delay_ms: u64,
    /// Bytes of the body after which the connection breaks.
    pub(super) cut_after: Option<usize>,
    pub(super) gzip: bool,
    /// The body, as it is.
    pub(super) raw: Option<String>,
    /// The body, as it is, in base64: for what is not UTF-8.
    pub(super) raw_base64: Option<String>,
}

/// A call of a tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptedCall {
    /// The name, or how the name ends.
    pub(super) tool: String,
    #[serde(default)]
    pub(super) arguments: Value,
    /// The arguments as text, for what is not JSON or not written as a serialiser would.
    pub(super) arguments_text: Option<String>,
    pub(super) id: Option<String>,
}

/// Why a model stops early.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Finish {
    /// The limit of output tokens.
    Length,
    /// The vendor's own filter.
    Filter,
}

impl Scenario {
    /// Reads a scenario: JSON if the name of the file ends so, else TOML.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not a scenario.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        if path.extension().is_some_and(|ending| ending == "json") {
            serde_json::from_str(&text).context("read the scenario as JSON")
        } else {
            Self::from_toml(&text)
        }
    }

    pub(super) fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text).context("read the scenario as TOML")
    }
}

impl When {
    pub(super) fn matches(&self, asked: &Conversation) -> bool {
        let has = |pattern: &Option<Pattern>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| pattern.is_in(text))
        };
        self.api.is_none_or(|api| api == asked.api)
            && self.step.as_ref().is_none_or(|steps| steps.hold(asked.results.len()))
            && self.max_tokens.is_none_or(|tokens| asked.max_tokens == Some(tokens))
            && self.has_tool.as_ref().is_none_or(|name| asked.tool(name).is_some())
            && has(&self.model_has, &asked.model)
            && has(&self.system_has, &asked.system)
            && has(&self.user_has, &asked.user)
            && has(&self.result_has, asked.results.last().map_or("", String::as_str))
    }
}

impl Steps {
    fn hold(&self, step: usize) -> bool {
        match self {
            Self::One(one) => *one == step,
            Self::Any(steps) => steps.contains(&step),
        }
    }
}
