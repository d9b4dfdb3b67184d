use pathwarden_types::{Millis, Name, Ratio};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Feed, FeedError, Format, Unmatched};

fn name() -> Name {
    "feed".parse().unwrap()
}

fn parse(text: &str) -> Feed {
    Feed::parse(&name(), text.as_bytes()).unwrap()
}

fn listed(feed: &Feed) -> Vec<String> {
    let line = |entry: &super::Entry| format!("{} {}", entry.pattern.kind(), entry.pattern);
    feed.entries.iter().map(line).collect()
}

#[test]
fn a_plain_list_holds_anything_and_its_comments() {
    let feed = parse(
        "\u{feff}; Spamhaus-like\n# more\n\n192.0.2.0/24 ; SBL1 bad net\r\nEvil.example # mail\n\
         http://evil.example/#a;b\n0.0.0.0 ads.example tracker.example\n0.0.0.0\nnot an indicator\n",
    );
    assert_eq!(feed.format, Format::List);
    let want = [
        "ip 192.0.2.0/24",
        "domain evil.example",
        "url evil.example/",
        "domain ads.example",
        "domain tracker.example",
        "ip 0.0.0.0",
    ];
    assert_eq!(listed(&feed), want);
    let first = &feed.entries[0];
    assert_eq!((first.id.as_str(), first.words.as_str()), ("SBL1", "SBL1 bad net"));
    let examples = ["`not an indicator`: no domain, address, network, URL or hash".to_owned()];
    assert_eq!(feed.unmatched, Unmatched { count: 1, examples: examples.to_vec() });
}

#[test]
fn json_lines_list_networks() {
    let feed = parse(
        "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"ripe\"}\n{\"cidr\":\"0.0.0.0/0\"}\n{\"x\":1}\n\
         {\"type\":\"metadata\",\"timestamp\":1795235400}\n",
    );
    assert_eq!((feed.format, feed.unmatched.count), (Format::JsonLines, 2));
    assert_eq!(listed(&feed), ["ip 192.0.2.0/24"]);
    assert_eq!(feed.entries[0].id, "SBL1");
}

#[test]
fn csv_is_read_by_its_header_also_where_that_is_a_comment() {
    let feed = parse(
        "################\n# Dump of URLs\n#\n\
         # id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n\
         \"7\",\"2026-11-01 10:00:00\",\"http://evil.example/a,b\",\"online\",\"2026-11-20 09:00:00 UTC\",\
         \"malware_download\",\"say \"\"hi\"\"\",\"https://link.example/7\",\"me\"\n\
         \"8\",\"2026-11-01 10:00:00\",\"?\",\"online\"\n\"9\",\"open\n",
    );
    assert_eq!((feed.format, feed.unmatched.count), (Format::Csv, 2));
    assert_eq!(listed(&feed), ["url evil.example/a,b"]);
    let entry = &feed.entries[0];
    assert_eq!(entry.id, "7");
    assert_eq!(entry.seen, Some(Millis(1_795_165_200_000)));
    assert_eq!(entry.words, "malware_download, say \"hi\"");
}

#[test]
fn csv_says_confidence_and_expiry_and_ports_are_not_compared() {
    let feed = parse(
        "ioc_value, confidence_level, expires\n\
         \"192.0.2.9:443\", \"75\", \"2026-12-01\"\nevil.example, certain,\nother.example,400,\n",
    );
    assert_eq!(listed(&feed), ["ip 192.0.2.9", "domain evil.example", "domain other.example"]);
    let confidence: Vec<_> = feed.entries.iter().map(|entry| entry.confidence).collect();
    assert_eq!(confidence, [Ratio::of(7_500), Ratio::of(7_000), Ratio::ONE]);
    assert_eq!(feed.entries[0].expires, Some(Millis(1_796_083_200_000)));
}

#[test]
fn a_stix_bundle_lists_equalities_and_counts_the_rest() {
    let indicator = |extra: &str, pattern: &str| {
        let pattern = pattern.replace('\\', "\\\\").replace('"', "\\\"");
        format!(
            r#"{{"type":"indicator","id":"indicator--1","name":"bad","pattern_type":"stix",
            "valid_from":"2026-11-01T00:00:00Z",{extra}"pattern":"{pattern}"}}"#
        )
    };
    let hash = "a".repeat(64);
    let objects = [
        indicator(
            r#""confidence":90,"#,
            "[ipv4-addr:value = '192.0.2.1' OR domain-name:value='evil.example']",
        ),
        indicator(
            "",
            &format!(
                "[file:hashes.'SHA-256' = '{hash}'] OR [url:value = 'http://e.example/it\\'s']"
            ),
        ),
        indicator("", "[ipv4-addr:value = '192.0.2.2' AND domain-name:value = 'a.example']"),
        indicator("", "[domain-name:value LIKE '%.example']"),
        indicator(
            "",
            "[domain-name:value = 'b.example'] FOLLOWEDBY [url:value = 'http://b.example']",
        ),
        indicator("", "[domain-name:value = 'c.example'] WITHIN 5 SECONDS"),
        indicator("", "[email-addr:value = 'a@b.example' OR domain-name:value = 'd.example']"),
        indicator("", "[domain-name:value != 'e.example']"),
        indicator(r#""revoked":true,"#, "[domain-name:value = 'f.example']"),
        r#"{"type":"malware","id":"malware--1","name":"x","is_family":false}"#.to_owned(),
    ];
    let bundle =
        format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{}]}}"#, objects.join(","));
    let feed = parse(&bundle);
    assert_eq!(feed.format, Format::Stix);
    let want = [
        "ip 192.0.2.1".to_owned(),
        "domain evil.example".to_owned(),
        format!("hash {hash}"),
        "url e.example/it's".to_owned(),
        "domain d.example".to_owned(),
    ];
    assert_eq!(listed(&feed), want);
    assert_eq!(feed.entries[0].confidence, Ratio::of(9_000));
    assert_eq!(feed.unmatched.count, 7);
    let said = feed.unmatched.examples.join("\n");
    assert!(said.contains("more than equality joined by OR"), "{said}");
    assert!(said.contains("`email-addr:value = 'a@b.example'`: cannot be matched"), "{said}");
    assert!(said.contains("revoked"), "{said}");
}

