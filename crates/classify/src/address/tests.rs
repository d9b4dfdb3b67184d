use proptest::prelude::*;

use super::{address, emails, mentions, urls};

#[test]
fn a_piece_of_a_longer_address_is_no_address() {
    let cases = [
        "billing@vendor.example.évil.com",
        "\"billing@vendor.example\"@evil.com",
        "<billing@vendor.example>@evil.com",
        "billing@vendor.example@evil.com",
        "billing@vendor.example_x.evil.com",
        "billing@vendor.example-x.évil.com",
        "billing@vendor.example-",
        "billing@vendor.example．evil.com",
        "billing@vendor.example。evil.com",
        "billing@vendor.example.\u{200b}evil.com",
        "billing@vendor.example\u{200b}.evil.com",
        "billing@vendor.example\u{ad}evil.com",
        "billing@vendor.exampleé.com",
        "billing@vendor.example.1",
        "billing@vendor.example..evil.com",
        "ébilling@vendor.example",
        "é-billing@vendor.example",
        "x\u{200b}billing@vendor.example",
        "@billing@vendor.example",
        "＠billing@vendor.example",
    ];
    for text in cases {
        let found: Vec<_> =
            emails(text).filter(|found| found == "billing@vendor.example").collect();
        assert_eq!(found, [""; 0], "{text}");
    }
}

#[test]
fn an_address_ends_where_a_sentence_does() {
    let cases = [
        "write to a@b.example.",
        "<a@b.example>,",
        "\"a@b.example\"",
        "'a@b.example'",
        "“a@b.example”",
        "（a@b.example）",
        "邮箱：a@b.example，",
        "mailto:a@b.example?subject=x",
        "a@b.example...",
        "a@b.example。",
        "a@b.example\u{a0}x",
        "(A@B.Example)",
    ];
    for text in cases {
        assert_eq!(emails(text).collect::<Vec<_>>(), ["a@b.example"], "{text}");
    }
    assert_eq!(
        emails("a@b.example,c@d.example").collect::<Vec<_>>(),
        ["a@b.example", "c@d.example"]
    );
}

#[test]
fn what_looks_like_an_address_is_one_mention() {
    let cases: [(&str, &[&str]); 8] = [
        ("a@b.example@evil.com", &["a@b.example"]),
        ("a@b.example.1", &["a@b.example"]),
        ("a@b.example-", &["a@b.example"]),
        ("a@b..example", &[]),
        ("a@b", &[]),
        ("a@.example", &[]),
        ("a@@b.example", &[]),
        ("--a@b.c.example x@y.zz", &["a@b.c.example", "x@y.zz"]),
    ];
    for (text, want) in cases {
        let found: Vec<_> = mentions(text).filter_map(|range| text.get(range)).collect();
        assert_eq!(found, want, "{text}");
    }
}

#[test]
fn one_plain_address_is_an_address() {
    assert_eq!(address("Ann.O'B+x@Mail-1.Example").as_deref(), Some("ann.o'b+x@mail-1.example"));
    let none = [
        "",
        "@",
        "a@",
        "@b.example",
        "a@b",
        "a@b.e",
        "a@b.1x",
        ".a@b.example",
        "a.@b.example",
        "a..a@b.example",
        "a@b..example",
        "a@.example",
        "a@b.example.",
        "a@-b.example",
        "a@b-.example",
        "a@b@c.example",
        " a@b.example",
        "a@b.example\n",
        "<a@b.example>",
        "\"a\"@b.example",
        "a b@c.example",
        "é@b.example",
        "a@é.example",
        "a@b.example,c@d.example",
        "a@[127.0.0.1]",
        "a(x)@b.example",
        "a@b_c.example",
    ];
    for text in none {
        assert_eq!(address(text), None, "{text:?}");
    }
}

#[test]
fn equal_web_addresses_compare_equal() {
    let cases = [
        ("HTTPS://Vendor.EXAMPLE/A?b=C#d", "https://vendor.example/A?b=C"),
        ("https://vendor.example/", "https://vendor.example"),
        ("https://vendor.example:443/", "https://vendor.example"),
        ("https://vendor.example:/", "https://vendor.example"),
        ("http://vendor.example:0080", "http://vendor.example"),
        ("http://vendor.example:443", "http://vendor.example:443"),
        ("https://User:Pw@Vendor.example/", "https://User:Pw@vendor.example"),
        ("https://vendor.example@evil.example", "https://vendor.example@evil.example"),
        ("https://vendor.example/?q", "https://vendor.example/?q"),
        ("https://vendor.example?Q", "https://vendor.example?Q"),
        ("https://vendor.example/a/", "https://vendor.example/a/"),
        ("https://vendor.example#@evil.example/", "https://vendor.example"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("file:///etc/passwd", "file:///etc/passwd"),
    ];
    for (text, want) in cases {
        assert_eq!(urls(text).collect::<Vec<_>>(), [want], "{text}");
    }
}

proptest! {
    #[test]
    fn a_plain_address_is_found_in_a_text(text in "[a-z.'+-]{1,6}@[a-z0-9.-]{1,8}") {
        if let Some(address) = address(&text)
            && !text.starts_with(['\'', '+', '-', '%'])
        {
            let inside = format!("to <{text}>.");
            prop_assert_eq!(emails(&inside).collect::<Vec<_>>(), [address]);
        }
    }

    #[test]
    fn mentions_are_on_boundaries(text in "[a@.é-]{0,24}|\\PC{0,16}") {
        for range in mentions(&text) {
            prop_assert!(text.get(range).is_some_and(|found| found.contains('@')));
        }
    }
}
