//! Changes of a proven text that leave every other byte as it was.

use std::ops::Range;

use crate::{Json, push_string};

/// Replaces these parts of a text. They do not overlap.
#[must_use]
pub fn splice(text: &str, mut parts: Vec<(Range<usize>, String)>) -> Vec<u8> {
    parts.sort_by_key(|(range, _)| range.start);
    let added: usize = parts.iter().map(|(_, new)| new.len()).sum();
    let mut out = String::with_capacity(text.len() + added);
    let mut at = 0;
    for (range, new) in parts {
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out.into_bytes()
}

/// An object without the members of these names.
#[must_use]
pub fn without_members(object: Json<'_>, names: &[&str]) -> String {
    let kept = object.members().filter(|(name, _)| !names.contains(&name.as_ref()));
    let mut out = String::from("{");
    for (name, value) in kept {
        if out.len() > 1 {
            out.push(',');
        }
        push_string(&mut out, &name);
        out.push(':');
        out.push_str(value.text());
    }
    out.push('}');
    out
}

/// An array of these items.
pub fn array<'a>(items: impl Iterator<Item = Json<'a>>) -> String {
    let texts: Vec<&str> = items.map(Json::text).collect();
    format!("[{}]", texts.join(","))
}
