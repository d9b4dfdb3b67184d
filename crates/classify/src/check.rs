//! Check digits and the like: what a pattern cannot say.

/// Length of an IBAN by country (SWIFT IBAN registry); the country in upper case.
pub(crate) fn iban_length(country: [u8; 2]) -> Option<usize> {
    Some(match &country {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FI" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"XK" => 20,
        b"CH" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"TL" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HU" | b"LB" | b"PL" | b"SV" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        _ => return None,
    })
}

/// The remainder of one more character (ISO 7064 mod 97-10), a digit or an upper-case letter.
pub(crate) fn mod_97(rest: u32, byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.wrapping_sub(b'A')) + 10) % 97,
    }
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|character| character.to_digit(10)).collect()
}

/// ISO/IEC 7812: whether cards with these first four digits may have this many.
pub(crate) fn is_card(prefix: u32, digits: usize) -> bool {
    matches!(
        (prefix, digits),
        (4000..=4999, 13 | 16 | 19)
            | (5100..=5599 | 2221..=2720, 16)
            | (3400..=3499 | 3700..=3799, 15)
            | (6011 | 6440..=6599, 16 | 19)
            | (3528..=3589, 16..=19)
            | (3000..=3059 | 3600..=3699 | 3800..=3999, 14..=19)
            | (6200..=6299, 16..=19)
            | (5018 | 5020 | 5038 | 5893 | 6304 | 6759..=6763, 12..=19)
    )
}

/// What a doubled digit adds to a Luhn sum.
pub(crate) fn doubled(digit: u32) -> u32 {
    if digit > 4 { digit * 2 - 9 } else { digit * 2 }
}

/// ABA: weights 3, 7, 1, and a prefix that the Federal Reserve uses.
pub(crate) fn routing(text: &str) -> bool {
    let digits = digits(text);
    let sum: u32 = digits.iter().zip([3, 7, 1].iter().cycle()).map(|(digit, by)| digit * by).sum();
    let prefix = digits.iter().take(2).fold(0, |sum, digit| sum * 10 + digit);
    let used = matches!(prefix, 0..=12 | 21..=32 | 61..=72 | 80);
    used && sum.is_multiple_of(10) && digits.iter().any(|digit| *digit > 0)
}

/// EIN or SSN: two groups or three, never a group of zeros.
pub(crate) fn us_tax(text: &str) -> bool {
    text.split(['-', ' ']).all(|group| group.bytes().any(|byte| matches!(byte, b'1'..=b'9')))
}

/// A VAT number has digits; a word does not.
pub(crate) fn vat(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= 6
}

/// An account number is not a year or all one digit.
pub(crate) fn account(text: &str) -> bool {
    let digits = digits(text);
    digits.len() >= 6 && digits.iter().any(|digit| Some(digit) != digits.first())
}

/// Luhn's check digit (ISO/IEC 7812-1, annex B).
pub(crate) fn luhn(text: &str) -> bool {
    let digits = digits(text).into_iter().rev().enumerate();
    let sum: u32 = digits.map(|(at, digit)| if at % 2 == 1 { doubled(digit) } else { digit }).sum();
    sum > 0 && sum.is_multiple_of(10)
}

/// A key has digits and letters; a word, a path or a row of dashes has not.
pub(crate) fn mixed(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// What stands for a password is none: `****`, `<password>`, `${PASSWORD}`, `null`.
pub(crate) fn password(text: &str) -> bool {
    const NONE: [&str; 12] = [
        "none", "null", "true", "false", "required", "password", "redacted", "hidden", "reset",
        "string", "changed", "expired",
    ];
    let lower = text.to_ascii_lowercase();
    let is_name = text.starts_with(['$', '{', '[', '%', '(', '*', '.', '#', '&']);
    let differ = text.bytes().any(|byte| Some(byte) != text.bytes().next());
    !is_name && differ && !NONE.contains(&lower.trim_end_matches(['.', '!', '?', ')']))
}

/// E.164: 7 to 15 digits.
pub(crate) fn phone(text: &str) -> bool {
    (7..=15).contains(&text.bytes().filter(u8::is_ascii_digit).count())
}

/// A passport's number is mostly digits (ICAO 9303: at most nine characters).
pub(crate) fn passport(text: &str) -> bool {
    text.len() <= 9 && text.bytes().filter(u8::is_ascii_digit).count() >= 5
}

#[cfg(test)]
mod tests {
    use super::routing;

    #[test]
    fn check_digits_of_published_examples() {
        assert!(routing("021000021"));
        assert!(!routing("021000022"));
        assert!(!routing("000000000"));
    }
}
