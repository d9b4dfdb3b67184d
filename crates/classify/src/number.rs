//! Account and card numbers, however they are grouped.
//!
//! A value can begin only where a word does, and each beginning is followed for at most as many
//! characters as the longest number has, with at most [`GAP_BYTES_MAX`] bytes before each. So the
//! work per byte of text is bounded whatever the text is, and none of it allocates.

use std::ops::Range;

use pathwarden_decode::fold::FILLER;

use crate::{check, work};

/// How many separators may stand between two characters of a number: two spaces, a line break with
/// its indent.
const SEPARATORS_MAX: usize = 3;

/// How many bytes may stand between two characters of a number: separators and what does not show.
const GAP_BYTES_MAX: usize = 16;

/// How many digits the longest card number has (ISO/IEC 7812).
const CARD_DIGITS_MAX: usize = 19;

/// Between the characters of an IBAN; its length and check digits keep chance away.
const IBAN_SEPARATORS: &[u8] = b" \t\r\n.-_";

/// Between the digits of a card. No line break: columns of numbers would turn into cards.
const CARD_SEPARATORS: &[u8] = b" \t.-_";

/// Where the value ends that begins at a place of a folded text, if one does.
pub(crate) type EndOf = fn(&[u8], usize) -> Option<usize>;

/// All values in a folded text, none overlapping another.
pub(crate) fn ranges(text: &str, end_of: EndOf) -> impl Iterator<Item = Range<usize>> + '_ {
    let text = text.as_bytes();
    let (mut at, mut edge) = (0, 0);
    std::iter::from_fn(move || {
        loop {
            let start = next_word(text, at, edge)?;
            at = start + 1;
            if let Some(end) = end_of(text, start) {
                (at, edge) = (end, end);
                return Some(start..end);
            }
        }
    })
}

/// Where the next word begins, from `at` on; what follows the value that ends at `edge` also does.
fn next_word(text: &[u8], at: usize, edge: usize) -> Option<usize> {
    let before = at.checked_sub(1).filter(|_| at != edge).and_then(|before| text.get(before));
    let mut was_part = before.is_some_and(u8::is_ascii_alphanumeric);
    let begins = |byte: &u8| {
        let is_part = byte.is_ascii_alphanumeric();
        !std::mem::replace(&mut was_part, is_part) && is_part
    };
    Some(at + text.get(at..)?.iter().position(begins)?)
}

/// ISO 13616: the length that the country prescribes, then check digits. What follows is not looked
/// at: it may be a word that looks like more of the number.
pub(crate) fn iban_end(text: &[u8], start: usize) -> Option<usize> {
    // Nearly every word ends here: its third character is a letter.
    let third = text.get(start + 1).zip(text.get(start + 2));
    let is_word = third.is_some_and(|(b, c)| b.is_ascii_alphabetic() && c.is_ascii_alphabetic());
    if is_word || !text.get(start).is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    let mut walk = Walk::new(text, start, IBAN_SEPARATORS);
    let head = [walk.next()?, walk.next()?, walk.next()?, walk.next()?];
    let [first, second, tens, ones] = head;
    if !(tens.is_ascii_digit() && ones.is_ascii_digit()) {
        return None;
    }
    let length = check::iban_length([first, second])?;
    let (mut rest, mut digits) = (0, 2);
    for _ in head.len()..length {
        let byte = walk.next()?;
        digits += usize::from(byte.is_ascii_digit());
        rest = check::mod_97(rest, byte);
    }
    // "de 20 de mayo" begins like an account number; real ones are mostly digits.
    let is_prose = digits * 2 < length;
    (!is_prose && head.into_iter().fold(rest, check::mod_97) == 1).then_some(walk.at)
}

/// ISO/IEC 7812: the longest beginning that has a known prefix and length, the right check digit
/// (Luhn), and after it something that is no letter or digit.
pub(crate) fn card_end(text: &[u8], start: usize) -> Option<usize> {
    // No card begins with one of the others.
    if !matches!(text.get(start), Some(b'2'..=b'6')) {
        return None;
    }
    let mut walk = Walk::new(text, start, CARD_SEPARATORS);
    let (mut prefix, mut found) = (0, None);
    // The Luhn sum of the digits so far, and the same with the last one doubled.
    let (mut sum, mut sum_doubled) = (0, 0);
    for count in 1..=CARD_DIGITS_MAX {
        let Some(digit) = walk.next().and_then(|byte| char::from(byte).to_digit(10)) else { break };
        // Amounts in a row ("2500.00 3600.00") are no card.
        if walk.dots && walk.others {
            break;
        }
        if count <= 4 {
            prefix = prefix * 10 + digit;
        }
        (sum, sum_doubled) = (sum_doubled + digit, sum + check::doubled(digit));
        let ends = text.get(walk.at).is_none_or(|next| !next.is_ascii_alphanumeric());
        if ends && sum.is_multiple_of(10) && check::is_card(prefix, count) {
            found = Some(walk.at);
        }
    }
    found
}

/// The letters and digits of one number, in upper case, across what separates them.
struct Walk<'t> {
    text: &'t [u8],
    at: usize,
    separators: &'static [u8],
    dots: bool,
    others: bool,
}

impl<'t> Walk<'t> {
    fn new(text: &'t [u8], at: usize, separators: &'static [u8]) -> Self {
        Self { text, at, separators, dots: false, others: false }
    }

    fn next(&mut self) -> Option<u8> {
        let mut separators = 0;
        for _ in 0..=GAP_BYTES_MAX {
            work::looks_at(1);
            let byte = *self.text.get(self.at)?;
            self.at += 1;
            if byte.is_ascii_alphanumeric() {
                return Some(byte.to_ascii_uppercase());
            }
            if byte == FILLER {
                continue;
            }
            separators += 1;
            if separators > SEPARATORS_MAX || !self.separators.contains(&byte) {
                return None;
            }
            *(if byte == b'.' { &mut self.dots } else { &mut self.others }) = true;
        }
        None
    }
}

#[cfg(test)]
mod tests;
