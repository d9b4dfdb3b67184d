//! What a session has read, so that a value can be traced to it.

use std::collections::BTreeSet;

use pathwarden_decode::Step;

use crate::reading::{Entity, Leaf, Reading, Token, small};
use crate::runs::Runs;

/// One piece of content, by the number that the caller gave it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SourceId(pub u32);

/// Fingerprints of texts that stand everywhere, such as licences and footers: they say nothing
/// about where a value came from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Background(BTreeSet<u64>);

impl Background {
    /// The most fingerprints that are kept.
    pub const PRINTS_MAX: usize = 65_536;

    /// What stands in any of these readings.
    #[must_use]
    pub fn of<'a>(readings: impl IntoIterator<Item = &'a Reading>) -> Self {
        let prints = readings.into_iter().flat_map(|reading| &reading.prints);
        Self(prints.map(|(print, _)| *print).take(Self::PRINTS_MAX).collect())
    }

    pub(crate) fn holds(&self, print: u64) -> bool {
        self.0.contains(&print)
    }
}

/// Everything that was read, as hashes and places. What [`trace`](Self::trace) says does not depend
/// on the order of adding, as long as the index is not [full](Self::is_full).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Index {
    pub(crate) background: Background,
    sources: Vec<Source>,
    leaves: Vec<Leaf>,
    paths: String,
    codings: Vec<Vec<Step>>,
    pub(crate) tokens: Vec<Token>,
    entities: Vec<Entity>,
    pub(crate) words: Runs,
    pub(crate) things: Runs,
    pub(crate) prints: Runs,
    pub(crate) parts: Runs,
    is_full: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Source {
    id: SourceId,
    first_leaf: u32,
}

/// A leaf with what the index knows of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    pub(crate) leaf: u32,
    pub(crate) source: SourceId,
    pub(crate) is_atomic: bool,
    pub(crate) path: &'a str,
    pub(crate) coding: &'a [Step],
}

impl Index {
    /// The most pieces of content.
    pub const SOURCES_MAX: usize = 4_096;
    /// The most words of all content: about 10 MB of memory.
    pub const TOKENS_MAX: usize = 262_144;
    /// The most bytes of all paths.
    pub const PATH_BYTES_MAX: usize = 4 << 20;

    /// An empty index that knows what stands everywhere.
    #[must_use]
    pub fn with_background(background: Background) -> Self {
        Self { background, ..Self::default() }
    }

    /// Whether something that was read is not here: a value that is not found may still have been
    /// read.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// How many pieces of content it holds.
    #[must_use]
    pub const fn sources(&self) -> usize {
        self.sources.len()
    }

    /// Remembers a piece of content. One that does not fit is left out as a whole, and
    /// [said](Self::is_full).
    pub fn add(&mut self, source: SourceId, reading: &Reading) {
        self.is_full |= reading.is_overflowed();
        let fits = self.sources.len() < Self::SOURCES_MAX
            && self.tokens.len() + reading.tokens.len() <= Self::TOKENS_MAX
            && self.paths.len() + reading.paths.len() <= Self::PATH_BYTES_MAX;
        if !fits {
            self.is_full = true;
            return;
        }
        self.sources.push(Source { id: source, first_leaf: small(self.leaves.len()) });
        self.add_leaves(reading);
        self.add_hashes(reading);
    }

    fn add_leaves(&mut self, reading: &Reading) {
        let codings: Vec<u16> = reading.codings.iter().map(|coding| self.coding(coding)).collect();
        let (tokens, paths) = (small(self.tokens.len()), small(self.paths.len()));
        self.leaves.extend(reading.leaves.iter().map(|leaf| Leaf {
            path_end: leaf.path_end + paths,
            first: leaf.first + tokens,
            coding: codings.get(usize::from(leaf.coding)).copied().unwrap_or_default(),
            is_atomic: leaf.is_atomic,
        }));
        self.paths.push_str(&reading.paths);
    }

    fn add_hashes(&mut self, reading: &Reading) {
        let (base, first_entity) = (small(self.tokens.len()), small(self.entities.len()));
        let moved = |entries: &[(u64, u32)]| -> Vec<(u64, u32)> {
            entries.iter().map(|(hash, token)| (*hash, token + base)).collect()
        };
        self.prints.add(moved(&reading.prints));
        self.parts.add(moved(&reading.parts));
        let words = reading.tokens.iter().zip(base..).map(|(token, at)| (token.hash, at));
        self.words.add(words.collect());
        let things = reading.entities.iter().zip(first_entity..);
        self.things.add(things.map(|(entity, at)| (entity.hash, at)).collect());
        self.tokens.extend(&reading.tokens);
        let entities = reading.entities.iter();
        self.entities
            .extend(entities.map(|entity| Entity { token: entity.token + base, ..*entity }));
    }

    /// The number of a coding; one past what fits is the first, which is never empty.
    fn coding(&mut self, coding: &[Step]) -> u16 {
        let known = self.codings.iter().position(|other| other == coding);
        let number = known.unwrap_or(self.codings.len());
        if known.is_none() {
            self.codings.push(coding.to_vec());
        }
        u16::try_from(number).unwrap_or(u16::MAX)
    }

    /// The leaf that a token is in.
    pub(crate) fn standing(&self, token: u32) -> Option<Standing<'_>> {
        let number = self.leaves.partition_point(|leaf| leaf.first <= token).checked_sub(1)?;
        let leaf = self.leaves.get(number)?;
        let before = number.checked_sub(1).and_then(|before| self.leaves.get(before));
        let path_start = before.map_or(0, |before| before.path_end as usize);
        let after = self.sources.partition_point(|source| source.first_leaf as usize <= number);
        Some(Standing {
            leaf: small(number),
            source: self.sources.get(after.checked_sub(1)?)?.id,
            is_atomic: leaf.is_atomic,
            path: self.paths.get(path_start..leaf.path_end as usize)?,
            coding: self.codings.get(usize::from(leaf.coding))?,
        })
    }

    /// The source that a token is in, and one past the last token of it.
    pub(crate) fn source_of(&self, token: u32) -> Option<(SourceId, u32)> {
        let first =
            |source: &Source| self.leaves.get(source.first_leaf as usize).map(|leaf| leaf.first);
        let after = self.sources.partition_point(|s| first(s).is_some_and(|first| first <= token));
        let source = self.sources.get(after.checked_sub(1)?)?;
        let end = self.sources.get(after).and_then(first).unwrap_or(u32::MAX);
        Some((source.id, end))
    }

    pub(crate) fn token(&self, number: u32) -> Option<&Token> {
        self.tokens.get(number as usize)
    }

    pub(crate) fn entity(&self, number: u32) -> Option<&Entity> {
        self.entities.get(number as usize)
    }

    /// One past the last token of a leaf.
    pub(crate) fn leaf_end(&self, leaf: u32) -> u32 {
        let next = self.leaves.get(leaf as usize + 1);
        next.map_or(small(self.tokens.len()), |next| next.first)
    }

    /// Bytes that the fingerprints of running text take.
    #[cfg(test)]
    pub(crate) fn print_bytes(&self) -> usize {
        self.prints.len() * Runs::ENTRY_BYTES
    }

    /// Bytes that words take, in the order of the text and by hash.
    #[cfg(test)]
    pub(crate) fn word_bytes(&self) -> usize {
        self.tokens.len() * size_of::<Token>() + self.words.len() * Runs::ENTRY_BYTES
    }
}
