//! What each class looks like. All patterns work on bytes and know ASCII only: Unicode tables would
//! cost memory and time, and none of these values has other characters.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::{Class, Finding, check};

/// A pattern, the class of what its group `v` matches, and what more must hold of that.
struct Pattern {
    class: Class,
    regex: LazyLock<Option<Regex>>,
    holds: fn(&str) -> bool,
}

macro_rules! pattern {
    ($class:ident, $holds:expr, $text:literal) => {
        Pattern { class: Class::$class, regex: LazyLock::new(|| compile($text)), holds: $holds }
    };
}

/// `None` only if a pattern below is wrong, which a test excludes.
fn compile(text: &str) -> Option<Regex> {
    Regex::new(&format!("(?-u){text}")).ok()
}

static PATTERNS: [Pattern; 12] = [
    pattern!(Secret, any, r"\b(?<v>(?:AKIA|ASIA)[0-9A-Z]{16})\b"),
    pattern!(
        Secret,
        any,
        r"\b(?<v>gh[pousr]_[0-9A-Za-z]{36}[0-9A-Za-z]*|github_pat_[0-9A-Za-z_]{60}[0-9A-Za-z_]*)"
    ),
    pattern!(
        Secret,
        any,
        r"\b(?<v>[sr]k_(?:live|test)_[0-9A-Za-z]{16}[0-9A-Za-z]*|whsec_[0-9A-Za-z+/=]{24}[0-9A-Za-z+/=]*)"
    ),
    pattern!(
        Secret,
        any,
        r"\b(?<v>(?:sk-|glpat-)[0-9A-Za-z_-]{20}[0-9A-Za-z_-]*|xox[abeoprs]-[0-9A-Za-z-]{10}[0-9A-Za-z-]*|AIza[0-9A-Za-z_-]{35}|npm_[0-9A-Za-z]{36})"
    ),
    pattern!(
        Secret,
        any,
        r"\b(?<v>eyJ[0-9A-Za-z_-]{10}[0-9A-Za-z_-]*\.eyJ[0-9A-Za-z_-]{10}[0-9A-Za-z_-]*\.[0-9A-Za-z_-]+)"
    ),
    pattern!(Secret, any, r"(?<v>-----BEGIN (?:[A-Z]{2,9} ){0,2}PRIVATE KEY-----)"),
    pattern!(Iban, check::iban, r"\b(?<v>[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]){11,30})"),
    pattern!(PaymentCard, check::card, r"\b(?<v>[2-6][0-9]{3}(?:[ -]?[0-9]){8,15})\b"),
    pattern!(
        RoutingNumber,
        check::routing,
        r"(?i)\b(?:aba|routing|rtn|transit)\b[^0-9\r\n]{0,32}\b(?<v>[0-9]{9})\b"
    ),
    pattern!(
        TaxId,
        check::us_tax,
        r"(?i)\b(?:ein|ssn|itin|tin|tax|employer|social security|federal id|w-?9)\b[^0-9\r\n]{0,40}\b(?<v>[0-9]{2}-?[0-9]{7}|[0-9]{3}[- ][0-9]{2}[- ][0-9]{4})\b"
    ),
    pattern!(
        TaxId,
        check::vat,
        r"(?i)\b(?:vat|ust-?id(?:-?nr)?|tva|iva|btw|tax)\b[^0-9\r\n]{0,32}?\b(?<v>(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)[ ]?[0-9A-Z]{8,12})\b"
    ),
    pattern!(
        BankAccount,
        check::account,
        r"(?i)\b(?:account|acct|a/c|konto)\b(?:\W{0,3}\b(?:no|nr|num|number|nummer|id)\b)?[^0-9A-Za-z\r\n]{0,8}(?:is[ ]{1,3})?\b(?<v>[0-9](?:[ -]?[0-9]){5,16})\b"
    ),
];

