//! Everything that is looked for in one piece of text.

use std::{ops::Range, sync::LazyLock};

use pathwarden_decode::fold::fold;
use regex::bytes::Regex;

use crate::{
    Class, Piece, address,
    number::{self, EndOf},
    pack,
    rule::{self, Set},
};

/// Numbers that say by themselves that they are one.
const NUMBERS: [(&str, Class, EndOf); 2] = [
    ("iban", Class::Iban, number::iban_end),
    ("payment-card", Class::PaymentCard, number::card_end),
];

/// `None` only if it is wrong, which a test excludes.
static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    rule::compile(r#"(?i)\b(?<v>(?:https?|wss?|ftps?|file)://[^\x00-\x20\x7f"'<>`{}|\\^]+)"#).ok()
});

/// Adds every piece of the classes in `text`, which starts at byte `offset` of the whole.
pub(crate) fn scan(text: &str, offset: usize, classes: &[Class], pieces: &mut Vec<Piece>) {
    scan_sets(text, pack::pack().as_slice(), classes, |_, class, range| {
        pieces.push(Piece { class, start: offset + range.start, end: offset + range.end });
    });
}

/// Calls `add` with the rule, class and place of everything of the classes in `text`.
pub(crate) fn scan_sets(
    text: &str,
    sets: &[&Set],
    classes: &[Class],
    mut add: impl FnMut(&str, Class, Range<usize>),
) {
    if classes.contains(&Class::Email) {
        address::mentions(text).for_each(|range| add("email", Class::Email, range));
    }
    if classes.iter().all(|class| *class == Class::Email) {
        return;
    }
    let folded = fold(text);
    // What is folded may end before the character does that it was.
    let whole = |range: Range<usize>| range.start..crate::boundary(text, range.end);
    for (id, class, end_of) in NUMBERS {
        if classes.contains(&class) {
            number::ranges(&folded, end_of).for_each(|range| add(id, class, whole(range)));
        }
    }
    for set in sets {
        let is_wanted = |class| classes.contains(&class);
        set.scan(&folded, is_wanted, |rule, range| add(&rule.id, rule.class, whole(range)));
    }
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
    #[test]
    fn the_expression_for_web_addresses_compiles() {
        assert!(super::URL.is_some());
    }
}
