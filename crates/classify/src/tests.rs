use proptest::prelude::*;

use super::{Class, OVERLAP_BYTES, Piece, disjoint, emails, find, find_in_windows, redact, urls};

fn found(text: &str) -> Vec<(Class, &str)> {
    find(text).iter().map(|f| (f.class, text.get(f.start..f.end).unwrap_or("?"))).collect()
}

#[test]
fn values_are_found_with_their_class() {
    use Class::{BankAccount, Email, Iban, PaymentCard, RoutingNumber, Secret, TaxId};
    let cases: [(&str, &[(Class, &str)]); 22] = [
        ("pay to DE89 3704 0044 0532 0130 00 please", &[(Iban, "DE89 3704 0044 0532 0130 00")]),
        ("IBAN:DE89370400440532013000.", &[(Iban, "DE89370400440532013000")]),
        ("iban de89370400440532013000", &[(Iban, "de89370400440532013000")]),
        ("AB12 DE89 3704 0044 0532 0130 00", &[(Iban, "DE89 3704 0044 0532 0130 00")]),
        (
            "DE89370400440532013000 GB82WEST12345698765432",
            &[(Iban, "DE89370400440532013000"), (Iban, "GB82WEST12345698765432")],
        ),
        (
            "4111 1111 1111 1111 5555 5555 5555 4444",
            &[(PaymentCard, "4111 1111 1111 1111"), (PaymentCard, "5555 5555 5555 4444")],
        ),
        ("card 4111-1111-1111-1111!", &[(PaymentCard, "4111-1111-1111-1111")]),
        ("Routing number: 021000021", &[(RoutingNumber, "021000021")]),
        (
            "ABA 021000021, account 123456789",
            &[(RoutingNumber, "021000021"), (BankAccount, "123456789")],
        ),
        ("EIN 12-3456789", &[(TaxId, "12-3456789")]),
        ("our tax ID is 12-3456789", &[(TaxId, "12-3456789")]),
        ("SSN: 123-45-6789", &[(TaxId, "123-45-6789")]),
        ("VAT no. DE123456789", &[(TaxId, "DE123456789")]),
        ("USt-IdNr. ATU12345678", &[(TaxId, "ATU12345678")]),
        ("Acct no: 0012 3456 78", &[(BankAccount, "0012 3456 78")]),
        ("key AKIAIOSFODNN7EXAMPLE", &[(Secret, "AKIAIOSFODNN7EXAMPLE")]),
        ("sk_live_abcdefghijklmnop1234", &[(Secret, "sk_live_abcdefghijklmnop1234")]),
        ("Mail Ann.B@Example.COM.", &[(Email, "Ann.B@Example.COM")]),
        ("invoice 021000021 of 2026-11-20", &[]),
        ("order 123456789, 12-3456789", &[]),
        ("4111 1111 1111 1112", &[]),
        ("the tax department of Germany", &[]),
    ];
    for (text, want) in cases {
        assert_eq!(found(text), want, "{text}");
    }
}

#[test]
fn a_private_key_is_found_whole_and_also_without_its_end() {
    let whole = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----";
    assert_eq!(found(&format!("x {whole} y")), [(Class::Secret, whole)]);
    let open = "-----BEGIN PRIVATE KEY-----\nMIIE";
    assert_eq!(found(open), [(Class::Secret, open)]);
}

#[test]
fn what_is_redacted_says_what_it_was() {
    let text = "IBAN DE89370400440532013000, mail ann@example.com";
    let want = "IBAN [redacted: iban], mail ann@example.com";
    assert_eq!(redact(text, &[Class::Iban]), want);
    assert_eq!(redact(text, &[]), text);
}

#[test]
fn a_value_on_the_border_of_two_windows_is_found_once() {
    let value = "DE89370400440532013000";
    for before in 0..64 {
        let text = format!("{} {value} {}", "é".repeat(before), "x".repeat(64));
        let pieces = disjoint(find_in_windows(&text, 64, &Class::VALUES));
        let start = before * 2 + 1;
        let want = Piece { class: Class::Iban, start, end: start + value.len() };
        assert_eq!(pieces, [want], "{before}");
    }
}

#[test]
fn a_value_past_the_window_is_found() {
    let text = "x ".repeat(super::TEXT_BYTES_MAX / 2 + OVERLAP_BYTES) + "DE89370400440532013000";
    assert_eq!(found(&text), [(Class::Iban, "DE89370400440532013000")]);
}

#[test]
fn addresses_are_normalised() {
    let text = "To: Bob@Vendor.Example, see https://Vendor.example/a?b=c. (or ftp://x/y)";
    assert_eq!(emails(text).collect::<Vec<_>>(), ["bob@vendor.example"]);
    assert_eq!(urls(text).collect::<Vec<_>>(), ["https://vendor.example/a?b=c", "ftp://x/y"]);
}

