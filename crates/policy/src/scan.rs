//! A scanner for Rego that knows just enough to find things: words, strings and marks with their
//! lines, comments left out.

use std::iter::Peekable;
use std::str::CharIndices;

/// One token and the line it starts on, from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Spot<'a> {
    pub(crate) token: Token<'a>,
    pub(crate) line: u32,
    /// Whether it is the first thing on its line, with no space before it.
    pub(crate) flush: bool,
}

/// What the scanner tells apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Token<'a> {
    /// A name, a number or a path of names: `time.now_ns`.
    Word(&'a str),
    /// A string, without its quotes, escapes left as they are.
    Text(&'a str),
    /// Any other character that is not white space.
    Mark(char),
}

/// The tokens of `text`. Total: text that is no Rego gives some tokens too.
pub(crate) fn tokens(text: &str) -> Vec<Spot<'_>> {
    let mut scanner = Scanner { text, rest: text.char_indices().peekable(), line: 1, flush: true };
    let mut spots = Vec::new();
    while let Some(spot) = scanner.next_spot() {
        spots.push(spot);
    }
    spots
}

struct Scanner<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    line: u32,
    flush: bool,
}

impl<'a> Scanner<'a> {
    fn next_spot(&mut self) -> Option<Spot<'a>> {
        loop {
            let (start, first) = self.rest.next()?;
            let (line, flush) = (self.line, std::mem::replace(&mut self.flush, false));
            let token = match first {
                '\n' => {
                    self.end_line();
                    continue;
                }
                '#' => {
                    self.skip_comment();
                    continue;
                }
                space if space.is_whitespace() => continue,
                '"' | '`' => Token::Text(self.string(start, first)),
                letter if is_word(letter) => Token::Word(self.word(start)),
                mark => Token::Mark(mark),
            };
            return Some(Spot { token, line, flush });
        }
    }

    fn end_line(&mut self) {
        self.line = self.line.saturating_add(1);
        self.flush = true;
    }

    fn skip_comment(&mut self) {
        while self.rest.next_if(|(_, character)| *character != '\n').is_some() {}
    }

    /// The rest of a string whose opening quote was read. A quoted string ends with its line at the
    /// latest, a raw one may go over lines.
    fn string(&mut self, start: usize, quote: char) -> &'a str {
        let from = start.saturating_add(quote.len_utf8());
        let mut escaped = false;
        while let Some((at, character)) = self.rest.next() {
            match character {
                '\n' if quote == '"' => {
                    self.end_line();
                    return self.text.get(from..at).unwrap_or_default();
                }
                '\n' => self.end_line(),
                _ if escaped => {
                    escaped = false;
                    continue;
                }
                '\\' if quote == '"' => escaped = true,
                _ if character == quote => return self.text.get(from..at).unwrap_or_default(),
                _ => {}
            }
        }
        self.text.get(from..).unwrap_or_default()
    }

    fn word(&mut self, start: usize) -> &'a str {
        while self.rest.next_if(|(_, next)| is_word(*next) || *next == '.').is_some() {}
        let end = self.rest.peek().map_or(self.text.len(), |(at, _)| *at);
        self.text.get(start..end).unwrap_or_default()
    }
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Token, tokens};

    #[test]
    fn comments_are_left_out_and_strings_hide_marks() {
        let text = "a.b(\"x # \\\" y\") # \"z\"\n  `r\nr` c";
        let found: Vec<_> = tokens(text).iter().map(|spot| (spot.token, spot.line)).collect();
        let want = vec![
            (Token::Word("a.b"), 1),
            (Token::Mark('('), 1),
            (Token::Text("x # \\\" y"), 1),
            (Token::Mark(')'), 1),
            (Token::Text("r\nr"), 2),
            (Token::Word("c"), 3),
        ];
        assert_eq!(found, want);
    }

    proptest! {
        #[test]
        fn any_text_can_be_scanned(text: String) {
            let lines = u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX);
            for spot in tokens(&text) {
                prop_assert!(spot.line <= lines + 1);
            }
        }
    }
}
