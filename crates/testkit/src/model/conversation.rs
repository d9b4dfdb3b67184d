//! What a request says, whatever API it came by.

use serde::Deserialize;
use serde_json::Value;

use super::{chat, gemini, messages, responses};

/// Which API a request came by.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Api {
    /// OpenAI's Chat Completions.
    Chat,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's Messages.
    Messages,
    /// Google's Gemini.
    Gemini,
}

/// One request, read.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) api: Api,
    pub(super) body: Value,
    pub(super) model: String,
    pub(super) stream: bool,
    pub(super) system: String,
    /// The text of the last message of the user that has any.
    pub(super) user: String,
    /// What tools answered, in order.
    pub(super) results: Vec<String>,
    pub(super) tools: Vec<Tool>,
    pub(super) max_tokens: Option<u64>,
    /// The ids of the calls in the conversation.
    pub(super) calls: Vec<String>,
    /// The ids of the calls that the results are for.
    pub(super) answered: Vec<String>,
}

/// A tool that the request declares.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Tool {
    pub(super) name: String,
    /// The group that it is in, for an API that has groups.
    pub(super) namespace: Option<String>,
    pub(super) kind: ToolKind,
}

/// What a tool takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ToolKind {
    /// Arguments: a JSON object.
    Function,
    /// A text.
    Custom,
    /// What to search among tools that are not declared; the client finds them.
    Search,
}

impl Conversation {
    /// Reads the body of a request. What is absent or of another type is as if it were empty: the
    /// agents are tested here, not this server.
    pub(super) fn read(api: Api, body: Value) -> Self {
        let mut read = Self {
            api,
            model: string(&body, "model"),
            stream: body.get("stream") == Some(&Value::Bool(true)),
            system: String::new(),
            user: String::new(),
            results: Vec::new(),
            tools: Vec::new(),
            max_tokens: None,
            calls: Vec::new(),
            answered: Vec::new(),
            body: Value::Null,
        };
        match api {
            Api::Chat => chat::read(&body, &mut read),
            Api::Responses => responses::read(&body, &mut read),
            Api::Messages => messages::read(&body, &mut read),
            Api::Gemini => gemini::read(&body, &mut read),
        }
        read.body = body;
        read
    }

    /// The declared tool of this name, or else the first whose name ends with it as a part.
    pub(super) fn tool(&self, wanted: &str) -> Option<&Tool> {
        let ends = |tool: &&Tool| {
            tool.full_name()
                .strip_suffix(wanted)
                .is_some_and(|start| !start.ends_with(char::is_alphanumeric))
        };
        self.tools.iter().find(|tool| tool.name == wanted).or_else(|| self.tools.iter().find(ends))
    }

    /// A call that has no result, or a result without a call.
    pub(super) fn loose_end(&self) -> Option<LooseEnd<'_>> {
        let unanswered = self.calls.iter().find(|id| !self.answered.contains(id));
        let unasked = self.answered.iter().find(|id| !self.calls.contains(id));
        unanswered
            .map(|id| LooseEnd::Unanswered(id))
            .or_else(|| unasked.map(|id| LooseEnd::Unasked(id)))
    }

    pub(super) fn system_says(&mut self, text: &str) {
        add_line(&mut self.system, text);
    }

    pub(super) fn user_says(&mut self, text: String) {
        if !text.trim().is_empty() {
            self.user = text;
        }
    }

    pub(super) fn result(&mut self, call: &str, text: String) {
        self.answered.push(call.to_owned());
        self.results.push(text);
    }

    pub(super) fn declares(&mut self, name: &str, namespace: Option<&str>, kind: ToolKind) {
        let namespace = namespace.map(str::to_owned);
        self.tools.push(Tool { name: name.to_owned(), namespace, kind });
    }
}

/// What is wrong with the calls of a conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LooseEnd<'a> {
    Unanswered(&'a str),
    Unasked(&'a str),
}

impl Tool {
    fn full_name(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}__{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The items of a list field.
pub(super) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text field.
pub(super) fn string(value: &Value, name: &str) -> String {
    str_of(value, name).to_owned()
}

/// A text field, borrowed.
pub(super) fn str_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The text of what is a text, or a list of parts of which some have a text or name a tool.
pub(super) fn text_of(content: Option<&Value>) -> String {
    let mut text = String::new();
    match content {
        Some(Value::String(whole)) => text.push_str(whole),
        Some(Value::Array(parts)) => {
            for part in parts {
                let names = ["text", "tool_name"].iter().find_map(|name| part.get(*name)?.as_str());
                add_line(&mut text, part.as_str().or(names).unwrap_or_default());
            }
        }
        _ => {}
    }
    text
}

fn add_line(text: &mut String, line: &str) {
    if !text.is_empty() && !line.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}
