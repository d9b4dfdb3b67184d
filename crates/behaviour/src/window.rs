//! Sums and distinct values over a sliding window of time, in bounded memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pathwarden_types::{Digest, Millis};

/// The parts that a window is cut into; it forgets one part at a time.
const PARTS: u64 = 12;

/// The length of a part, in ms.
const fn part_ms(span_ms: u64) -> u64 {
    let part = span_ms.div_ceil(PARTS);
    if part == 0 { 1 } else { part }
}

/// A sum over the last `span_ms`. It never counts less than what was added in less than `span_ms`, and
/// nothing that is older than 13/12 of it. A time before one already seen counts as that one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Window {
    part_ms: u64,
    /// Part number and what was added in it, oldest first.
    parts: VecDeque<(u64, u64)>,
}

impl Window {
    /// The window that covers all of a session.
    pub const SESSION_MS: u64 = u64::MAX;

    /// An empty window. A span of 0 is one of 1 ms.
    #[must_use]
    pub const fn new(span_ms: u64) -> Self {
        Self { part_ms: part_ms(span_ms), parts: VecDeque::new() }
    }

    /// Counts an amount.
    pub fn add(&mut self, at: Millis, amount: u64) {
        if amount == 0 {
            return;
        }
        let part = self.part_of(at);
        match self.parts.back_mut() {
            Some((last, sum)) if *last == part => *sum = sum.saturating_add(amount),
            _ => self.parts.push_back((part, amount)),
        }
        self.parts.retain(|(old, _)| part - old <= PARTS);
    }

    /// The sum at this time.
    #[must_use]
    pub fn total(&self, now: Millis) -> u64 {
        let part = self.part_of(now);
        let fresh = self.parts.iter().filter(|(old, _)| part - old <= PARTS);
        fresh.fold(0, |sum, (_, amount)| sum.saturating_add(*amount))
    }

    /// The window that was told both. The windows must have the same span, or the longer is kept.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        if self.part_ms != other.part_ms {
            return if self.part_ms > other.part_ms { self.clone() } else { other.clone() };
        }
        let mut sums: BTreeMap<u64, u64> = BTreeMap::new();
        for (part, amount) in self.parts.iter().chain(&other.parts) {
            let sum = sums.entry(*part).or_default();
            *sum = sum.saturating_add(*amount);
        }
        let last = sums.last_key_value().map_or(0, |(part, _)| *part);
        sums.retain(|part, _| last - part <= PARTS);
        Self { part_ms: self.part_ms, parts: sums.into_iter().collect() }
    }

    fn part_of(&self, at: Millis) -> u64 {
        let part = at.0 / self.part_ms;
        self.parts.back().map_or(part, |(last, _)| part.max(*last))
    }
}

/// How many different values were seen in the last `span_ms`; same promises as [`Window`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Distinct {
    part_ms: u64,
    latest: u64,
    /// Value and the part it was last seen in.
    seen: BTreeMap<Digest, u64>,
    /// The last part in which a value found no room.
    overflowed: Option<u64>,
}

impl Distinct {
    /// The most values that are told apart. One more, and the count is `u64::MAX`.
    pub const VALUES_MAX: usize = 1_024;

    /// An empty window. A span of 0 is one of 1 ms.
    #[must_use]
    pub const fn new(span_ms: u64) -> Self {
        Self { part_ms: part_ms(span_ms), latest: 0, seen: BTreeMap::new(), overflowed: None }
    }

