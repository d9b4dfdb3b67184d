//! The id of a JSON-RPC request.

use pathwarden_json::{Json, Kind};

/// The id of a request, as it was spelled and as it is compared.
///
/// Peers may write `"a"` back as `"\u0061"`, so ids are matched by [`Id::key`] and written as
/// [`Id::text`].
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Id {
    key: String,
    text: String,
}

/// Why a value is not an id.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IdFault {
    /// MCP wants a string or an integer, and forbids `null`.
    #[error("an id is a string or an integer")]
    Kind,
    /// Longer than [`Id::BYTES_MAX`].
    #[error("an id may not be longer than {} bytes", Id::BYTES_MAX)]
    TooLong,
}

impl Id {
    /// The longest id, in bytes.
    pub const BYTES_MAX: usize = 256;

    /// The id that this value is.
    ///
    /// # Errors
    ///
    /// [`IdFault`] when it is none.
    pub fn of(value: Json<'_>) -> Result<Self, IdFault> {
        let text = value.text();
        if text.len() > Self::BYTES_MAX {
            return Err(IdFault::TooLong);
        }
        let key = match value.kind() {
            Kind::String => {
                let content = value.string().ok_or(IdFault::Kind)?;
                format!("\"{content}")
            }
            Kind::Number if text == "-0" => "0".to_owned(),
            Kind::Number if !text.contains(['.', 'e', 'E']) => text.to_owned(),
            _ => return Err(IdFault::Kind),
        };
        Ok(Self { key, text: text.to_owned() })
    }

    /// What equal ids have in common, however they are spelled.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The JSON text as it came.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}
