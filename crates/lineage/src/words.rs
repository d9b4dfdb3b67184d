//! The words of a text: what stands between separators, in one spelling.

use crate::fold::{Folded, fold};
use crate::hash::{Domain, hash};

/// One word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Word {
    /// Its hash.
    pub(crate) hash: u64,
    /// Where it begins, in bytes of the text.
    pub(crate) start: usize,
    /// One past where it ends.
    pub(crate) end: usize,
    /// What stands before it: 0 nothing, 1 white space, else a mark of the punctuation.
    pub(crate) gap: u8,
}

/// Shows each word with its folded letters.
pub(crate) fn each_word(text: &str, mut show: impl FnMut(Word, &str)) {
    let (mut letters, mut gap) = (String::with_capacity(32), 0);
    let (mut start, mut end) = (0, 0);
    for (at, character) in text.char_indices() {
        match fold(character) {
            Folded::Letter(letter) => {
                if letters.is_empty() {
                    start = at;
                }
                end = at + character.len_utf8();
                letters.push(letter);
            }
            Folded::Separator(separator) => {
                if !letters.is_empty() {
                    show(word(&letters, start, end, gap), &letters);
                    letters.clear();
                    gap = 0;
                }
                gap = wider(gap, separator);
            }
            Folded::Nothing => {}
        }
    }
    if !letters.is_empty() {
        show(word(&letters, start, end, gap), &letters);
    }
}

fn word(letters: &str, start: usize, end: usize, gap: u8) -> Word {
    Word { hash: hash(Domain::Word, letters.as_bytes()), start, end, gap }
}

/// White space beside punctuation says nothing.
fn wider(gap: u8, separator: char) -> u8 {
    if separator.is_whitespace() {
        gap.max(1)
    } else {
        let before = if gap == 1 { 0 } else { u32::from(gap) };
        u8::try_from((before * 31 + u32::from(separator)) % 254 + 2).unwrap_or(2)
    }
}

/// Words too frequent to say where a text came from, sorted.
const STOP_WORDS: &[&str] = &[
    "about", "after", "again", "also", "because", "been", "before", "being", "between", "could",
    "does", "dear", "email", "every", "false", "file", "from", "have", "hello", "here", "http",
    "https", "into", "just", "know", "like", "message", "more", "need", "none", "null", "only",
    "other", "over", "please", "regards", "send", "should", "some", "subject", "such", "than",
    "thank", "thanks", "that", "their", "them", "then", "there", "these", "they", "this", "those",
    "true", "under", "user", "very", "want", "were", "what", "when", "where", "which", "while",
    "will", "with", "would", "your",
];

/// Whether one word alone says something about where a text came from.
pub(crate) fn is_telling(letters: &str) -> bool {
    let has_digit = letters.bytes().any(|byte| byte.is_ascii_digit());
    let enough = if has_digit { 3 } else { 4 };
    letters.chars().count() >= enough && STOP_WORDS.binary_search(&letters).is_err()
}
