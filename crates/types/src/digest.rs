//! A SHA-256 digest: of an entry's leaf, of a payload, of canonical arguments, of a policy bundle.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::hex;

/// A SHA-256 digest. `Display` prints 64 lower-case hex digits, which [`FromStr`] reads back.
#[derive(Clone, Copy, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Digest([u8; Digest::BYTES]);

impl Digest {
    /// Length of a digest, in bytes.
    pub const BYTES: usize = 32;

    /// The digest of `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self::of_parts(&[content])
    }

    /// The digest of the concatenation of `parts`, without building it.
    #[must_use]
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut digesting = Self::begin();
        parts.iter().for_each(|part| digesting.update(part));
        digesting.finish()
    }

    /// Begins the digest of content that comes piece by piece.
    #[must_use]
    pub fn begin() -> Digesting {
        Digesting(Context::new(&SHA256))
    }

    /// A digest computed elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// A digest of what has come so far, made by [`Digest::begin`].
pub struct Digesting(Context);

impl Digesting {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        let mut bytes = [0; Digest::BYTES];
        for (to, from) in bytes.iter_mut().zip(self.0.finish().as_ref()) {
            *to = *from;
        }
        Digest(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(f, &self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = hex::HexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::read(text).map(Self)
    }
}

impl TryFrom<String> for Digest {
    type Error = hex::HexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}
