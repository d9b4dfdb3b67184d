//! Google's Gemini.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Call};
use super::conversation::{Conversation, ToolKind, items, str_of, text_of};
use super::scenario::Finish;

const SIGNATURE_LETTERS: usize = 240;

/// How a stream is framed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    /// Server-sent events, with `alt=sse`.
    Sse,
    /// One JSON array, sent piece by piece.
    Array,
}

pub(super) fn read(body: &Value, read: &mut Conversation) {
    let config = either(body, "generationConfig", "generation_config");
    read.max_tokens =
        config.and_then(|config| config.get("maxOutputTokens")).and_then(Value::as_u64);
    if let Some(system) = either(body, "systemInstruction", "system_instruction") {
        read.system_says(&text_of(system.get("parts")));
    }
    for content in items(body, "contents") {
        if str_of(content, "role") != "model" {
            read.user_says(text_of(content.get("parts")));
        }
        for part in items(content, "parts") {
            if let Some(response) = either(part, "functionResponse", "function_response") {
                read.results.push(result(response));
            }
        }
    }
    for tool in items(body, "tools") {
        let declared = either(tool, "functionDeclarations", "function_declarations");
        for function in declared.and_then(Value::as_array).into_iter().flatten() {
            read.declares(str_of(function, "name"), None, ToolKind::Function);
        }
    }
}

fn either<'a>(value: &'a Value, camel: &str, snake: &str) -> Option<&'a Value> {
    value.get(camel).or_else(|| value.get(snake))
}

/// The text of a result, or its JSON if it is not one text.
fn result(response: &Value) -> String {
    let response = response.get("response").unwrap_or(&Value::Null);
    ["result", "output", "return_value", "error"]
        .iter()
        .find_map(|name| response.get(*name).and_then(Value::as_str))
        .map_or_else(|| response.to_string(), str::to_owned)
}

/// The answer in one piece.
pub(super) fn whole(answer: &Answer) -> Value {
    let mut parts = Vec::new();
    if !answer.reasoning.is_empty() {
        parts.push(json!({ "text": answer.reasoning, "thought": true }));
    }
    if !answer.text.is_empty() {
        parts.push(json!({ "text": answer.text }));
    }
    parts.extend(answer.calls.iter().enumerate().map(|(place, call)| called(answer, place, call)));
    response(answer, &Value::Array(parts), Some(finish(answer)))
}

/// The first call carries the signature of the thinking that led to it.
fn called(answer: &Answer, place: usize, call: &Call) -> Value {
    let id = answer.call_id(place, "", 8);
    signed(answer, place, &json!({ "id": id, "name": call.tool.name, "args": call.object() }))
}

fn signed(answer: &Answer, place: usize, call: &Value) -> Value {
    if place == 0 {
        let signature = answer.seed.letters("signature", SIGNATURE_LETTERS);
        json!({ "functionCall": call, "thoughtSignature": signature })
    } else {
        json!({ "functionCall": call })
    }
}

/// The answer piece by piece. The last piece says why the model stopped.
pub(super) fn stream(answer: &Answer, framing: Framing) -> Vec<String> {
    let mut parts = Vec::new();
    let thoughts = answer.pieces(&answer.reasoning).into_iter();
    parts.extend(thoughts.map(|piece| json!({ "text": piece, "thought": true })));
    parts.extend(answer.pieces(&answer.text).into_iter().map(|piece| json!({ "text": piece })));
    for (place, call) in answer.calls.iter().enumerate() {
        if answer.partial_args {
            parts.extend(value_by_value(answer, place, call));
        } else {
            parts.push(called(answer, place, call));
        }
    }
    let last = parts.len().saturating_sub(1);
    let ends = |place| (place == last && answer.error.is_none()).then(|| finish(answer));
    let mut chunks: Vec<_> = parts
        .iter()
        .enumerate()
        .map(|(place, part)| response(answer, &json!([part]), ends(place)))
        .collect();
    chunks.extend(answer.error.as_ref().map(super::error::in_gemini));
    framed(&chunks, framing)
}

/// A call whose arguments come one leaf at a time, long texts in pieces.
fn value_by_value(answer: &Answer, place: usize, call: &Call) -> Vec<Value> {
    let id = answer.call_id(place, "", 8);
    let start = json!({ "id": id, "name": call.tool.name, "willContinue": true });
    let mut parts = vec![signed(answer, place, &start)];
    let mut leaves = Vec::new();
    collect_leaves(&call.object(), "$", &mut leaves);
    for (path, leaf) in leaves {
        for partial in partials(answer, &path, &leaf) {
            let call = json!({ "partialArgs": [partial], "willContinue": true });
            parts.push(json!({ "functionCall": call }));
        }
    }
    parts.push(json!({ "functionCall": {} }));
    parts
}

fn collect_leaves(value: &Value, path: &str, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                collect_leaves(field, &format!("{path}.{name}"), leaves);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                collect_leaves(item, &format!("{path}[{place}]"), leaves);
            }
        }
        leaf => leaves.push((path.to_owned(), leaf.clone())),
    }
}

fn partials(answer: &Answer, path: &str, leaf: &Value) -> Vec<Value> {
    let named = |name: &str, value: &Value| json!({ "jsonPath": path, name: value });
    match leaf {
        Value::String(text) => {
            let pieces = if text.is_empty() { vec![""] } else { answer.pieces(text) };
            let last = pieces.len().saturating_sub(1);
            let partial = |(place, piece): (usize, &&str)| json!({ "jsonPath": path, "stringValue": piece, "willContinue": place < last });
            pieces.iter().enumerate().map(partial).collect()
        }
        Value::Bool(_) => vec![named("boolValue", leaf)],
        Value::Null => vec![named("nullValue", &json!("NULL_VALUE"))],
        number => vec![named("numberValue", number)],
    }
}

fn framed(chunks: &[Value], framing: Framing) -> Vec<String> {
    match framing {
        Framing::Sse => chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect(),
        Framing::Array => {
            let start = |place| if place == 0 { "[" } else { ",\r\n" };
            let items = chunks.iter().enumerate();
            items
                .map(|(place, chunk)| format!("{}{chunk}", start(place)))
                .chain(["]".to_owned()])
                .collect()
        }
    }
}

fn response(answer: &Answer, parts: &Value, finish: Option<&str>) -> Value {
    let mut candidate = Map::new();
    candidate.insert("content".to_owned(), json!({ "parts": parts, "role": "model" }));
    if let Some(finish) = finish {
        candidate.insert("finishReason".to_owned(), json!(finish));
    }
    candidate.insert("index".to_owned(), json!(0));
    if answer.logprobs && finish.is_some() {
        candidate.insert("avgLogprobs".to_owned(), json!(-0.25));
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": usage(answer, finish.is_some()),
        "modelVersion": answer.model,
        "responseId": answer.seed.letters("response", 23),
    })
}

fn finish(answer: &Answer) -> &'static str {
    match answer.finish {
        Some(Finish::Length) => "MAX_TOKENS",
        Some(Finish::Filter) => "SAFETY",
        None => "STOP",
    }
}

fn usage(answer: &Answer, is_last: bool) -> Value {
    let (input, thoughts) = (answer.input_tokens(), answer.reasoning_tokens());
    let output = if is_last { answer.output_tokens() - thoughts } else { 1 };
    json!({
        "promptTokenCount": input,
        "candidatesTokenCount": output,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": input + output + thoughts,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": input }],
    })
}
