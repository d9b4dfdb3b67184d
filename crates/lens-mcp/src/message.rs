//! One JSON-RPC message, with the bytes it came as.

mod envelope;
mod fault;

pub use fault::{FaultKind, MessageFault, Shape};

use crate::id::Id;
pub(crate) use envelope::is_look_alike;
use pathwarden_json::{Document, Json, Kind};

/// One JSON-RPC 2.0 message and the text it came as.
#[derive(Clone, Debug)]
pub struct Message {
    document: Document,
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
        if bytes.len() > bytes_max {
            return Err(MessageFault::new(FaultKind::TooLong { bytes_max }, &bytes));
        }
        let document = Document::parse(bytes)
            .map_err(|(bytes, fault)| MessageFault::new(fault.into(), &bytes))?;
        match read(document.value()) {
            Ok(body) => Ok(Self { document, body }),
            Err(kind) => Err(MessageFault::new(kind, document.text().as_bytes())),
        }
    }

    /// The text, byte for byte as it came.
    #[must_use]
    pub fn text(&self) -> &str {
        self.document.text()
    }

    /// The bytes as they came.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.document.into_bytes()
    }

    /// What it is.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// The whole as a value.
    #[must_use]
    pub fn value(&self) -> Json<'_> {
        self.document.value()
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

    /// Whether `params` holds nothing but `_meta`, or is absent.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.member("params").is_none_or(|params| params.members().all(|(key, _)| key == "_meta"))
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

fn read(value: Json<'_>) -> Result<Body, FaultKind> {
    match value.kind() {
        Kind::Object => envelope::read(value),
        Kind::Array => Err(FaultKind::Batch),
        _ => Err(FaultKind::Envelope("an object")),
    }
}
