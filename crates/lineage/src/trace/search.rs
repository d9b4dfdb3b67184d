//! The search for one value: each finder adds hits, and hits in one place are counted together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pathwarden_decode::{Step, View};
use pathwarden_types::Ratio;

use super::query::{Query, bytes_of, ratio, union};
use super::{How, Match, Piece, Trace};
use crate::entity::{PART, each_entity, each_part};
use crate::fold::folded_value;
use crate::hash::{Domain, hash};
use crate::index::{Index, SourceId};
use crate::prints::GRAM;
use crate::reading::{Reading, small};
use crate::runs::Runs;

/// The most places of one hash that are looked at.
const PLACES_MAX: usize = 256;
/// One word that stands in more places says nothing by itself.
const WORD_PLACES_MAX: usize = 16;
/// The most places that are looked at for one value: what bounds its time.
const WORK_MAX: usize = 65_536;
/// A fingerprint in this many sources is background.
const COMMON_SOURCES_MIN: usize = 8;
/// The most words of a value that pieces are sought for; more is running text, which has spans.
const PIECE_WORDS_MAX: usize = 256;
/// So many fingerprints, or …
const SPAN_PRINTS_MIN: usize = 3;
/// … so much of the value, make a span.
const SPAN_COVERAGE_MIN: Ratio = Ratio::of(3_000);
/// Under a coding, shorter finds are chance.
const DECODED_LETTERS_MIN: usize = 5;

/// What a hit is counted under.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Whole,
    Embedded,
    Span,
    Composed,
}

#[derive(Default)]
struct Group {
    covers: BTreeSet<(usize, usize)>,
    best: Option<(usize, u32, u32)>,
    tokens: Option<(u32, u32)>,
}

pub(super) struct Search<'i> {
    index: &'i Index,
    value_bytes: usize,
    groups: BTreeMap<(Kind, SourceId, u32), Group>,
    matches: Vec<Match>,
    covered: Vec<Range<usize>>,
    coverage: Ratio,
    work_left: usize,
}

impl<'i> Search<'i> {
    pub(super) fn new(index: &'i Index, value_bytes: usize) -> Self {
        Self {
            index,
            value_bytes,
            groups: BTreeMap::new(),
            matches: Vec::new(),
            covered: Vec::new(),
            coverage: Ratio::ZERO,
            work_left: WORK_MAX,
        }
    }

    /// Looks for the value as it is; whether all of it was found in one place.
    pub(super) fn plain(&mut self, text: &str) -> bool {
        let query = Query::of(text);
        let is_found = self.look(text, &query, true);
        let mut covers: Vec<_> =
            self.groups.values().flat_map(|group| group.covers.iter().copied()).collect();
        covers.sort_unstable();
        self.coverage = ratio(union(&covers), query.total);
        self.covered = bytes_of(&covers, &query);
        self.collect(&query, &[], Ratio::ONE);
        is_found
    }

    /// Looks for what the value holds under a coding.
    pub(super) fn view(&mut self, view: &View) {
        let query = Query::of(&view.text);
        if query.total < DECODED_LETTERS_MIN {
            return;
        }
        let is_mirrored = view.steps.iter().any(|s| matches!(s, Step::Rot13 | Step::Reversed));
        self.look(&view.text, &query, !is_mirrored);
        let share = ratio(view.end.saturating_sub(view.start), self.value_bytes);
        let best = self.collect(&query, &view.steps, share);
        if best > Ratio::ZERO {
            self.coverage = self.coverage.max(best);
            self.covered.push(view.start..view.end);
        }
    }

    /// Whether all words of a text stand one after the other in one leaf.
    pub(super) fn holds_phrase(mut self, text: &str) -> bool {
        self.phrase(&Query::of(text))
    }

    fn look(&mut self, text: &str, query: &Query, in_pieces: bool) -> bool {
        if query.total == 0 {
            return false;
        }
        let mut is_found = self.whole(text, query);
        is_found |= self.phrase(query);
        is_found |= self.entities(text, query);
        if !is_found {
            self.spans(query);
            if in_pieces {
                self.pieces(query);
                self.parts(query);
            }
        }
        is_found
    }

    /// The places of a hash, until the work is spent.
    fn places(&mut self, runs: &Runs, hash: u64) -> Vec<u32> {
        let places: Vec<u32> = runs.find(hash, PLACES_MAX.min(self.work_left)).collect();
        self.work_left -= places.len();
        places
    }

    /// The value as a leaf, whatever its length of words.
    fn whole(&mut self, text: &str, query: &Query) -> bool {
        let Some(folded) = folded_value(text, Reading::WHOLE_BYTES_MAX) else { return false };
        self.thing(hash(Domain::Leaf, folded.as_bytes()), 0..query.total, true)
    }

