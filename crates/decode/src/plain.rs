//! What is a text, and not bytes that happen to decode.

use std::ops::Range;

/// A stretch of bytes that is shorter says nothing: chance makes it.
pub(crate) const STRETCH_BYTES_MIN: usize = 8;

/// Of a hundred characters of a text, so many show.
const SHOWN_PERCENT_MIN: usize = 85;

/// The stretches of `bytes` that are text, in order.
pub(crate) fn stretches(bytes: &[u8]) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    bytes.utf8_chunks().filter_map(move |chunk| {
        let start = at;
        let text = chunk.valid();
        at += text.len() + chunk.invalid().len();
        is_text(text).then(|| (start..start + text.len(), text))
    })
}

/// Whether this is long enough and mostly shows.
pub(crate) fn is_text(text: &str) -> bool {
    if text.len() < STRETCH_BYTES_MIN {
        return false;
    }
    let (mut all, mut shown) = (0_usize, 0_usize);
    for character in text.chars() {
        all += 1;
        shown += usize::from(!character.is_control() || matches!(character, '\t' | '\n' | '\r'));
    }
    shown * 100 >= all * SHOWN_PERCENT_MIN
}

#[cfg(test)]
mod tests {
    use super::{is_text, stretches};

    #[test]
    fn text_is_told_from_bytes() {
        let cases = [
            ("plain words", true),
            ("größere Wörter\n", true),
            ("short", false),
            ("\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}words", false),
        ];
        for (text, want) in cases {
            assert_eq!(is_text(text), want, "{text:?}");
        }
    }

    #[test]
    fn text_between_bytes_is_found() {
        let found: Vec<_> = stretches(b"\xff\xfehidden words\xff\x00short\xff").collect();
        assert_eq!(found, [(2..14, "hidden words")]);
    }
}
