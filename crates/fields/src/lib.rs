//! The fields of content that tools return: JSON, printed objects, key-value lines, prose.
//!
//! **What it is for.** Whether a value is the whole of a field or stands somewhere in running text
//! says much about who chose it: a field is filled by the system that made the record, a sentence by
//! whoever wrote it. So content is taken apart into [`Field`]s, and fields of one object into items.
//!
//! **What it never does.** It does not validate: content that is not quite JSON or YAML is still read,
//! and what cannot be told apart is prose. It never calls prose a field.
//!
//! **Where to start.** [`read`]; `loose.rs` reads JSON and printed objects, `lines.rs` key-value lines.

mod lines;
mod loose;

/// One field: a scalar of an object or a list, a name of a member, or a passage of prose.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    /// Names and positions that lead to it, joined by `/`; empty for prose.
    pub path: String,
    /// The item it belongs to: fields of one object of a list have one number.
    pub item: u32,
    /// Its text, without quotes and escapes.
    pub text: String,
    /// Where it begins in the source, in bytes.
    pub start: usize,
    /// Where it ends in the source, in bytes.
    pub end: usize,
}

/// What [`read`] found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fields {
    /// The fields, in the order of the source.
    pub fields: Vec<Field>,
    /// Whether more was there than is read; the rest is left out.
    pub overflowed: bool,
}

/// The most fields that are read from one text.
pub const FIELDS_MAX: usize = 65_536;

/// Objects within objects, and content within strings, are read to this depth.
pub(crate) const DEPTH_MAX: usize = 32;

/// Takes content apart.
#[must_use]
pub fn read(text: &str) -> Fields {
    let (body, offset) = unwrapped(text);
    let mut fields = loose::read(body)
        .or_else(|| lines::read(body))
        .unwrap_or_else(|| prose(body));
    let overflowed = fields.len() > FIELDS_MAX;
    fields.truncate(FIELDS_MAX);
    for field in &mut fields {
        field.start += offset;
        field.end += offset;
    }
    Fields { fields, overflowed }
}

fn prose(text: &str) -> Vec<Field> {
    let field =
        Field { path: String::new(), item: 0, text: text.to_owned(), start: 0, end: text.len() };
    if text.trim().is_empty() { Vec::new() } else { vec![field] }
}

/// The content without what sets it off: angle brackets in pairs, a fence of three ticks.
fn unwrapped(text: &str) -> (&str, usize) {
    let mut body = text.trim();
    loop {
        let inner = body
            .strip_prefix("<<")
            .and_then(|rest| rest.strip_suffix(">>"))
            .or_else(|| body.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")));
        match inner {
            Some(inner) => body = inner.trim(),
            None => return (body, offset_of(text, body)),
        }
    }
}

/// Where a part of a text begins in it.
pub(crate) fn offset_of(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

#[cfg(test)]
mod tests;
