//! A rule: what a kind of value looks like, and the words without which there is none.
//!
//! All expressions work on bytes and know ASCII only: Unicode tables would cost memory and time,
//! and hardly any of these values has other characters.

use std::{ops::Range, sync::Arc};

use aho_corasick::{AhoCorasick, BuildError};
use regex::bytes::{Captures, Regex, RegexBuilder};

use crate::{Class, entropy::entropy_millibits, work};

/// How far around a keyword a value is looked for, in bytes. What begins there is read to its end.
pub(crate) const AROUND_BYTES: usize = 320;

/// What one expression may take, compiled, in bytes.
const REGEX_BYTES_MAX: usize = 4 << 20;

/// One kind of value.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) class: Class,
    pub(crate) regex: Regex,
    pub(crate) value: Value,
    /// In lower case; none: the whole text is looked through.
    pub(crate) keywords: Vec<String>,
    /// Less than this, in thousandths of a bit per byte, is an example or a word.
    pub(crate) entropy_min: u32,
    /// What more must hold.
    pub(crate) holds: fn(&str) -> bool,
    /// What is none although it looks like one.
    pub(crate) allowed: Vec<Regex>,
}

/// Which group of the expression is the value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Value {
    /// The one called `v`.
    Named,
    /// The one with this number; 0 is the whole match.
    Group(usize),
    /// The first one that takes part in the match, or else the whole match.
    First,
}

/// Compiled rules.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) rules: Vec<Rule>,
    keywords: AhoCorasick,
    /// For each keyword, the rule that it belongs to.
    owners: Vec<usize>,
}

/// An expression as all rules have it.
pub(crate) fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).unicode(false).size_limit(REGEX_BYTES_MAX).build()
}

impl Set {
    pub(crate) fn new(rules: Vec<Rule>) -> Result<Self, BuildError> {
        let pairs = rules.iter().enumerate();
        let pairs = pairs.flat_map(|(at, rule)| rule.keywords.iter().map(move |word| (at, word)));
        let (owners, words): (Vec<usize>, Vec<&String>) = pairs.unzip();
        let keywords = AhoCorasick::builder().ascii_case_insensitive(true).build(words)?;
        Ok(Self { rules, keywords, owners })
    }

    /// Calls `add` with every value in a folded text.
    pub(crate) fn scan(
        &self,
        text: &str,
        is_wanted: impl Fn(Class) -> bool,
        mut add: impl FnMut(&Rule, Range<usize>),
    ) {
        for (rule, areas) in self.rules.iter().zip(self.areas(text)) {
            if is_wanted(rule.class) {
                areas.into_iter().for_each(|area| rule.scan(text, area, |range| add(rule, range)));
            }
        }
    }

    /// For each rule, where it is looked for: in order, none overlapping another.
    fn areas(&self, text: &str) -> Vec<Vec<Range<usize>>> {
        let whole = |rule: &Rule| rule.keywords.is_empty().then_some(0..text.len());
        let mut areas: Vec<Vec<_>> =
            self.rules.iter().map(|rule| whole(rule).into_iter().collect()).collect();
        for found in self.keywords.find_overlapping_iter(text) {
            let owner = self.owners.get(found.pattern().as_usize());
            let Some(areas) = owner.and_then(|owner| areas.get_mut(*owner)) else { continue };
            let start = found.start().saturating_sub(AROUND_BYTES);
            let end = found.end().saturating_add(AROUND_BYTES).min(text.len());
            match areas.last_mut() {
                Some(last) if start <= last.end => last.end = last.end.max(end),
                _ => areas.push(start..end),
            }
        }
        areas
    }
}

impl Rule {
    /// Every value that begins in an area. A match that turns out to be nothing must not hide a
    /// value that begins inside it, so the search goes on right after its first byte; what can turn
    /// out to be nothing is short, so nothing is read more often than that.
    fn scan(&self, text: &str, area: Range<usize>, mut add: impl FnMut(Range<usize>)) {
        let mut at = area.start;
        while let Some(matched) = self.next(text, at, area.end) {
            work::looks_at(matched.end.saturating_sub(at));
            at = matched.start + 1;
            let range = self.whole(text, &matched);
            let Some(found) = text.get(range.clone()) else { continue };
            if self.is_value(found) {
                at = range.end.max(at);
                add(range);
            }
        }
    }

    /// The next value between two places, or one that begins there and ends after.
    fn next(&self, text: &str, from: usize, end: usize) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        let area = bytes.get(..end)?;
        // Most areas hold none, and to know that needs no memory for groups.
        if from > end || !self.regex.is_match_at(area, from) {
            return None;
        }
        let found = self.value(&self.regex.captures_at(area, from)?)?;
        if found.end < end || end == bytes.len() {
            return Some(found);
        }
        // It may go on after the area.
        self.regex.captures_at(bytes, from).and_then(|captures| self.value(&captures))
    }

    fn value(&self, captures: &Captures<'_>) -> Option<Range<usize>> {
        let value = match self.value {
            Value::Named => captures.name("v"),
            Value::Group(group) => captures.get(group),
            Value::First => captures.iter().skip(1).flatten().next().or_else(|| captures.get(0)),
        };
        value.map(|value| value.range()).filter(|range| !range.is_empty())
    }

    /// A private key is found by its first line and goes to its last.
    fn whole(&self, text: &str, found: &Range<usize>) -> Range<usize> {
        let rest = text.get(found.start..).unwrap_or_default();
        let is_key = self.class == Class::Secret
            && text.get(found.clone()).is_some_and(|text| text.ends_with("KEY-----"));
        if is_key { found.start..found.start + key_length(rest) } else { found.clone() }
    }

    fn is_value(&self, found: &str) -> bool {
        (self.holds)(found)
            && (self.entropy_min == 0 || entropy_millibits(found.as_bytes()) >= self.entropy_min)
            && !self.allowed.iter().any(|allowed| allowed.is_match(found.as_bytes()))
    }
}

/// How long the private key is that `text` starts with: to the end of its last line, or, when that
/// is missing, to the end of the text.
fn key_length(text: &str) -> usize {
    const LAST: &str = "KEY-----";
    let end = text.find("-----END").and_then(|end| {
        let last = text.get(end..)?.find(LAST)?;
        Some(end + last + LAST.len())
    });
    end.unwrap_or(text.len())
}
