//! Mail addresses, strictly: nothing that could end a header line or start another one.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Characters of an address (RFC 5321, section 4.5.3.1.3: a path has 256 with its brackets).
const MAX_ADDRESS_CHARS: usize = 254;

/// Characters before the `@` (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_CHARS: usize = 64;

/// A plain address such as `name@example.com`: dot-atoms of RFC 5322 in ASCII, a domain of at least
/// two labels, no display name, no quoting, no comments.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Address(String);

/// Why a text is not an [`Address`].
#[derive(Debug, Error)]
#[error("`{}` is not a mail address; write it plainly, as in `name@example.com`", .0.escape_debug())]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sound = text.len() <= MAX_ADDRESS_CHARS
            && text
                .rsplit_once('@')
                .is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
        if sound { Ok(Self(text.to_owned())) } else { Err(AddressError(text.to_owned())) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_local(local: &str) -> bool {
    let atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    local.len() <= MAX_LOCAL_CHARS && local.split('.').all(atom)
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_taken_and_all_else_is_refused() {
        let check = |text: &str, want: bool| {
            let got = text.parse::<Address>();
            assert_eq!(got.is_ok(), want, "{text:?}");
            assert!(got.is_err() || got.is_ok_and(|address| address.to_string() == text));
        };
        check("billing@larkspur-office.example", true);
        check("a.b+tag@x-1.example.org", true);
        check(&format!("{}@example.com", "l".repeat(64)), true);
        check(&format!("{}@example.com", "l".repeat(65)), false);
        for refused in [
            "",
            "nobody",
            "@example.com",
            "a@",
            "a@localhost",
            ".a@example.com",
            "a..b@example.com",
            "a@-example.com",
            "a@example..com",
            "A <a@example.com>",
            "a@example.com, b@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a\n@example.com",
            "a@example.com ",
            "ä@example.com",
            "\"a b\"@example.com",
        ] {
            check(refused, false);
        }
    }
}