    /// The value in another spelling, or things in it.
    fn entities(&mut self, text: &str, query: &Query) -> bool {
        let mut is_found = false;
        each_entity(text, |hash, bytes| {
            let letters = query.letters(&bytes);
            let is_all = letters == (0..query.total);
            is_found |= self.thing(hash, letters, is_all) && is_all;
        });
        is_found
    }

    fn thing(&mut self, hash: u64, letters: Range<usize>, is_all: bool) -> bool {
        let index = self.index;
        let mut is_found = false;
        for at in self.places(&index.things, hash) {
            let Some(entity) = index.entity(at) else { continue };
            is_found = true;
            let kind = match (is_all, entity.is_whole) {
                (true, true) => Kind::Whole,
                (true, false) => Kind::Embedded,
                (false, _) => Kind::Composed,
            };
            let last = entity.token + u32::from(entity.count).saturating_sub(1);
            self.hit(kind, entity.token, last, letters.clone());
        }
        is_found
    }

    /// All words of the value, one after the other, with the same punctuation between them.
    fn phrase(&mut self, query: &Query) -> bool {
        let counts =
            query.words.iter().map(|(word, ..)| self.index.words.count(word.hash, PLACES_MAX));
        let rarest = counts.enumerate().take(PIECE_WORDS_MAX).min_by_key(|(_, count)| *count);
        let Some((anchor, 1..)) = rarest else { return false };
        let Some((word, ..)) = query.words.get(anchor) else { return false };
        let index = self.index;
        let mut is_found = false;
        for at in self.places(&index.words, word.hash) {
            let Some(first) = at.checked_sub(small(anchor)) else { continue };
            if self.run(query, 0, first, true) == query.words.len() {
                is_found = true;
                let last = first + small(query.words.len()) - 1;
                self.hit(Kind::Embedded, first, last, 0..query.total);
            }
        }
        is_found
    }

    /// How many words from `from` on stand at `token` and after it in one leaf.
    fn run(&self, query: &Query, from: usize, token: u32, is_strict: bool) -> usize {
        let tokens = self.index.tokens.iter().skip(token as usize);
        let same = query.words.iter().skip(from).zip(tokens).enumerate();
        let count = same
            .take_while(|(nth, ((word, ..), token))| {
                let gap = *nth == 0 || !is_strict || token.gap == word.gap;
                token.hash == word.hash && gap
            })
            .count();
        if count < 2 {
            return count;
        }
        // Most runs are one word, so that only now it is asked where the leaf ends.
        let end = self.index.standing(token).map_or(token, |found| self.index.leaf_end(found.leaf));
        count.min(end.saturating_sub(token) as usize)
    }

    /// The longest runs of words, wherever each stands.
    fn pieces(&mut self, query: &Query) {
        let (index, mut from) = (self.index, 0);
        while from < query.words.len().min(PIECE_WORDS_MAX) {
            let Some((word, letters, is_telling)) = query.words.get(from) else { break };
            let places: Vec<(usize, u32)> = self
                .places(&index.words, word.hash)
                .into_iter()
                .map(|token| (self.run(query, from, token, false), token))
                .collect();
            let longest = places.iter().map(|(words, _)| *words).max().unwrap_or(0);
            let last = (from + longest).checked_sub(1).and_then(|last| query.words.get(last));
            let covers = letters.start..last.map_or(letters.end, |(_, letters, _)| letters.end);
            let is_rare = *is_telling && places.len() <= WORD_PLACES_MAX;
            let is_significant = is_rare || (longest > 1 && covers.len() > PART);
            if is_significant {
                for (_, token) in places.iter().filter(|(words, _)| *words == longest) {
                    let last = token + small(longest).saturating_sub(1);
                    self.hit(Kind::Composed, *token, last, covers.clone());
                }
            }
            from += longest.max(1);
        }
    }

    /// Fingerprints of running text.
    fn spans(&mut self, query: &Query) {
        if query.letters.len() < GRAM {
            return;
        }
        let index = self.index;
        let mut at = 0;
        query.letters.each_gram(|gram, _| {
            let covers = at..at + GRAM;
            at += 1;
            let places = self.places(&index.prints, gram);
            if places.is_empty() || index.background.holds(gram) {
                return;
            }
            if !self.is_common(&places) {
                for token in places {
                    self.hit(Kind::Span, token, token, covers.clone());
                }
            }
        });
    }

