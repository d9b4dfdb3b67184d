//! Where in a text each part of the decoded one came from.

use std::ops::Range;

/// One decoding, as segments of the decoded text in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Map {
    segments: Vec<Segment>,
    source_end: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Segment {
    decoded: usize,
    source: usize,
    kind: Kind,
}

/// Whether bytes stand for themselves or all together for others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Copied,
    Coded,
}

impl Map {
    pub(crate) fn new() -> Self {
        Self { segments: Vec::new(), source_end: 0 }
    }

    /// All of the decoded text came from all of `source`.
    pub(crate) fn one(source: &Range<usize>, kind: Kind) -> Self {
        let segment = Segment { decoded: 0, source: source.start, kind };
        Self { segments: vec![segment], source_end: source.end }
    }

    /// From byte `decoded` on, the text comes from `source`. To be called in order.
    pub(crate) fn push(&mut self, decoded: usize, source: &Range<usize>, kind: Kind) {
        self.source_end = source.end;
        let goes_on = kind == Kind::Copied
            && self.segments.last().is_some_and(|last| {
                last.kind == kind && last.source + (decoded - last.decoded) == source.start
            });
        if !goes_on {
            self.segments.push(Segment { decoded, source: source.start, kind });
        }
    }

    pub(crate) fn span(&self, part: Range<usize>) -> Range<usize> {
        let last = part.end.saturating_sub(1).max(part.start);
        let start = self.at(part.start).map_or(0, |(_, segment)| match segment.kind {
            Kind::Copied => segment.source + (part.start - segment.decoded),
            Kind::Coded => segment.source,
        });
        let end = self.at(last).map_or(self.source_end, |(index, segment)| match segment.kind {
            Kind::Copied => segment.source + (part.end.max(last) - segment.decoded),
            Kind::Coded => self.segments.get(index + 1).map_or(self.source_end, |next| next.source),
        });
        start.min(self.source_end)..end.min(self.source_end).max(start)
    }

    /// Whether all of a part, and the bytes right beside it, stood in the source as they are.
    pub(crate) fn is_copied(&self, part: &Range<usize>) -> bool {
        let first = self.at(part.start.saturating_sub(1));
        first.is_some_and(|(index, segment)| {
            let next = self.segments.get(index + 1);
            segment.kind == Kind::Copied && next.is_none_or(|next| part.end < next.decoded)
        })
    }

    fn at(&self, decoded: usize) -> Option<(usize, &Segment)> {
        let after = self.segments.partition_point(|segment| segment.decoded <= decoded);
        let index = after.checked_sub(1)?;
        self.segments.get(index).map(|segment| (index, segment))
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Map};

    #[test]
    fn a_part_is_traced_to_what_it_came_from() {
        // "ab%41%42cd" is "abABcd".
        let mut map = Map::new();
        map.push(0, &(0..2), Kind::Copied);
        map.push(2, &(2..5), Kind::Coded);
        map.push(3, &(5..8), Kind::Coded);
        map.push(4, &(8..10), Kind::Copied);
        let cases = [(0..2, 0..2), (1..3, 1..5), (2..3, 2..5), (2..4, 2..8), (3..6, 5..10)];
        for (part, want) in cases {
            assert_eq!(map.span(part.clone()), want, "{part:?}");
        }
        assert!(map.is_copied(&(0..1)) && map.is_copied(&(5..6)));
        assert!(!map.is_copied(&(0..2)) && !map.is_copied(&(4..6)));
    }
}
