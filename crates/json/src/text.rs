//! Strings: escapes read and written.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What stands between the quotes of a proven string, unescaped; `None` when half of a surrogate pair
/// stands alone.
pub(crate) fn unescape(content: &str) -> Option<Cow<'_, str>> {
    if !content.contains('\\') {
        return Some(Cow::Borrowed(content));
    }
    let units = utf16_units(content);
    char::decode_utf16(units).collect::<Result<String, _>>().ok().map(Cow::Owned)
}

/// The UTF-16 code units of what stands between the quotes of a proven string, escapes read, lone
/// surrogates kept.
pub(crate) fn utf16_units(content: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(content.len());
    let mut characters = content.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            units.push(escaped(&mut characters));
        } else {
            units.extend(character.encode_utf16(&mut [0; 2]).iter());
        }
    }
    units
}

fn escaped(characters: &mut std::str::Chars<'_>) -> u16 {
    match characters.next() {
        Some('b') => 8,
        Some('t') => 9,
        Some('n') => 10,
        Some('f') => 12,
        Some('r') => 13,
        Some('u') => characters.by_ref().take(4).fold(0, |unit: u16, digit| {
            let digit = digit.to_digit(16).and_then(|digit| u16::try_from(digit).ok());
            (unit << 4) | digit.unwrap_or_default()
        }),
        Some(other) => u16::try_from(u32::from(other)).unwrap_or_default(),
        None => u16::from(b'\\'),
    }
}

/// Appends `units` as a JSON string with as few escapes as RFC 8785 section 3.2.2.2 wants. A lone
/// surrogate, which the RFC excludes, is kept as its escape, so that the result is total.
pub(crate) fn push_units(out: &mut String, units: &[u16]) {
    out.push('"');
    for character in char::decode_utf16(units.iter().copied()) {
        match character {
            Ok(character) => push_character(out, character),
            Err(lone) => push_hex(out, u32::from(lone.unpaired_surrogate())),
        }
    }
    out.push('"');
}

/// Appends `text` as a JSON string.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    text.chars().for_each(|character| push_character(out, character));
    out.push('"');
}

fn push_character(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\0'..='\u{1f}' => push_hex(out, u32::from(character)),
        _ => out.push(character),
    }
}

fn push_hex(out: &mut String, unit: u32) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\\u{unit:04x}");
}
