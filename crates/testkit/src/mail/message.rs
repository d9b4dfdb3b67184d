//! Mails as text: RFC 5322 headers, RFC 2047 subjects, UTF-8 bodies.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::address::{Address, AddressError};

/// Recipients and copies of one mail, together.
pub(super) const MAX_RECIPIENTS: usize = 50;

/// Characters of a subject.
pub(super) const MAX_SUBJECT_CHARS: usize = 500;

/// Bytes of a body.
pub(super) const MAX_BODY_BYTES: usize = 1 << 20;

/// Bytes of a line on the wire, without its ending (RFC 5322, section 2.1.1).
const MAX_LINE_BYTES: usize = 998;

/// Bytes of UTF-8 in one encoded word, so that it stays below 75 characters (RFC 2047, section 2).
const ENCODED_WORD_BYTES: usize = 45;

/// A mail that may be sent: its parts are checked.
#[derive(Debug)]
pub struct Draft {
    to: Vec<Address>,
    cc: Vec<Address>,
    subject: String,
    body: String,
}

/// Why a mail may not be sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DraftError {
    /// A recipient is not an address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Nobody to send to.
    #[error("the mail has no recipient: name at least one in `to`")]
    NoRecipient,
    /// More recipients than a mail may have.
    #[error(
        "the mail has {0} recipients, at most {MAX_RECIPIENTS} are allowed: send several mails"
    )]
    TooManyRecipients(usize),
    /// A subject is one line of limited length.
    #[error("the subject must be one line of at most {MAX_SUBJECT_CHARS} characters")]
    Subject,
    /// The text is too long.
    #[error("the body has {0} bytes, at most {MAX_BODY_BYTES} are allowed")]
    BodyTooLong(usize),
}

impl Draft {
    /// Checks the parts of a mail.
    ///
    /// # Errors
    ///
    /// When a recipient is not a plain address, the subject is not one line, or a limit is passed.
    pub fn new(
        to: &[String],
        cc: &[String],
        subject: String,
        body: String,
    ) -> Result<Self, DraftError> {
        let recipients = to.len() + cc.len();
        if to.is_empty() {
            return Err(DraftError::NoRecipient);
        }
        if recipients > MAX_RECIPIENTS {
            return Err(DraftError::TooManyRecipients(recipients));
        }
        if subject.chars().count() > MAX_SUBJECT_CHARS || subject.contains(char::is_control) {
            return Err(DraftError::Subject);
        }
        if body.len() > MAX_BODY_BYTES {
            return Err(DraftError::BodyTooLong(body.len()));
        }
        let parse =
            |list: &[String]| list.iter().map(|text| text.parse()).collect::<Result<_, _>>();
        Ok(Self { to: parse(to)?, cc: parse(cc)?, subject, body })
    }

    /// The mail as it stands in a mailbox, lines ending in CR LF.
    #[must_use]
    pub fn render(&self, from: &Address, message_id: &str, unix_seconds: u64) -> String {
        let mut mail = String::new();
        let mut header = |name: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = write!(mail, "{name}: {value}\r\n");
        };
        header("From", &from.to_string());
        header("To", &list(&self.to));
        if !self.cc.is_empty() {
            header("Cc", &list(&self.cc));
        }
        header("Subject", &encode_header(&self.subject));
        header("Date", &rfc5322_date(unix_seconds));
        header("Message-ID", message_id);
        header("MIME-Version", "1.0");
        header("Content-Type", "text/plain; charset=utf-8");
        let (encoding, body) = encode_body(&self.body);
        header("Content-Transfer-Encoding", encoding);
        mail + "\r\n" + &body
    }
}

fn list(addresses: &[Address]) -> String {
    let texts: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    // Each address on a line of its own keeps long lists below the line limit.
    texts.join(",\r\n ")
}

/// A header value that is not plain ASCII becomes encoded words, one per line.
fn encode_header(text: &str) -> String {
    if text.is_ascii() && text.len() < MAX_LINE_BYTES && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for character in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + character.len_utf8() <= ENCODED_WORD_BYTES => {
                word.push(character);
            }
            _ => words.push(character.to_string()),
        }
    }
    let encode = |word: &String| format!("=?UTF-8?B?{}?=", STANDARD.encode(word));
    words.iter().map(encode).collect::<Vec<_>>().join("\r\n ")
}

