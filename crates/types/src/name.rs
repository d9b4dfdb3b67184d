//! Names that come from configuration or from a peer: bounded, printable, never empty.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a text is not a name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// A name has at least one character.
    #[error("a name may not be empty")]
    Empty,
    /// Longer than [`Name::BYTES_MAX`].
    #[error("a name may not be longer than {} bytes, this one has {bytes}", Name::BYTES_MAX)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Control characters hide things from a person who reads a log.
    #[error("a name may not hold control or invisible characters")]
    Invisible,
}

/// The name of an agent, a server, a tool or a person.
#[derive(
    Clone, Debug, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Name(String);

impl Name {
    /// The longest name, in bytes. MCP tool names are limited to 128 characters.
    pub const BYTES_MAX: usize = 256;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character shows nothing, breaks the line or reorders what is shown, so that a person reads
/// something else than what is there: control characters (C0, DEL, C1), line and paragraph separators,
/// bidirectional controls, zero-width and other format characters, tags and the variation selectors
/// that text is hidden in.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// JSON with every invisible character but the line feed as its escape. Outside of strings JSON has no
/// such character but white space, and inside of them a line feed is escaped already.
#[must_use]
pub fn escape_invisible(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_invisible(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    out
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text.is_empty() {
            Err(NameError::Empty)
        } else if text.len() > Self::BYTES_MAX {
            Err(NameError::TooLong { bytes: text.len() })
        } else if text.chars().any(is_invisible) {
            Err(NameError::Invisible)
        } else {
            Ok(Self(text))
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
