//! Text without what spelling can change.

mod marks;

use std::borrow::Cow;
use std::ops::Range;

use pathwarden_types::is_invisible;

use marks::{Marks, is_numbered, unescaped, without_numbers};

/// How many levels of escapes are read in text that is not JSON.
const ESCAPES_MAX: usize = 4;

/// One way to read a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Reading {
    /// Levels of escapes that are read.
    pub level: usize,
    is_numberless: bool,
}

/// A text flattened, with the place of each part of it.
pub(super) struct Flat {
    text: String,
    /// For each byte, where the character that it came from begins and ends.
    places: Vec<(usize, usize)>,
}

impl Reading {
    /// Every way to read a text: with levels of escapes, as long as there are any, and without the
    /// numbers of lines, where there are some.
    pub(super) fn all(text: &str) -> Vec<Self> {
        let mut found = Vec::new();
        for level in 0..=ESCAPES_MAX {
            let text = match level {
                0 => Cow::Borrowed(text),
                _ => unescaped(text, level).map(|mark| mark.character).collect(),
            };
            found.push(Self { level, is_numberless: false });
            if is_numbered(&text) {
                found.push(Self { level, is_numberless: true });
            }
            if !text.contains('\\') {
                break;
            }
        }
        found
    }

    /// A text read in this way, flattened.
    pub(super) fn flatten(self, text: &str) -> String {
        let mut flat = String::with_capacity(text.len());
        self.marks(text).for_each(|mark| push_flat(&mut flat, mark.character));
        flat
    }

    fn marks(self, text: &str) -> Marks<'_> {
        let marks = unescaped(text, self.level);
        if self.is_numberless { without_numbers(marks) } else { marks }
    }
}

impl Flat {
    pub(super) fn of(text: &str, reading: Reading) -> Self {
        let mut flat = Self { text: String::with_capacity(text.len()), places: Vec::new() };
        for mark in reading.marks(text) {
            let before = flat.text.len();
            push_flat(&mut flat.text, mark.character);
            flat.places.extend((before..flat.text.len()).map(|_| (mark.start, mark.end)));
        }
        flat
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where a flattened text that is not empty stands in the text before it was flattened, without
    /// overlaps.
    pub(super) fn find<'a>(&'a self, needle: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let found = self.text.match_indices(needle).filter(|(_, found)| !found.is_empty());
        found.filter_map(|(at, found)| {
            let (start, _) = self.places.get(at)?;
            let (_, end) = self.places.get(at + found.len() - 1)?;
            Some(*start..*end)
        })
    }
}

/// A text in lower case, without white space, invisible characters and backslashes. What two texts in a
/// row become is what each of them becomes, in a row.
pub(super) fn flatten(text: &str) -> String {
    let mut flat = String::with_capacity(text.len());
    text.chars().for_each(|character| push_flat(&mut flat, character));
    flat
}

fn push_flat(flat: &mut String, character: char) {
    let is_dropped = character == '\\' || character.is_whitespace() || is_invisible(character);
    if !is_dropped {
        flat.extend(character.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Flat, Reading, flatten};
    use crate::cut::escape;

    const AS_IS: Reading = Reading { level: 0, is_numberless: false };
    const ESCAPED: Reading = Reading { level: 1, is_numberless: false };

    /// As Python spells JSON.
    fn ascii(text: &str) -> String {
        let units = |one: char| -> String {
            one.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        };
        let spell = |one: char| if one.is_ascii() { one.to_string() } else { units(one) };
        escape(text).chars().map(spell).collect()
    }

    #[test]
    fn a_match_knows_where_it_stood() {
        let text = "say:  POISON\u{200b} \\u0070\\\"ill!";
        let flat = Flat::of(text, ESCAPED);
        let found: Vec<_> = flat.find("poisonp\"ill").filter_map(|range| text.get(range)).collect();
        assert_eq!(found, ["POISON\u{200b} \\u0070\\\"ill"]);
    }

    #[test]
    fn a_text_is_read_as_long_as_it_has_escapes() {
        let levels = |text: &str| Reading::all(text).len();
        assert_eq!(levels("plain"), 1);
        assert_eq!(levels("one\\n"), 2);
        assert_eq!(levels(&"\\".repeat(1 << 5)), 5);
        assert_eq!(levels("1\tone\n2\ttwo"), 2);
        assert_eq!(levels("1\\tone\\n2\\ttwo"), 3);
    }

    proptest! {
        #[test]
        fn flattening_respects_concatenation(a in ".{0,20}", b in ".{0,20}") {
            prop_assert_eq!(flatten(&format!("{a}{b}")), flatten(&a) + &flatten(&b));
            let flat = Flat::of(&a, AS_IS);
            prop_assert_eq!(flat.text(), flatten(&a));
        }

        #[test]
        fn unescaping_undoes_escaping(text in "\\PC{0,40}|[a\\\\\"\\n]{0,20}") {
            prop_assert_eq!(ESCAPED.flatten(&escape(&text)), flatten(&text));
            prop_assert_eq!(ESCAPED.flatten(&ascii(&text)), flatten(&text));
        }

        #[test]
        fn any_text_is_read(text in "[\\\\u0d8cf\"é1\t\n]{0,40}") {
            for reading in Reading::all(&text) {
                let flat = Flat::of(&text, reading);
                prop_assert_eq!(flat.text(), reading.flatten(&text));
            }
        }
    }
}
