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
mod spelled;

use spelled::Spelled;

/// One field: a scalar of an object or a list, a name of a member, or a passage of prose.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    /// Names and positions that lead to it, joined by `/`; empty for prose.
    pub path: String,
    /// The item it belongs to: fields of one object of a list have one number.
    pub item: u32,
    /// Its text, without quotes and escapes.
    pub text: String,
    /// Whether it is a string, which may hold content of its own, and not a number, a constant or the
    /// name of a member.
    pub is_text: bool,
    jumps: Vec<(usize, usize)>,
}

impl Field {
    pub(crate) fn new(path: String, item: u32, spelled: Spelled, is_text: bool) -> Self {
        Self { path, item, text: spelled.text, is_text, jumps: spelled.jumps }
    }

    /// Where the byte at this place of the text is spelled in the source.
    #[must_use]
    pub fn place(&self, at: usize) -> usize {
        self.place_near(at, &mut 0)
    }

    /// The same for places that are asked for in order: `near` is where the last one was found.
    #[must_use]
    pub fn place_near(&self, at: usize, near: &mut usize) -> usize {
        let begins = |jump: usize| self.jumps.get(jump).is_some_and(|(from, _)| *from <= at);
        let is_at = |jump: usize| begins(jump) && !begins(jump + 1);
        if !is_at(*near) {
            let next = *near + 1;
            let sought = || self.jumps.partition_point(|(from, _)| *from <= at).saturating_sub(1);
            *near = if is_at(next) { next } else { sought() };
        }
        let jump = self.jumps.get(*near).filter(|(from, _)| *from <= at);
        jump.map_or(at, |(from, to)| to + (at - from))
    }
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
pub(crate) const DEPTH_MAX: usize = 128;

/// Takes content apart: an object or list, key-value lines, or else one passage of prose.
#[must_use]
pub fn read(text: &str) -> Fields {
    let (body, offset) = unwrapped(text);
    moved(loose::read(body).or_else(|| lines::read(body)).unwrap_or_else(|| prose(body)), offset)
}

/// Takes a text apart that stands in a field of other content: only an object or a list, since a few
/// lines with colons are how people write.
#[must_use]
pub fn read_inner(text: &str) -> Fields {
    moved(
        loose::read(text.trim()).unwrap_or_else(|| prose(text.trim())),
        offset_of(text, text.trim()),
    )
}

fn moved(mut fields: Vec<Field>, offset: usize) -> Fields {
    let overflowed = fields.len() > FIELDS_MAX;
    fields.truncate(FIELDS_MAX);
    for (_, to) in fields.iter_mut().flat_map(|field| &mut field.jumps) {
        *to += offset;
    }
    Fields { fields, overflowed }
}

fn prose(text: &str) -> Vec<Field> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    vec![Field::new(String::new(), 0, Spelled::plain(text, 0), false)]
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
