//! JSON, and objects as languages print them: single quotes, `None`, `True`, bare words.

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
                let start = self.at;
                let text = self.quoted()?;
                self.push(item, text, start);
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
            let start = self.at;
            let name = match self.peek()? {
                '"' | '\'' => self.quoted()?,
                _ => self.word(&[':'])?,
            };
            let end = self.at;
            self.space();
            self.take(':')?;
            self.space();
            // An object under a name is an item of its own: `{"Bob": {…}, "Ann": {…}}`.
            let inner = if self.peek()? == '{' { self.next_item() } else { item };
            self.push_name(inner, &name, start, end);
            self.below(&name, |reader| reader.value(inner, depth + 1))?;
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
        let start = self.at;
        let word = self.word(&[',', '}', ']', ')'])?;
        if !matches!(word.as_str(), "null" | "None" | "nil") {
            self.push(item, word, start);
        }
        Some(())
    }

    /// Everything before one of these marks outside of brackets, trimmed; not empty.
    fn word(&mut self, marks: &[char]) -> Option<String> {
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
        let word = rest.get(..end)?;
        self.at += end;
        (!word.trim().is_empty()).then(|| word.trim().to_owned())
    }

    /// A quoted string, without its quotes and escapes.
    fn quoted(&mut self) -> Option<String> {
        let rest = self.text.get(self.at..)?;
        let mut characters = rest.char_indices();
        let (_, quote) = characters.next()?;
        let mut out = String::new();
        while let Some((at, character)) = characters.next() {
            if character == quote {
                self.at += at + quote.len_utf8();
                return Some(out);
            }
            if character == '\\' {
                let (_, escaped) = characters.next()?;
                unescape(escaped, &mut out, || characters.next().map(|(_, digit)| digit))?;
            } else {
                out.push(character);
            }
        }
        None
    }

    fn push(&mut self, item: u32, text: String, start: usize) {
        if self.fields.len() <= FIELDS_MAX {
            self.fields.push(Field { path: self.path.clone(), item, text, start, end: self.at });
        }
    }

    fn push_name(&mut self, item: u32, name: &str, start: usize, end: usize) {
        if self.fields.len() <= FIELDS_MAX {
            let path = format!("{}/#name", self.path);
            self.fields.push(Field { path, item, text: name.to_owned(), start, end });
        }
    }

    const fn next_item(&mut self) -> u32 {
        self.items = self.items.saturating_add(1);
        self.items
    }

    fn below<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(name);
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

/// What stands for an escaped character. Unknown escapes stand for themselves.
pub(crate) fn unescape(
    escaped: char,
    out: &mut String,
    mut next: impl FnMut() -> Option<char>,
) -> Option<()> {
    let digits = match escaped {
        'n' => return Some(out.push('\n')),
        'r' => return Some(out.push('\r')),
        't' => return Some(out.push('\t')),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '"' | '\'' | '\\' | '/' => return Some(out.push(escaped)),
        other => {
            out.push('\\');
            return Some(out.push(other));
        }
    };
    let mut code = 0_u32;
    for _ in 0..digits {
        code = code.checked_mul(16)?.checked_add(next()?.to_digit(16)?)?;
    }
    Some(out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)))
}
