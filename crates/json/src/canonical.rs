//! The canonical form of a JSON value: what two spellings of one thing have in common.

use crate::text::{push_units, utf16_units};
use crate::{Json, Kind};

/// The canonical form after RFC 8785: no white space, the fewest escapes, keys sorted by UTF-16 code
/// units (section 3.2.3).
///
/// It deviates in one thing: numbers stay as they are spelled, because rounding them to a double, as
/// the RFC does, would give two different amounts one digest. So `1.0` and `1` differ: an approval for
/// one is none for the other, which is the safe side.
#[must_use]
pub fn canonical(value: Json<'_>) -> Vec<u8> {
    let mut out = String::with_capacity(value.text().len());
    push(&mut out, value);
    out.into_bytes()
}

/// Recursion is bounded by [`crate::DEPTH_MAX`], which the value was proven to keep.
fn push(out: &mut String, value: Json<'_>) {
    match value.kind() {
        Kind::Object => push_object(out, value),
        Kind::Array => push_array(out, value),
        Kind::String => push_units(out, &units(value.text())),
        Kind::Number | Kind::Boolean | Kind::Null => out.push_str(value.text()),
    }
}

fn push_object(out: &mut String, value: Json<'_>) {
    let mut members: Vec<(Vec<u16>, Json<'_>)> =
        value.members().map(|(key, value)| (key.encode_utf16().collect(), value)).collect();
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    out.push('{');
    for (index, (key, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_units(out, &key);
        out.push(':');
        push(out, value);
    }
    out.push('}');
}

fn push_array(out: &mut String, value: Json<'_>) {
    out.push('[');
    for (index, item) in value.items().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push(out, item);
    }
    out.push(']');
}

fn units(text: &str) -> Vec<u16> {
    let content = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    utf16_units(content.unwrap_or_default())
}
