//! One JSON-RPC message, with the bytes it came as.

mod envelope;
mod fault;

use std::ops::Range;

pub use fault::{FaultKind, MessageFault, Shape};

use crate::id::Id;
use crate::json::{Json, Kind};

/// One JSON-RPC 2.0 message and the text it came as.
#[derive(Clone, Debug)]
pub struct Message {
    text: String,
    body: Body,
}

/// What a message is.
#[derive(Clone, Debug)]
pub enum Body {
    /// Wants an answer.
    Request {
        /// What the answer is matched by.
        id: Id,
        /// The method.
        method: String,
    },
    /// Wants none.
    Notification {
        /// The method.
        method: String,
    },
    /// Answers a request.
    Response {
        /// Of the request; `None` only in an error about a request that could not be read.
        id: Option<Id>,
        /// Whether it is a JSON-RPC error.
        is_error: bool,
    },
}

impl Message {
    /// Reads one message of at most `bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// [`MessageFault`] with the code to answer with, and the id where it can be found.
    pub fn parse(bytes: Vec<u8>, bytes_max: usize) -> Result<Self, MessageFault> {
        match Self::read(&bytes, bytes_max) {
            Err(kind) => Err(MessageFault::new(kind, &bytes)),
            Ok(body) => String::from_utf8(bytes)
                .map(|text| Self { text, body })
                .map_err(|error| MessageFault::new(FaultKind::Envelope("UTF-8"), error.as_bytes())),
        }
    }

    fn read(bytes: &[u8], bytes_max: usize) -> Result<Body, FaultKind> {
        if bytes.len() > bytes_max {
            return Err(FaultKind::TooLong { bytes_max });
        }
        let value = Json::parse(bytes)?;
        match value.kind() {
            Kind::Object => envelope::read(value),
            Kind::Array => Err(FaultKind::Batch),
            _ => Err(FaultKind::Envelope("an object")),
        }
    }

    /// The text, byte for byte as it came.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes as they came.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    /// What it is.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// The whole as a value.
    #[must_use]
    pub fn value(&self) -> Json<'_> {
        Json::at_span(&self.text, &trimmed(&self.text))
    }

    /// A member of the envelope.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Json<'_>> {
        self.value().member(name)
    }

    /// A member of `params`.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Json<'_>> {
        self.member("params")?.member(name)
    }

    /// The token for progress notifications that the requestor offers, as JSON text.
    #[must_use]
    pub fn progress_token(&self) -> Option<&str> {
        let token = self.param("_meta")?.member("progressToken")?;
        matches!(token.kind(), Kind::String | Kind::Number).then(|| token.text())
    }

    /// The request that `notifications/cancelled` names.
    #[must_use]
    pub fn cancelled(&self) -> Option<Id> {
        self.param("requestId").and_then(|id| Id::of(id).ok())
    }
}

/// Where the one value of proven text stands.
fn trimmed(text: &str) -> Range<usize> {
    let space = [' ', '\t', '\n', '\r'];
    let start = text.len() - text.trim_start_matches(space).len();
    start..text.trim_end_matches(space).len().max(start)
}
