//! Errors, put as each vendor puts them.

use serde_json::{Value, json};

use super::answer::Answer;
use super::conversation::{Api, Conversation, LooseEnd, str_of};
use super::messages;
use super::seed::Seed;

/// The body of an error: the script's own, or its words in the vendor's form.
pub(super) fn body(api: Api, status: u16, error: &Value, seed: Seed) -> Value {
    let Value::String(message) = error else { return error.clone() };
    match api {
        Api::Chat | Api::Responses => openai(openai_kind(status), message),
        Api::Messages => anthropic(anthropic_kind(status), message, seed),
        Api::Gemini => google(status, message),
    }
}

pub(super) fn in_chat(error: &Value) -> Value {
    error.as_str().map_or_else(|| error.clone(), |message| openai("server_error", message))
}

pub(super) fn in_messages(error: &Value, seed: Seed) -> Value {
    let overloaded = |message| anthropic("overloaded_error", message, seed);
    error.as_str().map_or_else(|| error.clone(), overloaded)
}

pub(super) fn in_gemini(error: &Value) -> Value {
    error.as_str().map_or_else(|| error.clone(), |message| google(503, message))
}

/// The `error` of a response that failed.
pub(super) fn in_response(answer: &Answer) -> Value {
    match &answer.error {
        Some(Value::String(message)) => json!({ "code": "server_error", "message": message }),
        Some(error) => error.clone(),
        None => Value::Null,
    }
}

/// What the real service would refuse in this conversation, in its words.
pub(super) fn fault(asked: &Conversation) -> Option<String> {
    if asked.api == Api::Messages && messages::has_changed_thinking(&asked.body) {
        return Some("messages: Invalid `signature` in `thinking` block".to_owned());
    }
    let end = asked.loose_end()?;
    Some(match (asked.api, end) {
        (Api::Messages, LooseEnd::Unanswered(id)) => format!(
            "messages: `tool_use` ids were found without `tool_result` blocks immediately after: \
             {id}. Each `tool_use` block must have a corresponding `tool_result` block in the next \
             message."
        ),
        (Api::Messages, LooseEnd::Unasked(id)) => format!(
            "messages: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each \
             `tool_result` block must have a corresponding `tool_use` block in the previous message."
        ),
        (Api::Responses, LooseEnd::Unanswered(id)) => {
            format!("No tool output found for function call {id}.")
        }
        (Api::Responses, LooseEnd::Unasked(id)) => {
            format!("No tool call found for function call output with call_id {id}.")
        }
        (Api::Chat | Api::Gemini, LooseEnd::Unanswered(id)) => format!(
            "An assistant message with 'tool_calls' must be followed by tool messages responding \
             to each 'tool_call_id'. The following tool_call_ids did not have response messages: \
             {id}"
        ),
        (Api::Chat | Api::Gemini, LooseEnd::Unasked(id)) => format!(
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding \
             message with 'tool_calls'. ({id})"
        ),
    })
}

/// The message of an error of any vendor, for the log.
pub(super) fn message(body: &Value) -> &str {
    body.get("error").map_or("", |error| str_of(error, "message"))
}

fn openai(kind: &str, message: &str) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": null } })
}

fn openai_kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        429 => "rate_limit_exceeded",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

fn anthropic(kind: &str, message: &str, seed: Seed) -> Value {
    json!({
        "type": "error",
        "error": { "type": kind, "message": message },
        "request_id": seed.id("req_01", 0, 22),
    })
}

fn anthropic_kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

fn google(status: u16, message: &str) -> Value {
    let name = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    json!({ "error": { "code": status, "message": message, "status": name } })
}
