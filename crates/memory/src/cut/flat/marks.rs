//! A text as characters that know where they stood, with escapes read and numbers of lines left out.

use std::collections::VecDeque;
use std::iter::from_fn;

/// The longest number before a line, in digits.
const NUMBER_DIGITS_MAX: usize = 7;

/// The most blanks before the number of a line.
const NUMBER_INDENT_MAX: usize = 16;

/// What ends the number of a line: editors and memory tools use one of these.
const NUMBER_ENDS: [char; 4] = ['\t', ':', '|', '→'];

/// A character, and where its spelling begins and ends in the text, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub character: char,
    pub start: usize,
    pub end: usize,
}

pub(super) type Marks<'a> = Box<dyn Iterator<Item = Mark> + 'a>;

/// The characters of a text with this many levels of escapes read, however broken they are.
pub(super) fn unescaped(text: &str, levels: usize) -> Marks<'_> {
    let spelled = text.char_indices().map(|(start, character)| Mark {
        character,
        start,
        end: start + character.len_utf8(),
    });
    (0..levels).fold(Box::new(spelled) as Marks<'_>, |marks, _| {
        let mut ahead = Ahead::of(marks);
        Box::new(from_fn(move || ahead.unescape()))
    })
}

/// The characters without the numbers of lines.
pub(super) fn without_numbers(marks: Marks<'_>) -> Marks<'_> {
    let mut ahead = Ahead::of(marks);
    let mut is_start = true;
    Box::new(from_fn(move || {
        if is_start {
            ahead.skip_number();
        }
        let mark = ahead.take()?;
        is_start = mark.character == '\n';
        Some(mark)
    }))
}

/// Whether at least two lines of a text begin with a number, as tools show files.
pub(super) fn is_numbered(text: &str) -> bool {
    let has_number = |line: &&str| number_len(line.chars()).is_some();
    text.lines().filter(has_number).nth(1).is_some()
}

/// How many characters are the number of a line, with the blanks before it and its end.
fn number_len(line: impl Iterator<Item = char>) -> Option<usize> {
    let (mut blanks, mut digits) = (0, 0);
    for character in line {
        match character {
            ' ' | '\t' if digits == 0 && blanks < NUMBER_INDENT_MAX => blanks += 1,
            '0'..='9' if digits < NUMBER_DIGITS_MAX => digits += 1,
            end if digits > 0 && NUMBER_ENDS.contains(&end) => return Some(blanks + digits + 1),
            _ => return None,
        }
    }
    None
}

/// Characters of which some were looked at before their turn.
struct Ahead<'a> {
    rest: Marks<'a>,
    seen: VecDeque<Mark>,
}

impl<'a> Ahead<'a> {
    fn of(rest: Marks<'a>) -> Self {
        Self { rest, seen: VecDeque::new() }
    }

    fn take(&mut self) -> Option<Mark> {
        self.seen.pop_front().or_else(|| self.rest.next())
    }

    fn peek(&mut self, at: usize) -> Option<Mark> {
        while self.seen.len() <= at {
            self.seen.push_back(self.rest.next()?);
        }
        self.seen.get(at).copied()
    }

    /// The next character, as itself or as its escape; a backslash at the end is nothing.
    fn unescape(&mut self) -> Option<Mark> {
        let first = self.take()?;
        if first.character != '\\' {
            return Some(first);
        }
        let named = self.take()?;
        let (character, end) = match named.character {
            'n' => ('\n', named.end),
            't' => ('\t', named.end),
            'b' | 'f' | 'r' => (' ', named.end),
            'u' => self.unicode().unwrap_or(('u', named.end)),
            other => (other, named.end),
        };
        Some(Mark { character, start: first.start, end })
    }

    /// What four digits stand for, or twice four with an escape between for the halves of a pair.
    fn unicode(&mut self) -> Option<(char, usize)> {
        let first = self.unit(0)?;
        let (character, length) = match char::decode_utf16([first]).next()? {
            Ok(character) => (character, 4),
            Err(_) => {
                let between = (self.peek(4)?.character, self.peek(5)?.character);
                let second = (between == ('\\', 'u')).then(|| self.unit(6))??;
                (char::decode_utf16([first, second]).next()?.ok()?, 10)
            }
        };
        let last = self.seen.drain(..length).next_back()?;
        Some((character, last.end))
    }

    fn unit(&mut self, from: usize) -> Option<u16> {
        (from..from + 4).try_fold(0_u16, |unit, at| {
            let digit = self.peek(at)?.character.to_digit(16)?;
            Some((unit << 4) | u16::try_from(digit).ok()?)
        })
    }

    fn skip_number(&mut self) {
        let most = NUMBER_INDENT_MAX + NUMBER_DIGITS_MAX + 1;
        let _ = self.peek(most - 1);
        let line = self.seen.iter().take(most).map(|mark| mark.character);
        if let Some(length) = number_len(line) {
            self.seen.drain(..length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Marks, is_numbered, unescaped, without_numbers};

    fn text(marks: Marks<'_>) -> String {
        marks.map(|mark| mark.character).collect()
    }

    #[test]
    fn escapes_are_read_however_broken() {
        let cases = [
            (r#"a\\\"b\/"#, r#"a\"b/"#),
            (r"\u0041\u00e9\ud83d\ude00", "Aé😀"),
            (r"\u00g1 \ud83d \ud83d\u0041 \u12", r"u00g1 ud83d ud83dA u12"),
            (r"end\", "end"),
            (r"a\nb\tc\qd", "a\nb\tcqd"),
        ];
        for (spelled, want) in cases {
            assert_eq!(text(unescaped(spelled, 1)), want, "{spelled}");
        }
        assert_eq!(text(unescaped(r"a\\n\\u0041", 2)), "a\nA");
    }

    #[test]
    fn line_numbers_of_views_are_seen() {
        let view = "     1\tfirst line\n     2\tsecond\n\n3: third\n4→ fourth";
        assert!(is_numbered(view));
        let bare = text(without_numbers(unescaped(view, 0)));
        assert_eq!(bare, "first line\nsecond\n\n third\n fourth");
        assert!(!is_numbered("1: one thing\nand another\n2026 was a year"));
        assert!(!is_numbered("12345678\tnot a line\n12345679\tnor this"));
    }
}
