//! All feeds together: immutable, with an id, swapped whole.

use core::net::IpAddr;
use std::collections::BTreeSet;

use pathwarden_types::{Digest, Millis, Name, Ratio};

use crate::feed::{Entry, Feed};
use crate::indicator::{self, Indicator, Network, Pattern};
use crate::url;

/// All feeds of a node at one time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    id: Digest,
    names: Vec<Name>,
    /// Sorted, each once.
    rows: Vec<Row>,
    /// The lengths of the prefixes that are listed, so that only these are looked for.
    prefixes: BTreeSet<u8>,
    unmatched: u64,
}

/// An entry and the feed it is from, by its place in the sorted names. The order is that of patterns.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Row {
    entry: Entry,
    feed: usize,
}

/// Why feeds cannot be used together.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Too many entries.
    #[error(
        "the feeds list {entries} entries, at most {} are kept: use fewer",
        Snapshot::ENTRIES_MAX
    )]
    TooMany {
        /// How many there are.
        entries: usize,
    },
}

/// Something is listed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a hit that nobody weighs is a hole"]
pub struct Hit {
    /// The feed.
    pub feed: Name,
    /// The entry's id in the feed; empty when it has none.
    pub id: String,
    /// What the entry lists: the domain above the one looked up, the network around the address.
    pub listed: String,
    /// How sure the feed was, less with age.
    pub confidence: Ratio,
    /// When it stops to be listed.
    pub expires: Option<Millis>,
    /// In words.
    pub words: String,
}

impl Snapshot {
    /// The most entries of all feeds together: about a gigabyte.
    pub const ENTRIES_MAX: usize = 4_000_000;

    /// Puts feeds together. The order of feeds and of entries makes no difference.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::TooMany`] past [`Self::ENTRIES_MAX`]: none is left out in silence.
    pub fn build(feeds: Vec<Feed>) -> Result<Self, SnapshotError> {
        let entries = feeds.iter().map(|feed| feed.entries.len()).sum();
        if entries > Self::ENTRIES_MAX {
            return Err(SnapshotError::TooMany { entries });
        }
        let names: BTreeSet<_> = feeds.iter().map(|feed| feed.name.clone()).collect();
        let names: Vec<_> = names.into_iter().collect();
        let unmatched =
            feeds.iter().fold(0_u64, |sum, feed| sum.saturating_add(feed.unmatched.count));
        let mut rows: Vec<_> = feeds
            .into_iter()
            .flat_map(|Feed { name, entries, .. }| {
                let feed = names.partition_point(|other| *other < name);
                entries.into_iter().map(move |entry| Row { entry, feed })
            })
            .collect();
        rows.sort_unstable();
        rows.dedup();
        let prefixes = rows.iter().filter_map(|row| match &row.entry.pattern {
            Pattern::Network(network) => Some(network.bits()),
            Pattern::Domain(_) | Pattern::Url(_) | Pattern::Hash(_) => None,
        });
        let prefixes = prefixes.collect();
        let id = id(&names, &rows);
        Ok(Self { id, names, rows, prefixes, unmatched })
    }

