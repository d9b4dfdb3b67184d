use std::io::Write;

use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use proptest::prelude::*;

use super::{
    Effort, INFLATED_BYTES_MAX, OUTPUT_BYTES_MAX, OUTPUT_BYTES_MIN, OUTPUT_RATIO_MAX, Step,
    VIEWS_MAX, View, Views, mirror, views, views_of,
};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let held = chunk.iter().fold(0_u32, |held, byte| held << 8 | u32::from(*byte));
        let held = held << (8 * (3 - chunk.len()));
        let digits = (0..=chunk.len()).map(|at| ALPHABET[(held >> (18 - 6 * at)) as usize & 63]);
        text.extend(digits.map(char::from));
        text.push_str(if chunk.len() < 3 { "=" } else { "" });
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut stream = GzEncoder::new(Vec::new(), Compression::best());
    stream.write_all(bytes).unwrap();
    stream.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut stream = ZlibEncoder::new(Vec::new(), Compression::default());
    stream.write_all(bytes).unwrap();
    stream.finish().unwrap()
}

/// `text` under a coding that gives text again, and the steps that take it off.
fn coded(text: &str, step: Step) -> (String, Vec<Step>) {
    match step {
        Step::Percent => (text.bytes().map(|b| format!("%{b:02X}")).collect(), vec![step]),
        Step::JsonEscapes => {
            (text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect(), vec![step])
        }
        Step::Html => (text.chars().map(|c| format!("&#{};", u32::from(c))).collect(), vec![step]),
        Step::Base64 => (base64(text.as_bytes()), vec![step]),
        Step::Hex => (hex(text.as_bytes()), vec![step]),
        Step::Gzip => (base64(&gzip(text.as_bytes())), vec![Step::Base64, step]),
        Step::Zlib => (hex(&zlib(text.as_bytes())), vec![Step::Hex, step]),
        Step::Rot13 => (mirror::rot13(text), vec![step]),
        Step::Reversed => (mirror::reversed(text), vec![step]),
    }
}

fn holding<'v>(views: &'v Views, text: &str) -> Option<&'v View> {
    views.views.iter().find(|view| view.text.contains(text))
}

const HIDDEN: &str = "the account is DE89370400440532013000, tell nobody";

#[test]
fn each_coding_is_taken_off_and_traced() {
    for step in Step::ALL {
        let (coded, steps) = coded(HIDDEN, step);
        let text = format!("Dear Ann: {coded}.");
        let views = views_of(&text, Effort::Thorough);
        // Short data is stored rather than compressed: then it also shows without inflating it.
        let holds = |view: &&View| view.steps == steps && view.text.contains(HIDDEN);
        let view = views.views.iter().find(holds).unwrap();
        let at = view.text.find(HIDDEN).unwrap();
        let span = view.span(at..at + HIDDEN.len());
        if step != Step::Reversed {
            let source = text.get(span).unwrap();
            assert_eq!(source.trim_end_matches('='), coded.trim_end_matches('='), "{step}");
        }
        assert!(!views.overflowed);
    }
}

#[test]
fn base64_is_found_at_every_place_of_a_longer_run() {
    for before in ["", "x", "xy", "xyZ", "xyZ1", "path/to/thing/"] {
        let text = format!("https://h.example/{before}{}", base64(HIDDEN.as_bytes()));
        assert!(holding(&views(&text), HIDDEN.split_at(2).1).is_some(), "{text}");
    }
}

#[test]
fn broken_and_joined_base64_is_found() {
    let whole = base64(HIDDEN.repeat(4).as_bytes());
    for joint in ["\r\n", "\n  ", "\" + \"", "', '", "\",\n\"", "\\n"] {
        let lines: Vec<_> =
            whole.as_bytes().chunks(76).map(|l| str::from_utf8(l).unwrap()).collect();
        let text = format!("\"{}'", lines.join(joint));
        assert!(holding(&views(&text), &HIDDEN.repeat(4)).is_some(), "{text}");
    }
}

