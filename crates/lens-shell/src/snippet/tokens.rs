//! Code as texts, words, numbers and marks.

use crate::escape::{self, Dialect};
use crate::value::Value;

/// The longest text in quotes that is taken as one, in bytes.
const TEXT_MAX_BYTES: usize = 16 << 10;

/// One piece of code.
#[derive(Debug)]
pub(super) enum Token {
    Text { value: Value, backticks: bool },
    Word(String),
    Number(String),
    Mark(char),
}

struct Reader<'c> {
    rest: &'c str,
    code: &'c Value,
    /// Quotes that do not close on this line; they are apostrophes.
    open: Vec<char>,
    tokens: Vec<Token>,
}

/// The tokens of a code; texts that are only added to each other are one.
pub(super) fn of(code: &Value) -> Vec<Token> {
    let mut reader = Reader { rest: &code.text, code, open: Vec::new(), tokens: Vec::new() };
    while let Some(next) = reader.rest.chars().next() {
        reader.token(next);
    }
    reader.tokens
}

impl Reader<'_> {
    fn token(&mut self, next: char) {
        match next {
            '"' | '\'' | '`' => self.quote(next),
            letter if letter.is_ascii_digit() => {
                let end =
                    end_of(self.rest, |letter| letter.is_ascii_alphanumeric() || letter == '.');
                let number = self.take(end);
                self.tokens.push(Token::Number(number));
            }
            letter if letter.is_alphanumeric() || letter == '_' => {
                let end = end_of(self.rest, |letter| letter.is_alphanumeric() || letter == '_');
                let word = self.take(end);
                self.word(word);
            }
            '\n' => {
                self.open.clear();
                self.take(1);
                // A line ends a call without parentheses.
                self.tokens.push(Token::Mark('\n'));
            }
            letter => {
                self.take(letter.len_utf8());
                if !letter.is_whitespace() {
                    self.tokens.push(Token::Mark(letter));
                }
            }
        }
    }

    fn take(&mut self, end: usize) -> String {
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken.to_owned()
    }

    fn word(&mut self, word: String) {
        let quotes = matches!(word.as_str(), "q" | "qq" | "qx");
        let delimiter = self.rest.chars().next().filter(|letter| "({[</|!~".contains(*letter));
        let (Some(delimiter), true) = (delimiter, quotes) else {
            self.tokens.push(Token::Word(word));
            return;
        };
        let close = match delimiter {
            '(' => ')',
            '{' => '}',
            '[' => ']',
            '<' => '>',
            other => other,
        };
        let body = self.rest.get(1..).unwrap_or_default();
        let end = body.bytes().take(TEXT_MAX_BYTES).position(|byte| char::from(byte) == close);
        if let Some(end) = end {
            let text = self.code.derived(body.get(..end).unwrap_or_default());
            self.rest = body.get(end + 1..).unwrap_or_default();
            self.text(text, word == "qx");
        } else {
            self.tokens.push(Token::Word(word));
        }
    }

    fn quote(&mut self, quote: char) {
        let triple = self.rest.get(..3).is_some_and(|three| three.chars().all(|one| one == quote));
        if triple && !self.open.contains(&quote) {
            let body = self.rest.get(3..).unwrap_or_default();
            let mark: String = [quote; 3].iter().collect();
            if let Some(end) = body.find(&mark) {
                let text = self.code.derived(body.get(..end).unwrap_or_default());
                self.rest = body.get(end + 3..).unwrap_or_default();
                return self.text(text, false);
            }
            self.open.push(quote);
        }
        let body = self.rest.get(1..).unwrap_or_default();
        let end = if self.open.contains(&quote) { None } else { closing(body, quote) };
        let Some(end) = end else {
            self.open.push(quote);
            self.take(1);
            return;
        };
        let raw = body.get(..end).unwrap_or_default();
        self.rest = body.get(end + 1..).unwrap_or_default();
        let written = escape::decode(raw, Dialect::Quotes);
        let mut value = self.code.derived(written.text);
        value.taint.decoded |= written.coded;
        let prefixed =
            self.tokens.pop_if(|last| matches!(last, Token::Word(word) if is_prefix(word)));
        if let Some(Token::Word(prefix)) = prefixed {
            value.taint.unknown |= prefix.contains(['f', 'F']) && raw.contains('{');
        }
        self.text(value, quote == '`');
    }

    /// Takes a text, on the end of the one before it where they are one.
    fn text(&mut self, value: Value, backticks: bool) {
        let joined = match self.tokens.as_mut_slice() {
            [.., Token::Text { value: last, backticks: false }, Token::Mark('+' | '.')]
                if !backticks =>
            {
                last.push(&value);
                self.tokens.pop();
                true
            }
            [.., Token::Text { value: last, backticks: false }] if !backticks => {
                last.push(&value);
                true
            }
            _ => false,
        };
        if !joined {
            self.tokens.push(Token::Text { value, backticks });
        }
    }
}

fn is_prefix(word: &str) -> bool {
    word.len() <= 2 && word.chars().all(|letter| "rbfuRBFU".contains(letter))
}

fn end_of(text: &str, inside: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !inside(letter)).unwrap_or(text.len())
}

/// Where a quote closes; only backticks reach over lines.
fn closing(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in body.char_indices() {
        if at > TEXT_MAX_BYTES || (letter == '\n' && quote != '`' && !escaped) {
            return None;
        }
        if letter == quote && !escaped {
            return Some(at);
        }
        escaped = letter == '\\' && !escaped;
    }
    None
}

/// The name of the function whose call opens behind these tokens: its last three parts, in lower case.
pub(super) fn callee(before: &[Token]) -> String {
    let mut parts = Vec::new();
    for token in before.iter().rev().take(9) {
        match token {
            Token::Word(word) if parts.len() < 3 => parts.push(word.to_ascii_lowercase()),
            Token::Mark('.' | ':' | '>' | '-') if !parts.is_empty() => {}
            Token::Word(_) | Token::Mark(_) | Token::Number(_) | Token::Text { .. } => break,
        }
    }
    parts.reverse();
    parts.join(".")
}
