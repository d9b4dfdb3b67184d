//! The strict pass over JSON text. Recursion is bounded by [`DEPTH_MAX`].

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::{DEPTH_MAX, JsonFault, text};

/// The longest part of a key that a fault repeats, in characters.
const QUOTED_CHARS_MAX: usize = 80;

pub(crate) struct Scan<'a> {
    whole: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(crate) const fn new(whole: &'a str) -> Self {
        Self { whole, at: 0 }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    fn peek(&self) -> Option<u8> {
        self.whole.as_bytes().get(self.at).copied()
    }

    fn wrong(&self, expected: &'static str) -> JsonFault {
        JsonFault::Syntax { at: self.at, expected }
    }

    /// Skips white space (RFC 8259 section 2).
    pub(crate) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), JsonFault> {
        self.space();
        if self.peek().is_none() { Ok(()) } else { Err(self.wrong("nothing more")) }
    }

    fn eat(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonFault> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.wrong(expected))
        }
    }

    /// One value inside `depth` containers.
    pub(crate) fn value(&mut self, depth: usize) -> Result<(), JsonFault> {
        match self.peek() {
            Some(b'{' | b'[') if depth == DEPTH_MAX => Err(JsonFault::TooDeep { at: self.at }),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(|_| ()),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.wrong("a value")),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), JsonFault> {
        if self.whole.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.wrong(word))
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), JsonFault> {
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut keys = BTreeSet::new();
        loop {
            self.key(&mut keys)?;
            self.space();
            self.eat(b':', "`:`")?;
            self.space();
            self.value(depth)?;
            self.space();
            if self.more(b'}', "`,` or `}`")? {
                self.space();
            } else {
                return Ok(());
            }
        }
    }

    fn key(&mut self, keys: &mut BTreeSet<Cow<'a, str>>) -> Result<(), JsonFault> {
        let at = self.at;
        let content = self.string()?;
        let key = text::unescape(content).ok_or(JsonFault::LoneSurrogate { at })?;
        if keys.contains(&key) {
            let key = key.chars().take(QUOTED_CHARS_MAX).collect();
            return Err(JsonFault::DuplicateKey { at, key });
        }
        keys.insert(key);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonFault> {
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth)?;
            self.space();
            if self.more(b']', "`,` or `]`")? {
                self.space();
            } else {
                return Ok(());
            }
        }
    }

    /// Whether a comma promises another element, or `close` ends the container.
    fn more(&mut self, close: u8, expected: &'static str) -> Result<bool, JsonFault> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.wrong(expected)),
        }
    }

    /// A string; gives what stands between the quotes.
    fn string(&mut self) -> Result<&'a str, JsonFault> {
        self.eat(b'"', "a string")?;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let content = self.whole.get(start..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(content);
                }
                Some(b'\\') => self.escape()?,
                Some(0x20..) => self.at += 1,
                _ => return Err(self.wrong("a character that may stand in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonFault> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.wrong("a hex digit"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.wrong("an escape")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonFault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonFault> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.wrong("a digit"));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }
}
