//! A view of JSON text (RFC 8259) that knows where each value stands, and its canonical form.
//!
//! **What it is for.** Lenses read messages with it and forward their bytes unchanged; the engine
//! binds decisions and approvals to the canonical form of what was decided. One strict pass proves the
//! text; after it, values are found by skipping, so that a large message costs no tree.
//!
//! **What it never does.** It never repairs and never guesses: what two parsers could read differently
//! is a fault. It has no I/O and keeps no copy of what it reads.
//!
//! **Where to start.** [`Json::parse`]: only it makes a [`Json`], so that holding one is the proof.
//! Then [`canonical()`], [`Pointer`], and [`edit`] for changes that leave every other byte alone.

mod canonical;
mod document;
pub mod edit;
mod pointer;
mod scan;
mod text;
mod walk;

use std::borrow::Cow;
use std::ops::Range;

use scan::Scan;

pub use canonical::canonical;
pub use document::Document;
pub use pointer::{Pointer, PointerFault};
pub use text::push_string;
pub use walk::{Items, Members, loose_members};

/// The deepest nesting of arrays and objects: far beyond what tools use, and small enough for the
/// recursive parsers of the servers behind us.
pub const DEPTH_MAX: usize = 128;

/// Why bytes are not JSON text that every parser reads alike.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// RFC 8259 section 8.1 wants UTF-8.
    #[error("invalid UTF-8 at byte {at}")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// Not the grammar.
    #[error("expected {expected} at byte {at}")]
    Syntax {
        /// Offset.
        at: usize,
        /// What the grammar wants there.
        expected: &'static str,
    },
    /// One name twice in one object, after unescaping: parsers disagree which one counts.
    #[error("duplicate key `{key}` at byte {at}")]
    DuplicateKey {
        /// Offset of the second one.
        at: usize,
        /// The key, cut to a readable length.
        key: String,
    },
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} levels at byte {at}")]
    TooDeep {
        /// Offset.
        at: usize,
    },
    /// A key with half of a surrogate pair names nothing in Unicode.
    #[error("a key with a lone surrogate at byte {at}")]
    LoneSurrogate {
        /// Offset.
        at: usize,
    },
}

/// The kinds of JSON value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `{…}`.
    Object,
    /// `[…]`.
    Array,
    /// `"…"`.
    String,
    /// A number, in any spelling.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
}

/// One value inside proven JSON text, with its place.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    whole: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Json<'a> {
    /// Proves the whole of `bytes` to be one JSON value, with white space around it.
    ///
    /// # Errors
    ///
    /// [`JsonFault`] with the place.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, JsonFault> {
        let whole = std::str::from_utf8(bytes)
            .map_err(|error| JsonFault::NotUtf8 { at: error.valid_up_to() })?;
        let mut scan = Scan::new(whole);
        scan.space();
        let start = scan.at();
        scan.value(0)?;
        let end = scan.at();
        scan.end()?;
        Ok(Self { whole, start, end })
    }

    /// The text of this value, exactly as it was spelled.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.whole.get(self.start..self.end).unwrap_or_default()
    }

    /// Where it stands in the text that was parsed, in bytes.
    #[must_use]
    pub const fn span(self) -> Range<usize> {
        self.start..self.end
    }

    /// What kind of value it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.text().as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            _ => Kind::Null,
        }
    }

    /// The string that it is, unescaped; `None` when it is none, or has half of a surrogate pair.
    #[must_use]
    pub fn string(self) -> Option<Cow<'a, str>> {
        text::unescape(self.text().strip_prefix('"')?.strip_suffix('"')?)
    }

    /// The members of an object in the order of the text; nothing for other kinds.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members::of(self)
    }

    /// The items of an array; nothing for other kinds.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        Items::of(self)
    }

    /// The member of this name.
    #[must_use]
    pub fn member(self, name: &str) -> Option<Self> {
        self.members().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests;
