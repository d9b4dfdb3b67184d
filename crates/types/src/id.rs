//! Ids. A session has a W3C trace id, an action a span id, so that `traceparent` carries both.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::hex::{self, HexError};

/// Why a text is not an id.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Wrong length or digits.
    #[error("not an id")]
    Hex(#[source] HexError),
    /// W3C Trace Context forbids the all-zero id.
    #[error("an id of zeros only is not allowed")]
    Zero,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd)]
        #[derive(Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Length in bytes.
            pub const BYTES: usize = $bytes;

            /// An id from its bytes.
            ///
            /// # Errors
            ///
            /// [`IdError::Zero`] when all bytes are zero.
            pub fn from_bytes(bytes: [u8; $bytes]) -> Result<Self, IdError> {
                if bytes == [0; $bytes] { Err(IdError::Zero) } else { Ok(Self(bytes)) }
            }

            /// The id that follows from a digest: its first bytes, and never zero.
            #[must_use]
            pub fn of(digest: &Digest) -> Self {
                let mut bytes = [0; $bytes];
                for (to, from) in bytes.iter_mut().zip(digest.as_bytes()) {
                    *to = *from;
                }
                if bytes == [0; $bytes] { Self([1; $bytes]) } else { Self(bytes) }
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex::write(f, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                hex::read(text).map_err(IdError::Hex).and_then(Self::from_bytes)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id! {
    /// One run of a task. The W3C trace id (Trace Context level 1, section 3.2.2.3).
    SessionId, 16
}
id! {
    /// One attempted operation, the same across all planes. The W3C span id (section 3.2.2.4).
    ActionId, 8
}
id! {
    /// One question put to a person.
    ApprovalId, 8
}
