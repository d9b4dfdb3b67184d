//! Addresses that an action may reach.

use crate::pattern;

/// Characters that end a sentence around a web address rather than belong to it.
const TRAILING: [char; 8] = ['.', ',', ';', ':', '!', '?', ')', ']'];

/// The e-mail addresses in `text`, in lower case, in order, repeated ones too.
pub fn emails(text: &str) -> impl Iterator<Item = String> + '_ {
    pattern::email_matches(text).map(|(_, found)| found.to_ascii_lowercase())
}

/// The web addresses in `text`, as they are written, in order, repeated ones too.
pub fn urls(text: &str) -> impl Iterator<Item = String> + '_ {
    pattern::url_matches(text).map(|(_, found)| found.trim_end_matches(TRAILING).to_owned())
}
