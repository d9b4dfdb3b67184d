//! Reads Model Context Protocol messages without losing a byte.
//!
//! **What it is for.** Raw JSON-RPC bytes in; what they attempt, ask or answer out. The bytes are kept
//! as they came, so that a message that nobody changes is forwarded byte for byte: unknown fields,
//! the spelling of numbers, the order of keys and white space survive. It speaks the legacy revisions
//! 2025-06-18 and 2025-11-25 of the protocol, and 2026-07-28, which has no sessions.
//!
//! **What it never does.** No I/O, no clock, no decision. It never repairs: two parsers that read one
//! text differently are an attack, so duplicate keys, look-alike envelope keys, invalid UTF-8 and
//! nesting beyond [`pathwarden_json::DEPTH_MAX`] are faults, whatever other parsers make of them.
//!
//! **Where to start.** [`Message::parse`], then [`Intent::all_of`] for what is to be decided,
//! [`client_request`] for what to do with the rest, and [`compose`] for the messages that an
//! enforcement point writes itself.

mod action;
mod asks;
pub mod compose;
mod era;
pub mod headers;
mod id;
mod listing;
mod message;
mod method;
pub mod mount;
mod response;
mod resume;
mod rewrite;
mod subscription;

pub use action::{Intent, IntentFault};
pub use asks::{ASKS_MAX, AskFault, asks};
pub use era::{Era, EraFault, FIRST_MODERN, SPOKEN};
pub use id::{Id, IdFault};
pub use listing::{Listed, Listing, Unnamed, params_of_tools};
pub use message::{Body, FaultKind, Message, MessageFault, Shape};
pub use method::{
    Route, client_notification, client_request, server_notification, server_request, tells_task,
};
pub use response::outcome;
pub use resume::{PersonSaid, Resume, STATE_PREFIX, ask_person};
pub use rewrite::{RewriteFault, Root, rewrite};
pub use subscription::Acknowledged;

/// The longest message that is read by default, in bytes: room for a tool result with an image, small
/// enough that a few hundred of them fit in memory.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

#[cfg(test)]
mod tests;
