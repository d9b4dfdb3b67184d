//! Everything in one piece of content that can be found again.

use std::cell::Cell;
use std::ops::Range;

use pathwarden_decode::{Step, views};
use pathwarden_fields as fields;

use crate::entity::{each_entity, each_part, is_token};
use crate::fold::folded_value;
use crate::hash::{Domain, hash};
use crate::prints::Letters;
use crate::words::each_word;

/// Everything in one piece of content that can be found again: a pure function of its text, as
/// hashes and places. It holds no content.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reading {
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) paths: String,
    pub(crate) codings: Vec<Vec<Step>>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) entities: Vec<Entity>,
    /// Fingerprints and the tokens that they begin in.
    pub(crate) prints: Vec<(u64, u32)>,
    /// Parts of tokens and the tokens.
    pub(crate) parts: Vec<(u64, u32)>,
    overflowed: bool,
}

/// One value in the content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Leaf {
    /// Where its path ends in the paths; it begins where that of the leaf before ends.
    pub(crate) path_end: u32,
    /// Its first token.
    pub(crate) first: u32,
    /// Which of the codings it was found under.
    pub(crate) coding: u16,
    /// Whether it is a field of few words, rather than running text.
    pub(crate) is_atomic: bool,
}

/// One word and where it stands in the source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Token {
    pub(crate) hash: u64,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) gap: u8,
}

/// A whole leaf or another spelling of part of one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Entity {
    pub(crate) hash: u64,
    /// Its first token and how many there are.
    pub(crate) token: u32,
    pub(crate) count: u16,
    /// Whether it is all of a leaf that is atomic.
    pub(crate) is_whole: bool,
}

impl Reading {
    /// The longest content that is read, in bytes; what is after it is left out, and said.
    pub const SOURCE_BYTES_MAX: usize = 1 << 20;
    /// The most words that one reading keeps, those of decoded texts included.
    pub const TOKENS_MAX: usize = 262_144;
    /// The most leaves that one reading keeps.
    pub const LEAVES_MAX: usize = 65_536;
    /// A leaf of this many words, between white space, is running text …
    pub const FREE_TEXT_WORDS_MIN: usize = 8;
    /// … and so is one longer than this, in bytes: not every script has spaces.
    pub const FIELD_BYTES_MAX: usize = 512;
    /// The longest leaf that is found as a whole, in bytes.
    pub const WHOLE_BYTES_MAX: usize = 128;
    /// JSON inside strings, and texts under codings, are read to this depth.
    const NESTING_MAX: usize = 3;
    /// The most parts of tokens that are kept.
    const PARTS_MAX: usize = 65_536;

    /// Reads a text: as an object when it is one, as fields when it is lines of fields, else as it is.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::of_each(text, &mut |_| {})
    }

    /// Reads a text, and shows every leaf on the way.
    #[must_use]
    pub fn of_each(text: &str, show: &mut dyn FnMut(&SeenLeaf<'_>)) -> Self {
        let end = text.floor_char_boundary(Self::SOURCE_BYTES_MAX);
        let mut reading = Self { codings: vec![Vec::new()], ..Self::default() };
        reading.overflowed = end < text.len();
        let text = text.get(..end).unwrap_or_default();
        let place = Place {
            path: "",
            origin: &Origin::Root,
            coding: 0,
            nesting: Self::NESTING_MAX,
            item: 0,
            is_shaped: true,
        };
        Reader { reading: &mut reading, show, items: 0 }.read(text, &place);
        reading
    }

    /// Whether a limit left something out: a value that is not found may still have stood there.
    #[must_use]
    pub const fn is_overflowed(&self) -> bool {
        self.overflowed
    }

    /// How many fingerprints of running text it has.
    #[must_use]
    pub const fn prints(&self) -> usize {
        self.prints.len()
    }
}

/// One leaf, as it is read.
pub struct SeenLeaf<'a> {
    /// The JSON pointer, or the key, that it stands under; empty in running text.
    pub path: &'a str,
    /// The item that it belongs to: leaves of one object of a list have one number.
    pub item: u32,
    /// Its text, without escapes.
    pub text: &'a str,
    /// Whether it is a field of few words, rather than running text.
    pub is_atomic: bool,
    /// Whether it was found under a coding.
    pub is_decoded: bool,
    origin: &'a Origin<'a>,
}

