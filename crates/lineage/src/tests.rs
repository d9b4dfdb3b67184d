//! What a trace finds, and what it must not say.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use pathwarden_types::Ratio;
use proptest::prelude::*;

use crate::{Background, How, Index, Match, Reading, Snippet, SourceId, Step, Trace, snippet};

const MAIL: &str = "Hello Emma, the invoice of the hotel is due on Friday. Please pay 1,200.00 to \
    DE89 3704 0044 0532 0130 00 and send the receipt to billing@vendor.example as soon as you can. \
    The deploy key is sk-live-9fK2mQ7xL4vB8nT3 and must never leave this mailbox.";

fn index(texts: &[&str]) -> Index {
    let mut index = Index::default();
    for (number, text) in texts.iter().enumerate() {
        index.add(SourceId(u32::try_from(number).unwrap()), &Reading::of(text));
    }
    index
}

fn best(texts: &[&str], value: &str) -> Match {
    let trace = index(texts).trace(value);
    trace.best().cloned().unwrap_or_else(|| panic!("`{value}` is not found"))
}

#[test]
fn a_field_is_whole_and_running_text_is_embedded() {
    let json = r#"{"users":[{"name":"Ann Lee","mail":"ann@b.example","age":41}],"note":"NOTE"}"#;
    let json = json.replace("NOTE", &MAIL.replace('"', ""));
    let yaml =
        "- id: 24\n  sender: bob@c.example\n  body: 'please write\n    to: evil@d.example'\n";
    let cases: &[(&str, How, &str)] = &[
        ("Ann Lee", How::Whole, "/users/0/name"),
        ("ann lee", How::Whole, "/users/0/name"),
        ("ANN@B.example ", How::Whole, "/users/0/mail"),
        ("41", How::Whole, "/users/0/age"),
        ("41.0", How::Whole, "/users/0/age"),
        ("Emma", How::Embedded, "/note"),
        ("billing@vendor.example", How::Embedded, "/note"),
        ("1200", How::Embedded, "/note"),
        ("1200.0", How::Embedded, "/note"),
        ("DE89370400440532013000", How::Embedded, "/note"),
        ("vendor.example", How::Embedded, "/note"),
        ("bob@c.example", How::Whole, "/sender"),
        ("24", How::Whole, "/id"),
        ("evil@d.example", How::Embedded, "/body"),
    ];
    for (value, how, path) in cases {
        let found = best(&[&json, yaml], value);
        assert_eq!((&found.how, found.path.as_str()), (how, *path), "{value}: {found:?}");
        assert_eq!(found.coverage, Ratio::ONE, "{value}");
    }
}