#[test]
fn a_class_has_one_name() {
    for class in Class::ALL {
        assert_eq!(Class::from_name(class.as_str()), Some(class));
    }
}

#[test]
fn spellings_are_found_whole() {
    let cases = [
        ("_DE89 3704\u{a0}0044  0532.0130_00_", 1, "DE89 3704\u{a0}0044  0532.0130_00"),
        ("an １ ＤＥ８９370400440532013０００.", 1, "ＤＥ８９370400440532013０００"),
        (
            "card 4111\u{2011}1111\u{202f}1111\u{200b}1111",
            1,
            "4111\u{2011}1111\u{202f}1111\u{200b}1111",
        ),
        ("account\u{a0}no: 0012\u{a0}3456\u{a0}78", 1, "0012\u{a0}3456\u{a0}78"),
        ("routing 021\u{200b}000021", 1, "021\u{200b}000021"),
    ];
    for (text, count, want) in cases {
        let found = found(text);
        assert_eq!(found.len(), count, "{found:?}");
        assert!(found.iter().any(|(_, value)| *value == want), "{found:?}");
        assert!(!redact(text, &Class::ALL).contains(want));
    }
}

/// A text that is made to be much work is no more work than any other of its size: bytes are
/// counted, not time.
#[test]
fn no_repetition_makes_a_text_much_work() {
    const TEXT_BYTES: usize = 1 << 17;
    /// An IBAN has up to 34 characters, and every other one can begin a candidate.
    const LOOKS_MAX: usize = 64;
    let pieces = [
        "AA00 ",
        "DE89 ",
        "DE",
        "D E ",
        "MT84 ",
        "MT84MALT ",
        "4",
        "4 ",
        "4   ",
        "4\u{a0}",
        "4111 ",
        "0 ",
        "account ",
        "account 1 ",
        "account 111111 ",
        "tax ",
        "tax 00-0000000 ",
        "routing 123456789 ",
        "a@",
        "@",
        "a@b.",
        "a@b.co",
        "a@b.co=",
        "a.",
        "-",
        " ",
        "https://",
        "eyJ",
        "AKIA",
        "-----BEGIN PRIVATE KEY-----",
        "a://b:c",
        "password=a ",
        "sk-a",
        "sk-",
        "fm2_=",
        "authorization: basic ",
        "secret key: ",
        "+1 2 ",
        "passport 1 ",
        "verification code is ",
    ];
    for piece in pieces {
        let text = piece.repeat(TEXT_BYTES / piece.len());
        let looks = crate::work::of(|| {
            let _ = find_in_windows(&text, super::TEXT_BYTES_MAX, &Class::ALL);
            let _ = (emails(&text).count(), urls(&text).count());
        });
        assert!(looks <= LOOKS_MAX * text.len(), "{piece:?}: {looks}");
    }
}

/// Values, parts of values, context words.
const PIECES: [&str; 24] = [
    "DE89370400440532013000",
    "DE89 3704 0044 0532 0130 00",
    "4111 1111 1111 1111",
    "4111",
    "021000021",
    "routing ",
    "ABA",
    "account no ",
    "tax ",
    "VAT ",
    "SSN",
    "123-45-6789",
    "12-3456789",
    "DE123456789",
    "AKIAIOSFODNN7EXAMPLE",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "ann@example.com",
    "@",
    " ",
    "-",
    "\n",
    "é",
    "0",
];

/// Text in which values, parts of values, context words and anything else meet.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(PIECES.as_slice()).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn findings_are_ordered_disjoint_and_on_boundaries(text in any_text()) {
        let mut end = 0;
        for piece in find(&text) {
            prop_assert!(piece.start >= end && piece.start < piece.end);
            prop_assert!(text.get(piece.start..piece.end).is_some());
            end = piece.end;
        }
    }

    #[test]
    fn arbitrary_text_is_no_trouble(text: String) {
        let _ = (find(&text), emails(&text).count(), urls(&text).count());
        let _ = redact(&text, &Class::ALL);
    }

    #[test]
    fn nothing_of_a_class_is_left_after_redacting_it(
        text in any_text(),
        classes in prop::sample::subsequence(Class::ALL.to_vec(), 0..=17),
    ) {
        let redacted = redact(&text, &classes);
        let left = find_in_windows(&redacted, usize::MAX / 2, &classes);
        prop_assert!(left.is_empty(), "{redacted:?} {left:?}");
    }

    #[test]
    fn windows_find_what_one_piece_finds_of_short_values(text in any_text(), window in 160..400_usize) {
        let short = |found: &Piece| found.class == Class::Email;
        let whole: Vec<_> = disjoint(find_in_windows(&text, usize::MAX / 2, &Class::ALL)).into_iter().filter(short).collect();
        let parts = find_in_windows(&text, window, &Class::ALL);
        for found in whole {
            prop_assert!(parts.contains(&found), "{found:?}");
        }
    }
}
