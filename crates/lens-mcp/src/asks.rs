//! What a server asks inside a result (2026-07-28, patterns/mrtr, and the extension for tasks).

use pathwarden_json::Json;
use pathwarden_types::Name;

use crate::action::{Intent, IntentFault};
use crate::message::Message;

/// The most things that one result may ask for.
pub const ASKS_MAX: usize = 32;

/// Why what a result asks for cannot be looked at.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AskFault {
    /// More than [`ASKS_MAX`].
    #[error("it asks for more than {ASKS_MAX} things at once")]
    TooMany,
    /// One of them may not be asked for, or cannot be read.
    #[error(transparent)]
    Intent(#[from] IntentFault),
}

/// Everything that a result asks of the client, each as what it attempts; nothing for most results.
///
/// # Errors
///
/// [`AskFault`]; the result must then be withheld.
pub fn asks(response: &Message, server: &Name) -> Result<Vec<Intent>, AskFault> {
    let requests = response.member("result").and_then(|result| result.member("inputRequests"));
    let asked: Vec<Json<'_>> = requests
        .into_iter()
        .flat_map(Json::members)
        .map(|(_, asked)| asked)
        .take(ASKS_MAX + 1)
        .collect();
    if asked.len() > ASKS_MAX {
        return Err(AskFault::TooMany);
    }
    asked.into_iter().map(|ask| Ok(Intent::of_ask(ask, response, server)?)).collect()
}
