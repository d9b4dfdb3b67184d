//! A text that comes in pieces.
//!
//! Windows begin at fixed places of the text, wherever the pieces end: so the answer is the same
//! for any split. Bounded are the bytes held (one window and what is around it) and the hits
//! ([`crate::scan`]'s limit). A value is found whole when it is at most [`OVERLAP_BYTES`] long, and
//! one inside coded data when the data, from its beginning to the value, lies in one window.

use std::collections::BTreeSet;

use crate::{Hit, OVERLAP_BYTES, Rules, Scan, scan, scan::HITS_MAX};

/// How many bytes each window is responsible for.
pub const WINDOW_BYTES: usize = 64 << 10;

/// Scans a text of any length in bounded memory.
#[derive(Debug)]
pub struct Stream<'r> {
    rules: &'r Rules,
    /// The window, with up to [`OVERLAP_BYTES`] before and after it.
    held: Vec<u8>,
    /// Where in the text the first held byte is.
    held_at: usize,
    /// Where in the text the window begins.
    window_at: usize,
    hits: BTreeSet<Hit>,
    overflowed: bool,
}

impl<'r> Stream<'r> {
    /// A stream of which nothing came yet.
    #[must_use]
    pub fn new(rules: &'r Rules) -> Self {
        let (hits, held) = (BTreeSet::new(), Vec::new());
        Self { rules, held, held_at: 0, window_at: 0, hits, overflowed: false }
    }

    /// Takes the next piece. Bytes that are no UTF-8 separate what is around them.
    pub fn push(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let full = self.window_at + WINDOW_BYTES + OVERLAP_BYTES - self.held_at;
            let room = full.saturating_sub(self.held.len()).min(piece.len());
            let (now, later) = piece.split_at_checked(room).unwrap_or((piece, &[]));
            self.held.extend_from_slice(now);
            piece = later;
            if self.held.len() >= full {
                self.scan_window(self.window_at + WINDOW_BYTES);
                self.window_at += WINDOW_BYTES;
                let keep_from = self.window_at - OVERLAP_BYTES;
                self.held.drain(..(keep_from - self.held_at).min(self.held.len()));
                self.held_at = keep_from;
            }
        }
    }

    /// What was found in everything that came, its places counted from the first byte of all.
    #[must_use]
    pub fn finish(mut self) -> Scan {
        self.scan_window(usize::MAX);
        Scan { hits: self.hits.into_iter().collect(), overflowed: self.overflowed }
    }

    /// Keeps what begins before `end`. What begins before the window was found in the one before.
    fn scan_window(&mut self, end: usize) {
        let found = scan(&as_text(&self.held), self.rules);
        self.overflowed |= found.overflowed;
        for mut hit in found.hits {
            hit.start += self.held_at;
            hit.end += self.held_at;
            // Coded data may have begun long ago; it is here when it ends here.
            let from = if hit.via.is_empty() { hit.start } else { hit.end.saturating_sub(1) };
            if from < self.window_at || hit.start >= end {
                continue;
            }
            if self.hits.len() >= HITS_MAX {
                self.overflowed = true;
                return;
            }
            self.hits.insert(hit);
        }
    }
}

/// The bytes as text of the same length: what is no UTF-8 becomes question marks.
fn as_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{OVERLAP_BYTES, Stream, WINDOW_BYTES};
    use crate::{Rules, Scan, scan};

    fn streamed<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Scan {
        let rules = Rules::pack();
        let mut stream = Stream::new(&rules);
        pieces.into_iter().for_each(|piece| stream.push(piece));
        stream.finish()
    }

    #[test]
    fn a_value_anywhere_around_a_window_is_found_once() {
        let value = "DE89370400440532013000";
        for before in [0, 1, WINDOW_BYTES - 30, WINDOW_BYTES - 10, WINDOW_BYTES - 1, WINDOW_BYTES] {
            for places in [before, before + OVERLAP_BYTES, before + WINDOW_BYTES] {
                let text = format!("{}{value} end", " ".repeat(places));
                let found = streamed([text.as_bytes()]);
                let found: Vec<_> = found.hits.iter().map(|hit| (hit.start, hit.end)).collect();
                assert_eq!(found, [(places, places + value.len())]);
            }
        }
    }

    #[test]
    fn a_short_text_is_scanned_as_in_one_piece() {
        let text =
            "IBAN DE89370400440532013000, cGF5IERFODkzNzA0MDA0NDA1MzIwMTMwMDA= \u{e9} a@b.example";
        assert_eq!(streamed(text.as_bytes().chunks(3)), scan(text, &Rules::pack()));
    }

    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            2 => prop::collection::vec(any::<u8>(), 0..20),
            2 => Just(b" DE89 3704 0044 0532 0130 00 ".to_vec()),
            1 => Just(b"cGF5IERFODkzNzA0MDA0NDA1MzIwMTMwMDA=".to_vec()),
            1 => Just(b"ghp_0123456789abcdefghijABCDEFGHIJ012345".to_vec()),
            1 => Just(vec![b' '; WINDOW_BYTES - 40]),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_split_gives_the_same(bytes in any_bytes(), sizes in prop::collection::vec(1..9000_usize, 1..20)) {
            let mut rest = bytes.as_slice();
            let mut pieces = Vec::new();
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, later) = rest.split_at((*size).min(rest.len()));
                pieces.push(piece);
                rest = later;
            }
            prop_assert_eq!(streamed(pieces), streamed([bytes.as_slice()]));
        }
    }
}
