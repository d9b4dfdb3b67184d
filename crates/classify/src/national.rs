//! Check digits of national numbers. Each function gets what its rule found and knows the length.

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|character| character.to_digit(10)).collect()
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// NHS number: mod 11, weights from 10 down (NHS Data Dictionary).
pub(crate) fn nhs(text: &str) -> bool {
    let digits = digits(text);
    let check = (11 - weighted(&digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    digits.len() == 10 && digits.last() == Some(&check)
}

/// Steuer-Identifikationsnummer: ISO/IEC 7064 mod 11,10.
pub(crate) fn steuer_id(text: &str) -> bool {
    let digits = digits(text);
    let Some((last, rest)) = digits.split_last() else { return false };
    let product = rest.iter().fold(10, |product, digit| match (digit + product) % 10 {
        0 => 20 % 11,
        sum => sum * 2 % 11,
    });
    digits.len() == 11 && (11 - product) % 10 == *last
}

/// DNI and NIE: the number mod 23 says the letter.
pub(crate) fn dni(text: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let text = text.to_ascii_uppercase();
    let number = text.chars().filter_map(|character| match character {
        'X' | 'Y' | 'Z' => Some(u32::from(character) - u32::from('X')),
        other => other.to_digit(10),
    });
    // A final X, Y or Z is the letter, not a digit.
    let number = number.take(8).fold(0_usize, |sum, digit| sum * 10 + digit as usize);
    LETTERS.get(number % 23) == text.as_bytes().last()
}

/// Burgerservicenummer: weights 9 to 2 and minus 1, mod 11.
pub(crate) fn bsn(text: &str) -> bool {
    let digits = digits(text);
    let sum = weighted(&digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    digits.last().is_some_and(|last| sum > 0 && (sum + 11 - last).is_multiple_of(11))
}

/// CPF: two check digits, mod 11; never all the same.
pub(crate) fn cpf(text: &str) -> bool {
    let digits = digits(text);
    let check = |weights: &[u32]| (weighted(&digits, weights) * 10 % 11) % 10;
    let first = check(&[10, 9, 8, 7, 6, 5, 4, 3, 2]);
    let second = check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    let differ = digits.iter().any(|digit| Some(digit) != digits.first());
    digits.len() == 11 && differ && digits.ends_with(&[first, second])
}

/// NIR: 97 less the remainder of the first thirteen digits.
pub(crate) fn nir(text: &str) -> bool {
    let digits = digits(text);
    let number = digits.iter().take(13).fold(0_u64, |sum, digit| sum * 10 + u64::from(*digit));
    let key = digits.iter().skip(13).fold(0_u64, |sum, digit| sum * 10 + u64::from(*digit));
    digits.len() == 15 && 97 - number % 97 == key
}

/// PESEL: weights 1, 3, 7, 9.
pub(crate) fn pesel(text: &str) -> bool {
    let digits = digits(text);
    let sum = weighted(&digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    digits.len() == 11 && sum > 0 && sum.is_multiple_of(10)
}

/// Personnummer: Luhn over the last ten digits.
pub(crate) fn personnummer(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let last = digits.get(digits.len().saturating_sub(10)..).unwrap_or_default();
    crate::check::luhn(last)
}

/// Aadhaar: Verhoeff's check over the dihedral group of order ten.
pub(crate) fn aadhaar(text: &str) -> bool {
    let permuted = |times: usize, digit: u32| {
        const ONCE: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
        (0..times).fold(digit, |digit, _| ONCE.get(digit as usize).copied().unwrap_or(0))
    };
    let digits = digits(text);
    let places = digits.iter().rev().enumerate();
    let sum = places.fold(0, |sum, (place, digit)| product(sum, permuted(place % 8, *digit)));
    digits.len() == 12 && sum == 0
}

/// The product in the group: rotations are 0 to 4, reflections 5 to 9.
fn product(left: u32, right: u32) -> u32 {
    let (turn, other) = (left % 5, right % 5);
    match (left < 5, right < 5) {
        (true, true) => (turn + other) % 5,
        (true, false) => (turn + other) % 5 + 5,
        (false, true) => (turn + 5 - other) % 5 + 5,
        (false, false) => (turn + 5 - other) % 5,
    }
}

#[cfg(test)]
mod tests {
    use super::{aadhaar, bsn, cpf, dni, nhs, nir, personnummer, pesel, steuer_id};

    /// Numbers that the authorities and standards publish as examples.
    #[test]
    fn published_examples_hold_and_a_wrong_digit_does_not() {
        type Holds = fn(&str) -> bool;
        let cases: [(Holds, &str, &str); 9] = [
            (nhs, "943 476 5919", "943 476 5918"),
            (steuer_id, "86095742719", "86095742718"),
            (dni, "12345678Z", "12345678A"),
            (bsn, "111222333", "111222334"),
            (cpf, "111.444.777-35", "111.444.777-36"),
            (nir, "255081416802538", "255081416802539"),
            (pesel, "44051401359", "44051401358"),
            (aadhaar, "2341 2341 2346", "2341 2341 2347"),
            (personnummer, "811218-9876", "811218-9875"),
        ];
        for (holds, right, wrong) in cases {
            assert!(holds(right), "{right}");
            assert!(!holds(wrong), "{wrong}");
        }
    }
}