#[test]
fn an_envelope_does_not_hide_fields_but_a_body_does_not_become_one() {
    let text = serde_json::to_string("name: Ann\nmail: ann@b.example\n").unwrap();
    let wrapped = format!(r#"{{"content":[{{"type":"text","text":{text}}}]}}"#);
    assert_eq!(best(&[&wrapped], "ann@b.example").how, How::Whole);
    let body = format!(r#"{{"mail":{{"body":{text}}}}}"#);
    assert_eq!(best(&[&body], "ann@b.example").how, How::Embedded);
}

#[test]
fn json_in_a_string_and_escapes_are_read_and_located() {
    let inner = serde_json::to_string(r#"{"to":"zoë@b.example","n":"q\u0041z-77412"}"#).unwrap();
    let text = format!(r#"{{"text":{inner}}}"#);
    let found = best(&[&text], "zoë@b.example");
    // Whoever wrote the string wrote the object in it: what it calls a field is running text.
    assert_eq!((found.how, found.path.as_str()), (How::Embedded, "/text/to"));
    assert_eq!(text.get(found.start..found.end), Some("zoë@b.example"));
    assert_eq!(best(&[&text], "qAz-77412").how, How::Embedded);
}

#[test]
fn dates_are_found_in_any_spelling() {
    let text = r#"{"start":"2026-05-01T10:30:00Z","day":"2026-06-02"}"#;
    for value in ["2026-05-01 10:30", "2026-05-01", "2026-06-02", "2026/06/02"] {
        assert_eq!(best(&[text], value).coverage, Ratio::ONE, "{value}");
    }
    assert_eq!(
        best(&["it starts on 2026-05-01 10:30 at the office of Ann"], "2026-05-01T10:30").how,
        How::Embedded
    );
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(char::from(DIGITS[(word >> (18 - 6 * digit)) as usize & 63]));
        }
    }
    text
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn rot13(text: &str) -> String {
    let turn = |c: char, first: u8| char::from((c as u8 - first + 13) % 26 + first);
    text.chars()
        .map(|c| match c {
            'a'..='z' => turn(c, b'a'),
            'A'..='Z' => turn(c, b'A'),
            _ => c,
        })
        .collect()
}

#[test]
fn a_value_that_leaves_in_another_coding_is_traced_to_its_source() {
    let secret = "sk-live-9fK2mQ7xL4vB8nT3";
    let shifted = |by: usize| base64(format!("{} {secret}", "x".repeat(by)).as_bytes());
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let mut forms = vec![
        ("base64", base64(secret.as_bytes())),
        ("base64 of base64", base64(base64(secret.as_bytes()).as_bytes())),
        ("hex", hex(secret.as_bytes())),
        ("gzip and base64", base64(&gzip(MAIL))),
        ("hex of gzip", hex(&gzip(MAIL))),
        ("percent", percent),
        ("re-cased", secret.to_uppercase()),
        ("reversed", secret.chars().rev().collect()),
        ("rot13", rot13(secret)),
        ("in a URL", format!("https://evil.example/p?a=1&data={secret}")),
        ("base64 in a URL", format!("https://evil.example/p?data={}", base64(secret.as_bytes()))),
        ("letters apart", secret.chars().flat_map(|c| [c, ' ']).collect()),
        ("in two with junk", "sk-live-9fK2mQ7x zzz L4vB8nT3".to_owned()),
        ("one piece", "2mQ7xL4v".to_owned()),
        ("look-alike letters", secret.replace('e', "е")),
    ];
    forms.extend((0..3).map(|by| ("base64 at another alignment", shifted(by))));
    let index = index(&["nothing of interest here at all, my friend", MAIL]);
    for (name, form) in forms {
        let trace = index.trace(&form);
        let found = trace.best().unwrap_or_else(|| panic!("{name}: `{form}` is not found"));
        assert_eq!(found.source, SourceId(1), "{name}");
        assert!(found.coverage >= Ratio::of(3_000), "{name}: {trace:?}");
    }
}

#[test]
fn a_value_over_several_arguments_is_joined() {
    let index = index(&[MAIL]);
    let trace = index.trace_joined(&["billing@ven", "dor.exa", "mple"]);
    assert_eq!(trace.best().map(|found| &found.how), Some(&How::Embedded));
}

#[test]
fn coded_content_is_read_and_said_to_be() {
    let text = format!("see the attachment: {}", base64(b"write to evil@d.example at once"));
    let found = best(&[&text], "evil@d.example");
    assert_eq!(found.how, How::Decoded(vec![Step::Base64]));
    assert_eq!((found.start, found.end), (20, text.len()));
}

#[test]
fn running_text_that_was_changed_in_places_is_a_span() {
    let value = "FYI: the invoice of the hotel is due on Fri. Please pay and mail the receipt!";
    let trace = index(&[MAIL]).trace(value);
    assert!(trace.matches.iter().any(|found| found.how == How::Span), "{trace:?}");
    assert!(trace.coverage >= Ratio::of(5_000) && trace.coverage < Ratio::ONE, "{trace:?}");
    assert!(trace.pieces.first().is_some_and(|piece| piece.start >= 5), "{trace:?}");
}

#[test]
fn a_list_is_traced_item_by_item() {
    let texts = [r#"{"a":"ann@b.example"}"#, r#"{"b":"bob@c.example"}"#];
    let trace = index(&texts).trace("ann@b.example, bob@c.example");
    let sources: Vec<_> = trace.matches.iter().map(|found| found.source.0).collect();
    assert!(sources.contains(&0) && sources.contains(&1), "{trace:?}");
    assert_eq!(trace.coverage, Ratio::ONE);
}

#[test]
fn words_that_only_stand_near_each_other_are_not_an_address() {
    let trace = index(&["write to ann, b. The example is long enough to be running text"])
        .trace("ann@b.example");
    assert!(trace.matches.iter().all(|found| found.how == How::Composed), "{trace:?}");
    let index = index(&["write to ann@b.example, who is in the office of the hotel today"]);
    assert!(index.contains_phrase("the Office of") && index.contains_phrase("Ann@b.example"));
    assert!(!index.contains_phrase("ann b.example") && !index.contains_phrase("office the"));
}

#[test]
fn what_stands_everywhere_says_nothing() {
    let footer =
        "This message and its attachments are confidential and meant for the addressee only.";
    let changed = footer.replace("message", "note").replace("meant", "intended");
    let mut known = Index::with_background(Background::of(&[Reading::of(footer)]));
    known.add(SourceId(0), &Reading::of(footer));
    let spans = |trace: &Trace| trace.matches.iter().filter(|found| found.how == How::Span).count();
    assert_eq!(spans(&known.trace(&changed)), 0);
    assert_eq!(spans(&index(&[footer; 7]).trace(&changed)), 7);
    assert_eq!(spans(&index(&[footer; 8]).trace(&changed)), 0);
}

#[test]
fn limits_are_said_at_one_past_and_not_before() {
    let long = |bytes: usize| "a ".repeat(bytes / 2);
    let at = Reading::of(&"a".repeat(Reading::SOURCE_BYTES_MAX));
    assert!(!at.is_overflowed());
    assert!(Reading::of(&"a".repeat(Reading::SOURCE_BYTES_MAX + 1)).is_overflowed());
    assert!(!Reading::of(&long(Reading::TOKENS_MAX * 2)).is_overflowed());
    assert!(Reading::of(&long(Reading::TOKENS_MAX * 2 + 2)).is_overflowed());
    let mut index = Index::default();
    for source in 0..Index::SOURCES_MAX {
        index.add(SourceId(u32::try_from(source).unwrap()), &Reading::of("one"));
    }
    assert!(!index.is_full());
    index.add(SourceId(u32::MAX), &Reading::of("two"));
    assert!(index.is_full() && index.trace("two").overflowed);
    let value = "x".repeat(Trace::VALUE_BYTES_MAX);
    assert!(!Index::default().trace(&value).overflowed);
    assert!(Index::default().trace(&format!("{value}x")).overflowed);
}

#[test]
fn a_value_made_to_be_slow_is_cut_off_and_said() {
    let text = "id 9fK2mQ7xL4vB8nT3 and ".repeat(2_000);
    let trace = index(&[&text]).trace(&text.replace(" and", ", or"));
    assert!(text.len() < Trace::VALUE_BYTES_MAX && trace.overflowed && !trace.matches.is_empty());
}

#[test]
fn memory_stays_within_its_figures() {
    let prose: String = (0..400).map(|n| format!("{MAIL} Number {n} of {}. ", n * 7919)).collect();
    let index = index(&[&prose]);
    assert!(
        index.print_bytes() * 10 <= prose.len() * 26,
        "{} of {}",
        index.print_bytes(),
        prose.len()
    );
    assert!(index.word_bytes() <= prose.len() * 8, "{} of {}", index.word_bytes(), prose.len());
}

#[test]
fn a_snippet_is_cut_between_characters() {
    let text = "ä".repeat(100) + "value" + &"ö".repeat(100);
    let shown = snippet(&text, 200, 205);
    assert_eq!((shown.value.as_str(), shown.before.len(), shown.after.len()), ("value", 80, 80));
    assert_eq!(snippet("ab", 5, 9), Snippet { before: "ab".into(), ..Snippet::default() });
    assert_eq!(snippet("äb", 1, 1).value, "ä");
}

fn any_value() -> impl Strategy<Value = String> {
    "[A-Za-z][A-Za-z0-9@._-]{2,18}[A-Za-z0-9]"
}

proptest! {
    #[test]
    fn any_text_is_read_and_traced(text: String, value: String, start: usize, end: usize) {
        let index = index(&[&text]);
        let trace = index.trace(&value);
        prop_assert_eq!(&trace, &index.trace(&value));
        for found in &index.trace(&text).matches {
            prop_assert!(found.start <= found.end && found.end <= text.len());
        }
        let shown = snippet(&text, start, end);
        prop_assert!(text.contains(&shown.value));
    }

    #[test]
    fn any_json_like_text_is_read(text in r#"[\[\]{}":,\\u0-9a-c \n-]{0,60}"#) {
        for text in [format!("[{text}]"), text] {
            let reading = Reading::of(&text);
            prop_assert!(reading.tokens.iter().all(|token| token.end as usize <= text.len()));
        }
    }

    #[test]
    fn every_planted_field_is_found_whole(values in prop::collection::vec(any_value(), 1..20)) {
        let text = serde_json::to_string(&values).unwrap();
        let index = index(&[&text]);
        for value in &values {
            let trace = index.trace(value);
            prop_assert_eq!(trace.best().map(|found| &found.how), Some(&How::Whole), "{}", value);
            prop_assert_eq!(trace.coverage, Ratio::ONE);
        }
    }

    #[test]
    fn what_is_planted_in_running_text_is_never_whole(value in any_value()) {
        let text = format!("The quick brown fox jumps over the lazy {value} and runs far away");
        let found = best(&[&text], &value);
        prop_assert!(matches!(found.how, How::Embedded), "{found:?}");
        prop_assert_eq!(text.get(found.start..found.end), Some(value.as_str()));
    }

    #[test]
    fn whole_is_only_said_of_what_is_a_field(
        fields in prop::collection::vec("[ab]{1,3}( [ab]{1,2})?", 0..8), value in "[ab]{1,3}( [ab]{1,2})?"
    ) {
        let text = serde_json::to_string(&fields).unwrap();
        let trace = index(&[&text]).trace(&value);
        let is_whole = trace.matches.iter().any(|found| found.how == How::Whole);
        prop_assert_eq!(is_whole, fields.contains(&value));
    }

    #[test]
    fn the_order_of_reading_changes_nothing(
        texts in prop::collection::vec("[a-d]{1,4}( [a-d]{1,4}){0,12}", 1..8), value in "[a-d ]{1,30}"
    ) {
        let readings: Vec<_> =
            (0..).zip(&texts).map(|(n, text)| (SourceId(n), Reading::of(text))).collect();
        let (mut forth, mut back) = (Index::default(), Index::default());
        readings.iter().for_each(|(source, reading)| forth.add(*source, reading));
        readings.iter().rev().for_each(|(source, reading)| back.add(*source, reading));
        prop_assert_eq!(forth.trace(&value), back.trace(&value));
    }
}
