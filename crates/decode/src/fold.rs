//! One spelling of what looks the same: a text may group a number with any of many spaces and
//! dashes, or break it up with characters that do not show.

use std::borrow::Cow;

/// Fills up what a folded character is shorter than the original, and stands for what does not
/// show. It separates nothing.
pub const FILLER: u8 = 0;

/// `text` with Unicode spaces as spaces, dashes as hyphens, full-width ASCII as ASCII, and
/// characters without width as [`FILLER`]. Each takes as many bytes as before, so that a place in
/// the one is the same place in the other. ASCII is not copied.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match folded_character(character) {
            Some(byte) => {
                folded.push(char::from(byte));
                folded.extend((1..character.len_utf8()).map(|_| char::from(FILLER)));
            }
            None => folded.push(character),
        }
    }
    Cow::Owned(folded)
}

/// The ASCII byte that stands for a character beyond ASCII, if one does.
fn folded_character(character: char) -> Option<u8> {
    match character {
        '\0'..='\x7f' => None,
        '\u{ff01}'..='\u{ff5e}' => u8::try_from(u32::from(character) - 0xfee0).ok(),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => Some(b'-'),
        '\u{b7}' | '\u{2024}' | '\u{3002}' | '\u{ff61}' => Some(b'.'),
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}' => Some(FILLER),
        _ if character.is_whitespace() => Some(b' '),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::fold;

    #[test]
    fn what_looks_the_same_is_the_same() {
        let cases = [
            ("a\u{a0}b", "a \0b"),
            ("a\u{202f}b", "a \0\0b"),
            ("a\u{200b}b", "a\0\0\0b"),
            ("１２", "1\0\u{0}2\0\0"),
            ("1–2", "1-\0\u{0}2"),
            ("é", "é"),
        ];
        for (text, want) in cases {
            assert_eq!(fold(text), want, "{text:?}");
        }
    }

    #[test]
    fn ascii_is_not_copied() {
        assert!(matches!(fold("DE89 3704"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn every_character_stays_in_its_place(text: String) {
            let folded = fold(&text);
            prop_assert_eq!(folded.len(), text.len());
            for (at, _) in text.char_indices() {
                prop_assert!(folded.is_char_boundary(at));
            }
        }
    }
}
