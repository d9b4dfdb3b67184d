//! Lower-case hexadecimal, the one spelling of every binary id.

use std::fmt;

/// Why a text is not the hexadecimal spelling of an id.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not {digits} lower-case hex digits")]
pub struct HexError {
    text: String,
    digits: usize,
}

/// The longest part of a wrong text that an error repeats, in characters.
const QUOTED_CHARS_MAX: usize = 80;

pub(crate) fn write(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

pub(crate) fn read<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let wrong = || HexError { text: text.chars().take(QUOTED_CHARS_MAX).collect(), digits: N * 2 };
    if text.len() != N * 2 {
        return Err(wrong());
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = pair
            .iter()
            .try_fold(0, |value, digit| Some(value << 4 | nibble(*digit)?))
            .ok_or_else(wrong)?;
    }
    Ok(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
