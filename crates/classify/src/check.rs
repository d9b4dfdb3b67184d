//! Check digits and the like: what a pattern cannot say.

/// ISO 13616: the length that the country prescribes, and ISO 7064 mod 97-10 over the rearranged
/// digits.
pub(crate) fn iban(text: &str) -> bool {
    let packed: Vec<u8> = text
        .bytes()
        .filter(|byte| *byte != b' ' && *byte != b'-')
        .map(|byte| byte.to_ascii_uppercase())
        .collect();
    let ends_with_space = text.ends_with([' ', '-']);
    let Some((head, tail)) = packed.split_at_checked(4) else { return false };
    let Some(country) = head.get(..2).and_then(|country| std::str::from_utf8(country).ok()) else {
        return false;
    };
    let entry = format!("{country}{}", packed.len());
    let right_length = LENGTHS.split(' ').any(|known| known == entry);
    !ends_with_space && right_length && remainder(tail.iter().chain(head)) == Some(1)
}

fn remainder<'a>(digits: impl Iterator<Item = &'a u8>) -> Option<u32> {
    digits.copied().try_fold(0, |rest: u32, byte| match byte {
        b'0'..=b'9' => Some((rest * 10 + u32::from(byte - b'0')) % 97),
        b'A'..=b'Z' => Some((rest * 100 + u32::from(byte - b'A') + 10) % 97),
        _ => None,
    })
}

/// Length of an IBAN by country (SWIFT IBAN registry).
const LENGTHS: &str = "\
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 \
    DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 \
    HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 \
    LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 \
    QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 \
    UA29 VA22 XK20";

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|character| character.to_digit(10)).collect()
}

/// ISO/IEC 7812: a prefix in use with one of its lengths, and the Luhn check digit.
pub(crate) fn card(text: &str) -> bool {
    let digits = digits(text);
    let prefix = |count: usize| digits.iter().take(count).fold(0, |sum, digit| sum * 10 + digit);
    let known = matches!(
        (prefix(4), digits.len()),
        (4000..=4999, 13 | 16 | 19)
        | (5100..=5599 | 2221..=2720, 16)
        | (3400..=3499 | 3700..=3799, 15)
        | (6011 | 6440..=6599, 16 | 19)
        | (3528..=3589, 16..=19)
        | (3000..=3059 | 3600..=3699 | 3800..=3999, 14..=19)
        | (6200..=6299, 16..=19)
        | (5018 | 5020 | 5038 | 5893 | 6304 | 6759..=6763, 12..=19)
    );
    known && text.ends_with(|last: char| last.is_ascii_digit()) && luhn(&digits)
}

fn luhn(digits: &[u32]) -> bool {
    let double = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 1 { double(*digit) } else { *digit })
        .sum();
    sum.is_multiple_of(10)
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
    text.split(['-', ' ']).all(|group| group.bytes().any(|byte| byte != b'0'))
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

#[cfg(test)]
mod tests {
    use super::{card, iban, routing};

    #[test]
    fn check_digits_of_published_examples() {
        for good in ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "no9386011117947"] {
            assert!(iban(good), "{good}");
        }
        for bad in ["DE89370400440532013001", "DE8937040044053201300", "ZZ89370400440532013000"] {
            assert!(!iban(bad), "{bad}");
        }
        for good in ["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"] {
            assert!(card(good), "{good}");
        }
        assert!(!card("4111111111111112"));
        assert!(routing("021000021"));
        assert!(!routing("021000022"));
        assert!(!routing("000000000"));
    }
}
