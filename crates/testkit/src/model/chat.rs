//! OpenAI's Chat Completions.

use serde_json::{Value, json};

use super::answer::{Answer, Call};
use super::conversation::{Conversation, ToolKind, items, str_of, text_of};
use super::scenario::Finish;

const CALL_ID_LETTERS: usize = 24;

/// Letters that the padding of a chunk is taken from.
const PADDING_LETTERS: usize = 14;

pub(super) fn read(body: &Value, read: &mut Conversation) {
    read.max_tokens = ["max_completion_tokens", "max_tokens"]
        .iter()
        .find_map(|name| body.get(*name).and_then(Value::as_u64));
    for message in items(body, "messages") {
        let text = text_of(message.get("content"));
        match str_of(message, "role") {
            "system" | "developer" => read.system_says(&text),
            "user" => read.user_says(text),
            "tool" => read.result(str_of(message, "tool_call_id"), text),
            _ => {}
        }
        for call in items(message, "tool_calls") {
            read.calls.push(str_of(call, "id").to_owned());
        }
    }
    for tool in items(body, "tools") {
        match str_of(tool, "type") {
            "custom" => read.declares(name_in(tool, "custom"), None, ToolKind::Custom),
            _ => read.declares(name_in(tool, "function"), None, ToolKind::Function),
        }
    }
}

fn name_in<'a>(tool: &'a Value, kind: &str) -> &'a str {
    tool.get(kind).map_or("", |inner| str_of(inner, "name"))
}

/// The answer in one piece.
pub(super) fn whole(answer: &Answer) -> Value {
    let mut message = json!({
        "role": "assistant",
        "content": if answer.text.is_empty() { Value::Null } else { json!(answer.text) },
        "refusal": null,
        "annotations": [],
    });
    if !answer.reasoning.is_empty() {
        insert(&mut message, "reasoning_content", json!(answer.reasoning));
    }
    if !answer.calls.is_empty() {
        let calls =
            answer.calls.iter().enumerate().map(|(place, call)| called(answer, place, call));
        insert(&mut message, "tool_calls", calls.collect());
    }
    json!({
        "id": id(answer),
        "object": "chat.completion",
        "created": answer.created,
        "model": answer.model,
        "choices": [{
            "index": 0,
            "message": message,
            "logprobs": logprobs(answer, &answer.text),
            "finish_reason": finish(answer),
        }],
        "usage": usage(answer),
        "service_tier": "default",
        "system_fingerprint": fingerprint(answer),
    })
}

fn called(answer: &Answer, place: usize, call: &Call) -> Value {
    let id = answer.call_id(place, "call_", CALL_ID_LETTERS);
    match call.tool.kind {
        ToolKind::Function | ToolKind::Search => json!({
            "id": id,
            "type": "function",
            "function": { "name": call.tool.name, "arguments": call.arguments },
        }),
        ToolKind::Custom => json!({
            "id": id,
            "type": "custom",
            "custom": { "name": call.tool.name, "input": call.arguments },
        }),
    }
}

/// The answer as server-sent events.
pub(super) fn stream(answer: &Answer, asked: &Conversation) -> Vec<String> {
    let mut chunks = Chunks { answer, options: Options::of(&asked.body), sent: Vec::new() };
    let content = if answer.text.is_empty() && !answer.calls.is_empty() { None } else { Some("") };
    chunks.delta(&json!({ "role": "assistant", "content": content, "refusal": null }));
    for piece in answer.pieces(&answer.reasoning) {
        chunks.delta(&json!({ "reasoning_content": piece }));
    }
    for piece in answer.pieces(&answer.text) {
        chunks.choice(&json!({ "content": piece }), &logprobs(answer, piece), None);
    }
    for (place, call) in answer.calls.iter().enumerate() {
        chunks.call(place, call);
    }
    chunks.end();
    chunks.sent
}

#[derive(Clone, Copy)]
struct Options {
    usage: bool,
    padding: bool,
}