#[test]
fn a_misp_event_lists_what_is_marked_for_detection() {
    let feed = parse(
        r#"{"Event":{"uuid":"1","info":"campaign","Attribute":[
            {"type":"ip-dst|port","value":"192.0.2.1|443","to_ids":true,"timestamp":"1795235400","uuid":"u1","comment":"c2"},
            {"type":"domain|ip","value":"evil.example|192.0.2.3","to_ids":true,"timestamp":1795235400},
            {"type":"hostname","value":"www.good.example","to_ids":false},
            {"type":"yara","value":"rule x","to_ids":true},
            {"type":"domain","value":"gone.example","to_ids":true,"deleted":true}],
          "Object":[{"Attribute":[
            {"type":"filename|md5","value":"a.exe|d41d8cd98f00b204e9800998ecf8427e","to_ids":true}]}]}}"#,
    );
    assert_eq!(feed.format, Format::MispEvent);
    let hash = "hash d41d8cd98f00b204e9800998ecf8427e";
    assert_eq!(listed(&feed), ["ip 192.0.2.1", "domain evil.example", hash]);
    let first = &feed.entries[0];
    assert_eq!((first.id.as_str(), first.words.as_str()), ("u1", "campaign: c2"));
    assert_eq!(first.seen, Some(Millis(1_795_235_400_000)));
    assert_eq!(feed.unmatched.count, 3);
}

#[test]
fn a_misp_manifest_names_files_and_never_a_path() {
    let uuid = "01234567-89ab-cdef-0123-456789abcdef";
    let feed = parse(&format!(r#"{{"{uuid}":{{"info":"x"}}}}"#));
    assert_eq!((feed.format, feed.files), (Format::MispManifest, vec![format!("{uuid}.json")]));
    let path = Feed::parse(&name(), br#"{"../../../../etc/passwd":{}}"#);
    assert!(matches!(path, Err(FeedError::UnknownJson { .. })));
}

#[test]
fn what_is_no_feed_is_an_error_with_advice() {
    let cases = [
        ("{", "feed `feed` is not JSON: fetch it again"),
        ("[]", "feed `feed` is JSON, but no STIX bundle, MISP event or MISP manifest: convert it"),
        (
            "<html>\n<body>Not found</body>",
            "feed `feed` has 2 lines and none lists an indicator: check what was saved",
        ),
    ];
    for (text, want) in cases {
        assert_eq!(Feed::parse(&name(), text.as_bytes()).unwrap_err().to_string(), want);
    }
    assert_eq!(parse("# nothing today\n").entries, []);
}

#[test]
fn one_entry_too_many_is_refused() {
    let mut text = "192.0.2.1\n".repeat(Feed::ENTRIES_MAX);
    assert_eq!(parse(&text).entries.len(), Feed::ENTRIES_MAX);
    text.push_str("192.0.2.1\n");
    let error = Feed::parse(&name(), text.as_bytes()).unwrap_err();
    assert!(matches!(error, FeedError::TooMany { .. }));
}

#[test]
fn hidden_characters_in_the_texts_of_a_feed_are_shown() {
    let feed = parse("evil.example # safe\u{202e}elif\n");
    assert_eq!(feed.entries[0].words, "safe\u{fffd}elif");
}

/// Pieces that lead parsers deep before they go wrong.
fn any_pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "{\"type\":\"bundle\",\"objects\":[",
        "{\"type\":\"indicator\",\"pattern\":\"",
        "[",
        "]",
        "ipv4-addr:value = '1.2.3.4'",
        " OR ",
        " AND ",
        "'",
        "\\",
        "\"}",
        "]}",
        "{\"Event\":",
        "}",
        "url,id\n",
        "# url,id\n",
        "\"",
        ",",
        "\n",
        "evil.example",
        "1.2.3.4/8",
        "#",
        ";",
        "%",
        "é",
    ];
    vec(prop::sample::select(pieces.to_vec()), 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_survived(bytes: Vec<u8>) {
        let _ = Feed::parse(&name(), &bytes);
    }

    #[test]
    fn broken_feeds_are_survived_and_every_line_is_listed_or_counted(text in any_pieces()) {
        if let Ok(feed) = Feed::parse(&name(), text.as_bytes()) {
            prop_assert!(feed.unmatched.examples.len() <= Unmatched::EXAMPLES_MAX);
            prop_assert!(feed.unmatched.count >= feed.unmatched.examples.len() as u64);
        }
    }

    #[test]
    fn every_line_of_a_list_is_listed_or_counted(lines in vec("[a-z0-9./]{1,12}", 1..30)) {
        prop_assume!(lines.iter().all(|line| !matches!(line.as_str(), "0.0.0.0" | "127.0.0.1")));
        if let Ok(feed) = Feed::parse(&name(), lines.join("\n").as_bytes()) {
            let all = feed.entries.len() as u64 + feed.unmatched.count;
            prop_assert_eq!(all, lines.len() as u64);
        }
    }
}
