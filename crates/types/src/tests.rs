use proptest::prelude::*;

use crate::{ActionId, Digest, Name, Ratio, Record, SessionId, Verdict};

proptest! {
    #[test]
    fn ids_print_what_they_parse(session: [u8; 16], action: [u8; 8], digest: [u8; 32]) {
        if let Ok(id) = SessionId::from_bytes(session) {
            prop_assert_eq!(id.to_string().parse::<SessionId>(), Ok(id));
        }
        if let Ok(id) = ActionId::from_bytes(action) {
            prop_assert_eq!(id.to_string().parse::<ActionId>(), Ok(id));
        }
        let digest = Digest::from_bytes(digest);
        prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
    }

    #[test]
    fn a_record_survives_arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = Record::from_bytes(&bytes);
    }

    #[test]
    fn a_product_is_at_most_its_factors(a in 0..=Ratio::STEPS, b in 0..=Ratio::STEPS) {
        let (a, b) = (Ratio::of(a), Ratio::of(b));
        prop_assert!(a.times(b) <= a.min(b));
        prop_assert_eq!(a.complement().complement(), a);
    }
}

#[test]
fn verdicts_are_ordered_by_restraint() {
    let order =
        [Verdict::Allow, Verdict::Constrain, Verdict::Hold, Verdict::Deny, Verdict::Isolate];
    assert!(order.is_sorted());
}

#[test]
fn an_id_of_zeros_is_refused() {
    assert!("00000000000000000000000000000000".parse::<SessionId>().is_err());
    assert!("0000000000000000".parse::<ActionId>().is_err());
}

#[test]
fn upper_case_hex_is_refused_because_one_id_has_one_spelling() {
    assert!("00000000000000AB".parse::<ActionId>().is_err());
}

#[test]
fn names_that_hide_something_are_refused() {
    for text in ["", "a\nb", "pay\u{202e}roll", "zero\u{200b}width", &"x".repeat(257)] {
        assert!(text.parse::<Name>().is_err(), "{text:?}");
    }
    assert!("x".repeat(256).parse::<Name>().is_ok());
}
