//! The texts that a text holds under a coding.
//!
//! **What it is for.** Who scans a text for secrets, or looks for the source of a value, must also
//! see what is written in it in another way: percent-coded, escaped, in base64 or hex, compressed.
//! Both sides of a comparison use the same [`views`], so that a coding hides nothing from either.
//!
//! **What it never does.** No I/O and no clock. It never panics, never decodes lossily, and
//! holds no more than the limits below, whatever the text is. When a limit cut
//! something off, it says so ([`Views::overflowed`]).
//!
//! **Where to start.** [`views`], then [`View::span`].

mod digits;
mod escape;
pub mod fold;
mod inflate;
mod map;
mod mirror;
mod plain;
mod search;

use std::{fmt, ops::Range, sync::Arc};

pub use search::{views, views_of};

use map::Map;

/// How many codings may lie one in another. More than that nobody needs who has nothing to hide.
pub const DEPTH_MAX: usize = 3;

/// How many views one text has. A text with more is a list of coded things; it overflows.
pub const VIEWS_MAX: usize = 128;

/// How many bytes all views of a text have together: this many times the text …
pub const OUTPUT_RATIO_MAX: usize = 16;

/// … and this many more, so that a short text may hold a compressed one …
pub const OUTPUT_BYTES_MIN: usize = 64 << 10;

/// … and never more than this.
pub const OUTPUT_BYTES_MAX: usize = 8 << 20;

/// What one compressed piece may become, in bytes. A bomb ends here.
pub const INFLATED_BYTES_MAX: usize = 256 << 10;

/// The longest text that [`Effort::Thorough`] mirrors, in bytes: what an argument has.
pub const MIRRORED_BYTES_MAX: usize = 4 << 10;

/// One coding. The order is the one in which codings of a whole text are taken off.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Step {
    /// `%41` (RFC 3986, 2.1).
    Percent,
    /// `\u0041` and the like (RFC 8259, 7), also `\x41` and `\u{41}`.
    JsonEscapes,
    /// Character references: `&#65;`, `&amp;`.
    Html,
    /// Base64 and base64url (RFC 4648), padded or not.
    Base64,
    /// Pairs of hexadecimal digits (RFC 4648, 8).
    Hex,
    /// Gzip (RFC 1952).
    Gzip,
    /// Zlib (RFC 1950).
    Zlib,
    /// Each letter replaced by the one 13 places on.
    Rot13,
    /// Read from the end.
    Reversed,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 9] = [
        Self::Percent,
        Self::JsonEscapes,
        Self::Html,
        Self::Base64,
        Self::Hex,
        Self::Gzip,
        Self::Zlib,
        Self::Rot13,
        Self::Reversed,
    ];

    /// Its name in explanations and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::JsonEscapes => "json_escapes",
            Self::Html => "html",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Rot13 => "rot13",
            Self::Reversed => "reversed",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effort {
    /// What software writes: everything but [`Step::Rot13`] and [`Step::Reversed`].
    Usual,
    /// Also what only hides, in texts of at most [`MIRRORED_BYTES_MAX`].
    Thorough,
}

/// One text that a text holds under a coding. It is mostly printable.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct View {
    /// The text, decoded.
    pub text: String,
    /// How it was coded, outermost first; never empty.
    pub steps: Vec<Step>,
    /// Where what it came from begins, in bytes of the original text.
    pub start: usize,
    /// One past where that ends.
    pub end: usize,
    /// From the original text to this one, outermost first.
    maps: Vec<Arc<Map>>,
    /// Escapes not to take off this text: another view did so before.
    done: Vec<Step>,
}

impl View {
    /// The bytes of the original text that a part of this view came from; of a part inside base64,
    /// hex or compressed data, all of these.
    #[must_use]
    pub fn span(&self, part: Range<usize>) -> Range<usize> {
        self.maps.iter().rev().fold(part, |part, map| map.span(part))
    }
}

/// Every view of a text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Views {
    /// The views, fewest steps first. The text itself is none of them.
    pub views: Vec<View>,
    /// Whether a limit cut something off: the text may hold more than is here.
    pub overflowed: bool,
}

#[cfg(test)]
mod tests;