static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(
        r"(?<v>[0-9A-Za-z_][0-9A-Za-z.!#$%&'*+/=?^_`{|}~-]*@(?:[0-9A-Za-z-]+\.)+[A-Za-z][0-9A-Za-z-]*[0-9A-Za-z])",
    )
});

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(r#"(?i)\b(?<v>(?:https?|wss?|ftps?|file)://[^\x00-\x20\x7f"'<>`{}|\\^]+)"#)
});

fn any(_: &str) -> bool {
    true
}

/// Adds every finding in `text`, which starts at byte `offset` of the whole.
pub(crate) fn scan(text: &str, offset: usize, findings: &mut Vec<Finding>) {
    for pattern in &PATTERNS {
        scan_one(pattern, text, offset, findings);
    }
    for (start, found) in email_matches(text) {
        let (start, end) = (offset + start, offset + start + found.len());
        findings.push(Finding { class: Class::Email, start, end });
    }
}

/// A match that turns out to be nothing must not hide a value that begins inside it, so the search
/// goes on right after its first byte.
fn scan_one(pattern: &Pattern, text: &str, offset: usize, findings: &mut Vec<Finding>) {
    let Some(regex) = pattern.regex.as_ref() else { return };
    let mut at = 0;
    while let Some(value) =
        regex.captures_at(text.as_bytes(), at).and_then(|captures| captures.name("v"))
    {
        let start = value.start();
        at = start + 1;
        let Some(found) = text.get(value.range()) else { continue };
        let Some(length) = kept(pattern, found) else { continue };
        let rest = text.get(start..).unwrap_or_default();
        let length = if found.ends_with("KEY-----") { key_length(rest) } else { length };
        at = start + length;
        findings.push(Finding { class: pattern.class, start: offset + start, end: offset + at });
    }
}

/// How many bytes of a match are the value, if any. An IBAN may be followed by a word that looks
/// like more of it: the longest beginning that holds counts.
fn kept(pattern: &Pattern, found: &str) -> Option<usize> {
    if (pattern.holds)(found) {
        return Some(found.len());
    }
    if !matches!(pattern.class, Class::Iban | Class::PaymentCard) {
        return None;
    }
    (1..found.len()).rev().find(|length| found.get(..*length).is_some_and(pattern.holds))
}

/// How long the private key is that `text` starts with: to the end of its last line, or, when that
/// is missing, to the end of the text.
fn key_length(text: &str) -> usize {
    const LAST: &str = "PRIVATE KEY-----";
    let end = text.find("-----END").and_then(|end| {
        let last = text.get(end..)?.find(LAST)?;
        Some(end + last + LAST.len())
    });
    end.unwrap_or(text.len())
}

/// The e-mail addresses in `text`, each with its first byte.
pub(crate) fn email_matches(text: &str) -> impl Iterator<Item = (usize, &str)> {
    matches(&EMAIL, text)
}

/// The web addresses in `text`, each with its first byte.
pub(crate) fn url_matches(text: &str) -> impl Iterator<Item = (usize, &str)> {
    matches(&URL, text)
}

/// What the group `v` matched. It begins and ends at characters, because no pattern can match a
/// part of one.
fn matches<'t>(
    regex: &'static LazyLock<Option<Regex>>,
    text: &'t str,
) -> impl Iterator<Item = (usize, &'t str)> {
    let bytes = text.as_bytes();
    let all = regex.as_ref().into_iter().flat_map(move |regex| regex.captures_iter(bytes));
    all.filter_map(move |captures| {
        let value = captures.name("v")?;
        Some((value.start(), text.get(value.range())?))
    })
}

#[cfg(test)]
mod tests {
    use super::{EMAIL, PATTERNS, URL};

    #[test]
    fn every_pattern_compiles_and_names_its_value() {
        let patterns = PATTERNS.iter().map(|pattern| &pattern.regex).chain([&EMAIL, &URL]);
        for regex in patterns {
            let names = regex.as_ref().map(|regex| regex.capture_names().flatten().count());
            assert_eq!(names, Some(1));
        }
    }
}
