//! JSON, and objects as languages print them: single quotes, `None`, `True`, bare words.

use crate::spelled::{Spelled, escaped};
use crate::{DEPTH_MAX, FIELDS_MAX, Field};

/// The fields of a text that is one object or list from end to end; `None` when it is not.
pub(crate) fn read(text: &str) -> Option<Vec<Field>> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut reader = Reader { text, at: 0, path: String::new(), items: 0, fields: Vec::new() };
    reader.value(0, 0)?;
    reader.space();
    (reader.at == text.len()).then_some(reader.fields)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    path: String,
    items: u32,
    fields: Vec<Field>,
}

impl Reader<'_> {
    fn value(&mut self, item: u32, depth: usize) -> Option<()> {
        self.space();
        if depth > DEPTH_MAX {
            return None;
        }
        match self.peek()? {
            '{' => self.object(item, depth),
            '[' | '(' => self.list(item, depth),
            '"' | '\'' => {
                let text = self.quoted()?;
                self.push(item, text, true);
                Some(())
            }
            _ => self.bare(item),
        }
    }

    fn object(&mut self, item: u32, depth: usize) -> Option<()> {
        self.take('{')?;
        loop {
            self.space();
            if self.take('}').is_some() {
                return Some(());
            }
            let name = match self.peek()? {
                '"' | '\'' => self.quoted()?,
                _ => self.word(&[':'])?,
            };
            self.space();
            self.take(':')?;
            self.space();
            // An object under a name is an item of its own: `{"Bob": {…}, "Ann": {…}}`.
            let is_item = self.peek()? == '{';
            let inner = if is_item { self.next_item() } else { item };
            let below = name.text.replace('~', "~0").replace('/', "~1");
            // A name that is no plain word may carry content as a value does.
            if is_item || !is_plain(&name.text) {
                self.push_name(inner, name);
            }
            self.below(&below, |reader| reader.value(inner, depth + 1))?;
            self.space();
            if self.take(',').is_none() {
                return self.take('}');
            }
        }
    }

    fn list(&mut self, item: u32, depth: usize) -> Option<()> {
        let close = if self.peek()? == '(' { ')' } else { ']' };
        self.at += 1;
        let mut index = 0_usize;
        loop {
            self.space();
            if self.take(close).is_some() {
                return Some(());
            }
            let inner = if self.peek()? == '{' { self.next_item() } else { item };
            self.below(&index.to_string(), |reader| reader.value(inner, depth + 1))?;
            index += 1;
            self.space();
            if self.take(',').is_none() {
                return self.take(close);
            }
        }
    }

    /// A number, a constant, or what a language prints of an object: `datetime.date(2024, 5, 1)`.
    fn bare(&mut self, item: u32) -> Option<()> {
        let word = self.word(&[',', '}', ']', ')'])?;
        if !matches!(word.text.as_str(), "null" | "None" | "nil") {
            self.push(item, word, false);
        }
        Some(())
    }

    /// Everything before one of these marks outside of brackets, trimmed; not empty.
    fn word(&mut self, marks: &[char]) -> Option<Spelled> {
        let rest = self.text.get(self.at..)?;
        let mut open = 0_usize;
        let end = rest.char_indices().find_map(|(at, character)| {
            let ends = open == 0 && marks.contains(&character);
            match character {
                '(' | '[' => open += 1,
                ')' | ']' => open = open.saturating_sub(1),
                _ => {}
            }
            (ends || character == '\n' || matches!(character, '{' | '"' | '\'')).then_some(at)
        })?;
        let word = Spelled::plain(rest.get(..end)?.trim(), self.at);
        self.at += end;
        (!word.text.is_empty()).then_some(word)
    }

    /// A quoted string, without its quotes and escapes.
    fn quoted(&mut self) -> Option<Spelled> {
        let quote = self.peek()?;
        let mut at = self.at + quote.len_utf8();
        let mut out = Spelled::default();
        loop {
            let rest = self.text.get(at..)?;
            let is_mark = |byte: u8| char::from(byte) == quote || byte == b'\\';
            let length = rest.bytes().position(is_mark)?;
            out.push_stretch(rest.get(..length)?, at);
            at += length;
            let mut marks = rest.get(length..)?.char_indices().map(|(from, c)| (at + from, c));
            let (_, mark) = marks.next()?;
            if mark == quote {
                self.at = at + quote.len_utf8();
                return Some(out);
            }
            let (character, is_known) = escaped(&mut marks)?;
            let (escape, after) = (at, marks.next().map_or(self.text.len(), |(after, _)| after));
            at = after;
            if !is_known {
                out.push('\\', escape);
            }
            out.push(character, escape);
        }
    }

    fn push(&mut self, item: u32, spelled: Spelled, is_text: bool) {
        self.field(Field::new(self.path.clone(), item, spelled, is_text));
    }

    fn push_name(&mut self, item: u32, name: Spelled) {
        self.field(Field::new(format!("{}/#name", self.path), item, name, false));
    }

    fn field(&mut self, field: Field) {
        if self.fields.len() <= FIELDS_MAX {
            self.fields.push(field);
        }
    }

    const fn next_item(&mut self) -> u32 {
        self.items = self.items.saturating_add(1);
        self.items
    }

    fn below<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length + name.len() < PATH_BYTES_MAX {
            self.path.push('/');
            self.path.push_str(name);
        }
        let value = read(self);
        self.path.truncate(length);
        value
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn take(&mut self, character: char) -> Option<()> {
        (self.peek()? == character).then(|| self.at += character.len_utf8())
    }

    fn space(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.len() - rest.trim_start().len();
    }
}

/// The longest path that is kept, in bytes; below it the path is that of an outer value.
const PATH_BYTES_MAX: usize = 512;

fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'))
}
