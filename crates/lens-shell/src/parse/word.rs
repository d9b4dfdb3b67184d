//! Words: bare text, quotes, and what stands between them.

use std::rc::Rc;

use super::Parser;
use super::command::{ends_word, is_variable};
use crate::escape;
use crate::plan::Doubt;
use crate::syntax::{Node, Part, Word};

/// Where text stands; quotes change what is special in it.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Place {
    Bare,
    /// Between double quotes.
    Quoted,
    /// In a here-document, where a double quote is itself.
    Here,
}

impl Parser<'_> {
    /// The word that begins here, behind blanks.
    pub(super) fn word(&mut self) -> Option<Word> {
        if self.is_process() {
            let mut word = vec![self.process()];
            self.bare_parts(&mut word, |parser| parser.peek().is_none_or(ends_word));
            return Some(word);
        }
        if self.peek().is_none_or(ends_word) {
            return None;
        }
        if self.peek() == Some(b'#') {
            self.comment();
            return None;
        }
        let mut word = Word::new();
        self.bare_parts(&mut word, |parser| parser.peek().is_none_or(ends_word));
        Some(word)
    }

    /// Parts until `ends`, or the end of the text.
    pub(super) fn bare_parts(&mut self, word: &mut Word, ends: impl Fn(&Self) -> bool) {
        loop {
            if self.peek() == Some(b'(') && self.parenthesis_in(word) {
                continue;
            }
            if self.at >= self.text.len() || ends(self) {
                return;
            }
            self.part(Place::Bare, word);
        }
    }

    /// A parenthesis that belongs to the word in front of it: `name=(…)` or a pattern `@(…)`.
    fn parenthesis_in(&mut self, word: &mut Word) -> bool {
        let Some(Part::Bare(text)) = word.last() else { return false };
        if word.len() == 1 && is_array_start(text) {
            self.at += 1;
            let words = self.deeper(Vec::new(), Self::array);
            word.push(Part::Array(words));
            return true;
        }
        if !text.ends_with(['@', '?', '*', '+', '!']) {
            return false;
        }
        // A pattern in parentheses is kept as text; a newline in it would be no pattern.
        let rest = self.rest();
        let Some(end) = rest.bytes().take(256).position(|byte| matches!(byte, b')' | b'\n')) else {
            return false;
        };
        self.at += end + 1;
        push_bare(word, rest.get(..=end).unwrap_or_default());
        true
    }

    fn array(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        loop {
            self.lines();
            if self.take(")") {
                return words;
            }
            match self.word() {
                Some(word) => words.push(word),
                None => {
                    self.fault(Doubt::Unparsable);
                    if self.next().is_none() {
                        return words;
                    }
                }
            }
        }
    }

    /// Takes one part.
    pub(super) fn part(&mut self, place: Place, word: &mut Word) {
        match self.peek() {
            Some(b'\\') => self.backslash(place, word),
            Some(b'\'') if place == Place::Bare => self.single_quotes(word),
            Some(b'"') if place != Place::Here => self.double_quotes(word),
            Some(b'$') => self.dollar(place, word),
            Some(b'`') => self.backticks(place, word),
            _ => self.plain_run(place, word),
        }
    }

    /// All text up to the next byte that may mean something.
    fn plain_run(&mut self, place: Place, word: &mut Word) {
        let start = self.at;
        self.next();
        while let Some(byte) = self.peek() {
            let special = match byte {
                b'\\' | b'$' | b'`' | b'"' | b'\'' | b'}' | b'/' | b':' | b']' => true,
                byte => place == Place::Bare && ends_word(byte),
            };
            if special {
                break;
            }
            self.at += 1;
        }
        let text = self.since(start);
        match place {
            Place::Bare => push_bare(word, text),
            Place::Quoted | Place::Here => push_quoted(word, text),
        }
    }

    fn backslash(&mut self, place: Place, word: &mut Word) {
        self.at += 1;
        if self.take("\n") {
            return;
        }
        let Some(next) = self.next() else {
            push_quoted(word, "\\");
            return;
        };
        let special = match place {
            Place::Bare => true,
            Place::Quoted => matches!(next, '$' | '`' | '"' | '\\'),
            Place::Here => matches!(next, '$' | '`' | '\\'),
        };
        if !special {
            push_quoted(word, "\\");
        }
        push_quoted(word, next.encode_utf8(&mut [0; 4]));
    }

    fn single_quotes(&mut self, word: &mut Word) {
        self.at += 1;
        let rest = self.rest();
        let end = rest.find('\'');
        if end.is_none() {
            self.fault(Doubt::Unparsable);
        }
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at = (self.at + text.len() + 1).min(self.text.len());
        push_quoted(word, text);
    }

    pub(super) fn double_quotes(&mut self, word: &mut Word) {
        self.at += 1;
        push_quoted(word, "");
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return;
                }
                Some(_) => self.part(Place::Quoted, word),
                None => return self.fault(Doubt::Unparsable),
            }
        }
    }

    /// `$'…'`, standing on its first quote.
    pub(super) fn coded_quotes(&mut self, word: &mut Word) {
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'\\') => self.at = (self.at + 2).min(self.text.len()),
                Some(b'\'') => break,
                Some(_) => self.at += 1,
                None => {
                    self.fault(Doubt::Unparsable);
                    break;
                }
            }
        }
        let written = escape::decode(self.since(start), escape::Dialect::Quotes);
        self.at = (self.at + 1).min(self.text.len());
        if written.coded {
            word.push(Part::Coded(written.text));
        } else {
            push_quoted(word, &written.text);
        }
    }

    fn backticks(&mut self, place: Place, word: &mut Word) {
        self.at += 1;
        let mut content = String::new();
        loop {
            match self.next() {
                Some('`') => break,
                Some('\\') => {
                    let next = self.next();
                    let special = matches!(next, Some('`' | '\\' | '$'))
                        || (next == Some('"') && place == Place::Quoted);
                    if !special {
                        content.push('\\');
                    }
                    content.extend(next);
                }
                Some(other) => content.push(other),
                None => {
                    self.fault(Doubt::Unparsable);
                    break;
                }
            }
        }
        let body = self.inner(&content, Node::List(Vec::new()), |parser| parser.script());
        word.push(Part::Command { body: Rc::new(body), quoted: place != Place::Bare });
    }

    fn process(&mut self) -> Part {
        let into = self.peek() == Some(b'>');
        self.at += 2;
        Part::Process { body: Rc::new(self.closed_list()), into }
    }

    /// The whole text as a word, as in a here-document.
    pub(super) fn here_word(&mut self) -> Word {
        let mut word = Word::new();
        while self.at < self.text.len() {
            self.part(Place::Here, &mut word);
        }
        word
    }
}

fn is_array_start(text: &str) -> bool {
    let name = text.strip_suffix('=').map(|name| name.strip_suffix('+').unwrap_or(name));
    name.is_some_and(is_variable)
}

pub(super) fn push_bare(word: &mut Word, text: &str) {
    match word.last_mut() {
        Some(Part::Bare(last)) => last.push_str(text),
        _ => word.push(Part::Bare(text.to_owned())),
    }
}

pub(super) fn push_quoted(word: &mut Word, text: &str) {
    match word.last_mut() {
        Some(Part::Quoted(last)) => last.push_str(text),
        _ => word.push(Part::Quoted(text.to_owned())),
    }
}
