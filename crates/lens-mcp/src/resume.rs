//! Approval inside the protocol (2026-07-28, patterns/mrtr): a call that waits for a person is answered
//! with a question to the person behind the client, and comes back with the answer.

use pathwarden_json::{Json, push_string};

use crate::id::Id;
use crate::message::Message;
use pathwarden_json::edit::{splice, without_members};

/// The key of our question among those that a result asks.
const KEY: &str = "pathwarden_approval";

/// What every request state of ours begins with.
pub const STATE_PREFIX: &str = "pathwarden-state1.";

/// A call that comes back with a request state of ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resume {
    /// The state, as it was given to the client, if the client is honest.
    pub state: String,
    /// What the person said.
    pub answer: PersonSaid,
}

/// What the person behind a client said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PersonSaid {
    /// Let it happen.
    Yes,
    /// Do not.
    No,
    /// Nothing that can be told.
    Nothing,
}

impl Resume {
    /// What a request says of a question of ours; `None` when it is not about one.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        let state = message.param("requestState")?.string()?.into_owned();
        if !state.starts_with(STATE_PREFIX) {
            return None;
        }
        let answer = message.param("inputResponses").and_then(|all| all.member(KEY));
        Some(Self { state, answer: answer.map_or(PersonSaid::Nothing, said) })
    }

    /// The request without what was for us.
    #[must_use]
    pub fn strip(message: &Message) -> Vec<u8> {
        let Some(params) = message.member("params") else {
            return message.text().as_bytes().to_vec();
        };
        let stripped = without_members(params, &["requestState", "inputResponses"]);
        splice(message.text(), vec![(params.span(), stripped)])
    }
}

/// Only an accepted form with `approve` set is a yes, and only a refusal or a form without it is a no.
fn said(answer: Json<'_>) -> PersonSaid {
    let action = answer.member("action").and_then(Json::string).unwrap_or_default();
    let approves = answer.member("content").and_then(|content| content.member("approve"));
    match (action.as_ref(), approves.map(Json::text)) {
        ("accept", Some("true")) => PersonSaid::Yes,
        ("accept" | "decline", _) => PersonSaid::No,
        _ => PersonSaid::Nothing,
    }
}

/// The result that asks the person behind the client.
#[must_use]
pub fn ask_person(id: &Id, words: &str, state: &str) -> Vec<u8> {
    let mut out = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{\"resultType\":\"input_required\",\
         \"inputRequests\":{{\"{KEY}\":{{\"method\":\"elicitation/create\",\"params\":{{\
         \"mode\":\"form\",\"message\":",
        id.text()
    );
    push_string(&mut out, words);
    out.push_str(
        ",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"approve\":{\
         \"type\":\"boolean\",\"title\":\"Let it happen, once\",\"default\":false}},\
         \"required\":[\"approve\"]}}}},\"requestState\":",
    );
    push_string(&mut out, state);
    out.push_str("}}");
    out.into_bytes()
}
