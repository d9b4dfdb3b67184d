//! Why bytes are not a message, and whom to tell.

use crate::id::Id;
use pathwarden_json::{Json, JsonFault, loose_members};

/// Why bytes are not a message that can be passed on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// Not JSON that every parser reads alike.
    #[error("not a message: {0}")]
    Json(#[from] JsonFault),
    /// Longer than the limit.
    #[error("longer than the limit of {bytes_max} bytes for one message; send less at once")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// A JSON-RPC batch, which MCP has dropped in 2025-06-18.
    #[error("batches are not part of MCP since 2025-06-18; send one message at a time")]
    Batch,
    /// JSON, but not a JSON-RPC message.
    #[error("not a JSON-RPC 2.0 message: expected {0}")]
    Envelope(&'static str),
    /// A key that another parser may take for one of the envelope's.
    #[error("the key `{found}` may be taken for `{meant}`; spell it so, or leave it out")]
    LookAlike {
        /// As it is spelled.
        found: String,
        /// What it looks like.
        meant: &'static str,
    },
}

/// What the bytes seem to have been meant as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// A request or a notification.
    Call,
    /// A response.
    Response,
    /// Cannot be told.
    Unclear,
}

/// A [`FaultKind`] with what can still be read: whom to answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind}")]
pub struct MessageFault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The id to answer to, where it can be found.
    pub id: Option<Id>,
    /// What it seems to have been.
    pub shape: Shape,
    /// The beginning of what came, for the record: at most [`MessageFault::BEGINNING_BYTES_MAX`]
    /// bytes, with what is not UTF-8 replaced.
    pub beginning: String,
}

impl MessageFault {
    /// The longest part of a faulty message that is kept, in bytes: enough to see what it was.
    pub const BEGINNING_BYTES_MAX: usize = 4096;

    /// The fault, with what the beginning of the message still shows.
    #[must_use]
    pub fn new(kind: FaultKind, beginning: &[u8]) -> Self {
        let members = loose_members(beginning);
        let has = |name: &[u8]| members.iter().any(|(key, _)| *key == name);
        let shape = if has(b"\"method\"") {
            Shape::Call
        } else if has(b"\"result\"") || has(b"\"error\"") {
            Shape::Response
        } else {
            Shape::Unclear
        };
        let mut ids = members.iter().filter(|(key, _)| *key == b"\"id\"");
        // Of two ids, answering either may reach the wrong request.
        let id = match (ids.next(), ids.next()) {
            (Some((_, text)), None) => Json::parse(text).ok().and_then(|id| Id::of(id).ok()),
            _ => None,
        };
        let kept = beginning.get(..Self::BEGINNING_BYTES_MAX).unwrap_or(beginning);
        Self { kind, id, shape, beginning: String::from_utf8_lossy(kept).into_owned() }
    }

    /// The fault of a message that was not kept because it is longer than `bytes_max`, with what its
    /// beginning and its end still show: some servers write the id last.
    #[must_use]
    pub fn too_long(bytes_max: usize, beginning: &[u8], ending: &[u8]) -> Self {
        let mut fault = Self::new(FaultKind::TooLong { bytes_max }, beginning);
        fault.id = fault.id.or_else(|| id_at_end(ending));
        fault
    }

    /// The JSON-RPC code to answer with (JSON-RPC 2.0 section 5.1).
    #[must_use]
    pub const fn code(&self) -> i64 {
        match self.kind {
            FaultKind::Json(JsonFault::NotUtf8 { .. } | JsonFault::Syntax { .. }) => -32_700,
            FaultKind::Json(_)
            | FaultKind::TooLong { .. }
            | FaultKind::Batch
            | FaultKind::Envelope(_)
            | FaultKind::LookAlike { .. } => -32_600,
        }
    }
}

/// The id that is the last member of the outermost object. What is quoted in a string cannot look like
/// it: its quotes would be escaped, and the string's own quote would come before the brace.
fn id_at_end(ending: &[u8]) -> Option<Id> {
    let text = String::from_utf8_lossy(ending);
    let members = text.trim_end().strip_suffix('}')?.trim_end();
    let (before, value) = members.rsplit_once("\"id\"")?;
    let after_comma = before.trim_end().ends_with(',');
    let value = value.trim_start().strip_prefix(':')?.trim_start();
    let id = Json::parse(value.as_bytes()).ok().and_then(|id| Id::of(id).ok());
    id.filter(|_| after_comma)
}
