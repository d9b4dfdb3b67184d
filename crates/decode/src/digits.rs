//! Bytes written as digits: base64 and hex, also across line breaks and pieces of a program's text
//! (`"aGVs" + "bG8="`), and from a place inside a longer run.

use std::ops::Range;

use crate::Step;

/// How many bytes may stand between two pieces of a run: a quote, a comma, a line break, an indent.
const JOINT_BYTES_MAX: usize = 32;

/// What tells the two codings apart.
pub(crate) struct Coding {
    pub(crate) step: Step,
    /// How many bits a digit carries.
    bits: usize,
    value: fn(u8) -> Option<u8>,
    /// Whether each byte is a digit.
    digits: [bool; 256],
    /// The shortest first piece, in digits.
    piece_min: usize,
    /// The shortest run, in digits.
    run_min: usize,
}

impl Coding {
    fn is_digit(&self, byte: u8) -> bool {
        self.digits.get(usize::from(byte)).is_some_and(|is_digit| *is_digit)
    }

    /// How many digits stand from `at` on.
    fn length(&self, text: &[u8], at: usize) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        rest.iter().take_while(|byte| self.is_digit(**byte)).count()
    }

    /// Where the piece begins that goes on after one of `length` digits, which ends at `at`.
    fn next(&self, text: &[u8], at: usize, length: usize) -> Option<usize> {
        let after = text.get(at..)?;
        let joint = if self.bits == 4 { hex_joint } else { base64_joint };
        let next = at + joint(after, length)?;
        text.get(next).is_some_and(|byte| self.is_digit(*byte)).then_some(next)
    }
}

/// RFC 4648, 4 and 5: both alphabets, because nothing is said by which one was used.
pub(crate) static BASE64: Coding = Coding {
    step: Step::Base64,
    bits: 6,
    value: base64_value,
    digits: table(true),
    piece_min: 8,
    run_min: 12,
};

/// RFC 4648, 8.
pub(crate) static HEX: Coding = Coding {
    step: Step::Hex,
    bits: 4,
    value: hex_value,
    digits: table(false),
    piece_min: 2,
    run_min: 16,
};

/// The bytes that are digits of base64, or of hex.
const fn table(is_base64: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let (mut rest, mut byte) = (table.as_mut_slice(), 0_u8);
    while let Some((first, others)) = rest.split_first_mut() {
        *first = if is_base64 { base64_value(byte).is_some() } else { hex_value(byte).is_some() };
        (rest, byte) = (others, byte.wrapping_add(1));
    }
    table
}

const fn base64_value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

const fn hex_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Digits that belong together.
pub(crate) struct Run {
    digits: Vec<u8>,
    /// For each piece: its first digit, and where that stands.
    pieces: Vec<(usize, usize)>,
    bits: usize,
    /// Where the run stands in the text.
    pub(crate) range: Range<usize>,
}

impl Run {
    /// From how many digits on one may start to read; one of them is where the data starts.
    pub(crate) fn alignments(&self) -> Range<usize> {
        // Four digits of base64 make three bytes, two of hex make one.
        0..if self.bits == BASE64.bits { 4 } else { 2 }
    }

    /// Puts the bytes that the digits from `alignment` on stand for into `bytes`.
    pub(crate) fn decode(&self, alignment: usize, bytes: &mut Vec<u8>) {
        bytes.clear();
        let (mut held, mut held_bits) = (0_u32, 0);
        for digit in self.digits.get(alignment..).unwrap_or_default() {
            held = ((held << self.bits) | u32::from(*digit)) & 0xffff;
            held_bits += self.bits;
            if held_bits >= 8 {
                held_bits -= 8;
                let [.., byte] = (held >> held_bits).to_be_bytes();
                bytes.push(byte);
            }
        }
    }

    /// Where in the text some of these bytes came from.
    pub(crate) fn source(&self, alignment: usize, bytes: &Range<usize>) -> Range<usize> {
        let first = alignment + bytes.start * 8 / self.bits;
        let last = alignment + (bytes.end * 8).div_ceil(self.bits).saturating_sub(1);
        self.place(first)..self.place(last) + 1
    }

    fn place(&self, digit: usize) -> usize {
        let piece = self.pieces.partition_point(|(first, _)| *first <= digit).checked_sub(1);
        let piece = piece.and_then(|piece| self.pieces.get(piece));
        piece.map_or(self.range.start, |(first, place)| place + (digit - first))
    }
}

/// Every run of a coding in a text, in order. Each byte belongs to one run at most.
pub(crate) fn runs<'t>(text: &'t str, coding: &'static Coding) -> impl Iterator<Item = Run> + 't {
    let text = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = next_piece(text, at, coding)?;
            at = start + coding.length(text, start);
            // Most pieces are words: to know that allocates nothing.
            let is_long = at - start >= coding.run_min;
            if !is_long && coding.next(text, at, at - start).is_none() {
                continue;
            }
            let run = run(text, start, coding);
            at = run.range.end;
            if run.digits.len() >= coding.run_min && !is_words(text, &run) {
                return Some(run);
            }
        }
    })
}

