//! Taking what is held back out of what a tool answered.

mod flat;
mod hay;

use std::collections::BTreeSet;
use std::ops::Range;

use pathwarden_json::{Json, Kind, edit, push_string};

use flat::{Flat, Reading, flatten};
use hay::{Hay, pieces};
use pathwarden_types::VersionRef;

/// How deep JSON text within strings of JSON text is read as JSON.
const NESTED_MAX: usize = 3;

/// A needle of fewer characters, spelling aside, is found as a whole string alone.
const SHORT_CHARS: usize = 8;

/// A text that must not be shown, and what stands in its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Needle<'a> {
    /// The text that is held back.
    pub text: &'a str,
    /// A notice, or the text that counts instead.
    pub replacement: &'a str,
}

/// What is left of an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cut {
    /// The text. JSON stays JSON, and every other byte of it as it was.
    pub text: String,
    /// How many stretches of text were replaced.
    pub replaced: usize,
}

/// Replaces each needle wherever it stands within the strings of a tool's answer, also where a string
/// is JSON text itself, up to three levels deep, or holds the needle as JSON spells it. Case, white
/// space, invisible characters and line numbers make no difference. Where needles overlap, all of what
/// they cover goes, and the first one's replacement takes its place.
///
/// The caller asks [`still_holds`] about what is left, and withholds it all if so: names of members,
/// excerpts and other encodings are not cut here.
#[must_use]
pub fn cut(text: &str, needles: &[Needle<'_>]) -> Cut {
    let hay = Hay::of(text);
    let there = needles.iter().filter(|needle| hay.holds(&flatten(needle.text)));
    let wanted: Vec<Wanted<'_>> = there.map(|needle| Wanted::of(*needle)).collect();
    if wanted.is_empty() {
        return Cut { text: text.to_owned(), replaced: 0 };
    }
    let mut knife = Knife { wanted: &wanted, replaced: 0 };
    let text = knife.whole(text).unwrap_or_else(|| text.to_owned());
    Cut { text, replaced: knife.replaced }
}

/// Whether any of the needles can still be found in a text, in whole or as an excerpt, whatever the
/// case, the white space or the escapes. What a needle has in common with its own replacement does not
/// count.
#[must_use]
pub fn still_holds(text: &str, needles: &[Needle<'_>]) -> bool {
    let hay = Hay::of(text);
    needles.iter().any(|needle| {
        let instead = flatten(needle.replacement);
        let pieces = pieces(needle.text);
        let mut all = std::iter::once(flatten(needle.text)).chain(pieces);
        all.any(|piece| !instead.contains(&piece) && hay.holds(&piece))
    })
}

/// The versions whose texts stand in an answer, in whole or as an excerpt, in order.
#[must_use]
pub fn found_in<'a>(
    text: &str,
    candidates: impl Iterator<Item = (&'a VersionRef, &'a str)>,
) -> Vec<VersionRef> {
    let hay = Hay::of(text);
    let is_there = |candidate: &str| {
        hay.holds(&flatten(candidate)) || pieces(candidate).iter().any(|piece| hay.holds(piece))
    };
    let found: BTreeSet<&VersionRef> =
        candidates.filter(|(_, text)| is_there(text)).map(|(version, _)| version).collect();
    found.into_iter().cloned().collect()
}

/// A needle that is there.
struct Wanted<'a> {
    flat: String,
    is_short: bool,
    replacement: &'a str,
}

impl<'a> Wanted<'a> {
    fn of(needle: Needle<'a>) -> Self {
        let flat = flatten(needle.text);
        Self { is_short: is_short(&flat), flat, replacement: needle.replacement }
    }

    /// Where it stands in a string that was read with this many levels of escapes, and what is to stand
    /// there.
    fn places(&self, text: &str, flat: &Flat, level: usize, found: &mut Vec<Place>) {
        if self.is_short {
            if flat.text() == self.flat {
                found.push(Place { range: 0..text.len(), new: self.replacement.to_owned() });
            }
            return;
        }
        for range in flat.find(&self.flat) {
            let new = (0..level).fold(self.replacement.to_owned(), |text, _| escape(&text));
            found.push(Place { range, new });
        }
    }
}

