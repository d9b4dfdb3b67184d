//! Where values came from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionId, Digest};

/// Where a value came from, ordered by how little that speaks for it.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum GivenBy {
    /// The person who stated the task named it.
    Task,
    /// It stands in content of the organisation's own that the session read.
    Content,
    /// It is a whole field of a record that the session read; outsiders may have written the record.
    Record,
    /// It stands in running text that outsiders may have written, but that the task points to.
    Pointed,
    /// Nobody: the agent made it up, or it came from where we do not see.
    Nobody,
    /// It stands only in running text that outsiders may have written, or was found with such text.
    OutsideContent,
    /// It stands in a sentence of such text that orders what the action does.
    Ordered,
}

impl GivenBy {
    /// Everything that can have given a value, in order.
    pub const ALL: [Self; 7] = [
        Self::Task,
        Self::Content,
        Self::Record,
        Self::Pointed,
        Self::Nobody,
        Self::OutsideContent,
        Self::Ordered,
    ];

    /// As policies spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Content => "content",
            Self::Record => "record",
            Self::Pointed => "pointed",
            Self::Nobody => "nobody",
            Self::OutsideContent => "outside_content",
            Self::Ordered => "ordered",
        }
    }
}

/// Where an argument that decides something came from, as far as it is recorded.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Origin {
    /// RFC 6901 pointer into the arguments.
    pub pointer: String,
    /// What the argument is for: `target`, `command`, `credential`, `content`.
    pub role: String,
    /// Where its value came from.
    pub given_by: GivenBy,
    /// Where it stood, unless the task or nobody gave it.
    pub place: Option<Place>,
}

/// A place in a result.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Place {
    /// The action whose result it is.
    pub action: ActionId,
    /// The result, a payload.
    pub content: Digest,
    /// Where the value begins, in bytes.
    pub start: u64,
    /// Where it ends, in bytes.
    pub end: u64,
}
