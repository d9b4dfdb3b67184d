use super::{Hit, scan};
use crate::{Class, Rules, Step};

fn found(text: &str) -> Vec<(Class, String)> {
    let hits = scan(text, &Rules::pack()).hits;
    let text = |hit: &Hit| text.get(hit.start..hit.end).unwrap_or("?").to_owned();
    hits.iter().map(|hit| (hit.class, text(hit))).collect()
}

/// Put together here, so that no tool takes this file for a leak.
fn key(prefix: &str, length: usize) -> String {
    let body = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
    format!("{prefix}{}", body.chars().cycle().take(length).collect::<String>())
}

#[test]
fn credentials_of_vendors_are_found() {
    let hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let hex = |length: usize| hex.chars().take(length).collect::<String>();
    let keys = [
        key("ghp_", 36),
        key("github_pat_", 70),
        key("glpat-", 20),
        key("xoxb-", 30),
        key("sk_live_", 24),
        key("sk-ant-api03-", 90),
        key("hf_", 0) + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
        key("npm_", 36),
        key("pypi-AgEIcHlwaS5vcmc", 60),
        format!("dop_v1_{}", hex(64)),
        key("hvs.", 30),
        format!("SK{}", hex(32)),
        format!("{}.{}", key("SG.", 22), key("", 43)),
        key("AIza", 35),
        key("GOCSPX-", 28),
        format!("shpat_{}", hex(32)),
        key("gsk_", 52),
        format!("rubygems_{}", hex(48)),
        key("lin_api_", 40),
        format!("dapi{}", hex(32)),
        format!("PMAK-{}-{}", hex(24), hex(34)),
        key("123456789:AA", 33),
    ];
    for key in keys {
        let text = format!("the key is {key} ok");
        assert_eq!(found(&text), [(Class::Secret, key)]);
    }
}

#[test]
fn personal_data_and_markings_are_found() {
    use Class::{Marking, NationalId, OneTimeCode, Passport, Password, Phone};
    let cases: [(&str, Class, &str); 14] = [
        ("NHS number 943 476 5919", NationalId, "943 476 5919"),
        ("DNI: 12345678Z", NationalId, "12345678Z"),
        ("CPF 111.444.777-35", NationalId, "111.444.777-35"),
        ("Steuer-ID 86095742719", NationalId, "86095742719"),
        ("Passport no. C01X00T47", Passport, "C01X00T47"),
        ("Your verification code is 123 456", OneTimeCode, "123 456"),
        ("password: hunter2!", Password, "hunter2!"),
        ("DB_PASSWORD=\"s3cr3t-x\"", Password, "s3cr3t-x"),
        ("postgres://app:s3cr3t-x@db.example/x", Password, "s3cr3t-x"),
        ("call me: +49 30 1234567", Phone, "+49 30 1234567"),
        ("STRICTLY CONFIDENTIAL", Marking, "STRICTLY CONFIDENTIAL"),
        ("TLP:RED", Marking, "TLP:RED"),
        ("for internal use only", Marking, "for internal use only"),
        ("Attorney-Client Privileged", Marking, "Attorney-Client Privileged"),
    ];
    for (text, class, value) in cases {
        let wanted = (class, value.to_owned());
        assert!(found(text).contains(&wanted), "{text}: {:?}", found(text));
    }
}

#[test]
fn ordinary_text_holds_nothing() {
    let texts = [
        "NHS number 943 476 5918, CPF 111.444.777-36",
        "password: ********, PASSWORD=${DB_PASSWORD}, password is required",
        "sk-this-is-a-css-class-name-and-no-key",
        "the internal clock, a confident tone, a secret garden",
        "Error code 404 and zip code 90210, version 1.2.3.4",
    ];
    for text in texts {
        assert_eq!(found(text), [], "{text}");
    }
}

#[test]
fn a_coded_value_is_found_and_says_how() {
    let text = "see cGF5IHRvIERFODkzNzA0MDA0NDA1MzIwMTMwMDA= or %44E89370400440532013000";
    let hits = scan(text, &Rules::pack()).hits;
    let found: Vec<_> = hits.iter().map(|hit| (hit.class, hit.via.as_slice())).collect();
    let want: [(Class, &[Step]); 2] =
        [(Class::Iban, &[Step::Base64]), (Class::Iban, &[Step::Percent])];
    assert_eq!(found, want);
    let span = hits.last().and_then(|hit| text.get(hit.start..hit.end));
    assert_eq!(span, Some("%44E89370400440532013000"));
}