    /// Whether places are in so many sources that they say nothing.
    fn is_common(&self, places: &[u32]) -> bool {
        if places.len() < COMMON_SOURCES_MIN {
            return false;
        }
        // Places come nearly in order, so most are in the source of the one before.
        let (mut sources, mut seen) = (BTreeSet::new(), 0..0);
        for token in places {
            if seen.contains(token) {
                continue;
            }
            let Some((source, end)) = self.index.source_of(*token) else { continue };
            seen = *token..end;
            sources.insert(source);
            if sources.len() >= COMMON_SOURCES_MIN {
                return true;
            }
        }
        false
    }

    /// Parts of tokens: a key that was cut up.
    fn parts(&mut self, query: &Query) {
        let index = self.index;
        if index.parts.len() == 0 || !query.folded.is_ascii() {
            return;
        }
        let mut at = 0;
        each_part(&query.folded, |part| {
            let covers = at..at + PART;
            at += 1;
            for token in self.places(&index.parts, part) {
                self.hit(Kind::Composed, token, token, covers.clone());
            }
        });
    }

    fn hit(&mut self, kind: Kind, first: u32, last: u32, covers: Range<usize>) {
        let Some(standing) = self.index.standing(first) else { return };
        // Pieces of a value may stand in several fields of one source.
        let leaf = if kind == Kind::Composed { 0 } else { standing.leaf };
        let group = self.groups.entry((kind, standing.source, leaf)).or_default();
        let length = covers.len();
        group.covers.insert((covers.start, covers.end));
        // The longest, and of equals the first, whatever the order of looking.
        if group
            .best
            .is_none_or(|(most, token, _)| length > most || length == most && first < token)
        {
            group.best = Some((length, first, last));
        }
        let (from, to) = group.tokens.unwrap_or((first, last));
        group.tokens = Some((from.min(first), to.max(last)));
    }

    /// Makes matches of the groups and empties them; the best coverage.
    fn collect(&mut self, query: &Query, steps: &[Step], share: Ratio) -> Ratio {
        let mut best = Ratio::ZERO;
        for ((kind, source, _), group) in std::mem::take(&mut self.groups) {
            let covers: Vec<_> = group.covers.iter().copied().collect();
            let coverage = ratio(union(&covers), query.total);
            let is_weak = covers.len() < SPAN_PRINTS_MIN && coverage < SPAN_COVERAGE_MIN;
            if kind == Kind::Span && is_weak {
                continue;
            }
            let tokens = if kind == Kind::Span {
                group.tokens
            } else {
                group.best.map(|(_, first, last)| (first, last))
            };
            let Some((first, last)) = tokens else { continue };
            let coverage = coverage.times(share);
            best = best.max(coverage);
            if let Some(found) = self.place(kind, source, first..last, steps, coverage) {
                self.matches.push(found);
            }
        }
        best
    }

    fn place(
        &self,
        kind: Kind,
        source: SourceId,
        tokens: Range<u32>,
        steps: &[Step],
        coverage: Ratio,
    ) -> Option<Match> {
        let standing = self.index.standing(tokens.start)?;
        let (first, last) = (self.index.token(tokens.start)?, self.index.token(tokens.end)?);
        let steps: Vec<Step> = standing.coding.iter().chain(steps).copied().collect();
        let how = match kind {
            _ if !steps.is_empty() => How::Decoded(steps),
            Kind::Whole => How::Whole,
            Kind::Embedded => How::Embedded,
            Kind::Span => How::Span,
            Kind::Composed => How::Composed,
        };
        Some(Match {
            source,
            how,
            path: standing.path.to_owned(),
            start: first.start as usize,
            end: last.end.max(first.end) as usize,
            coverage,
            in_field: standing.is_atomic,
        })
    }

    pub(super) fn finish(mut self, overflowed: bool) -> Trace {
        self.matches.sort_by(|a, b| {
            let key = |m: &Match| (m.source, m.start, m.end);
            let order = b.coverage.cmp(&a.coverage).then_with(|| a.how.cmp(&b.how));
            order.then_with(|| key(a).cmp(&key(b))).then_with(|| a.path.cmp(&b.path))
        });
        // The same place is said once, in the best way.
        let mut seen = BTreeSet::new();
        self.matches.retain(|found| seen.insert((found.source, found.start, found.end)));
        let is_cut = self.matches.len() > Trace::MATCHES_MAX;
        self.matches.truncate(Trace::MATCHES_MAX);
        self.covered.sort_by_key(|covered| (covered.start, covered.end));
        let mut pieces: Vec<Piece> = Vec::new();
        for Range { start, end } in self.covered {
            match pieces.last_mut().filter(|piece| piece.end >= start) {
                Some(piece) => piece.end = piece.end.max(end),
                None => pieces.push(Piece { start, end }),
            }
        }
        let overflowed = overflowed || is_cut || self.work_left == 0;
        Trace { matches: self.matches, coverage: self.coverage, pieces, overflowed }
    }
}
