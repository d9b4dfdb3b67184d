//! One text that is sought, taken apart.

use std::ops::Range;

use pathwarden_types::Ratio;

use crate::prints::Letters;
use crate::reading::small;
use crate::words::{Word, each_word, is_telling};

/// One text to be found: the value, or what it holds under a coding.
pub(super) struct Query {
    /// Each word, the letters it is, and whether it alone is telling.
    pub(super) words: Vec<(Word, Range<usize>, bool)>,
    /// All letters and digits in one spelling.
    pub(super) folded: String,
    /// The same, for fingerprints.
    pub(super) letters: Letters,
    /// How many there are.
    pub(super) total: usize,
}

impl Query {
    pub(super) fn of(text: &str) -> Self {
        let (mut words, mut letters, mut total) = (Vec::new(), Letters::default(), 0);
        let mut all = String::with_capacity(text.len());
        each_word(text, |word, folded| {
            let end = total + folded.chars().count();
            words.push((word, total..end, is_telling(folded)));
            letters.push_word(folded, small(words.len()));
            all.push_str(folded);
            total = end;
        });
        Self { words, folded: all, letters, total }
    }

    /// The letters of some bytes of the text.
    pub(super) fn letters(&self, bytes: &Range<usize>) -> Range<usize> {
        let from = self.words.partition_point(|(word, ..)| word.end <= bytes.start);
        let to = self.words.partition_point(|(word, ..)| word.start < bytes.end);
        let first = self.words.get(from).map_or(self.total, |(_, letters, _)| letters.start);
        let before = to.checked_sub(1).and_then(|last| self.words.get(last));
        first..before.map_or(first, |(_, letters, _)| letters.end).max(first)
    }
}

/// How many letters sorted ranges cover together.
pub(super) fn union(covers: &[(usize, usize)]) -> usize {
    let (mut total, mut reached) = (0, 0);
    for (start, end) in covers {
        total += end.saturating_sub((*start).max(reached));
        reached = reached.max(*end);
    }
    total
}

pub(super) fn ratio(part: usize, all: usize) -> Ratio {
    let steps = part.saturating_mul(usize::from(Ratio::STEPS)).checked_div(all).unwrap_or(0);
    u16::try_from(steps).map_or(Ratio::ONE, Ratio::of)
}

/// The bytes of the words that the covered letters are in.
pub(super) fn bytes_of(covers: &[(usize, usize)], query: &Query) -> Vec<Range<usize>> {
    let words = |(start, end): &(usize, usize)| {
        let from = query.words.partition_point(|(_, letters, _)| letters.end <= *start);
        let to = query.words.partition_point(|(_, letters, _)| letters.start < *end);
        let first = query.words.get(from).map(|(word, ..)| word.start);
        let last = to.checked_sub(1).and_then(|last| query.words.get(last));
        first.zip(last).map(|(first, (word, ..))| first..word.end)
    };
    covers.iter().filter_map(words).collect()
}
