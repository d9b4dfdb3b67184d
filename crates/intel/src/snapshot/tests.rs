use core::net::IpAddr;

use pathwarden_types::{Millis, Name, Ratio};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{DAY_MS, Snapshot};
use crate::feed::{Entry, Feed};
use crate::indicator::{Indicator, Network, Pattern};

const NOW: Millis = Millis(1_000 * DAY_MS);

fn feed(name: &str, text: &str) -> Feed {
    let name: Name = name.parse().unwrap();
    Feed::parse(&name, text.as_bytes()).unwrap()
}

fn snapshot(text: &str) -> Snapshot {
    Snapshot::build(vec![feed("list", text)]).unwrap()
}

fn listed(snapshot: &Snapshot, indicator: Indicator<'_>) -> String {
    snapshot.look_up(indicator, NOW).map_or("-".to_owned(), |hit| hit.listed)
}

#[test]
fn a_domain_lists_what_is_below_it_and_not_what_ends_like_it() {
    let snapshot = snapshot("evil.example\nbücher.example\n192.0.2.0/24\n2001:db8::/32\n");
    let cases = [
        ("evil.example", "evil.example"),
        ("A.B.Evil.Example.", "evil.example"),
        ("ev\u{ad}il。example", "evil.example"),
        ("notevil.example", "-"),
        ("evil.example.good.example", "-"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("example", "-"),
        ("0xc0.0.2.7", "192.0.2.0/24"),
        ("[2001:db8::7]", "2001:db8::/32"),
        ("", "-"),
    ];
    for (text, want) in cases {
        assert_eq!(listed(&snapshot, Indicator::Domain(text)), want, "{text}");
    }
}

#[test]
fn a_url_is_listed_by_itself_or_by_its_host() {
    let snapshot = snapshot("http://files.example/bad?id=1\nevil.example\n192.0.2.1\n");
    let cases = [
        ("https://Files.Example:443/x/../bad?id=1#a", "files.example/bad?id=1"),
        ("http://files.example/good", "-"),
        ("http://user@www.evil.example:8080/", "evil.example"),
        ("http://evil.example@good.example/", "-"),
        ("http://3221225985/x", "192.0.2.1"),
        ("http://[::ffff:192.0.2.1]/", "192.0.2.1"),
        ("no url", "-"),
    ];
    for (text, want) in cases {
        assert_eq!(listed(&snapshot, Indicator::Url(text)), want, "{text}");
    }
}

#[test]
fn a_hash_is_listed_in_any_case() {
    let hash = "ABCDEF0123456789ABCDEF0123456789";
    let snapshot = snapshot(&hash.to_ascii_lowercase());
    assert_ne!(listed(&snapshot, Indicator::Hash(hash)), "-");
    assert_eq!(listed(&snapshot, Indicator::Hash("abc")), "-");
}

#[test]
fn of_equally_sure_networks_the_longest_prefix_is_named() {
    let snapshot = snapshot("192.0.0.0/16\n192.0.2.0/24\n192.0.2.0/25\n");
    let at = |text: &str| listed(&snapshot, Indicator::Ip(text.parse().unwrap()));
    assert_eq!(at("192.0.2.1"), "192.0.2.0/25");
    assert_eq!(at("192.0.2.200"), "192.0.2.0/24");
    assert_eq!(at("192.0.3.1"), "192.0.0.0/16");
    assert_eq!(at("192.1.0.1"), "-");
    assert_eq!(at("::ffff:192.0.2.1"), "192.0.2.0/25");
}

fn entry(pattern: &str, confidence: u16, seen_days_ago: u64) -> Entry {
    Entry {
        pattern: Pattern::parse(pattern).unwrap(),
        id: "id".to_owned(),
        confidence: Ratio::of(confidence),
        seen: Some(Millis(NOW.0 - seen_days_ago * DAY_MS)),
        expires: None,
        words: "phishing".to_owned(),
    }
}

fn of(entries: Vec<Entry>) -> Snapshot {
    Snapshot::build(vec![Feed { entries, ..feed("feed", "") }]).unwrap()
}

#[test]
fn a_listing_ages_by_half_lives_and_ends_when_it_expires() {
    let confidence = |entry: Entry| {
        let text = entry.pattern.to_string();
        let hit = of(vec![entry]).look_up(
            if text.contains("evil") { Indicator::Domain(&text) } else { Indicator::Hash(&text) },
            NOW,
        );
        hit.map_or(0, |hit| hit.confidence.steps())
    };
    let cases = [(0, 8_000), (45, 6_000), (90, 4_000), (180, 2_000), (900, 7)];
    for (days, want) in cases {
        assert_eq!(confidence(entry("evil.example", 8_000, days)), want, "{days} days");
    }
    assert_eq!(confidence(entry(&"a".repeat(64), 8_000, 900)), 8_000);
    let expiring = |at| Entry { expires: Some(at), ..entry("evil.example", 8_000, 0) };
    assert_eq!(confidence(expiring(NOW.plus(1))), 8_000);
    assert_eq!(confidence(expiring(NOW)), 0);
}

#[test]
fn a_narrow_doubt_does_not_hide_a_wide_certainty() {
    let snapshot = of(vec![entry("www.evil.example", 1_000, 0), entry("evil.example", 9_000, 0)]);
    let hit = snapshot.look_up(Indicator::Domain("www.evil.example"), NOW).unwrap();
    assert_eq!((hit.listed.as_str(), hit.confidence), ("evil.example", Ratio::of(9_000)));
    let words = "domain `evil.example` is listed by `feed` as `phishing`, last seen 0 days ago";
    assert_eq!(hit.words, words);
    assert_eq!((hit.feed.as_str(), hit.id.as_str()), ("feed", "id"));
}

#[test]
fn the_id_is_of_the_content_and_of_no_order() {
    let (one, two) = (feed("one", "a.example\nb.example"), feed("two", "c.example"));
    let mut turned = one.clone();
    turned.entries.reverse();
    let build = |feeds: Vec<Feed>| Snapshot::build(feeds).unwrap();
    assert_eq!(build(vec![one.clone(), two.clone()]), build(vec![two.clone(), turned]));
    let fewer = build(vec![one.clone()]).id();
    assert_eq!(build(vec![feed("one", "b.example\na.example\nb.example")]).id(), fewer);
    assert_ne!(build(vec![one, two]).id(), fewer);
    let renamed = build(vec![feed("eno", "a.example\nb.example")]).id();
    assert_ne!(renamed, fewer);
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let network = (any::<[u8; 4]>(), 8_u8..=32)
        .prop_map(|([a, b, c, d], bits)| format!("{}.{}.{c}.{d}/{bits}", a % 2 + 1, b % 2));
    let domain =
        prop::sample::select(vec!["a.b", "c.a.b", "d.c.a.b", "b.a"]).prop_map(str::to_owned);
    (prop_oneof![network, domain], 1_u16..=10_000, 0_u64..200)
        .prop_map(|(pattern, confidence, days)| entry(&pattern, confidence, days))
}

proptest! {
    #[test]
    fn an_address_is_found_as_by_trying_every_entry(
        entries in vec(any_entry(), 0..30), address: [u8; 4],
    ) {
        let [a, b, c, d] = address;
        let address = IpAddr::from([a % 2 + 1, b % 2, c, d]);
        let matches = |entry: &&Entry| match &entry.pattern {
            Pattern::Network(network) => Network::of(address).widened(network.bits()) == *network,
            Pattern::Domain(_) | Pattern::Url(_) | Pattern::Hash(_) => false,
        };
        let confidences = entries.iter().filter(matches).map(|entry| entry.confidence_at(NOW));
        let want = confidences.max().filter(|best| *best > Ratio::ZERO);
        let hit = of(entries.clone()).look_up(Indicator::Ip(address), NOW);
        prop_assert_eq!(hit.map(|hit| hit.confidence), want);
    }

    #[test]
    fn one_more_listing_never_clears_anybody(
        entries in vec(any_entry(), 0..12), extra in any_entry(),
    ) {
        let look = |entries: Vec<Entry>| {
            of(entries).look_up(Indicator::Domain("x.d.c.a.b"), NOW).map(|hit| hit.confidence)
        };
        let mut more = entries.clone();
        more.push(extra);
        prop_assert!(look(more) >= look(entries));
    }

    #[test]
    fn any_text_is_looked_up(text: String) {
        let snapshot = snapshot("evil.example\n192.0.2.0/24\n");
        for indicator in [Indicator::Domain(&text), Indicator::Url(&text), Indicator::Hash(&text)] {
            prop_assert!(snapshot.look_up(indicator, NOW).is_none());
        }
    }
}
