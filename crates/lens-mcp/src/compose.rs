//! Messages that an enforcement point writes itself.

use crate::era::{Era, SPOKEN};
use crate::id::Id;
use pathwarden_json::push_string;

/// JSON-RPC code of an action that was refused. Outside the range that JSON-RPC and MCP reserve.
pub const REFUSED: i64 = -31_403;
/// JSON-RPC code when the server behind us is gone or broken.
pub const SERVER_BROKEN: i64 = -31_502;
/// JSON-RPC code when the decision point cannot be asked, or cannot record what happened.
pub const NODE_UNAVAILABLE: i64 = -31_503;
/// JSON-RPC code of an unknown method.
pub const METHOD_NOT_FOUND: i64 = -32_601;
/// JSON-RPC code of wrong parameters.
pub const INVALID_PARAMS: i64 = -32_602;
/// JSON-RPC code of a message that is no request.
pub const INVALID_REQUEST: i64 = -32_600;
/// MCP code of headers that say something else than the body (2026-07-28).
pub const HEADER_MISMATCH: i64 = -32_020;
/// MCP code of a revision that is not spoken (2026-07-28).
pub const UNSUPPORTED_VERSION: i64 = -32_022;

/// What an agent is told when its action did not happen.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// What was attempted, for the model to read.
    pub what: &'a str,
    /// Stable code.
    pub code: &'a str,
    /// What to do instead.
    pub advice: &'a str,
    /// The action's id, where there is one.
    pub action: Option<&'a str>,
}

impl Told<'_> {
    fn words(&self) -> String {
        let mut words = format!(
            "Not done: `{}` was stopped by Pathwarden before it reached the server.\nCode: {}",
            self.what, self.code
        );
        if !self.advice.is_empty() {
            words.push_str("\nInstead: ");
            words.push_str(self.advice);
        }
        if let Some(action) = self.action {
            words.push_str("\nAction: ");
            words.push_str(action);
        }
        words
    }

    /// The members of `_meta` or `data`, for programs.
    fn push_members(&self, out: &mut String, prefix: &str) {
        let mut pair = |name: &str, value: &str, first: bool| {
            if !first {
                out.push(',');
            }
            push_string(out, &format!("{prefix}{name}"));
            out.push(':');
            push_string(out, value);
        };
        pair("code", self.code, true);
        if let Some(action) = self.action {
            pair("action", action, false);
        }
    }
}

/// The result of a tool call that was refused: an error of the tool, which a model reads and can act
/// on, where an error of the protocol would only break its run.
#[must_use]
pub fn tool_refusal(era: Era, id: &Id, told: Told<'_>) -> Vec<u8> {
    let mut out = start(Some(id));
    out.push_str(",\"result\":{");
    if era == Era::Modern {
        out.push_str("\"resultType\":\"complete\",");
    }
    out.push_str("\"content\":[{\"type\":\"text\",\"text\":");
    push_string(&mut out, &told.words());
    out.push_str("}],\"isError\":true,\"_meta\":{");
    told.push_members(&mut out, "pathwarden/");
    out.push_str("}}}");
    out.into_bytes()
}

/// The answer to another request that was refused.
#[must_use]
pub fn refusal(id: &Id, told: Told<'_>) -> Vec<u8> {
    let mut out = start(Some(id));
    push_error(&mut out, REFUSED, &told.words());
    out.push_str(",\"data\":{");
    told.push_members(&mut out, "");
    out.push_str("}}}");
    out.into_bytes()
}

/// A request that asks for nothing but an answer.
#[must_use]
pub fn ping(id: &str) -> Vec<u8> {
    let mut out = String::from("{\"jsonrpc\":\"2.0\",\"id\":");
    push_string(&mut out, id);
    out.push_str(",\"method\":\"ping\"}");
    out.into_bytes()
}

/// A JSON-RPC error; `null` stands for an id that could not be read (JSON-RPC 2.0 section 5).
#[must_use]
pub fn error(id: Option<&Id>, code: i64, message: &str) -> Vec<u8> {
    let mut out = start(id);
    push_error(&mut out, code, message);
    out.push_str("}}");
    out.into_bytes()
}

/// The error for a revision that is not spoken here, with those that are: a client takes another of them.
#[must_use]
pub fn unsupported_version(id: &Id, requested: &str, supported: &[&str]) -> Vec<u8> {
    let mut out = start(Some(id));
    let words = format!("the revision is not spoken here; use one of: {}", supported.join(", "));
    push_error(&mut out, UNSUPPORTED_VERSION, &words);
    out.push_str(",\"data\":{\"supported\":[");
    for (index, version) in supported.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_string(&mut out, version);
    }
    out.push_str("],\"requested\":");
    push_string(&mut out, requested);
    out.push_str("}}}");
    out.into_bytes()
}

/// As [`unsupported_version`], with every revision that is spoken here.
#[must_use]
pub fn not_spoken(id: &Id, requested: &str) -> Vec<u8> {
    unsupported_version(id, requested, &SPOKEN)
}

/// The notification that a subscription to changes of the list of tools stands (2026-07-28).
#[must_use]
pub fn acknowledged(subscription: &Id) -> Vec<u8> {
    format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{{\
         \"notifications\":{{\"toolsListChanged\":true}},\
         \"_meta\":{{\"io.modelcontextprotocol/subscriptionId\":{}}}}}}}",
        subscription.text()
    )
    .into_bytes()
}

/// The notification that lists have changed; on a stream of the modern era, for the subscription whose
/// id has this JSON text.
#[must_use]
pub fn list_changed(method: &str, subscription: Option<&Id>) -> Vec<u8> {
    let mut out = String::from("{\"jsonrpc\":\"2.0\",\"method\":");
    push_string(&mut out, method);
    if let Some(id) = subscription {
        out.push_str(",\"params\":{\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":");
        out.push_str(id.text());
        out.push_str("}}");
    }
    out.push('}');
    out.into_bytes()
}

/// A progress notification for the token whose JSON text is `token`.
///
/// Progress counts in thousandths, so that the server's own progress, once the action is released,
/// is most likely to be more, as the specification wants it.
#[must_use]
pub fn progress(token: &str, step: u64, message: &str) -> Vec<u8> {
    let mut out = format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":\
         {{\"progressToken\":{token},\"progress\":{}.{:03},\"message\":",
        step / 1000,
        step % 1000
    );
    push_string(&mut out, message);
    out.push_str("}}");
    out.into_bytes()
}

fn start(id: Option<&Id>) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{}", id.map_or("null", Id::text))
}

fn push_error(out: &mut String, code: i64, message: &str) {
    out.push_str(&format!(",\"error\":{{\"code\":{code},\"message\":"));
    push_string(out, message);
}