    /// The digest of what is listed, in one spelling: equal content has equal ids.
    #[must_use]
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// How many entries are kept.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.rows.len()
    }

    /// How many entries of the feeds cannot be matched.
    #[must_use]
    pub const fn unmatched(&self) -> u64 {
        self.unmatched
    }

    /// The listing that counts most at this time, if there is one: the one with the highest confidence,
    /// and of equal ones the most specific. A narrow listing that nobody is sure of does not hide a
    /// wide one that is certain.
    #[must_use]
    pub fn look_up(&self, indicator: Indicator<'_>, now: Millis) -> Option<Hit> {
        let mut best: Option<(Ratio, &Row)> = None;
        for pattern in self.patterns(indicator) {
            for row in self.listed(&pattern) {
                let confidence = row.entry.confidence_at(now);
                if confidence > best.map_or(Ratio::ZERO, |(best, _)| best) {
                    best = Some((confidence, row));
                }
            }
        }
        best.and_then(|(confidence, row)| self.hit(row, confidence, now))
    }

    /// The patterns that would match, most specific first.
    fn patterns(&self, indicator: Indicator<'_>) -> Vec<Pattern> {
        match indicator {
            Indicator::Ip(address) => self.networks(address),
            Indicator::Hash(text) => Pattern::hash(text.trim()).into_iter().collect(),
            Indicator::Domain(text) => self.hosts(text),
            Indicator::Url(text) => {
                let Some(parts) = url::Parts::of(text) else { return Vec::new() };
                let mut patterns = vec![Pattern::Url(parts.key())];
                patterns.extend(self.hosts(&parts.host));
                patterns
            }
        }
    }

    fn hosts(&self, text: &str) -> Vec<Pattern> {
        let text = text.trim();
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let address = indicator::ipv4(text).map(IpAddr::V4).or_else(|| bare.parse().ok());
        if let Some(address) = address {
            return self.networks(address);
        }
        let domain = indicator::domain(text).unwrap_or_default();
        let mut rest = domain.as_str();
        let mut patterns = Vec::new();
        // A domain of one label is never listed.
        while let Some((_, above)) = rest.split_once('.') {
            patterns.push(Pattern::Domain(rest.to_owned()));
            rest = above;
        }
        patterns
    }

    fn networks(&self, address: IpAddr) -> Vec<Pattern> {
        let address = Network::of(address);
        let widened = self.prefixes.iter().rev().map(|bits| address.widened(*bits));
        widened.map(Pattern::Network).collect()
    }

    fn listed(&self, pattern: &Pattern) -> impl Iterator<Item = &Row> {
        let first = self.rows.partition_point(|row| row.entry.pattern < *pattern);
        self.rows.iter().skip(first).take_while(move |row| row.entry.pattern == *pattern)
    }

    fn hit(&self, row: &Row, confidence: Ratio, now: Millis) -> Option<Hit> {
        let entry = &row.entry;
        let feed = self.names.get(row.feed)?.clone();
        let (kind, listed) = (entry.pattern.kind(), entry.pattern.to_string());
        let mut words = format!("{kind} `{listed}` is listed by `{feed}`");
        if !entry.words.is_empty() {
            words.push_str(&format!(" as `{}`", entry.words));
        }
        if let Some(seen) = entry.seen {
            words.push_str(&format!(", last seen {} days ago", now.since(seen) / DAY_MS));
        }
        let (id, expires) = (entry.id.clone(), entry.expires);
        Some(Hit { feed, id, listed, confidence, expires, words })
    }
}

const DAY_MS: u64 = 86_400_000;

impl Entry {
    /// How sure the feed is at a time: half as much after each half-life since it was last seen.
    /// Addresses change hands faster than names, and what a file does never changes. Nothing once it
    /// has expired; no age without a time.
    fn confidence_at(&self, now: Millis) -> Ratio {
        if self.expires.is_some_and(|expires| expires <= now) {
            return Ratio::ZERO;
        }
        let half_life_ms = match self.pattern {
            Pattern::Network(_) => 30 * DAY_MS,
            Pattern::Url(_) => 60 * DAY_MS,
            Pattern::Domain(_) => 90 * DAY_MS,
            Pattern::Hash(_) => return self.confidence,
        };
        let age = self.seen.map_or(0, |seen| now.since(seen));
        let halves = u32::try_from(age / half_life_ms).unwrap_or(u32::MAX);
        let whole = u64::from(self.confidence.steps()).checked_shr(halves).unwrap_or(0);
        // A straight line between two halvings.
        let part = whole * (age % half_life_ms) / half_life_ms / 2;
        u16::try_from(whole - part).map_or(Ratio::ONE, Ratio::of)
    }
}

/// Every field with its length before it, so that no two contents have the same bytes.
fn id(names: &[Name], rows: &[Row]) -> Digest {
    let mut content = Vec::new();
    for row in rows {
        let entry = &row.entry;
        let at = |time: Option<Millis>| time.map_or(String::new(), |time| time.0.to_string());
        let fields = [
            names.get(row.feed).map_or(String::new(), ToString::to_string),
            entry.pattern.kind().to_owned(),
            entry.pattern.to_string(),
            entry.id.clone(),
            entry.confidence.to_string(),
            at(entry.seen),
            at(entry.expires),
            entry.words.clone(),
        ];
        // A digest per row keeps the memory small when there are millions.
        let mut line = Vec::new();
        for field in &fields {
            line.extend(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            line.extend(field.as_bytes());
        }
        content.extend(Digest::of(&line).as_bytes());
    }
    Digest::of(&content)
}

#[cfg(test)]
mod tests;
