//! What is looked up and what a feed lists, each in one spelling.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::fmt;

use crate::punycode;
use crate::url;

/// The longest domain name, in bytes (RFC 1035, section 2.3.4).
const DOMAIN_BYTES_MAX: usize = 253;
/// The longest label, in bytes.
const LABEL_BYTES_MAX: usize = 63;
/// The longest URL that is compared, in bytes.
pub(crate) const URL_BYTES_MAX: usize = 4_096;

/// What is looked up: text as it was found; looking up brings it into one spelling.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Indicator<'a> {
    /// A host name; an IP address in any spelling that a browser takes counts as one.
    Domain(&'a str),
    /// A URL. Its host counts, too.
    Url(&'a str),
    /// An address.
    Ip(IpAddr),
    /// A file's MD5, SHA-1, SHA-256 or SHA-512, in hex.
    Hash(&'a str),
}

/// What a feed lists, in one spelling.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Pattern {
    /// A domain and everything below it: lower case, ASCII, no dot at the end.
    Domain(String),
    /// A URL without scheme, fragment and user: `host[:port]/path[?query]`.
    Url(String),
    /// A network, or one address.
    Network(Network),
    /// A file's hash, lower-case hex.
    Hash(String),
}

/// A network of IPv6 addresses; an IPv4 address is the one it is mapped to (RFC 4291, section 2.5.5.2).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Network {
    bits: u8,
    address: u128,
}

impl Network {
    /// The bits before an IPv4 address that is mapped to an IPv6 one.
    const MAPPED: u8 = 96;
    /// A wider network of IPv4 addresses is a mistake in a feed.
    pub const BITS_MIN_V4: u8 = 8;
    /// A wider network of IPv6 addresses is a mistake in a feed.
    pub const BITS_MIN_V6: u8 = 19;

    /// The network of one address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self { bits: 128, address: mapped(address) }
    }

    /// Reads `address` or `address/bits`. `None` when it is neither, or wider than a feed may list.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((address, bits)) = text.split_once('/') else {
            return text.parse().ok().map(Self::of);
        };
        let address: IpAddr = address.parse().ok()?;
        if bits.is_empty() || bits.len() > 3 || !bits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let bits: u8 = bits.parse().ok()?;
        let (least, most, before) = match address {
            IpAddr::V4(_) => (Self::BITS_MIN_V4, 32, Self::MAPPED),
            IpAddr::V6(_) => (Self::BITS_MIN_V6, 128, 0),
        };
        let is_sound = bits >= least && bits <= most;
        is_sound.then(|| Self::of(address).widened(bits + before))
    }

    /// The network of so many bits that holds this one.
    #[must_use]
    pub(crate) fn widened(self, bits: u8) -> Self {
        let bits = bits.min(self.bits);
        let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
        Self { bits, address: self.address & mask }
    }

    pub(crate) const fn bits(self) -> u8 {
        self.bits
    }
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from_bits(self.address);
        let (address, bits, most) = match address.to_ipv4_mapped() {
            Some(v4) if self.bits >= Self::MAPPED => (IpAddr::V4(v4), self.bits - Self::MAPPED, 32),
            _ => (IpAddr::V6(address), self.bits, 128),
        };
        if bits == most { write!(f, "{address}") } else { write!(f, "{address}/{bits}") }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(text) | Self::Url(text) | Self::Hash(text) => f.write_str(text),
            Self::Network(network) => network.fmt(f),
        }
    }
}

impl Pattern {
    /// Whether the texts are of one kind, so that one can match the other.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Domain(_) => "domain",
            Self::Url(_) => "url",
            Self::Network(_) => "ip",
            Self::Hash(_) => "hash",
        }
    }

    /// Reads whatever the text is: a network, a hash, a URL or a domain.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::network(text)
            .or_else(|| Self::hash(text))
            .or_else(|| Self::url(text))
            .or_else(|| Self::domain(text))
    }

    /// Reads an address or network.
    #[must_use]
    pub fn network(text: &str) -> Option<Self> {
        Network::parse(text).map(Self::Network)
    }

    /// Reads a hash.
    #[must_use]
    pub fn hash(text: &str) -> Option<Self> {
        let is_hash = matches!(text.len(), 32 | 40 | 64 | 128)
            && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| Self::Hash(text.to_ascii_lowercase()))
    }

    /// Reads a URL; one that is only a host is that host.
    #[must_use]
    pub fn url(text: &str) -> Option<Self> {
        url::Parts::of(text).map(|parts| Self::Url(parts.key()))
    }

    /// Reads a domain of at least two labels, because a feed that lists all of `com` is wrong. A `*.`
    /// before it is what a domain means anyway.
    #[must_use]
    pub fn domain(text: &str) -> Option<Self> {
        let text = text.strip_prefix("*.").unwrap_or(text);
        if ipv4(text).is_some() {
            return None;
        }
        domain(text).filter(|domain| domain.contains('.')).map(Self::Domain)
    }
}

/// A host name in one spelling: lower case, full-width forms as their plain ones, other than ASCII as
/// punycode, no dot at the end. `None` when it cannot be one.
pub(crate) fn domain(text: &str) -> Option<String> {
    if text.len() > 4 * DOMAIN_BYTES_MAX {
        return None;
    }
    let plain: String = text.chars().map(plain).flat_map(char::to_lowercase).collect();
    let plain = plain.strip_suffix('.').unwrap_or(&plain);
    let labels: Option<Vec<_>> = plain.split('.').map(label).collect();
    labels.map(|labels| labels.join(".")).filter(|domain| domain.len() <= DOMAIN_BYTES_MAX)
}

