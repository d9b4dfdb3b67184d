//! STIX 2.1 bundles (OASIS, 2021): indicators whose pattern compares for equality.
//!
//! Of the pattern language only `[path = 'text']` and `OR` are read, with the paths of addresses,
//! domains, URLs and file hashes. Each alternative of an `OR` is enough by itself, so that one that
//! cannot be matched is counted and the others are used. Anything else makes the whole pattern
//! unmatched: to read a part of an `AND` would list what is harmless alone.

use pathwarden_types::{Millis, Ratio};
use serde_json::Value;

use super::{Entry, Feed, percent};
use crate::indicator::Pattern;
use crate::time;

/// The confidence of an indicator that does not say one.
const CONFIDENCE: Ratio = Ratio::of(5_000);
/// The alternatives of one pattern that are read.
const ALTERNATIVES_MAX: usize = 1_024;

/// Reads the indicators of a bundle; other objects only describe them.
pub(super) fn read(bundle: &Value, feed: &mut Feed) {
    let objects = bundle.get("objects").and_then(Value::as_array);
    for object in objects.into_iter().flatten() {
        if text(object, "type") == "indicator" {
            indicator(object, feed);
        }
    }
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn indicator(object: &Value, feed: &mut Feed) {
    let pattern = text(object, "pattern");
    if object.get("revoked").and_then(Value::as_bool) == Some(true) {
        return feed.unmatched.add(pattern, "revoked");
    }
    let language = text(object, "pattern_type");
    if !matches!(language, "" | "stix") {
        return feed.unmatched.add(pattern, "the pattern is not in the language of STIX");
    }
    let Some(alternatives) = alternatives(pattern) else {
        return feed.unmatched.add(pattern, "more than equality joined by OR");
    };
    let at = |key: &str| -> Option<Millis> { time::parse(text(object, key)) };
    for (path, value) in alternatives {
        match listed(&path, &value) {
            Some(pattern) => feed.add(Entry {
                pattern,
                id: text(object, "id").to_owned(),
                confidence: object
                    .get("confidence")
                    .and_then(Value::as_u64)
                    .map_or(CONFIDENCE, percent),
                seen: at("modified").max(at("valid_from")),
                expires: at("valid_until"),
                words: text(object, "name").to_owned(),
            }),
            None => feed.unmatched.add(&format!("{path} = '{value}'"), "cannot be matched"),
        }
    }
}

/// What one comparison lists.
fn listed(path: &str, value: &str) -> Option<Pattern> {
    match path {
        "ipv4-addr:value" | "ipv6-addr:value" => Pattern::network(value),
        "domain-name:value" => Pattern::domain(value),
        "url:value" => Pattern::url(value),
        _ => {
            let algorithm = path.strip_prefix("file:hashes.")?;
            let known = ["md5", "sha-1", "sha1", "sha-256", "sha256", "sha-512", "sha512"];
            let is_known = known.contains(&algorithm.to_ascii_lowercase().as_str());
            is_known.then(|| Pattern::hash(value)).flatten()
        }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Token {
    Open,
    Close,
    Equals,
    Or,
    Path(String),
    Text(String),
}

/// Paths and values of a pattern that is nothing but equalities joined by `OR`.
fn alternatives(pattern: &str) -> Option<Vec<(String, String)>> {
    let tokens = tokens(pattern)?;
    let mut tokens = tokens.into_iter().peekable();
    let mut found = Vec::new();
    loop {
        if tokens.next()? != Token::Open {
            return None;
        }
        loop {
            let (Some(Token::Path(path)), Some(Token::Equals), Some(Token::Text(value))) =
                (tokens.next(), tokens.next(), tokens.next())
            else {
                return None;
            };
            if found.len() >= ALTERNATIVES_MAX {
                return None;
            }
            found.push((path, value));
            match tokens.next()? {
                Token::Or => {}
                Token::Close => break,
                _ => return None,
            }
        }
        match tokens.next() {
            None => return Some(found),
            Some(Token::Or) => {}
            Some(_) => return None,
        }
    }
}

/// `None` at the first thing that is more than equality and `OR`.
fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '[' => tokens.push(Token::Open),
            ']' => tokens.push(Token::Close),
            '=' => tokens.push(Token::Equals),
            '\'' => tokens.push(Token::Text(literal(&mut chars)?)),
            c if c.is_ascii_alphabetic() => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| is_path(*c) || *c == '\'') {
                    // A key in quotes: file:hashes.'SHA-256'.
                    if c == '\'' { word.push_str(&literal(&mut chars)?) } else { word.push(c) }
                }
                tokens.push(if word == "OR" { Token::Or } else { Token::Path(word) });
            }
            _ => return None,
        }
    }
    Some(tokens)
}

fn is_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.')
}

/// The rest of a text in quotes; `\` takes the next character as it is.
fn literal(chars: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '\'' => return Some(text),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}
