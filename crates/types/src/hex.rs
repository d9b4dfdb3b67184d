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

/// How many bytes are written at a time: a whole digest.
const PIECE_BYTES: usize = 32;

pub(crate) fn write(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    // In pieces: a call of the formatter for every byte showed in profiles of recording.
    bytes.chunks(PIECE_BYTES).try_for_each(|piece| {
        let mut digits = [b'0'; PIECE_BYTES * 2];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(piece) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        let written = digits.get(..piece.len() * 2).unwrap_or_default();
        f.write_str(str::from_utf8(written).unwrap_or_default())
    })
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

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + (nibble - 10) }
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