impl Options {
    fn of(body: &Value) -> Self {
        let option = |name| body.get("stream_options").and_then(|options| options.get(name));
        Self {
            usage: option("include_usage") == Some(&Value::Bool(true)),
            padding: option("include_obfuscation") != Some(&Value::Bool(false)),
        }
    }
}

/// The chunks of one answer, as they are sent.
struct Chunks<'a> {
    answer: &'a Answer,
    options: Options,
    sent: Vec<String>,
}

impl Chunks<'_> {
    fn call(&mut self, place: usize, call: &Call) {
        let name = &call.tool.name;
        let id = self.answer.call_id(place, "call_", CALL_ID_LETTERS);
        let function = json!({ "name": name, "arguments": "" });
        self.tool(&json!({ "index": place, "id": id, "type": "function", "function": function }));
        for piece in self.answer.pieces(&call.arguments) {
            self.tool(&json!({ "index": place, "function": { "arguments": piece } }));
        }
    }

    fn tool(&mut self, call: &Value) {
        self.delta(&json!({ "tool_calls": [call] }));
    }

    fn delta(&mut self, delta: &Value) {
        self.choice(delta, &Value::Null, None);
    }

    fn choice(&mut self, delta: &Value, logprobs: &Value, finish: Option<&str>) {
        let choice = json!({
            "index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish,
        });
        self.chunk(&json!([choice]), Value::Null);
    }

    fn chunk(&mut self, choices: &Value, usage: Value) {
        let answer = self.answer;
        let mut chunk = json!({
            "id": id(answer),
            "object": "chat.completion.chunk",
            "created": answer.created,
            "model": answer.model,
            "service_tier": "default",
            "system_fingerprint": fingerprint(answer),
            "choices": choices,
        });
        if self.options.usage {
            insert(&mut chunk, "usage", usage);
        }
        if self.options.padding {
            let purpose = format!("padding {}", self.sent.len());
            let length = self.sent.len() % PADDING_LETTERS + 1;
            insert(&mut chunk, "obfuscation", json!(answer.seed.letters(&purpose, length)));
        }
        self.sent.push(data(&chunk.to_string()));
    }

    fn end(&mut self) {
        if let Some(error) = &self.answer.error {
            self.sent.push(data(&super::error::in_chat(error).to_string()));
            return;
        }
        self.choice(&json!({}), &Value::Null, Some(finish(self.answer)));
        if self.options.usage {
            self.chunk(&json!([]), usage(self.answer));
        }
        self.sent.push(data("[DONE]"));
    }
}

fn data(text: &str) -> String {
    format!("data: {text}\n\n")
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

fn id(answer: &Answer) -> String {
    answer.seed.id("chatcmpl-", 0, 29)
}

fn fingerprint(answer: &Answer) -> String {
    format!("fp_{}", answer.seed.letters("fingerprint", 10))
}

fn finish(answer: &Answer) -> &'static str {
    match answer.finish {
        Some(Finish::Length) => "length",
        Some(Finish::Filter) => "content_filter",
        None if answer.calls.is_empty() => "stop",
        None => "tool_calls",
    }
}

fn usage(answer: &Answer) -> Value {
    let (input, output) = (answer.input_tokens(), answer.output_tokens());
    json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
        "completion_tokens_details": {
            "reasoning_tokens": answer.reasoning_tokens(),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

fn logprobs(answer: &Answer, text: &str) -> Value {
    if !answer.logprobs || text.is_empty() {
        return Value::Null;
    }
    json!({ "content": tokens(answer, text), "refusal": null })
}

/// The pieces of a text as if each were a token of the model.
pub(super) fn tokens(answer: &Answer, text: &str) -> Vec<Value> {
    let token = |piece: &str| json!({ "token": piece, "logprob": -0.25, "bytes": piece.as_bytes(), "top_logprobs": [] });
    answer.pieces(text).into_iter().map(token).collect()
}
