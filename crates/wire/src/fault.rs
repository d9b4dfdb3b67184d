//! An error that crosses a process boundary.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What went wrong, what to do about it, and whether to try again.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What kind; decides the HTTP status.
    pub kind: FaultKind,
    /// What went wrong, in words for a person.
    pub message: String,
    /// What to do instead.
    pub advice: String,
    /// Whether the same request may succeed later.
    pub retry: bool,
}

/// Kinds of fault: the stable code of an error.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request could not be read.
    Malformed,
    /// No token, or not one of ours.
    Unauthenticated,
    /// The token's role may not do this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// It was done already, or cannot be done in this state.
    Conflict,
    /// A named limit is reached.
    TooMuch,
    /// The ledger cannot take records now; nothing is released.
    LedgerUnavailable,
    /// The node could not be reached or broke off.
    Unreachable,
    /// A broken invariant of ours.
    Internal,
}

impl FaultKind {
    /// The HTTP status that carries it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooMuch => 429,
            Self::Internal => 500,
            Self::Unreachable => 502,
            Self::LedgerUnavailable => 503,
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn retry(self) -> bool {
        match self {
            Self::TooMuch | Self::LedgerUnavailable | Self::Unreachable => true,
            Self::Malformed
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::NotFound
            | Self::Conflict
            | Self::Internal => false,
        }
    }
}

impl Fault {
    /// A fault of this kind.
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>, advice: impl Into<String>) -> Self {
        let retry = kind.retry();
        Self { kind, message: message.into(), advice: advice.into(), retry }
    }
}