impl SeenLeaf<'_> {
    /// Where these bytes of the text stand in the content.
    #[must_use]
    pub fn place(&self, bytes: Range<usize>) -> Range<usize> {
        let (start, end) = self.origin.locate(bytes.start, bytes.end);
        start..end.max(start)
    }
}

/// Reads into a reading.
struct Reader<'r> {
    reading: &'r mut Reading,
    show: &'r mut dyn FnMut(&SeenLeaf<'_>),
    items: u32,
}

impl Reader<'_> {
    fn read(&mut self, text: &str, place: &Place<'_>) {
        let is_root = place.is_shaped;
        let found = if is_root { fields::read(text) } else { fields::read_inner(text) };
        self.reading.overflowed |= found.overflowed;
        let first_item = self.items;
        self.items += found.fields.iter().map(|field| field.item).max().unwrap_or(0);
        for field in &found.fields {
            let origin = Origin::Moved { field, parent: place.origin, near: Cell::new(0) };
            let path = match field.path.as_str() {
                "" => place.path.to_owned(),
                inner => format!("{}{inner}", place.path),
            };
            let item = if field.item == 0 { place.item } else { first_item + field.item };
            let is_carried = is_root && !path.is_empty() && is_carrier(&path);
            let below = Place {
                path: &path,
                origin: &origin,
                item,
                nesting: place.nesting.saturating_sub(1),
                is_shaped: is_carried,
                ..*place
            };
            if field.is_text && place.nesting > 0 && (is_carried || may_be_object(&field.text)) {
                self.read(&field.text, &below);
            } else {
                self.leaf(&field.text, &Place { is_shaped: is_root, ..below });
            }
        }
    }

    fn leaf(&mut self, text: &str, place: &Place<'_>) {
        if self.reading.leaves.len() >= Reading::LEAVES_MAX
            || self.reading.tokens.len() >= Reading::TOKENS_MAX
        {
            self.reading.overflowed = true;
            return;
        }
        let first = self.reading.tokens.len();
        let words = self.words(text, place);
        let is_atomic = place.is_shaped && is_field(text) && !is_prose(place.path);
        (self.show)(&SeenLeaf {
            path: place.path,
            item: place.item,
            text,
            is_atomic,
            is_decoded: place.coding != 0,
            origin: place.origin,
        });
        if !words.is_empty() {
            self.reading.paths.push_str(place.path);
            self.reading.leaves.push(Leaf {
                path_end: small(self.reading.paths.len()),
                first: small(first),
                coding: place.coding,
                is_atomic,
            });
            self.entities(text, first, &words, is_atomic);
        }
        if place.nesting > 0 && may_be_coded(text) {
            self.views(text, place);
        }
    }

    /// Adds the words and fingerprints of a leaf; the bytes of each word in the leaf.
    fn words(&mut self, text: &str, place: &Place<'_>) -> Vec<Range<usize>> {
        let words_about = text.len() / BYTES_OF_WORD;
        let mut words = Vec::with_capacity(words_about);
        let mut letters = Letters::with_room(text.len());
        self.reading.tokens.reserve(words_about);
        each_word(text, |word, folded| {
            if self.reading.tokens.len() >= Reading::TOKENS_MAX {
                self.reading.overflowed = true;
                return;
            }
            let (start, end) = place.origin.locate(word.start, word.end);
            let number = small(self.reading.tokens.len());
            if is_token(folded) && self.reading.parts.len() < Reading::PARTS_MAX {
                each_part(folded, |part| self.reading.parts.push((part, number)));
            }
            letters.push_word(folded, number);
            let (start, end) = (small(start), small(end));
            self.reading.tokens.push(Token { hash: word.hash, start, end, gap: word.gap });
            words.push(word.start..word.end);
        });
        let mut grams = Vec::with_capacity(letters.len());
        letters.each_print(&mut grams, |print, word| self.reading.prints.push((print, word)));
        words
    }

    fn entities(&mut self, text: &str, first: usize, words: &[Range<usize>], is_atomic: bool) {
        let all = (text.len() - text.trim_start().len())..text.trim_end().len();
        if let Some(folded) = folded_value(text, Reading::WHOLE_BYTES_MAX) {
            let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
            let hash = hash(Domain::Leaf, folded.as_bytes());
            self.reading.entities.push(Entity {
                hash,
                token: small(first),
                count,
                is_whole: is_atomic,
            });
        }
        each_entity(text, |hash, bytes| {
            let from = words.partition_point(|word| word.end <= bytes.start);
            let to = words.partition_point(|word| word.start < bytes.end);
            let count = u16::try_from(to.saturating_sub(from)).unwrap_or(u16::MAX);
            let is_whole = is_atomic && bytes == all;
            self.reading.entities.push(Entity {
                hash,
                token: small(first + from),
                count,
                is_whole,
            });
        });
    }

    fn views(&mut self, text: &str, place: &Place<'_>) {
        let views = views(text);
        self.reading.overflowed |= views.overflowed;
        for view in views.views {
            let (start, end) = place.origin.locate(view.start, view.end);
            let Some(coding) = self.coding(place.coding, &view.steps) else { continue };
            let origin = Origin::Coded { start, end };
            // The views of a view are among those of the text.
            let below = Place { origin: &origin, coding, nesting: 0, is_shaped: false, ..*place };
            self.read(&view.text, &below);
        }
    }

    /// The number of a coding inside another.
    fn coding(&mut self, outer: u16, steps: &[Step]) -> Option<u16> {
        let mut all = self.reading.codings.get(usize::from(outer))?.clone();
        all.extend(steps);
        let known = self.reading.codings.iter().position(|coding| *coding == all);
        let number = known.unwrap_or(self.reading.codings.len());
        if known.is_none() {
            self.reading.codings.push(all);
        }
        u16::try_from(number).ok()
    }
}

