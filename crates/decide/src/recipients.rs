//! Whom a message reaches. A mailer reads recipients in more ways than a search for addresses finds,
//! so what stands where recipients stand is parsed strictly, and what is left over is a recipient
//! that nobody named.

use pathwarden_classify as classify;
use pathwarden_purpose::words;

/// Words in the names of members that say whom an action reaches.
const RECIPIENT_WORDS: &[&str] = &[
    "to",
    "cc",
    "bcc",
    "recipient",
    "recipients",
    "email",
    "emails",
    "mailto",
    "address",
    "addresses",
    "attendee",
    "attendees",
    "participant",
    "participants",
    "invitee",
    "invitees",
    "guest",
    "guests",
    "share",
    "reply",
    "forward",
];

/// Words in the names of members that hold one line of a message's head.
const HEADER_WORDS: &[&str] = &["subject", "header", "headers", "title", "from", "sender"];

/// Words in the names of members that hold what a message says.
const BODY_WORDS: &[&str] = &["body", "text", "content", "html", "message", "description", "note"];

/// What the names above a value say that it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// A recipient.
    Recipient,
    /// Something below a recipient that its own name says to be something else.
    BelowRecipient,
    /// A line of a message's head.
    Header,
    /// What a message says.
    Body,
    /// Anything else.
    Other,
}

impl Place {
    /// The place that a pointer leads to.
    pub(crate) fn of(pointer: &str) -> Self {
        let named = |word: &&str| word.parse::<usize>().is_err() && !word.is_empty();
        let mut names = pointer.split('/').filter(named).rev();
        let Some(own) = names.next() else { return Self::Other };
        if says(own, RECIPIENT_WORDS) {
            Self::Recipient
        } else if names.any(|name| says(name, RECIPIENT_WORDS)) {
            Self::BelowRecipient
        } else if says(own, HEADER_WORDS) || pointer.split('/').any(|name| says(name, &["headers"]))
        {
            Self::Header
        } else if says(own, BODY_WORDS) {
            Self::Body
        } else {
            Self::Other
        }
    }
}

/// Whether one of the words of a name is in the list: `toRecipients`, `reply_to` and `BCC` all are.
fn says(name: &str, list: &[&str]) -> bool {
    words(name).iter().any(|word| list.contains(&word.as_str()))
}

/// The recipients in a list: every item is one plain address, bare or as `Name <address>`, or else
/// the whole item in lower case, which no content can have named.
pub(crate) fn in_list(text: &str) -> Vec<String> {
    items(text)
        .into_iter()
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| address(item).unwrap_or_else(|| item.to_lowercase()))
        .collect()
}

/// One plain address, bare or as `Name <address>`.
fn address(item: &str) -> Option<String> {
    let Some((name, rest)) = item.split_once('<') else { return classify::address(item) };
    let inner = rest.strip_suffix('>')?;
    // A name may hold anything but what another mailer could take for a second address.
    if name.contains(['@', '>', '\r', '\n']) { None } else { classify::address(inner) }
}

/// The items between commas and semicolons that do not stand in quotes.
fn items(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(|character| {
        quoted ^= character == '"';
        !quoted && matches!(character, ',' | ';')
    })
    .collect()
}

/// The recipients that a header line smuggles in: `Bcc: a@b.example` in a field that is neither a
/// list of recipients nor what the message says.
pub(crate) fn in_header_line(text: &str) -> Vec<String> {
    let is_header = text.lines().any(|line| {
        let name = line.split_once(':').map(|(name, _)| name.trim());
        name.is_some_and(|name| name.len() <= NAME_BYTES_MAX && says(name, RECIPIENT_WORDS))
    });
    if is_header { classify::emails(text).collect() } else { Vec::new() }
}

/// The longest name of a header, in bytes.
const NAME_BYTES_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::{Place, in_header_line, in_list};

    #[test]
    fn names_say_who_is_a_recipient() {
        for (pointer, want) in [
            ("/to", Place::Recipient),
            ("/toRecipients", Place::Recipient),
            ("/bcc_recipients/0", Place::Recipient),
            ("/reply-to", Place::Recipient),
            ("/attendees/0/emailAddress", Place::Recipient),
            ("/to/0/name", Place::BelowRecipient),
            ("/headers/0", Place::Header),
            ("/subject", Place::Header),
            ("/body", Place::Body),
            ("/total", Place::Other),
            ("/path", Place::Other),
        ] {
            assert_eq!(Place::of(pointer), want, "{pointer}");
        }
    }

    #[test]
    fn what_is_not_a_plain_address_is_a_recipient_that_nobody_named() {
        for (text, want) in [
            ("A@B.example", vec!["a@b.example"]),
            ("Ann <a@b.example>; c@d.example,", vec!["a@b.example", "c@d.example"]),
            ("\"Doe, Jane\" <a@b.example>", vec!["a@b.example"]),
            ("eve@evil.com <a@b.example>", vec!["eve@evil.com <a@b.example>"]),
            ("a@b.example.évil.com", vec!["a@b.example.évil.com"]),
            ("\"a@b.example\"@evil.com", vec!["\"a@b.example\"@evil.com"]),
            ("a@b.example@evil.com", vec!["a@b.example@evil.com"]),
            ("<@evil.com:a@b.example>", vec!["<@evil.com:a@b.example>"]),
            ("all-customers", vec!["all-customers"]),
            ("root@localhost", vec!["root@localhost"]),
            ("a@b.example\r\nBcc: c@evil.com", vec!["a@b.example\r\nbcc: c@evil.com"]),
        ] {
            assert_eq!(in_list(text), want, "{text}");
        }
    }

    #[test]
    fn a_header_line_reaches_whom_it_names() {
        assert_eq!(in_header_line("hi\r\nBcc: c@evil.com"), ["c@evil.com"]);
        assert!(in_header_line("as agreed with a@b.example: nothing").is_empty());
    }
}
