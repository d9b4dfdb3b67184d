//! OpenAI's Responses: what it is asked, and the object it answers with.

mod events;

use serde_json::{Value, json};

use super::answer::{Answer, Call};
use super::chat;
use super::conversation::{Conversation, ToolKind, items, str_of, text_of};
use super::scenario::Finish;

pub(super) use self::events::stream;

const ID_LETTERS: usize = 48;
const CALL_ID_LETTERS: usize = 24;
const SEALED_LETTERS: usize = 400;

/// How harnesses mark what they add to the words of their user.
const ADDED: [&str; 3] = ["<environment_context>", "<user_instructions>", "# AGENTS.md"];

pub(super) fn read(body: &Value, read: &mut Conversation) {
    read.max_tokens = body.get("max_output_tokens").and_then(Value::as_u64);
    read.system_says(str_of(body, "instructions"));
    read.user_says(str_of(body, "input").to_owned());
    for item in items(body, "input") {
        match str_of(item, "type") {
            "function_call" | "custom_tool_call" | "tool_search_call" => {
                read.calls.push(str_of(item, "call_id").to_owned());
            }
            "function_call_output" | "custom_tool_call_output" => {
                read.result(str_of(item, "call_id"), text_of(item.get("output")));
            }
            "tool_search_output" => {
                read.result(
                    str_of(item, "call_id"),
                    item.get("tools").unwrap_or(&Value::Null).to_string(),
                );
                read_tools(item, None, read);
            }
            "additional_tools" => read_tools(item, None, read),
            "message" | "" => read_message(item, read),
            _ => {}
        }
    }
    read_tools(body, None, read);
}

fn read_message(message: &Value, read: &mut Conversation) {
    let text = text_of(message.get("content"));
    match str_of(message, "role") {
        "system" | "developer" => read.system_says(&text),
        "user" if !ADDED.iter().any(|mark| text.starts_with(mark)) => read.user_says(text),
        _ => {}
    }
}

fn read_tools(owner: &Value, namespace: Option<&str>, read: &mut Conversation) {
    for tool in items(owner, "tools") {
        let name = str_of(tool, "name");
        match str_of(tool, "type") {
            "function" => read.declares(name, namespace, ToolKind::Function),
            "custom" => read.declares(name, namespace, ToolKind::Custom),
            "tool_search" => read.declares("tool_search", None, ToolKind::Search),
            "namespace" => read_tools(tool, Some(name), read),
            _ => {}
        }
    }
}

/// How far a response is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    Running,
    Ended,
    Failed,
}

/// The answer in one piece.
pub(super) fn whole(answer: &Answer, asked: &Conversation) -> Value {
    response(answer, asked, Progress::Ended, &output(answer))
}

/// The items of the whole answer.
fn output(answer: &Answer) -> Vec<Value> {
    let mut items = Vec::new();
    if !answer.reasoning.is_empty() {
        let summary = json!([{ "type": "summary_text", "text": answer.reasoning }]);
        items.push(reasoning(answer, &summary));
    }
    if !answer.text.is_empty() {
        items.push(message(answer, "completed", &json!([part(answer, &answer.text)])));
    }
    let calls = answer.calls.iter().enumerate();
    items.extend(calls.map(|(place, call)| called(answer, place, call, &call.arguments)));
    items
}

fn reasoning(answer: &Answer, summary: &Value) -> Value {
    json!({
        "id": answer.seed.id("rs_", 0, ID_LETTERS),
        "type": "reasoning",
        "summary": summary,
        "encrypted_content": format!("gAAAAA{}", answer.seed.letters("sealed", SEALED_LETTERS)),
    })
}

fn message(answer: &Answer, status: &str, content: &Value) -> Value {
    json!({
        "id": answer.seed.id("msg_", 0, ID_LETTERS),
        "type": "message",
        "status": status,
        "content": content,
        "role": "assistant",
    })
}

fn part(answer: &Answer, text: &str) -> Value {
    let logprobs = if answer.logprobs { chat::tokens(answer, text) } else { Vec::new() };
    json!({ "type": "output_text", "annotations": [], "logprobs": logprobs, "text": text })
}

