//! The members of a JSON-RPC message, each read once and strictly.

use super::{Body, FaultKind};
use crate::id::Id;
use pathwarden_json::{Json, Kind};

const NAMES: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

pub(super) fn read(value: Json<'_>) -> Result<Body, FaultKind> {
    refuse_look_alikes(value, &NAMES)?;
    let member = |name| value.member(name);
    if member("jsonrpc").and_then(Json::string).as_deref() != Some("2.0") {
        return Err(FaultKind::Envelope("`\"jsonrpc\":\"2.0\"`"));
    }
    match (member("method"), member("result"), member("error")) {
        (Some(method), None, None) => read_call(value, method),
        (None, Some(result), None) => read_result(value, result),
        (None, None, Some(error)) => read_error(value, error),
        // With two of them it is one thing to one parser and another to the next.
        _ => Err(FaultKind::Envelope("exactly one of `method`, `result` and `error`")),
    }
}

fn read_call(value: Json<'_>, method: Json<'_>) -> Result<Body, FaultKind> {
    let method = method.string().ok_or(FaultKind::Envelope("a string as `method`"))?.into_owned();
    if let Some(params) = value.member("params") {
        if params.kind() != Kind::Object {
            return Err(FaultKind::Envelope("an object as `params`"));
        }
        refuse_look_alikes(
            params,
            &[
                "name",
                "arguments",
                "uri",
                "requestId",
                "task",
                "taskId",
                "ref",
                "notifications",
                "inputResponses",
                "requestState",
                "_meta",
            ],
        )?;
    }
    match value.member("id") {
        Some(id) => Ok(Body::Request { id: read_id(id)?, method }),
        None => Ok(Body::Notification { method }),
    }
}

fn read_result(value: Json<'_>, result: Json<'_>) -> Result<Body, FaultKind> {
    if result.kind() != Kind::Object {
        return Err(FaultKind::Envelope("an object as `result`"));
    }
    // What a server asks for, offers, and tells the model, is looked for under these names.
    refuse_look_alikes(
        result,
        &["resultType", "inputRequests", "instructions", "tools", "prompts", "resourceTemplates"],
    )?;
    let id = value.member("id").ok_or(FaultKind::Envelope("the `id` of the request"))?;
    Ok(Body::Response { id: Some(read_id(id)?), is_error: false })
}

fn read_error(value: Json<'_>, error: Json<'_>) -> Result<Body, FaultKind> {
    if error.kind() != Kind::Object {
        return Err(FaultKind::Envelope("an object as `error`"));
    }
    let id = value.member("id").filter(|id| id.kind() != Kind::Null);
    Ok(Body::Response { id: id.map(read_id).transpose()?, is_error: true })
}

fn read_id(value: Json<'_>) -> Result<Id, FaultKind> {
    Id::of(value)
        .map_err(|_| FaultKind::Envelope("a string or an integer of at most 256 bytes as `id`"))
}

/// Some parsers (Go's among them) match keys without regard to case. A key that is one of `names` to
/// them, and is not to us, would let a message mean two things.
fn refuse_look_alikes(value: Json<'_>, names: &[&'static str]) -> Result<(), FaultKind> {
    for (key, _) in value.members() {
        if let Some(meant) = names.iter().find(|name| is_look_alike(&key, name)) {
            return Err(FaultKind::LookAlike { found: key.into_owned(), meant });
        }
    }
    Ok(())
}

/// Whether a key is this one only to readers that do not look at the case.
pub(crate) fn is_look_alike(key: &str, meant: &str) -> bool {
    key != meant && fold(key) == fold(meant)
}

/// Equal for keys that differ in case only, also for the two letters outside ASCII whose case is in it
/// (the long s and the Kelvin sign).
fn fold(key: &str) -> String {
    key.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}