/// Words, paths and the like. Data has a capital or a decimal digit among so many digits.
fn is_words(text: &[u8], run: &Run) -> bool {
    let bytes = text.get(run.range.clone()).unwrap_or_default();
    run.bits == BASE64.bits && !bytes.iter().any(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Where the next piece that is long enough begins. Any such piece has a digit at every
/// `piece_min`th byte, so only these are looked at in a text that has none.
fn next_piece(text: &[u8], from: usize, coding: &Coding) -> Option<usize> {
    let is_digit = |at: usize| text.get(at).is_some_and(|byte| coding.is_digit(*byte));
    let mut start = from;
    loop {
        let probe = start + coding.piece_min - 1;
        if probe >= text.len() {
            return None;
        }
        // Everything from `start` to the last byte that is no digit cannot be in the piece.
        match (start..=probe).rev().find(|at| !is_digit(*at)) {
            Some(other) => start = other + 1,
            None => return Some(start),
        }
    }
}

fn run(text: &[u8], start: usize, coding: &Coding) -> Run {
    let (mut digits, mut pieces) = (Vec::new(), Vec::new());
    let mut at = start;
    loop {
        let length = coding.length(text, at);
        let piece = text.get(at..at + length).unwrap_or_default();
        pieces.push((digits.len(), at));
        digits.extend(piece.iter().filter_map(|byte| (coding.value)(*byte)));
        at += length;
        match coding.next(text, at, length) {
            Some(next) => at = next,
            None => return Run { digits, pieces, bits: coding.bits, range: start..at },
        }
    }
}

/// The length of what joins a piece of base64 to the next one: padding and a line break after a
/// line, or a quote after a string.
fn base64_joint(after: &[u8], length: usize) -> Option<usize> {
    /// A shorter one is a word at the end of a line. PEM has 64 to a line, MIME 76.
    const LINE_MIN: usize = 16;
    let padding = after.iter().take(2).take_while(|byte| **byte == b'=').count();
    let after = after.get(padding..)?;
    let is_line = length >= LINE_MIN && matches!(after.first(), Some(b'\r' | b'\n'));
    if is_line { Some(padding + spaces(after)) } else { Some(padding + string_joint(after)?) }
}

/// The same for hex; whole bytes may also stand apart (`48 65`, `48:65`).
fn hex_joint(after: &[u8], length: usize) -> Option<usize> {
    if !length.is_multiple_of(2) {
        return string_joint(after);
    }
    match after {
        [b':' | b'-' | b',', b' ', ..] => Some(2),
        [b' ' | b':' | b'-' | b',', ..] => Some(1),
        [b'\r' | b'\n', ..] => Some(spaces(after)),
        _ => string_joint(after),
    }
}

/// `" + "`, `", "`, `" "` and the same with single quotes and line breaks.
fn string_joint(after: &[u8]) -> Option<usize> {
    let (quote @ (b'"' | b'\''), mut rest) = after.split_first()? else { return None };
    let mut length = 1;
    for skip in [spaces, operator, spaces] {
        let skipped = skip(rest);
        length += skipped;
        rest = rest.get(skipped..)?;
    }
    (rest.first() == Some(quote)).then_some(length + 1)
}

fn spaces(text: &[u8]) -> usize {
    text.iter().take(JOINT_BYTES_MAX).take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn operator(text: &[u8]) -> usize {
    usize::from(matches!(text.first(), Some(b'+' | b',' | b'.' | b'\\')))
}

#[cfg(test)]
mod tests {
    use super::{BASE64, Coding, HEX, runs};

    fn decoded(text: &str, coding: &'static Coding) -> Vec<String> {
        let read = |run: super::Run| {
            let mut bytes = Vec::new();
            run.decode(0, &mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        };
        runs(text, coding).map(read).collect()
    }

    #[test]
    fn runs_are_read_across_their_joints() {
        let cases = [
            (&BASE64, "x: aGlkZGVuIHdvcmRz.", "hidden words"),
            (&BASE64, "aGlkZGVuIHdvcmRz\r\n  IGFuZCBtb3Jl", "hidden words and more"),
            (&BASE64, r#"["aGlkZGVu", "IHdvcmRz"]"#, "hidden words"),
            (&BASE64, "'aGlkZGVu' +\n 'IHdvcmRz'", "hidden words"),
            (&BASE64, "Pz8_Pj4-Pz8_Pj4-", "???>>>???>>>"),
            (&HEX, "68 69 64 64 65 6e 20 77", "hidden w"),
            (&HEX, "68:69:64:64:65:6E:20:77", "hidden w"),
            (&HEX, r#""68696464" "656e2077""#, "hidden w"),
        ];
        for (coding, text, want) in cases {
            assert_eq!(decoded(text, coding), [want], "{text}");
        }
        assert_eq!(decoded("plain words are none", &BASE64), [""; 0]);
    }

    #[test]
    fn bytes_are_traced_to_their_digits() {
        let text = "x 'aGlkZGVu' + 'IHdvcmRz'";
        for run in runs(text, &BASE64) {
            assert_eq!(run.source(0, &(0..6)), 3..11);
            assert_eq!(run.source(0, &(6..12)), 16..24);
            assert_eq!(run.source(0, &(5..7)), 9..18);
        }
    }
}
