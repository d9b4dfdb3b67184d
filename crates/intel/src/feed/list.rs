//! Lists: one indicator per line, plain or in a JSON object.

use pathwarden_types::Ratio;
use serde_json::Value;

use super::{Entry, Feed, Format, readable};
use crate::indicator::Pattern;

/// What a list says without a word: the operator chose it.
const CONFIDENCE: Ratio = Ratio::of(8_000);

/// Reads lines. After `#` or `;` is a comment, which is the entry's id and words (Spamhaus DROP:
/// `192.0.2.0/24 ; SBL123`). A hosts file, `0.0.0.0 evil.example`, lists the names.
pub(super) fn read(text: &str, feed: &mut Feed) {
    for line in text.lines() {
        let (listed, comment) = split_comment(line);
        let mut fields = listed.split_whitespace();
        let Some(first) = fields.next() else { continue };
        let is_hosts_line = matches!(first, "0.0.0.0" | "127.0.0.1" | "::" | "::1");
        let names: Vec<_> = if is_hosts_line { fields.collect() } else { Vec::new() };
        let listed = if names.is_empty() { vec![listed.trim()] } else { names };
        for text in listed {
            match Pattern::parse(text) {
                Some(pattern) => feed.add(entry(pattern, comment)),
                None => feed.unmatched.add(text, "no domain, address, network, URL or hash"),
            }
        }
    }
}

fn entry(pattern: Pattern, comment: &str) -> Entry {
    let id = readable(comment.split_whitespace().next().unwrap_or_default(), Feed::TEXT_CHARS_MAX);
    let words = comment.to_owned();
    Entry { pattern, id, confidence: CONFIDENCE, seen: None, expires: None, words }
}

/// A comment begins a line or follows white space: `#` and `;` may stand in a URL.
fn split_comment(line: &str) -> (&str, &str) {
    let mut before_is_space = true;
    for (at, c) in line.char_indices() {
        if before_is_space && matches!(c, '#' | ';') {
            let (listed, comment) = line.split_at_checked(at).unwrap_or((line, ""));
            return (listed, comment.trim_start_matches(['#', ';']).trim());
        }
        before_is_space = c.is_whitespace();
    }
    (line, "")
}

/// Whether the first line is an object with a network, and so are the others.
pub(super) fn is_json_lines(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default();
    network(first).is_some()
}

fn network(line: &str) -> Option<(String, Value)> {
    let value: Value = serde_json::from_str(line).ok()?;
    let network = value.get("cidr")?.as_str()?.to_owned();
    Some((network, value))
}

/// Reads objects with `cidr` and `sblid`. The last line says when the list was made, and lists nothing.
pub(super) fn read_json_lines(text: &str, feed: &mut Feed) {
    feed.format = Format::JsonLines;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Some((listed, value)) = network(line) else {
            if !line.contains("\"type\":\"metadata\"") {
                feed.unmatched.add(line, "no `cidr`");
            }
            continue;
        };
        match Pattern::network(&listed) {
            Some(pattern) => {
                let id = value.get("sblid").and_then(Value::as_str).unwrap_or_default();
                feed.add(entry(pattern, id));
            }
            None => feed.unmatched.add(&listed, "no network"),
        }
    }
}
