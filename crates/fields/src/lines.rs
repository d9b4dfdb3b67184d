//! Key-value lines, as YAML and many tools print them:
//!
//! ```text
//! - subject: Invoice
//!   body: "Hi,\n\nplease see below"
//! - Ann
//! ```
//!
//! Lines count only where the whole text is made of them. A letter with the line `IBAN: X` in it is a
//! letter: whoever wrote it chose that line.

use crate::spelled::{Spelled, escaped};
use crate::{FIELDS_MAX, Field, offset_of};

/// The longest name of a field, in bytes.
const NAME_BYTES_MAX: usize = 48;

/// Of ten lines that do not belong to a value before, so many must be fields.
const FIELDS_OF_TEN_MIN: usize = 8;

/// The fields of a text that is made of such lines; `None` when it is not.
pub(crate) fn read(text: &str) -> Option<Vec<Field>> {
    let mut reader = Reader { text, item: 0, fields: Vec::new(), of_fields: 0, others: 0 };
    let lines_max = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let mut rest = text;
    while !rest.is_empty() {
        rest = reader.step(rest);
        // Most texts are prose: so many others cannot be made up for any more.
        if reader.others * 10 > lines_max * (10 - FIELDS_OF_TEN_MIN) {
            return None;
        }
    }
    let lines = reader.of_fields + reader.others;
    let is_made_of_fields = reader.of_fields * 10 >= lines * FIELDS_OF_TEN_MIN;
    (reader.of_fields > 0 && is_made_of_fields).then_some(reader.fields)
}

struct Reader<'a> {
    text: &'a str,
    item: u32,
    fields: Vec<Field>,
    of_fields: usize,
    others: usize,
}

/// One line that begins a field.
struct Line<'a> {
    indent: usize,
    begins_item: bool,
    name: &'a str,
    value: &'a str,
}

impl<'a> Reader<'a> {
    /// Reads one line, with the lines that its value goes on in; gives the rest.
    fn step(&mut self, rest: &'a str) -> &'a str {
        let (line, after) = split_line(rest);
        if line.trim().is_empty() || matches!(line.trim(), "---" | "...") {
            return after;
        }
        let Some(found) = field_of(line) else {
            self.others += 1;
            self.push_plain("", line.trim());
            return after;
        };
        self.of_fields += 1;
        if found.begins_item && found.indent == 0 {
            self.item = self.item.saturating_add(1);
        }
        self.value(&found, after)
    }

    fn value(&mut self, line: &Line<'a>, after: &'a str) -> &'a str {
        let begin = line.value;
        let first = begin.chars().next();
        if let Some(quote) = first.filter(|c| matches!(c, '"' | '\''))
            && let Some(end) = end_of_quoted(self.text, offset_of(self.text, begin), quote)
        {
            let raw = self.text.get(offset_of(self.text, begin)..end).unwrap_or_default();
            let spelled = unquoted(raw, quote, offset_of(self.text, raw));
            self.push(line.name, spelled);
            return split_line(self.text.get(end..).unwrap_or_default()).1;
        }
        let mut rest = after;
        let mut last = begin;
        // Deeper lines that are no fields themselves go on with the value.
        loop {
            let (next, behind) = split_line(rest);
            let is_deeper = indent_of(next) > line.indent && field_of(next).is_none();
            if next.trim().is_empty() || !is_deeper {
                break;
            }
            last = next;
            rest = behind;
        }
        let start = offset_of(self.text, begin);
        let end = offset_of(self.text, last) + last.len();
        let raw = self.text.get(start..end.max(start)).unwrap_or_default().trim_end();
        let raw = raw.strip_prefix(['|', '>']).unwrap_or(raw).trim();
        if !matches!(raw, "" | "null" | "[]" | "{}" | "~") {
            self.push_plain(line.name, raw);
        }
        rest
    }

    fn push_plain(&mut self, name: &str, raw: &str) {
        self.push(name, Spelled::plain(raw, offset_of(self.text, raw)));
    }

    fn push(&mut self, name: &str, spelled: Spelled) {
        if self.fields.len() <= FIELDS_MAX {
            let path = if name.is_empty() { String::new() } else { format!("/{name}") };
            self.fields.push(Field::new(path, self.item, spelled, true));
        }
    }
}

fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The field that a line begins: `name: value`, `- value`, `- name: value`.
fn field_of(line: &str) -> Option<Line<'_>> {
    let indent = indent_of(line);
    let mut rest = line.trim_start().trim_end_matches('\r');
    let mut begins_item = false;
    while let Some(item) = rest.strip_prefix("- ") {
        begins_item = true;
        rest = item.trim_start();
    }
    let named = rest.split_once(':').filter(|(name, value)| {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '.');
        !name.is_empty()
            && name.len() <= NAME_BYTES_MAX
            && name.split_whitespace().count() <= 4
            && name.chars().all(is_name)
            && (value.is_empty() || value.starts_with(' '))
    });
    match named {
        Some((name, value)) => Some(Line { indent, begins_item, name, value: value.trim_start() }),
        None if begins_item => Some(Line { indent, begins_item, name: "", value: rest }),
        None => None,
    }
}

/// Where a quoted value that begins here ends, the closing quote included: the end of a line stands
/// behind it.
fn end_of_quoted(text: &str, start: usize, quote: char) -> Option<usize> {
    let rest = text.get(start + quote.len_utf8()..)?;
    let mut characters = rest.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && quote == '"' {
            characters.next();
        } else if character == quote {
            let doubled = quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == '\'');
            if doubled {
                characters.next();
                continue;
            }
            let end = start + quote.len_utf8() + at + quote.len_utf8();
            let behind = split_line(text.get(end..)?).0;
            return behind.trim().is_empty().then_some(end);
        }
    }
    None
}

/// A quoted value without quotes, escapes and the breaks of wrapped lines: a break is a space, empty
/// lines are breaks, and a break behind a backslash is nothing.
fn unquoted(raw: &str, quote: char, start: usize) -> Spelled {
    let inner = raw.strip_prefix(quote).and_then(|raw| raw.strip_suffix(quote)).unwrap_or(raw);
    let start = start + offset_of(raw, inner);
    let mut out = Spelled::default();
    let mut rest = inner.char_indices().map(|(at, c)| (start + at, c)).peekable();
    // White space that an escape made is not trimmed.
    let mut kept = 0;
    while let Some((at, character)) = rest.next() {
        let next = rest.peek().map(|(_, next)| *next);
        match character {
            '\'' if quote == '\'' && next == Some('\'') => {
                rest.next();
                out.push('\'', at);
            }
            '\\' if quote == '"' && next == Some('\n') => {
                while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {}
            }
            '\\' if quote == '"' => {
                if let Some((character, is_known)) = escaped(&mut rest) {
                    if !is_known {
                        out.push('\\', at);
                    }
                    out.push(character, at);
                    kept = out.text.len();
                }
            }
            '\n' => {
                out.trim_end(kept);
                let mut empty = 0_usize;
                while let Some((_, space)) = rest.next_if(|(_, c)| c.is_whitespace()) {
                    empty += usize::from(space == '\n');
                }
                let (mark, count) = if empty == 0 { (' ', 1) } else { ('\n', empty) };
                (0..count).for_each(|_| out.push(mark, at));
            }
            _ => out.push(character, at),
        }
    }
    out
}
