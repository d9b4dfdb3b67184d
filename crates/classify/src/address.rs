//! Addresses that an action may reach.

use std::ops::Range;

use crate::{pattern, work};

/// Characters that end a sentence around a web address rather than belong to it.
const TRAILING: [char; 8] = ['.', ',', ';', ':', '!', '?', ')', ']'];

/// What some mailers read as the dot of a domain.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// Quotation and sentence marks beyond ASCII that may stand around an address.
const MARKS: &str = "“”„‟‘’‚‛«»‹›「」『』〈〉《》【】〔〕（）［］，、；：！？…";

/// The e-mail addresses in `text`, in lower case, in order, repeated ones too. What is a piece of
/// something longer that a mailer may read as another address is none.
pub fn emails(text: &str) -> impl Iterator<Item = String> + '_ {
    mentions(text).filter_map(|range| {
        let before = text.get(..range.start).unwrap_or_default();
        let after = text.get(range.end..).unwrap_or_default();
        let found = text.get(range)?;
        (!continues_before(before) && !continues_after(after)).then(|| found.to_ascii_lowercase())
    })
}

/// The web addresses in `text`, in order, repeated ones too, spelled so that equal ones compare
/// equal (RFC 3986, 6.2): scheme and host in lower case, without the port that the scheme implies,
/// without a fragment, and without the `/` of an empty path. User information stays: it is part of
/// what is sent.
pub fn urls(text: &str) -> impl Iterator<Item = String> + '_ {
    pattern::urls(text).map(normalised)
}

/// The address that `text` is, in lower case, when it is exactly one plain ASCII address and
/// nothing else: no quotes, no comment, no display name, no space.
#[must_use]
pub fn address(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b"._%+'-".contains(&byte);
    let local_holds = local.bytes().all(is_local) && local.split('.').all(|part| !part.is_empty());
    let (_, top) = domain.rsplit_once('.')?;
    let top_holds = top.len() >= 2 && top.starts_with(|first: char| first.is_ascii_alphabetic());
    let holds = local_holds && top_holds && domain.split('.').all(is_label);
    holds.then(|| text.to_ascii_lowercase())
}

fn is_label(label: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let has_edge = label.starts_with('-') || label.ends_with('-');
    !label.is_empty() && !has_edge && label.bytes().all(is_part)
}

/// Whatever looks like an e-mail address, also as a piece of something longer: it is taken out all
/// the same. Each byte belongs to at most one local part and one domain, so it is read twice.
pub(crate) fn mentions(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut edge = 0;
    text.match_indices('@').filter_map(move |(at, _)| {
        let local = text.get(edge..at)?;
        work::looks_at(local.len());
        edge = at + 1;
        let symbols = local.trim_end_matches(is_local_part).len();
        let local = local.get(symbols..)?.trim_start_matches(|first| !is_local_start(first));
        let domain = text.get(edge..).map_or(0, domain_length);
        if local.is_empty() || domain == 0 {
            return None;
        }
        let range = at - local.len()..at + 1 + domain;
        edge = range.end;
        Some(range)
    })
}

fn is_local_start(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn is_local_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(character)
}

/// How long the longest domain is that `text` begins with; 0 when there is none.
fn domain_length(text: &str) -> usize {
    let is_end = |other: char| !other.is_ascii_alphanumeric() && other != '-' && other != '.';
    // To look for a dot beyond the end would read the rest of the text for each `@`.
    let text = text.split(is_end).next().unwrap_or_default();
    work::looks_at(text.len());
    let (mut length, mut at) = (0, 0);
    for label in text.split('.').take_while(|label| !label.is_empty()) {
        let top = label.trim_end_matches('-');
        if at > 0 && top.len() >= 2 && top.starts_with(|first: char| first.is_ascii_alphabetic()) {
            length = at + top.len();
        }
        at += label.len() + 1;
    }
    length
}

fn is_mark(character: char) -> bool {
    character.is_ascii() || character.is_whitespace() || MARKS.contains(character)
}

/// Whether what ends here goes on in an address that follows.
fn continues_before(before: &str) -> bool {
    let joins = |last: char| last.is_alphanumeric() || last == '@' || !is_mark(last);
    // A sign that no address begins with is left out of one, yet may join it to what is before it.
    before.ends_with(joins)
        || before.trim_end_matches(is_local_part).ends_with(|last: char| !is_mark(last))
}

/// Whether an address goes on in what follows it.
fn continues_after(after: &str) -> bool {
    let joins =
        |next: char| next.is_alphanumeric() || matches!(next, '@' | '_' | '-') || !is_mark(next);
    if after.starts_with(DOTS) {
        // At the end of a sentence no letter follows the dot.
        return after.trim_start_matches(DOTS).starts_with(joins);
    }
    // A quoted local part ends in `"@`.
    let closing = |next: char| matches!(next, '"' | '\'' | '>' | ')' | ']') || MARKS.contains(next);
    after.starts_with(joins) || after.trim_start_matches(closing).starts_with('@')
}

fn normalised(url: &str) -> String {
    let url = url.split_once('#').map_or(url, |(before, _)| before).trim_end_matches(TRAILING);
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let scheme = scheme.to_ascii_lowercase();
    let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(path_at).unwrap_or((rest, ""));
    let host_at = authority.rfind('@').map_or(0, |at| at + 1);
    let (user, host) = authority.split_at_checked(host_at).unwrap_or(("", authority));
    let host = without_port(&scheme, host).to_lowercase();
    let path = if path == "/" && !host.is_empty() { "" } else { path };
    format!("{scheme}://{user}{host}{path}")
}

/// `host` without a port that is empty or the one that the scheme implies.
fn without_port<'h>(scheme: &str, host: &'h str) -> &'h str {
    let Some((name, port)) = host.rsplit_once(':') else { return host };
    let implied = match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "ftp" => Some(21),
        "ftps" => Some(990),
        _ => None,
    };
    let is_implied =
        port.is_empty() || implied.is_some_and(|implied| port.parse() == Ok::<u16, _>(implied));
    if is_implied { name } else { host }
}

#[cfg(test)]
mod tests;
