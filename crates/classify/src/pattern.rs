//! What each class looks like. All patterns work on bytes and know ASCII only: Unicode tables would
//! cost memory and time, and none of these values has other characters.

use std::{ops::Range, sync::LazyLock};

use regex::bytes::Regex;

use crate::{
    Class, Finding, address, check,
    fold::fold,
    number::{self, EndOf},
    work,
};

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

static PATTERNS: [Pattern; 10] = [
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
    pattern!(
        RoutingNumber,
        check::routing,
        r"(?i)\b(?:aba|routing|rtn|transit)\b[^0-9\r\n]{0,32}\b(?<v>[0-9](?:\x00*[0-9]){8})\b"
    ),
    pattern!(
        TaxId,
        check::us_tax,
        r"(?i)\b(?:ein|ssn|itin|tin|tax|employer|social security|federal id|w-?9)\b[^0-9\r\n]{0,40}\b(?<v>[0-9]{2}-?\x00*[0-9]{7}|[0-9]{3}[- ]\x00*[0-9]{2}[- ]\x00*[0-9]{4})\b"
    ),
    pattern!(
        TaxId,
        check::vat,
        r"(?i)\b(?:vat|ust-?id(?:-?nr)?|tva|iva|btw|tax)\b[^0-9\r\n]{0,32}?\b(?<v>(?:AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)[ ]?\x00*[0-9A-Z]{8,12})\b"
    ),
    pattern!(
        BankAccount,
        check::account,
        r"(?i)\b(?:account|acct|a/c|konto)\b(?:\W{0,3}\b(?:no|nr|num|number|nummer|id)\b)?[^0-9A-Za-z\r\n]{0,8}(?:is[ ]{1,3})?\b(?<v>[0-9](?:[ -]?\x00*[0-9]){5,16})\b"
    ),
];

/// Numbers that say by themselves that they are one.
const NUMBERS: [(Class, EndOf); 2] =
    [(Class::Iban, number::iban_end), (Class::PaymentCard, number::card_end)];

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(r#"(?i)\b(?<v>(?:https?|wss?|ftps?|file)://[^\x00-\x20\x7f"'<>`{}|\\^]+)"#)
});

fn any(_: &str) -> bool {
    true
}

/// Adds every finding of the classes in `text`, which starts at byte `offset` of the whole.
pub(crate) fn scan(text: &str, offset: usize, classes: &[Class], findings: &mut Vec<Finding>) {
    let mut add = |class: Class, range: Range<usize>| {
        findings.push(Finding { class, start: offset + range.start, end: offset + range.end });
    };
    if classes.contains(&Class::Email) {
        address::mentions(text).for_each(|range| add(Class::Email, range));
    }
    if classes.iter().all(|class| *class == Class::Email) {
        return;
    }
    let folded = fold(text);
    // What is folded may end before the character does that it was.
    let whole = |range: Range<usize>| range.start..crate::boundary(text, range.end);
    for (class, end_of) in NUMBERS {
        if classes.contains(&class) {
            number::ranges(&folded, end_of).for_each(|range| add(class, whole(range)));
        }
    }
    for pattern in PATTERNS.iter().filter(|pattern| classes.contains(&pattern.class)) {
        scan_one(pattern, &folded, |range| add(pattern.class, whole(range)));
    }
}

/// Every range of a folded text that a pattern finds. A match that turns out to be nothing must not
/// hide a value that begins inside it, so the search goes on right after its first byte; what can
/// turn out to be nothing is short, so nothing is read more often than that.
fn scan_one(pattern: &Pattern, text: &str, mut add: impl FnMut(Range<usize>)) {
    let Some(regex) = pattern.regex.as_ref() else { return };
    let mut at = 0;
    // Most texts hold none, and to know that needs no memory for groups.
    while regex.is_match_at(text.as_bytes(), at)
        && let Some(value) =
            regex.captures_at(text.as_bytes(), at).and_then(|captures| captures.name("v"))
    {
        let start = value.start();
        work::looks_at(value.end() - at);
        at = start + 1;
        let Some(found) = text.get(value.range()).filter(|found| (pattern.holds)(found)) else {
            continue;
        };
        let rest = text.get(start..).unwrap_or_default();
        let is_key = found.ends_with("KEY-----");
        at = start + if is_key { key_length(rest) } else { found.len() };
        add(start..at);
    }
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

/// The web addresses in `text`.
pub(crate) fn urls(text: &str) -> impl Iterator<Item = &str> {
    // Without this nothing can match, and it is much faster to look for.
    let regex = if text.contains("://") { URL.as_ref() } else { None };
    let all = regex.into_iter().flat_map(|regex| regex.captures_iter(text.as_bytes()));
    // A match begins and ends at characters, because no pattern can match a part of one.
    all.filter_map(|captures| text.get(captures.name("v")?.range()))
}

#[cfg(test)]
mod tests {
    use super::{PATTERNS, URL};

    #[test]
    fn every_pattern_compiles_and_names_its_value() {
        let patterns = PATTERNS.iter().map(|pattern| &pattern.regex).chain([&URL]);
        for regex in patterns {
            let names = regex.as_ref().map(|regex| regex.capture_names().flatten().count());
            assert_eq!(names, Some(1));
        }
    }
}
