use proptest::prelude::*;

use super::{EndOf, card_end, iban_end, ranges};
use pathwarden_decode::fold::fold;

fn values(text: &str, end_of: EndOf) -> Vec<String> {
    let folded = fold(text);
    let known = |byte: &u8| byte.is_ascii_alphanumeric();
    ranges(&folded, end_of)
        .map(|range| {
            folded.as_bytes()[range].iter().filter(|b| known(b)).map(|b| char::from(*b)).collect()
        })
        .collect()
}

#[test]
fn check_digits_of_published_examples() {
    for good in ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "no9386011117947"] {
        assert_eq!(values(good, iban_end).len(), 1, "{good}");
    }
    for bad in ["DE89370400440532013001", "DE8937040044053201300", "ZZ89370400440532013000"] {
        assert_eq!(values(bad, iban_end).len(), 0, "{bad}");
    }
    for good in ["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"] {
        assert_eq!(values(good, card_end).len(), 1, "{good}");
    }
    for bad in ["4111111111111112", "41111111111111111", "4111111111111111a"] {
        assert_eq!(values(bad, card_end).len(), 0, "{bad}");
    }
}

#[test]
fn amounts_and_dates_are_no_numbers() {
    // Each has right check digits if one reads across the words or the decimal points.
    assert_eq!(values("4111.11 1111.11 1111.11", card_end), [""; 0]);
    assert_eq!(values("4111\n1111\n1111\n1111", card_end), [""; 0]);
    for check in 0..100 {
        let text = format!("el de {check:02} de mayo nos vemos en Madrid con ellos");
        assert_eq!(values(&text, iban_end), [""; 0], "{text}");
    }
}

#[test]
fn what_is_glued_to_a_found_number_is_looked_at() {
    let found = values("DE89370400440532013000GB82WEST12345698765432", iban_end);
    assert_eq!(found, ["DE89370400440532013000", "GB82WEST12345698765432"]);
}

const SEPARATORS: [&str; 20] = [
    "",
    " ",
    "  ",
    "   ",
    "\t",
    "-",
    ".",
    "_",
    "\u{a0}",
    "\u{202f}",
    "\u{2009}",
    "\u{3000}",
    "\u{200b}",
    "\u{2060}",
    "\u{feff}",
    "\u{ad}",
    "\u{a0}\u{200b}",
    "\u{2011}",
    "\u{200b}\u{200d}\u{2060}",
    " \u{202f} ",
];

/// The characters of `number`, some of them full-width.
fn spelled(number: &'static str) -> impl Strategy<Value = Vec<char>> {
    prop::collection::vec(prop::bool::weighted(0.2), number.len()).prop_map(move |wide| {
        let widened = |(character, wide): (char, bool)| {
            let full = char::from_u32(u32::from(character) + 0xfee0).unwrap();
            if wide { full } else { character }
        };
        number.chars().zip(wide).map(widened).collect()
    })
}

fn joined(characters: &[char], separator: &str, group: usize) -> String {
    let groups = characters.chunks(group).map(|group| group.iter().collect::<String>());
    groups.collect::<Vec<_>>().join(separator)
}

proptest! {
    #[test]
    fn an_iban_is_found_however_it_is_grouped(
        characters in spelled("DE89370400440532013000"),
        separator in prop::sample::select([&SEPARATORS[..], &["\n", "\r\n", "\r\n "]].concat()),
        around in prop::sample::select(SEPARATORS.as_slice()),
        group in 1..8_usize,
    ) {
        let text = format!("to: {around}{}{around} now", joined(&characters, separator, group));
        prop_assert_eq!(values(&text, iban_end), ["DE89370400440532013000"], "{:?}", text);
    }

    #[test]
    fn a_card_is_found_however_it_is_grouped(
        characters in spelled("5555555555554444"),
        separator in prop::sample::select(SEPARATORS.as_slice()),
        around in prop::sample::select(SEPARATORS.as_slice()),
        group in 1..8_usize,
    ) {
        let text = format!("card: {around}{}{around} now", joined(&characters, separator, group));
        prop_assert_eq!(values(&text, card_end), ["5555555555554444"], "{:?}", text);
    }
}
