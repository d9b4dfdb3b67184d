//! URLs in one spelling, so that the same place compares equal.

use core::net::Ipv6Addr;

use crate::indicator::{URL_BYTES_MAX, domain, ipv4};

/// What of a URL is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Parts {
    /// A domain, an IPv4 address, or an IPv6 address in brackets.
    pub(crate) host: String,
    port: Option<u16>,
    path: String,
}

impl Parts {
    /// The parts of a URL with an authority (RFC 3986); `None` when it has none. Read as lenient
    /// clients do (WHATWG URL): white space at the ends, tabs and line breaks anywhere, and `\` for
    /// `/`, hide nothing.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if text.len() > URL_BYTES_MAX {
            return None;
        }
        let clean = |c: &char| !matches!(c, '\t' | '\n' | '\r');
        let text: String = text.trim().chars().filter(clean).collect();
        let (scheme, rest) = text.split_once(':')?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let is_slash = |c| matches!(c, '/' | '\\');
        let rest = rest.strip_prefix(is_slash)?.strip_prefix(is_slash)?;
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (host, port) = authority_parts(authority)?;
        let port = port.filter(|port| Some(*port) != default_port(scheme));
        is_scheme.then(|| Self { host, port, path: path(rest) })
    }

    /// Everything but the scheme.
    pub(crate) fn key(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}{}", self.host, self.path),
            None => format!("{}{}", self.host, self.path),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "ftp" => Some(21),
        _ => None,
    }
}

/// Host and port; what stands before the last `@` is a user.
fn authority_parts(authority: &str) -> Option<(String, Option<u16>)> {
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        return Some((format!("[{address}]"), port_of(port)?));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => {
            (host, port.parse().ok().map(Some).or(port.is_empty().then_some(None))?)
        }
        None => (authority, None),
    };
    let host = String::from_utf8(unescaped(host)).ok()?;
    let host = match ipv4(&host) {
        Some(address) => address.to_string(),
        None => domain(&host)?,
    };
    Some((host, port))
}

fn port_of(text: &str) -> Option<Option<u16>> {
    match text.strip_prefix(':') {
        Some("") => Some(None),
        Some(port) => port.parse().ok().map(Some),
        None => text.is_empty().then_some(None),
    }
}

/// Path and query: `/` for none, `.` and `..` resolved, escapes of what needs none undone.
fn path(text: &str) -> String {
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let path = normal(&path.replace('\\', "/"));
    let mut segments: Vec<&str> = Vec::new();
    let mut is_folder = true;
    for segment in path.split('/').skip(1) {
        is_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let mut out = format!("/{}", segments.join("/"));
    if is_folder && !segments.is_empty() {
        out.push('/');
    }
    if let Some(query) = query {
        out.push('?');
        out.push_str(&normal(query));
    }
    out
}

/// Escapes in one spelling (RFC 3986, section 6.2.2): unreserved characters plain, everything else that
/// is escaped, or is not printable ASCII, in upper-case hex.
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, escaped, after)) = next(rest) {
        rest = after;
        let is_unreserved =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if is_unreserved || (!escaped && byte != b'%' && byte.is_ascii_graphic()) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, _, after)) = next(rest) {
        out.push(byte);
        rest = after;
    }
    out
}

/// The next byte, whether it was escaped, and what is after it.
fn next(text: &[u8]) -> Option<(u8, bool, &[u8])> {
    if let [b'%', high, low, after @ ..] = text {
        let digit =
            |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        if let (Some(high), Some(low)) = (digit(*high), digit(*low)) {
            return Some((high << 4 | low, true, after));
        }
    }
    text.split_first().map(|(byte, after)| (*byte, false, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Parts;

    fn key(text: &str) -> String {
        Parts::of(text).map_or("-".to_owned(), |parts| parts.key())
    }

    #[test]
    fn one_place_has_one_spelling() {
        let cases = [
            ("http://evil.example", "evil.example/"),
            ("HTTPS://user:pw@Evil.Example:443/", "evil.example/"),
            ("http://evil.example:8080/a", "evil.example:8080/a"),
            ("http://evil.example/%7ea/./b/../c%2f%2F?x=%41#frag", "evil.example/~a/c%2F%2F?x=A"),
            ("http:\\\\evil.example\\a", "evil.example/a"),
            (" ht\ttp://ev\nil.example/a b ", "evil.example/a%20b"),
            ("http://0x7f.1/", "127.0.0.1/"),
            ("http://[2001:DB8:0::1]:80/x", "[2001:db8::1]/x"),
            ("http://good.example@evil.example/", "evil.example/"),
            ("http://%65vil.example/", "evil.example/"),
            ("http://evil.example/%zz%%34%31", "evil.example/%25zz%2541"),
            ("http://evil.example/..", "evil.example/"),
            ("http://evil.example/a/..", "evil.example/"),
            ("http://evil.example/a/", "evil.example/a/"),
            ("mailto:a@b.example", "-"),
            ("http://", "-"),
            ("http://evil.example:99999/", "-"),
            ("evil.example/a", "-"),
        ];
        for (text, want) in cases {
            assert_eq!(key(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_spelling_is_stable(text in "http://[a-z%0-9.@:]{1,12}[/a-z.%?#\\\\0-9A-F]{0,20}") {
            if let Some(parts) = Parts::of(&text) {
                let again = Parts::of(&format!("x://{}", parts.key()));
                prop_assert_eq!(again.map(|again| again.key()), Some(parts.key()));
            }
        }

        #[test]
        fn any_text_is_survived(text: String) {
            let _ = Parts::of(&text);
        }
    }
}