/// The full-width forms of ASCII and the dots of other scripts (RFC 3490, section 3.1; UTS #46).
fn plain(c: char) -> char {
    match c {
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => '.',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

fn label(label: &str) -> Option<String> {
    // UTS #46 ignores these, so that a text with them names the same host.
    let ignored = |c: &char| matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}');
    let label: String = label.chars().filter(|c| !ignored(c)).collect();
    let ascii = if label.is_ascii() { label } else { format!("xn--{}", punycode::encode(&label)?) };
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_sound = !ascii.is_empty() && ascii.len() <= LABEL_BYTES_MAX;
    (is_sound && ascii.bytes().all(is_allowed)).then_some(ascii)
}

/// An IPv4 address in any spelling that a URL parser takes: up to four numbers, decimal, octal or
/// hexadecimal, the last one filling what is left (WHATWG URL, section 3.5).
pub(crate) fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let parts: Option<Vec<_>> = text.split('.').take(5).map(number).collect();
    let parts = parts?;
    let (last, first) = parts.split_last()?;
    if first.len() > 3 || first.iter().any(|part| *part > 255) {
        return None;
    }
    let room = 32_u32.checked_sub(8 * u32::try_from(first.len()).ok()?)?;
    let rest = u32::try_from(*last).ok().filter(|last| u64::from(*last) >> room == 0)?;
    let high = first.iter().fold(0_u64, |high, part| high << 8 | part);
    let bits = (high << room) | u64::from(rest);
    u32::try_from(bits).ok().map(Ipv4Addr::from_bits)
}

fn number(text: &str) -> Option<u64> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match (hex, text.strip_prefix('0')) {
        (Some(""), _) => ("0", 16),
        (Some(hex), _) => (hex, 16),
        (None, Some(octal)) if !octal.is_empty() => (octal, 8),
        (None, _) => (text, 10),
    };
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    is_number.then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Pattern, domain, ipv4};

    fn parsed(text: &str) -> String {
        let pattern = Pattern::parse(text);
        pattern.map_or("-".to_owned(), |pattern| format!("{} {pattern}", pattern.kind()))
    }

    #[test]
    fn a_text_is_read_as_what_it_is() {
        let cases = [
            ("192.0.2.1", "ip 192.0.2.1"),
            ("192.0.2.77/24", "ip 192.0.2.0/24"),
            ("::ffff:192.0.2.1", "ip 192.0.2.1"),
            ("2001:DB8::1/32", "ip 2001:db8::/32"),
            ("10.0.0.0/8", "ip 10.0.0.0/8"),
            ("8.0.0.0/7", "-"),
            ("2000::/18", "-"),
            ("0.0.0.0/0", "-"),
            ("1.2.3.4/33", "-"),
            ("Evil.Example.", "domain evil.example"),
            ("*.evil.example", "domain evil.example"),
            ("Bücher.example", "domain xn--bcher-kva.example"),
            ("com", "-"),
            ("a..b", "-"),
            ("HTTP://Evil.example:80/A?b#c", "url evil.example/A?b"),
            ("d41d8cd98f00b204e9800998ecf8427E", "hash d41d8cd98f00b204e9800998ecf8427e"),
            ("d41d8cd98f00b204e9800998ecf8427", "-"),
            ("<html>", "-"),
            ("", "-"),
        ];
        for (text, want) in cases {
            assert_eq!(parsed(text), want, "{text}");
        }
    }

    #[test]
    fn hidden_spellings_of_a_host_are_the_same_host() {
        for text in
            ["ｅｖｉｌ．example", "evil。example", "ev\u{ad}il.exam\u{200b}ple", "EVIL.example"]
        {
            assert_eq!(domain(text).as_deref(), Some("evil.example"), "{text}");
        }
        assert_eq!(domain("ПОЧТА.рф"), domain("почта.рф"));
    }

    #[test]
    fn an_address_in_any_spelling_is_that_address() {
        let cases =
            ["192.0.2.1", "0xc0.0.2.1", "0300.0.2.1", "3221225985", "192.513", "0xC0000201."];
        for text in cases {
            assert_eq!(ipv4(text).map(|ip| ip.to_string()).as_deref(), Some("192.0.2.1"), "{text}");
        }
        for text in ["", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "4294967296", "09", "a", "1..2"] {
            assert_eq!(ipv4(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same(text in "[a-zà-öA-Z0-9./:?#@%-]{0,40}") {
            if let Some(pattern) = Pattern::parse(&text) {
                let printed = pattern.to_string();
                let again = match &pattern {
                    Pattern::Url(_) => Pattern::url(&format!("http://{printed}")),
                    _ => Pattern::parse(&printed),
                };
                prop_assert_eq!(again, Some(pattern), "{}", printed);
            }
        }

        #[test]
        fn any_text_is_survived(text: String) {
            let _ = (Pattern::parse(&text), domain(&text), ipv4(&text));
        }

        #[test]
        fn domains_agree_with_another_implementation(text in "[a-zà-öа-я]{1,20}\\.[a-zа-я]{2,10}") {
            prop_assert_eq!(domain(&text), idna::domain_to_ascii(&text).ok());
        }
    }
}