/// A call, with the arguments that are known so far.
fn called(answer: &Answer, place: usize, call: &Call, arguments: &str) -> Value {
    let status = if arguments == call.arguments { "completed" } else { "in_progress" };
    let call_id = answer.call_id(place, "call_", CALL_ID_LETTERS);
    let mut item = match call.tool.kind {
        ToolKind::Function => json!({
            "id": answer.seed.id("fc_", place, ID_LETTERS),
            "type": "function_call",
            "status": status,
            "arguments": arguments,
            "call_id": call_id,
            "name": call.tool.name,
        }),
        ToolKind::Custom => json!({
            "id": answer.seed.id("ctc_", place, ID_LETTERS),
            "type": "custom_tool_call",
            "status": status,
            "input": arguments,
            "call_id": call_id,
            "name": call.tool.name,
        }),
        ToolKind::Search => json!({
            "id": answer.seed.id("tsc_", place, ID_LETTERS),
            "type": "tool_search_call",
            "status": status,
            "execution": "client",
            "call_id": call_id,
            "arguments": call.object(),
        }),
    };
    if let (Some(namespace), Value::Object(fields)) = (&call.tool.namespace, &mut item) {
        fields.insert("namespace".to_owned(), json!(namespace));
    }
    item
}

/// The response object, which says back much of what it was asked.
fn response(answer: &Answer, asked: &Conversation, progress: Progress, output: &[Value]) -> Value {
    let body = &asked.body;
    let said = |name: &str, default: Value| body.get(name).cloned().unwrap_or(default);
    let ended = progress == Progress::Ended;
    json!({
        "id": answer.seed.id("resp_", 0, ID_LETTERS),
        "object": "response",
        "created_at": answer.created,
        "status": status(answer, progress),
        "background": false,
        "completed_at": ended.then_some(answer.created),
        "error": if progress == Progress::Failed { super::error::in_response(answer) } else { Value::Null },
        "incomplete_details": incomplete(answer, progress),
        "instructions": said("instructions", Value::Null),
        "max_output_tokens": said("max_output_tokens", Value::Null),
        "max_tool_calls": null,
        "metadata": said("metadata", json!({})),
        "model": answer.model,
        "output": output,
        "parallel_tool_calls": said("parallel_tool_calls", json!(true)),
        "previous_response_id": said("previous_response_id", Value::Null),
        "prompt_cache_key": said("prompt_cache_key", Value::Null),
        "reasoning": said("reasoning", json!({ "effort": null, "summary": null })),
        "safety_identifier": null,
        "service_tier": "default",
        "store": said("store", json!(true)),
        "temperature": said("temperature", json!(1.0)),
        "text": said("text", json!({ "format": { "type": "text" }, "verbosity": "medium" })),
        "tool_choice": said("tool_choice", json!("auto")),
        "tools": said("tools", json!([])),
        "top_logprobs": 0,
        "top_p": said("top_p", json!(1.0)),
        "truncation": "disabled",
        "usage": if ended { usage(answer) } else { Value::Null },
        "user": null,
    })
}

fn status(answer: &Answer, progress: Progress) -> &'static str {
    match (progress, answer.finish) {
        (Progress::Running, _) => "in_progress",
        (Progress::Failed, _) => "failed",
        (Progress::Ended, Some(_)) => "incomplete",
        (Progress::Ended, None) => "completed",
    }
}

fn incomplete(answer: &Answer, progress: Progress) -> Value {
    match (progress, answer.finish) {
        (Progress::Ended, Some(Finish::Length)) => json!({ "reason": "max_output_tokens" }),
        (Progress::Ended, Some(Finish::Filter)) => json!({ "reason": "content_filter" }),
        _ => Value::Null,
    }
}

fn usage(answer: &Answer) -> Value {
    let (input, output) = (answer.input_tokens(), answer.output_tokens());
    json!({
        "input_tokens": input,
        "input_tokens_details": { "cache_write_tokens": 0, "cached_tokens": 0 },
        "output_tokens": output,
        "output_tokens_details": { "reasoning_tokens": answer.reasoning_tokens() },
        "total_tokens": input + output,
    })
}