/// A stretch of text to replace.
struct Place {
    range: Range<usize>,
    new: String,
}

struct Knife<'a> {
    wanted: &'a [Wanted<'a>],
    replaced: usize,
}

impl Knife<'_> {
    /// The whole answer, when anything in it changes.
    fn whole(&mut self, text: &str) -> Option<String> {
        match structure(text) {
            Some(json) => self.json(json, text, NESTED_MAX),
            None => self.plain(text),
        }
    }

    /// A string of it. Needles that are JSON text themselves may be the string, or a part of it.
    fn leaf(&mut self, text: &str, nested: usize) -> Option<String> {
        let inner = nested.checked_sub(1).zip(structure(text));
        let changed = inner.and_then(|(nested, json)| self.json(json, text, nested));
        match changed {
            Some(changed) => Some(self.plain(&changed).unwrap_or(changed)),
            None => self.plain(text),
        }
    }

    fn json(&mut self, json: Json<'_>, whole: &str, nested: usize) -> Option<String> {
        let mut changes = Vec::new();
        self.walk(json, nested, &mut changes);
        if changes.is_empty() {
            return None;
        }
        Some(String::from_utf8_lossy(&edit::splice(whole, changes)).into_owned())
    }

    /// Depth is bounded by the proof of the text.
    fn walk(&mut self, value: Json<'_>, nested: usize, changes: &mut Vec<(Range<usize>, String)>) {
        match value.kind() {
            Kind::Object => value.members().for_each(|(_, one)| self.walk(one, nested, changes)),
            Kind::Array => value.items().for_each(|one| self.walk(one, nested, changes)),
            Kind::String => {
                let changed = match value.string() {
                    Some(text) => self.leaf(&text, nested),
                    None => self.broken(value.text()),
                };
                changes.extend(changed.map(|text| (value.span(), quoted(&text))));
            }
            Kind::Number | Kind::Boolean | Kind::Null => {}
        }
    }

    /// A string with half of a surrogate pair, as it is spelled: it goes as a whole.
    fn broken(&mut self, spelled: &str) -> Option<String> {
        let hay = Hay::of_plain(spelled);
        let found = self.wanted.iter().find(|wanted| hay.holds(&wanted.flat))?;
        self.replaced += 1;
        Some(found.replacement.to_owned())
    }

    fn plain(&mut self, text: &str) -> Option<String> {
        let mut places = Vec::new();
        for reading in Reading::all(text) {
            let flat = Flat::of(text, reading);
            let each = self.wanted.iter();
            each.for_each(|wanted| wanted.places(text, &flat, reading.level, &mut places));
        }
        let merged = merge(places);
        if merged.is_empty() {
            return None;
        }
        self.replaced += merged.len();
        let changes = merged.into_iter().map(|place| (place.range, place.new)).collect();
        Some(String::from_utf8_lossy(&edit::splice(text, changes)).into_owned())
    }
}

/// Places that overlap become one.
fn merge(mut places: Vec<Place>) -> Vec<Place> {
    places.sort_by_key(|place| (place.range.start, std::cmp::Reverse(place.range.end)));
    let mut merged: Vec<Place> = Vec::with_capacity(places.len());
    for place in places {
        match merged.last_mut() {
            Some(last) if place.range.start < last.range.end => {
                last.range.end = last.range.end.max(place.range.end);
            }
            _ => merged.push(place),
        }
    }
    merged
}

/// The text as JSON that can hold strings, if it is.
fn structure(text: &str) -> Option<Json<'_>> {
    let json = Json::parse(text.as_bytes()).ok()?;
    matches!(json.kind(), Kind::Object | Kind::Array | Kind::String).then_some(json)
}

fn is_short(flat: &str) -> bool {
    flat.chars().nth(SHORT_CHARS - 1).is_none()
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// As JSON spells it between the quotes.
fn escape(text: &str) -> String {
    let quoted = quoted(text);
    let inner = quoted.get(1..quoted.len().saturating_sub(1));
    inner.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
