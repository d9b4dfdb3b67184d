//! Reads the model APIs of OpenAI, Anthropic and Google without losing a byte.
//!
//! **What it is for.** A request of an agent to a model, and the answer, whole or as a stream of
//! server-sent events: what stands in the window, what the model said, which tools it calls. The bytes are
//! kept as they came, so that what nobody changes is passed on byte for byte, and events of a kind that
//! this code does not know pass unchanged.
//!
//! **What it never does.** No I/O, no clock, no decision. It never repairs: JSON that two parsers could
//! read differently is a fault ([`pathwarden_json`]).
//!
//! **Where to start.** [`Endpoint::of`] for what a path is, [`Request::parse`] for what an agent sends,
//! [`Stream`] and [`Response`] for what comes back, and [`compose`] for what an enforcement point answers
//! itself.

mod answer;
pub mod compose;
mod endpoint;
mod request;
mod response;
mod sse;
mod stream;

pub use answer::{Call, CallKind, Output, Ruling, ServerCall, Usage};
pub use endpoint::{Endpoint, Provider, Streams, without_key};
pub use request::{Declared, Part, PartKind, Request, RequestFault, RewriteFault, ServerTool};
pub use response::{Response, ResponseFault};
pub use stream::{EVENT_BYTES_MAX, Ending, HELD_BYTES_MAX, Step, Stream, StreamFault};

/// One way of calling models: its requests, answers and streams have one shape.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Api {
    /// OpenAI Chat Completions: `POST /v1/chat/completions`.
    ChatCompletions,
    /// OpenAI Responses: `POST /v1/responses`.
    Responses,
    /// Anthropic Messages: `POST /v1/messages`.
    Messages,
    /// Gemini: `POST /v1beta/models/MODEL:generateContent`.
    GenerateContent,
}
