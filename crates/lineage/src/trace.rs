//! Where a value stood in what was read.

mod query;
mod search;

use pathwarden_decode::{Effort, Step, views_of};
use pathwarden_types::Ratio;

use crate::index::{Index, SourceId};
use search::Search;

/// How a value stood in a source, the strongest first.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum How {
    /// As the whole of a field.
    Whole,
    /// In running text, or as a part of a field.
    Embedded,
    /// Under codings of the source or of the value; never empty.
    Decoded(Vec<Step>),
    /// As a stretch of running text, perhaps changed in places.
    Span,
    /// In pieces, or with other punctuation.
    Composed,
}

/// One place that a value may have come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Match {
    /// The content.
    pub source: SourceId,
    /// How it stood there.
    pub how: How,
    /// The JSON pointer, or the key, that it stood under; empty in running text.
    pub path: String,
    /// Where it begins, in bytes of the content.
    pub start: usize,
    /// One past where it ends.
    pub end: usize,
    /// How much of the letters and digits of the value it explains.
    pub coverage: Ratio,
    /// Whether it stood in a field of few words rather than in running text.
    pub in_field: bool,
}

/// Bytes of the value that something read explains.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Piece {
    /// First byte.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

/// Every place that a value may have come from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trace {
    /// The places, best first: by coverage, then by how, then in the order of sources.
    pub matches: Vec<Match>,
    /// How much of the value all of them together explain.
    pub coverage: Ratio,
    /// Which bytes of the value they explain, in order.
    pub pieces: Vec<Piece>,
    /// Whether a limit left something out.
    pub overflowed: bool,
}

impl Trace {
    /// The most places that are said.
    pub const MATCHES_MAX: usize = 64;
    /// The longest value that is traced, in bytes; the rest is left out, and said.
    pub const VALUE_BYTES_MAX: usize = 64 << 10;

    /// The best place.
    #[must_use]
    pub fn best(&self) -> Option<&Match> {
        self.matches.first()
    }
}

impl Index {
    /// Where a value stood in what was read: as it is, in another spelling, under codings, as a
    /// stretch, or in pieces.
    #[must_use]
    pub fn trace(&self, value: &str) -> Trace {
        let end = value.floor_char_boundary(Trace::VALUE_BYTES_MAX);
        let text = value.get(..end).unwrap_or_default();
        let mut search = Search::new(self, text.len());
        let is_found = search.plain(text);
        let mut overflowed = end < value.len() || self.is_full();
        // What stands whole in a source needs no other explanation.
        if !is_found && self.sources() > 0 {
            let views = views_of(text, Effort::Thorough);
            overflowed |= views.overflowed;
            for view in &views.views {
                search.view(view);
            }
        }
        search.finish(overflowed)
    }

    /// Where a value stood that was cut up over several arguments, in this order.
    #[must_use]
    pub fn trace_joined(&self, values: &[&str]) -> Trace {
        self.trace(&values.concat())
    }

    /// Whether a phrase stands in anything that was read, word for word and with the same
    /// punctuation, as it is or under a coding of the source.
    #[must_use]
    pub fn contains_phrase(&self, phrase: &str) -> bool {
        let end = phrase.floor_char_boundary(Trace::VALUE_BYTES_MAX);
        end == phrase.len() && Search::new(self, end).holds_phrase(phrase)
    }
}
