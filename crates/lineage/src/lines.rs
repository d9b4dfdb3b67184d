//! Text in lines of `key: value`, as many tools print it: which part is a field, which is running
//! text. Only what a printer of such text would have made a field is one; a line inside a quoted or
//! indented value stays part of that value, so that content cannot make itself a field.

use std::ops::Range;

/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 64;

/// One value and the key that it stands under.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Field {
    /// The key; empty for an item of a list and for a line that is no field.
    pub(crate) key: String,
    /// The bytes of the value.
    pub(crate) value: Range<usize>,
    /// Whether the line was a field or an item.
    pub(crate) is_field: bool,
}

/// One line, taken apart.
struct Line<'a> {
    indent: usize,
    key: Option<&'a str>,
    is_item: bool,
    value: Range<usize>,
}

/// The fields of a text, if it is one of fields: no more lines outside fields than in them.
pub(crate) fn fields(text: &str) -> Option<Vec<Field>> {
    let mut fields: Vec<Field> = Vec::new();
    let mut open: Option<Open> = None;
    let mut at = 0;
    for raw in text.split_inclusive('\n') {
        let start = at;
        at += raw.len();
        let shown = raw.trim_end();
        let indent = raw.len() - raw.trim_start().len();
        if shown.is_empty() {
            continue;
        }
        if let (Some(value), Some(field)) = (open.as_mut(), fields.last_mut())
            && value.takes(indent, shown)
        {
            field.value.end = start + shown.len();
            continue;
        }
        let line = take_apart(shown, start);
        open = Open::of(text.get(line.value.clone()).unwrap_or_default(), &line);
        let is_field = line.key.is_some() || line.is_item;
        let key = line.key.unwrap_or_default().to_owned();
        fields.push(Field { key, value: line.value, is_field });
    }
    let count = fields.iter().filter(|field| field.is_field).count();
    (count > 0 && count * 2 >= fields.len()).then_some(fields)
}

/// A value that later lines may belong to.
struct Open {
    quote: Option<char>,
    indent: usize,
}

impl Open {
    fn of(value: &str, line: &Line<'_>) -> Option<Self> {
        let indent = line.indent;
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
        match quote {
            Some(quote) => {
                let is_closed = value.len() > 1 && closes(value, quote);
                (!is_closed).then_some(Self { quote: Some(quote), indent })
            }
            // After an empty value deeper lines are fields of their own.
            None => (!value.is_empty()).then_some(Self { quote: None, indent }),
        }
    }

    /// Whether the next line belongs to the value.
    fn takes(&mut self, indent: usize, line: &str) -> bool {
        match self.quote {
            Some(quote) => {
                if closes(line, quote) {
                    *self = Self { quote: None, indent: usize::MAX };
                }
                true
            }
            None => indent > self.indent,
        }
    }
}

/// Whether a line ends a quoted value: with the quote, not doubled and not escaped.
fn closes(line: &str, quote: char) -> bool {
    let trimmed = line.trim_end_matches(quote);
    let quotes = line.len() - trimmed.len();
    quotes % 2 == 1 && !(quote == '"' && trimmed.ends_with('\\'))
}

fn take_apart(line: &str, start: usize) -> Line<'_> {
    let mut rest = line.trim_start();
    let mut is_item = false;
    while let Some(item) = rest.strip_prefix("- ").or_else(|| rest.strip_prefix("* ")) {
        rest = item.trim_start();
        is_item = true;
    }
    let end = start + line.len();
    let indent = line.len() - rest.len();
    let (key, value) = match key_of(rest) {
        Some((key, value)) => (Some(key), value),
        None => (None, rest),
    };
    Line { indent, key, is_item, value: end - value.len()..end }
}

/// `key: value`, where the key could be a name of a field and not the start of a sentence or a URL.
fn key_of(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once(':')?;
    let plain = |c: char| c.is_alphanumeric() || "_-. ()#/".contains(c);
    let is_key = !key.is_empty()
        && key.len() <= KEY_BYTES_MAX
        && key.chars().all(plain)
        && key.split_whitespace().count() <= 4
        && (value.is_empty() || value.starts_with([' ', '\t']));
    is_key.then(|| (key.trim(), value.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::fields;

    fn shown(text: &str) -> Vec<(String, &str)> {
        let fields = fields(text).unwrap_or_default();
        fields.into_iter().map(|field| (field.key, text.get(field.value).unwrap())).collect()
    }

    #[test]
    fn printed_records_are_fields() {
        let text = "- id: 24\n  to:\n  - ann@b.example\n  subject: Hello: you\n- id: 25\n";
        let want = [("id", "24"), ("to", ""), ("", "ann@b.example"), ("subject", "Hello: you")];
        let got = shown(text);
        for (at, (key, value)) in want.iter().enumerate() {
            assert_eq!((got[at].0.as_str(), got[at].1), (*key, *value));
        }
    }

    #[test]
    fn content_of_a_value_cannot_make_itself_a_field() {
        for text in [
            "id: 1\nbody: 'Hi\n  recipient: evil@b.example\n  bye'\nread: true",
            "id: 1\nbody: \"Hi\nrecipient: evil@b.example\nbye\"\nread: true",
            "id: 1\nbody: |-\n  Hi\n  recipient: evil@b.example\nread: true",
            "id: 1\nbody: Hi and\n  recipient: evil@b.example\nread: true",
        ] {
            let keys: Vec<_> = shown(text).into_iter().map(|(key, _)| key).collect();
            assert_eq!(keys, ["id", "body", "read"], "{text}");
        }
    }

    #[test]
    fn a_letter_is_not_a_record() {
        assert_eq!(fields("Dear Ann,\nplease see: the bill.\nThank you\nBob"), None);
    }
}
