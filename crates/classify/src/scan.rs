//! Everything that a text holds, also under codings and by an operator's rules.

use std::collections::BTreeMap;

use pathwarden_decode::{Step, views};

use crate::{Class, OVERLAP_BYTES, Rules, TEXT_BYTES_MAX, boundary, pattern};

/// How many hits a scan keeps. A text with more is a list of values; the scan says that it was cut.
pub const HITS_MAX: usize = 10_000;

/// One value found.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Hit {
    /// Its first byte in the original text. Of a value inside base64, hex or compressed data: the
    /// first byte of these.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// What it is.
    pub class: Class,
    /// Which rule found it.
    pub rule: String,
    /// How it was coded, outermost first; empty when it stands in the text as it is.
    pub via: Vec<Step>,
}

/// What a scan found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scan {
    /// The hits in order. Those of different classes or places may overlap.
    pub hits: Vec<Hit>,
    /// Whether a limit cut something off: the text may hold more. Doubt is the caller's to refuse.
    pub overflowed: bool,
}

/// Everything that the rules find in `text` and in every text coded in it.
#[must_use]
pub fn scan(text: &str, rules: &Rules) -> Scan {
    let mut hits = Hits { by_place: BTreeMap::new(), overflowed: !rules.is_whole() };
    hits.add_all(text, rules, &[], |start, end| (start, end));
    let views = views(text);
    hits.overflowed |= views.overflowed;
    for view in &views.views {
        hits.add_all(&view.text, rules, &view.steps, |start, end| {
            let span = view.span(start..end);
            (span.start, span.end)
        });
    }
    hits.finish()
}

/// Hits by what they are; of the same seen under several codings the shortest way stays.
pub(crate) struct Hits {
    by_place: BTreeMap<(usize, usize, Class), (String, Vec<Step>)>,
    overflowed: bool,
}

impl Hits {
    fn add_all(
        &mut self,
        text: &str,
        rules: &Rules,
        via: &[Step],
        place: impl Fn(usize, usize) -> (usize, usize),
    ) {
        let mut from: usize = 0;
        loop {
            let end = boundary(text, from.saturating_add(TEXT_BYTES_MAX));
            let piece = text.get(from..end).unwrap_or_default();
            pattern::scan_sets(piece, &rules.sets(), &Class::ALL, |rule, class, range| {
                let (start, end) = place(from + range.start, from + range.end);
                self.add((start, end, class), rule, via);
            });
            if end >= text.len() {
                return;
            }
            from = boundary(text, end.saturating_sub(OVERLAP_BYTES));
        }
    }

    fn add(&mut self, key: (usize, usize, Class), rule: &str, via: &[Step]) {
        if self.by_place.len() >= HITS_MAX {
            self.overflowed = true;
            return;
        }
        // Views come with fewest steps first.
        self.by_place.entry(key).or_insert_with(|| (rule.to_owned(), via.to_vec()));
    }

    fn finish(self) -> Scan {
        let hits = self.by_place.into_iter().map(|((start, end, class), (rule, via))| Hit {
            start,
            end,
            class,
            rule,
            via,
        });
        Scan { hits: hits.collect(), overflowed: self.overflowed }
    }
}

#[cfg(test)]
mod tests;
