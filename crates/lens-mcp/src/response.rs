//! What a response says of the action it answers.

use pathwarden_types::Outcome;

use crate::message::{Body, Message};
use pathwarden_json::{Json, Kind};

/// The longest text of an error that the detail of an effect repeats, in characters.
const DETAIL_CHARS_MAX: usize = 256;

/// How the action ended, and in words what was seen when it was not done.
///
/// A task that was created (2025-11-25) has not ended: its outcome is unknown here.
#[must_use]
pub fn outcome(response: &Message) -> (Outcome, String) {
    let Body::Response { is_error, .. } = response.body() else {
        return (Outcome::Unknown, "not a response".to_owned());
    };
    if *is_error {
        let message = response.member("error").and_then(|error| error.member("message"));
        let message = message.and_then(Json::string).unwrap_or_default();
        let cut: String = message.chars().take(DETAIL_CHARS_MAX).collect();
        return (Outcome::Failed, format!("the server answered with an error: {cut}"));
    }
    let result = response.member("result");
    let member = |name| result.and_then(|result| result.member(name));
    if member("isError").is_some_and(|value| value.text() == "true") {
        (Outcome::Failed, "the tool answered that it failed".to_owned())
    } else if let Some(kind) = other_result(member("resultType")) {
        // What an extension calls a result may be a beginning only.
        (Outcome::Unknown, format!("the server answered with `{kind}`, which is no end"))
    } else if member("task").is_some_and(|task| task.kind() == Kind::Object) {
        (Outcome::Unknown, "the server made a task of it".to_owned())
    } else {
        (Outcome::Done, String::new())
    }
}

/// The kind of a result that is not complete (2026-07-28); it is complete when nothing else is said.
fn other_result(kind: Option<Json<'_>>) -> Option<String> {
    let kind = kind?.string().unwrap_or_default().chars().take(DETAIL_CHARS_MAX).collect();
    (kind != "complete").then_some(kind)
}