#[test]
fn plain_text_has_no_views() {
    let text = "The quick brown fox /usr/share/documentation/internationalisation, 100 % of R&D: \
                f81d4fae-7dec-11d0-a765-00a0c91e6bf6, 2026-11-20T10:00:00Z, ann.example@example.com";
    assert_eq!(views(text), Views::default());
}

#[test]
fn a_bomb_goes_off_small() {
    let bomb = base64(&gzip(&vec![b'x'; 64 << 20]));
    let held = views(&bomb);
    let bytes: usize = held.views.iter().map(|view| view.text.len()).sum();
    assert!(held.overflowed && bytes <= INFLATED_BYTES_MAX + 2 * bomb.len(), "{bytes}");
    let nested = base64(&gzip(&gzip(&vec![b'x'; 64 << 20])));
    let bytes: usize = views(&nested).views.iter().map(|view| view.text.len()).sum();
    assert!(bytes <= 2 * INFLATED_BYTES_MAX, "{bytes}");
}

#[test]
fn one_view_too_many_is_said() {
    let one = format!("{} ", base64(b"a hidden thing of some length"));
    assert!(!views(&one.repeat(VIEWS_MAX / 4)).overflowed);
    let many = views(&one.repeat(VIEWS_MAX + 1));
    assert!(many.overflowed && many.views.len() == VIEWS_MAX);
}

#[test]
fn mirrors_are_looked_into_only_when_asked() {
    let text = mirror::rot13(HIDDEN);
    assert!(holding(&views(&text), HIDDEN).is_none());
    assert!(holding(&views_of(&text, Effort::Thorough), HIDDEN).is_some());
}

fn any_pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,6}",
        "[%\\\\&#xu0-9a-fA-F;]{0,12}",
        "[A-Za-z0-9+/=_-]{0,40}",
        "[ \"'+,\r\n:]{1,3}",
        Just("H4sI".to_owned()),
        Just("eJw".to_owned()),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn three_codings_hide_nothing(
        steps in prop::collection::vec(
            prop::sample::select(&[Step::Percent, Step::JsonEscapes, Step::Html, Step::Base64, Step::Hex][..]),
            1..=3,
        ),
    ) {
        let text = steps.iter().fold(HIDDEN.to_owned(), |text, step| coded(&text, *step).0);
        let views = views(&text);
        let wanted: Vec<_> = steps.iter().rev().copied().collect();
        let view = holding(&views, HIDDEN);
        prop_assert!(view.is_some_and(|view| view.steps == wanted), "{wanted:?} {text}");
    }

    #[test]
    fn compressed_text_is_found_at_any_place(before in "[a-zA-Z0-9]{0,9}", text in "[ -~é]{24,200}") {
        for packed in [gzip(text.as_bytes()), zlib(text.as_bytes())] {
            let in_base64 = format!("{before}{}", base64(&packed));
            prop_assert!(holding(&views(&in_base64), &text).is_some(), "{}", in_base64);
            prop_assert!(holding(&views(&hex(&packed)), &text).is_some());
        }
    }

    #[test]
    fn limits_hold_and_places_exist(text in any_pieces()) {
        let views = views_of(&text, Effort::Thorough);
        let bytes: usize = views.views.iter().map(|view| view.text.len()).sum();
        let limit = (text.len() * OUTPUT_RATIO_MAX + OUTPUT_BYTES_MIN).min(OUTPUT_BYTES_MAX);
        prop_assert!(bytes <= limit && views.views.len() <= VIEWS_MAX);
        for view in &views.views {
            prop_assert!((1..=super::DEPTH_MAX).contains(&view.steps.len()));
            prop_assert!(text.get(view.start..view.end).is_some(), "{view:?}");
            for (at, character) in view.text.char_indices() {
                let span = view.span(at..at + character.len_utf8());
                prop_assert!(span.end <= text.len() && view.start <= span.start, "{view:?}");
            }
        }
    }

    #[test]
    fn equal_texts_have_equal_views(text in any_pieces()) {
        prop_assert_eq!(views(&text), views(&text));
    }
}
