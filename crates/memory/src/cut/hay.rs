//! A text made ready to be searched for many others.

use std::collections::BTreeSet;

use pathwarden_json::{Json, Kind};

use super::flat::{Reading, flatten};
use super::{is_short, structure};

/// How deep JSON text within strings is read when it is searched: deeper than it is cut.
const NESTED_MAX: usize = 8;

/// A line of a needle, spelling aside, of fewer characters says too little to be an excerpt.
const PIECE_CHARS_MIN: usize = 24;

/// Lines of more characters are searched for in pieces of half of that: an excerpt of this length holds
/// a whole piece.
const PIECE_LINE_CHARS_MAX: usize = 96;

/// Bits of the filter, as a power of two.
const FILTER_BITS: u32 = 20;

/// Bytes of one stretch of text for the filter.
const WINDOW: usize = 8;

/// All strings of a text, flattened, in every way in which they can be read.
pub(super) struct Hay {
    /// With a character between them that flattened text never has.
    all: String,
    /// Short strings, which are found as a whole alone.
    short: BTreeSet<String>,
    /// Says for most stretches of text that they do not occur, so that thousands of needles cost little.
    filter: Vec<u64>,
}

impl Hay {
    pub(super) fn of(text: &str) -> Self {
        let mut hay = Self::empty();
        hay.add(text, NESTED_MAX);
        hay.index();
        hay
    }

    /// Of text that is not to be read as JSON.
    pub(super) fn of_plain(text: &str) -> Self {
        let mut hay = Self::empty();
        hay.add_readings(text);
        hay.index();
        hay
    }

    /// Whether it holds a flattened text; one of nothing is nowhere.
    pub(super) fn holds(&self, flat: &str) -> bool {
        if is_short(flat) {
            return !flat.is_empty() && self.short.contains(flat);
        }
        let mut windows = flat.as_bytes().windows(WINDOW).filter_map(<[u8]>::first_chunk);
        windows.all(|window| self.has_bit(*window)) && self.all.contains(flat)
    }

    const fn empty() -> Self {
        Self { all: String::new(), short: BTreeSet::new(), filter: Vec::new() }
    }

    /// A string, and the strings in it when it is JSON. It is searched as it is in either case: a needle
    /// may be JSON text itself.
    fn add(&mut self, text: &str, nested: usize) {
        match nested.checked_sub(1).zip(structure(text)) {
            Some((nested, json)) => {
                self.add_flat(flatten(text));
                self.add_json(json, nested);
            }
            None => self.add_readings(text),
        }
    }

    /// Depth is bounded by the proof of the text.
    fn add_json(&mut self, value: Json<'_>, nested: usize) {
        match value.kind() {
            Kind::Object => value.members().for_each(|(name, member)| {
                self.push(&flatten(&name));
                self.add_json(member, nested);
            }),
            Kind::Array => value.items().for_each(|item| self.add_json(item, nested)),
            Kind::String => match value.string() {
                Some(text) => self.add(&text, nested),
                None => self.add_readings(value.text()),
            },
            Kind::Number | Kind::Boolean | Kind::Null => {}
        }
    }

    fn add_readings(&mut self, text: &str) {
        Reading::all(text).into_iter().for_each(|reading| self.add_flat(reading.flatten(text)));
    }

    fn add_flat(&mut self, flat: String) {
        self.push(&flat);
        if is_short(&flat) {
            self.short.insert(flat);
        }
    }

    fn push(&mut self, flat: &str) {
        self.all.push_str(flat);
        self.all.push('\0');
    }

    fn index(&mut self) {
        let mut filter = vec![0_u64; 1 << (FILTER_BITS - 6)];
        for window in self.all.as_bytes().windows(WINDOW) {
            let Some(window) = window.first_chunk() else { continue };
            let (word, bit) = place(*window);
            if let Some(word) = filter.get_mut(word) {
                *word |= bit;
            }
        }
        self.filter = filter;
    }

    fn has_bit(&self, window: [u8; WINDOW]) -> bool {
        let (word, bit) = place(window);
        self.filter.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// Which bit of which word of the filter stands for a stretch of text.
fn place(window: [u8; WINDOW]) -> (usize, u64) {
    // 2^64 divided by the golden ratio: neighbours fall far apart.
    let hash = u64::from_le_bytes(window).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER_BITS);
    (usize::try_from(hash >> 6).unwrap_or_default(), 1 << (hash & 63))
}

/// The parts of a text by which an excerpt of it is known, flattened: lines of some length, and pieces
/// of long lines. Nothing for a single line of ordinary length, which is looked for as a whole.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let is_one = text.lines().nth(1).is_none();
    for line in text.lines() {
        let characters: Vec<char> = flatten(line).chars().collect();
        if characters.len() > PIECE_LINE_CHARS_MAX {
            let chunks = characters.chunks(PIECE_LINE_CHARS_MAX / 2);
            found.extend(chunks.map(|chunk| chunk.iter().collect::<String>()));
        } else if !is_one {
            found.push(characters.iter().collect());
        }
    }
    found.retain(|piece| piece.chars().nth(PIECE_CHARS_MIN - 1).is_some());
    found
}
