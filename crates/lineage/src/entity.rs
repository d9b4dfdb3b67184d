//! Things with more than one spelling, in one spelling: numbers, dates, hosts, grouped numbers.

use std::ops::Range;

use crate::hash::{Domain, hash};

/// The longest chunk that is looked at, in bytes.
const CHUNK_BYTES_MAX: usize = 256;

/// Shows the hash of every other spelling of a chunk that stands at byte `at`: text without white
/// space, trimmed.
fn each_spelling(chunk: &str, at: usize, mut show: impl FnMut(u64, Range<usize>)) {
    if chunk.len() > CHUNK_BYTES_MAX {
        return;
    }
    let all = at..at + chunk.len();
    let digits = chunk.bytes().filter(u8::is_ascii_digit).count();
    if digits > 0 {
        if let Some(number) = number(chunk) {
            show(hash(Domain::Number, number.as_bytes()), all.clone());
        }
        if digits >= 6
            && let Some((date, time)) = date(chunk)
        {
            let day = chunk.find(['T', 't', ' ']).unwrap_or(chunk.len());
            show(hash(Domain::Date, date.as_bytes()), at..at + day);
            if let Some(time) = time {
                show(hash(Domain::Date, format!("{date} {time}").as_bytes()), all.clone());
            }
        }
        if digits >= 8 {
            show(compact(chunk), all);
        }
    }
    // Only a host has a point in it, and most chunks have none.
    if chunk.contains('.')
        && let Some(host) = host(chunk)
    {
        let start = at + chunk.find(host).unwrap_or(0);
        let hash = hash(Domain::Host, host.to_ascii_lowercase().as_bytes());
        show(hash, start..start + host.len());
    }
}

/// Shows the hash of every other spelling of everything in a text, with its bytes. Pieces of a
/// number in groups, and a date and its time, stand beside each other.
pub(crate) fn each_entity(text: &str, mut show: impl FnMut(u64, Range<usize>)) {
    let mut group: Option<Range<usize>> = None;
    let mut before: Option<Range<usize>> = None;
    let mut at = 0;
    for raw in text.split_inclusive(char::is_whitespace) {
        let after = raw.trim_start_matches(is_around);
        let chunk = after.trim_end_matches(is_around);
        let start = at + raw.len() - after.len();
        let own = start..start + chunk.len();
        at += raw.len();
        if chunk.is_empty() {
            continue;
        }
        each_spelling(chunk, start, &mut show);
        if chunk.contains(JOINTS) {
            let mut from = start;
            for part in chunk.split(JOINTS) {
                each_spelling(part, from, &mut show);
                from += part.len() + 1;
            }
        }
        if chunk.contains(':') {
            let both = before.take().map(|date| date.start..own.end);
            let joined = both.clone().and_then(|both| text.get(both)).unwrap_or_default();
            if let (Some(both), Some((_, Some(_)))) = (both, date(joined)) {
                each_spelling(joined, both.start, &mut show);
            }
        }
        let is_piece = chunk.len() <= 6 && chunk.bytes().all(|b| b.is_ascii_alphanumeric());
        if is_piece && chunk.bytes().any(|byte| byte.is_ascii_digit()) {
            let whole = group.take().map_or(own.start, |group| group.start)..own.end;
            group = Some(whole);
        } else if let Some(group) = group.take() {
            show_group(text, group, &mut show);
        }
        before = Some(own);
    }
    if let Some(group) = group {
        show_group(text, group, &mut show);
    }
}

fn show_group(text: &str, group: Range<usize>, show: &mut impl FnMut(u64, Range<usize>)) {
    let joined = text.get(group.clone()).unwrap_or_default();
    let digits = joined.bytes().filter(u8::is_ascii_digit).count();
    if joined.contains(char::is_whitespace) && digits >= 8 && joined.len() <= 64 {
        show(compact(joined), group);
    }
}

/// The hash of a number without what groups its digits.
fn compact(text: &str) -> u64 {
    let plain: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    hash(Domain::Compact, plain.as_bytes())
}

/// What joins the parts of a query or a list: one byte each.
const JOINTS: [char; 5] = ['=', '&', ',', ';', '|'];

/// Whether a character is white space or punctuation of a sentence around a chunk.
fn is_around(character: char) -> bool {
    match character {
        '"' | '\'' | '`' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | ':'
        | '!' | '?' | '.' | '*' | '|' | '“' | '”' => true,
        _ => character.is_whitespace(),
    }
}

/// `1200` for `1200`, `1200.0`, `1,200.00` and `$1,200`.
pub(crate) fn number(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches(['$', '€', '£', '+']);
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |text| ("-", text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = groups.all(|group| group.len() == 3 && digits(group));
    if first.is_empty() || !digits(first) || !is_grouped || !digits(fraction) {
        return None;
    }
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    })
}

/// `2026-05-01`, and `10:30` if there is a time, of ISO 8601 and of `2026/05/01`.
fn date(text: &str) -> Option<(String, Option<String>)> {
    let (day, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)),
        None => (text, None),
    };
    let mut parts = day.split(['-', '/', '.']);
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    let in_range = |text: &str, most: u32| {
        text.len() <= 2 && text.parse::<u32>().is_ok_and(|value| (1..=most).contains(&value))
    };
    let is_date = parts.next().is_none()
        && year.len() == 4
        && year.bytes().all(|byte| byte.is_ascii_digit())
        && in_range(month, 12)
        && in_range(date, 31);
    let clock = time.and_then(|time| time.get(..5)).filter(|clock| clock.get(2..3) == Some(":"));
    is_date.then(|| (format!("{year}-{month:0>2}-{date:0>2}"), clock.map(str::to_owned)))
}

/// The host of a URL, the domain of an address, or a bare host.
fn host(text: &str) -> Option<&str> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#', '\\']).next()?;
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = rest.split_once(':').map_or(rest, |(host, _)| host).trim_end_matches('.');
    let (name, top) = host.rsplit_once('.')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_host = !name.is_empty()
        && host.chars().all(plain)
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_host.then_some(host)
}

/// Whether a folded word is one that nobody writes by chance: an id, a key, a long number.
pub(crate) fn is_token(letters: &str) -> bool {
    let digits = letters.bytes().filter(u8::is_ascii_digit).count();
    (8..=128).contains(&letters.len())
        && letters.is_ascii()
        && digits >= 2
        && (digits < letters.len() || digits >= 10)
}

/// Characters in one part of a token.
pub(crate) const PART: usize = 5;

/// Shows the hash of every part of a token.
pub(crate) fn each_part(letters: &str, mut show: impl FnMut(u64)) {
    for part in letters.as_bytes().windows(PART) {
        show(hash(Domain::Part, part));
    }
}
