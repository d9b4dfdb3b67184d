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
        Kind::String if is_canonical(value.text()) => out.push_str(value.text()),
        Kind::String => push_units(out, &units(value.text())),
        Kind::Number | Kind::Boolean | Kind::Null => out.push_str(value.text()),
    }
}

/// Whether a proven string is its own canonical form: no other escape has a shorter spelling, and
/// nothing that needs one stands in it bare. Says no rather too often: `\\u` may be a backslash and a
/// letter.
fn is_canonical(text: &str) -> bool {
    !text.contains("\\u") && !text.contains("\\/")
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

#[cfg(test)]
mod tests {
    use super::{canonical, is_canonical, units};
    use crate::Json;
    use crate::text::push_units;

    #[test]
    fn the_short_way_gives_what_the_long_way_gives() {
        for (text, short) in [
            (r#""plain, é 😀 \u007f""#, false),
            (r#""plain, é 😀 and a tab\t""#, true),
            (r#""\b\t\n\f\r\"\\""#, true),
            (r#""\\\\n\\\n""#, true),
            (r#""a\/b""#, false),
            (r#""\u0041\ud83d\ude00\ud83d""#, false),
            (r#""\\u0041""#, false),
            (r#""""#, true),
        ] {
            let mut long = String::new();
            push_units(&mut long, &units(text));
            let value = Json::parse(text.as_bytes()).unwrap();
            assert_eq!(canonical(value), long.as_bytes(), "{text}");
            assert_eq!(is_canonical(text), short, "{text}");
        }
    }
}