/// Text stays readable unless its lines are too long for mail.
fn encode_body(body: &str) -> (&'static str, String) {
    let lines: Vec<&str> = body.lines().collect();
    let plain = lines.iter().all(|line| line.len() <= MAX_LINE_BYTES)
        && !body.contains(|c: char| c.is_control() && !"\r\n\t".contains(c));
    if plain {
        return ("8bit", lines.iter().map(|line| format!("{line}\r\n")).collect());
    }
    let encoded = STANDARD.encode(body);
    let mut wrapped = String::with_capacity(encoded.len() + encoded.len() / 30);
    for (place, character) in encoded.chars().enumerate() {
        if place > 0 && place % 76 == 0 {
            wrapped.push_str("\r\n");
        }
        wrapped.push(character);
    }
    ("base64", wrapped + "\r\n")
}

/// `Sat, 21 Nov 2026 01:40:26 +0000` (RFC 5322, section 3.3), from seconds since 1970.
fn rfc5322_date(unix_seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, seconds) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let weekday = DAYS.iter().cycle().nth((days % 7) as usize).unwrap_or(&"Thu");
    let (year, day_of_year) = year_of(days);
    let (month, day) = month_of(day_of_year, is_leap(year));
    let name = MONTHS.get(month).unwrap_or(&"Dec");
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{weekday}, {day:02} {name} {year} {hour:02}:{minute:02}:{second:02} +0000")
}

fn year_of(mut days: u64) -> (u64, u64) {
    let mut year = 1970;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            return (year, days);
        }
        days -= length;
        year += 1;
    }
}

/// Month counted from 0 and day counted from 1.
fn month_of(mut day: u64, leap: bool) -> (usize, u64) {
    let february = if leap { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (month, length) in lengths.into_iter().enumerate() {
        if day < length {
            return (month, day + 1);
        }
        day -= length;
    }
    (11, 31)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(to: &[&str], subject: &str, body: &str) -> Result<String, String> {
        let to: Vec<_> = to.iter().map(ToString::to_string).collect();
        let from = "ap@example.org".parse().map_err(|error: AddressError| error.to_string())?;
        Draft::new(&to, &[], subject.to_owned(), body.to_owned())
            .map(|draft| draft.render(&from, "<1@mail-mcp>", 0))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(rfc5322_date(0), "Thu, 01 Jan 1970 00:00:00 +0000");
        assert_eq!(rfc5322_date(951_827_696), "Tue, 29 Feb 2000 12:34:56 +0000");
        assert_eq!(rfc5322_date(1_798_761_599), "Thu, 31 Dec 2026 23:59:59 +0000");
    }

    #[test]
    fn a_mail_has_its_headers_and_its_text() {
        let mail = draft(&["a@example.com", "b@example.com"], "W-9", "one\ntwo\n");
        let want = "From: ap@example.org\r\nTo: a@example.com,\r\n b@example.com\r\n\
            Subject: W-9\r\nDate: Thu, 01 Jan 1970 00:00:00 +0000\r\nMessage-ID: <1@mail-mcp>\r\n\
            MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
            Content-Transfer-Encoding: 8bit\r\n\r\none\r\ntwo\r\n";
        assert_eq!(mail.as_deref(), Ok(want));
    }

    #[test]
    fn no_header_can_be_injected() {
        for subject in ["a\r\nBcc: x@example.com", "a\nb", "a\u{0}", "a\u{85}b"] {
            assert!(draft(&["a@example.com"], subject, "").is_err(), "{subject:?}");
        }
        assert!(draft(&["a@example.com\r\nBcc: x@example.com"], "a", "").is_err());
        assert!(draft(&[], "a", "").is_err());
    }

    #[test]
    fn text_that_mail_cannot_carry_is_encoded() {
        let mail = draft(&["a@example.com"], "Grüße", &"x".repeat(MAX_LINE_BYTES + 1));
        let mail = mail.unwrap_or_default();
        assert!(mail.contains("Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n"), "{mail}");
        assert!(mail.contains("Content-Transfer-Encoding: base64\r\n"), "{mail}");
        assert!(mail.split("\r\n").all(|line| line.len() <= 78), "{mail}");
    }

    #[test]
    fn limits_hold_at_the_limit_and_one_past_it() {
        let subject = |count: usize| draft(&["a@example.com"], &"s".repeat(count), "").is_ok();
        assert!(subject(MAX_SUBJECT_CHARS) && !subject(MAX_SUBJECT_CHARS + 1));
        let body = |count: usize| draft(&["a@example.com"], "s", &"b".repeat(count)).is_ok();
        assert!(body(MAX_BODY_BYTES) && !body(MAX_BODY_BYTES + 1));
        let to = |count: usize| draft(&vec!["a@example.com"; count], "s", "").is_ok();
        assert!(to(MAX_RECIPIENTS) && !to(MAX_RECIPIENTS + 1));
    }
}
