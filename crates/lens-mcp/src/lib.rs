//! Reads Model Context Protocol messages without losing a byte.
//!
//! **What it is for.** Raw JSON-RPC bytes in; what they attempt, ask or answer out. The bytes are kept
//! as they came, so that a message that nobody changes is forwarded byte for byte: unknown fields,
//! the spelling of numbers, the order of keys and white space survive. It speaks the revisions
//! 2025-06-18 and 2025-11-25 of the protocol.
//!
//! **What it never does.** No I/O, no clock, no decision. It never repairs: two parsers that read one
//! text differently are an attack, so duplicate keys, look-alike envelope keys, invalid UTF-8 and
//! nesting beyond [`pathwarden_json::DEPTH_MAX`] are faults, whatever other parsers make of them.
//!
//! **Where to start.** [`Message::parse`], then [`Intent::of`] for what is to be decided,
//! [`client_request`] for what to do with the rest, and [`compose`] for the messages that an
//! enforcement point writes itself.

mod action;
pub mod compose;
mod id;
mod message;
mod method;
mod pointer;
mod response;
mod rewrite;

pub use action::{Intent, IntentFault};
pub use id::{Id, IdFault};
pub use message::{Body, FaultKind, Message, MessageFault, Shape};
pub use method::{Route, client_notification, client_request, server_notification, server_request};
pub use pointer::{Pointer, PointerFault};
pub use response::outcome;
pub use rewrite::{RewriteFault, rewrite};

/// The longest message that is read by default, in bytes: room for a tool result with an image, small
/// enough that a few hundred of them fit in memory.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

#[cfg(test)]
mod tests;