    /// Counts values.
    pub fn add<'a>(&mut self, at: Millis, values: impl Iterator<Item = &'a String>) {
        let part = self.part_of(at);
        self.latest = part;
        self.seen.retain(|_, old| part - *old <= PARTS);
        self.overflowed = self.overflowed.filter(|old| part - old <= PARTS);
        for value in values {
            let value = Digest::of(value.as_bytes());
            if self.seen.len() < Self::VALUES_MAX || self.seen.contains_key(&value) {
                self.seen.insert(value, part);
            } else {
                self.overflowed = Some(part);
            }
        }
    }

    /// How many there are at this time.
    #[must_use]
    pub fn total(&self, now: Millis) -> u64 {
        self.total_with(now, std::iter::empty())
    }

    /// How many there would be with these.
    pub fn total_with<'a>(&self, now: Millis, values: impl Iterator<Item = &'a String>) -> u64 {
        let part = self.part_of(now);
        let is_fresh = |old: &u64| part - *old <= PARTS;
        if self.overflowed.as_ref().is_some_and(is_fresh) {
            return u64::MAX;
        }
        let kept = self.seen.values().filter(|old| is_fresh(old)).count();
        let is_new = |value: &Digest| !self.seen.get(value).is_some_and(is_fresh);
        let new: BTreeSet<_> =
            values.map(|value| Digest::of(value.as_bytes())).filter(is_new).collect();
        let total = kept.saturating_add(new.len());
        if total > Self::VALUES_MAX { u64::MAX } else { u64::try_from(total).unwrap_or(u64::MAX) }
    }

    fn part_of(&self, at: Millis) -> u64 {
        (at.0 / self.part_ms).max(self.latest)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pathwarden_types::Millis;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Distinct, Window, part_ms};

    /// Times that only go forward, with an amount each.
    fn any_feed() -> impl Strategy<Value = Vec<(u64, u64)>> {
        vec((0_u64..40, 0_u64..9), 0..60).prop_map(|steps| {
            let mut now = 1_000;
            let advance = |(step, amount): (u64, u64)| {
                now += step;
                (now, amount)
            };
            steps.into_iter().map(advance).collect()
        })
    }

    fn fed(span: u64, feed: &[(u64, u64)]) -> Window {
        let mut window = Window::new(span);
        for (at, amount) in feed {
            window.add(Millis(*at), *amount);
        }
        window
    }

    fn exact(feed: &[(u64, u64)], now: u64, span: u64) -> u64 {
        feed.iter().filter(|(at, _)| now - at < span).map(|(_, amount)| amount).sum()
    }

    proptest! {
        #[test]
        fn a_window_never_counts_less_than_its_span_nor_more_than_one_part_beyond(
            feed in any_feed(), span in 1_u64..500, later in 0_u64..600,
        ) {
            let now = feed.last().map_or(1_000, |(at, _)| *at) + later;
            let total = fed(span, &feed).total(Millis(now));
            prop_assert!(total >= exact(&feed, now, span));
            prop_assert!(total <= exact(&feed, now, 13 * part_ms(span)));
        }

        #[test]
        fn two_halves_merge_to_the_whole(
            feed in any_feed(), sides in vec(any::<bool>(), 60), span in 1_u64..500,
        ) {
            let side = |wanted: bool| -> Vec<_> {
                let picked = feed.iter().zip(&sides).filter(|(_, side)| **side == wanted);
                picked.map(|(entry, _)| *entry).collect()
            };
            let merged = fed(span, &side(true)).merge(&fed(span, &side(false)));
            prop_assert_eq!(merged, fed(span, &feed));
        }

        #[test]
        fn a_window_holds_thirteen_parts_at_most(feed in any_feed(), span in 1_u64..500) {
            prop_assert!(fed(span, &feed).parts.len() <= 13);
        }

        #[test]
        fn distinct_values_are_counted_once(values in vec("[a-e]", 0..30)) {
            let mut distinct = Distinct::new(Window::SESSION_MS);
            let (first, second) = values.split_at(values.len() / 2);
            distinct.add(Millis(1), first.iter());
            let union: BTreeSet<_> = values.iter().collect();
            let new: BTreeSet<_> = second.iter().cloned().collect();
            prop_assert_eq!(distinct.total_with(Millis(2), new.iter()), union.len() as u64);
        }
    }

    #[test]
    fn a_clock_that_runs_back_forgets_nothing() {
        let mut window = Window::new(1_000);
        window.add(Millis(50_000), 1);
        window.add(Millis(1), 1);
        assert_eq!(window.total(Millis(0)), 2);
    }

    #[test]
    fn one_value_more_than_fits_counts_as_endless_until_it_is_old() {
        let values: Vec<_> = (0..=Distinct::VALUES_MAX).map(|n| n.to_string()).collect();
        let mut distinct = Distinct::new(1_200);
        distinct.add(Millis(0), values.iter().take(Distinct::VALUES_MAX));
        assert_eq!(distinct.total(Millis(0)), 1_024);
        assert_eq!(distinct.total_with(Millis(0), values.iter().skip(1_024)), u64::MAX);
        distinct.add(Millis(0), values.iter().skip(1_024));
        assert_eq!(distinct.total(Millis(1_000)), u64::MAX);
        assert_eq!(distinct.total(Millis(1_300)), 0);
    }
}
