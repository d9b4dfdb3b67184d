//! What a server asks inside a result (2026-07-28, patterns/mrtr, and the extension for tasks).

use pathwarden_json::{Json, Kind};
use pathwarden_types::Name;

use crate::action::{Intent, IntentFault};
use crate::message::{Message, is_look_alike};

/// Where a state asks.
const REQUESTS: &str = "inputRequests";

/// The most things that one result may ask for.
pub const ASKS_MAX: usize = 32;

/// Why what a result asks for cannot be looked at.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AskFault {
    /// More than [`ASKS_MAX`].
    #[error("it asks for more than {ASKS_MAX} things at once")]
    TooMany,
    /// Not an object, or under a name that only some readers take for the right one.
    #[error("what it asks for is not in the form of the protocol")]
    Form,
    /// One of them may not be asked for, or cannot be read.
    #[error(transparent)]
    Intent(#[from] IntentFault),
}

/// Everything that a result, or the state of a task in a notification, asks of the client, each as what
/// it attempts; nothing for most messages.
///
/// # Errors
///
/// [`AskFault`]; the message must then be withheld.
pub fn asks(message: &Message, server: &Name) -> Result<Vec<Intent>, AskFault> {
    // The notification of a task has its state in `params`, and its result within that.
    let outer = [message.member("result"), message.member("params")];
    let inner = outer.map(|state| state.and_then(|state| state.member("result")));
    let mut asked: Vec<Json<'_>> = Vec::new();
    for requests in outer.into_iter().chain(inner).flatten().flat_map(requests) {
        if requests.kind() != Kind::Object {
            return Err(AskFault::Form);
        }
        asked.extend(requests.members().map(|(_, asked)| asked).take(ASKS_MAX + 1));
    }
    if asked.len() > ASKS_MAX {
        return Err(AskFault::TooMany);
    }
    asked.into_iter().map(|ask| intent(ask, message, server)).collect()
}

/// The member of a state that asks, under whatever case a reader takes for the name.
fn requests(state: Json<'_>) -> impl Iterator<Item = Json<'_>> {
    let is_meant = |name: &str| name == REQUESTS || is_look_alike(name, REQUESTS);
    state.members().filter(move |(name, _)| is_meant(name)).map(|(_, requests)| requests)
}

fn intent(asked: Json<'_>, message: &Message, server: &Name) -> Result<Intent, AskFault> {
    let meant = ["method", "params"];
    if asked.members().any(|(name, _)| meant.iter().any(|meant| is_look_alike(&name, meant))) {
        return Err(AskFault::Form);
    }
    Ok(Intent::of_ask(asked, message, server)?)
}

#[cfg(test)]
mod tests {
    use super::{AskFault, asks};
    use crate::message::Message;

    fn asked(text: &str) -> Result<usize, AskFault> {
        let message = Message::parse(text.as_bytes().to_vec(), 1 << 20).unwrap();
        asks(&message, &"bank".parse().unwrap()).map(|asked| asked.len())
    }

    #[test]
    fn what_is_asked_is_found_wherever_a_client_looks_for_it() {
        let ask = r#"{"a":{"method":"roots/list"}}"#;
        for text in [
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[],"inputRequests":{ask}}}}}"#),
            format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/tasks","params":{{"inputRequests":{ask}}}}}"#
            ),
            format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/tasks","params":{{"result":{{"inputRequests":{ask}}}}}}}"#
            ),
        ] {
            assert_eq!(asked(&text), Ok(1), "{text}");
        }
        assert_eq!(asked(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Ok(0));
    }

    #[test]
    fn what_only_some_readers_understand_is_refused() {
        for result in [
            r#"{"inputRequests":[{"method":"roots/list"}]}"#,
            r#"{"inputRequests":{"a":{"method":"roots/list","Params":{}}}}"#,
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
            assert_eq!(asked(&text), Err(AskFault::Form), "{text}");
        }
    }
}