/// About how many bytes a word has with what stands before it: a hint for how much room to take.
const BYTES_OF_WORD: usize = 6;

/// Whether a leaf is a field of few words.
fn is_field(text: &str) -> bool {
    text.len() <= Reading::FIELD_BYTES_MAX
        && text.split_whitespace().nth(Reading::FREE_TEXT_WORDS_MIN - 1).is_none()
}

/// Where a text stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    origin: &'a Origin<'a>,
    coding: u16,
    nesting: usize,
    item: u32,
    /// Whether what looks like a field here is one.
    is_shaped: bool,
}

/// How places in a text are places in the source.
enum Origin<'a> {
    Root,
    /// `near` is where the last place was found: words are asked for in order.
    Moved {
        field: &'a fields::Field,
        parent: &'a Origin<'a>,
        near: Cell<usize>,
    },
    Coded {
        start: usize,
        end: usize,
    },
}

impl Origin<'_> {
    fn locate(&self, start: usize, end: usize) -> (usize, usize) {
        match self {
            Self::Root => (start, end),
            Self::Coded { start, end } => (*start, *end),
            Self::Moved { field, parent, near } => {
                let mut at = near.get();
                let first = field.place_near(start, &mut at);
                // The end is the end of the last byte: the next may stand elsewhere.
                let end = if end > start { field.place_near(end - 1, &mut at) + 1 } else { first };
                near.set(at);
                parent.locate(first, end)
            }
        }
    }
}

/// Whether a string at this pointer is a whole answer in an envelope: MCP wraps texts in blocks
/// (`content[].text`).
fn is_carrier(pointer: &str) -> bool {
    let inner = pointer.strip_prefix("/result").unwrap_or(pointer);
    inner.strip_prefix("/content/").is_some_and(|rest| {
        rest.strip_suffix("/text").is_some_and(|number| number.parse::<u32>().is_ok())
    }) || pointer.is_empty()
}

/// Names of fields that hold what somebody wrote, however short it is.
const PROSE: &[&str] = &[
    "bio",
    "body",
    "caption",
    "comment",
    "comments",
    "content",
    "contents",
    "description",
    "feedback",
    "html",
    "message",
    "messages",
    "note",
    "notes",
    "review",
    "reviews",
    "summary",
    "text",
];

/// Whether a field under this path holds what somebody wrote.
fn is_prose(path: &str) -> bool {
    let mut names = path.rsplit('/').filter(|name| name.parse::<u32>().is_err());
    let name = names.next().unwrap_or_default().to_lowercase();
    PROSE.contains(&name.as_str()) && !is_carrier(path)
}

/// Whether a text may be an object or a list.
fn may_be_object(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Whether a text may hold another one under a coding: an escape, or a long stretch of digits of
/// base64. This is much cheaper than to look.
fn may_be_coded(text: &str) -> bool {
    const STRETCH_MIN: usize = 11;
    let mut stretch = 0;
    text.bytes().any(|byte| {
        let is_digit = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-');
        stretch = if is_digit { stretch + 1 } else { 0 };
        matches!(byte, b'%' | b'\\' | b'&') || stretch >= STRETCH_MIN
    })
}

/// A count below a limit that fits; saturates rather than wraps.
pub(crate) fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
