//! Text as words.

use crate::lexicon;

/// The words of a text in lower case: runs of letters and digits, split before a capital that follows
/// a small letter, so that `sendMail` and `send_mail` are the same two.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in text.chars() {
        let begins =
            !character.is_alphanumeric() || (character.is_uppercase() && before.is_lowercase());
        if begins && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What a word may be a form of, itself first: `purchasing` gives `purchas` and `purchase` too.
#[must_use]
pub fn base_forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    forms.extend(lexicon::irregular(word).map(str::to_owned));
    for (ending, replacement) in ENDINGS {
        if let Some(stem) = word.strip_suffix(ending).filter(|stem| stem.len() >= STEM_BYTES_MIN) {
            forms.push(format!("{stem}{replacement}"));
            forms.push(format!("{stem}{replacement}e"));
            forms.extend(undoubled(stem).map(str::to_owned));
            break;
        }
    }
    forms
}

/// Endings of English verbs and plurals, longest first, and what stands in their place.
const ENDINGS: &[(&str, &str)] =
    &[("ies", "y"), ("ied", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", "")];

/// The shortest stem that an ending is taken from.
const STEM_BYTES_MIN: usize = 3;

/// `cancell` as `cancel`.
fn undoubled(stem: &str) -> Option<&str> {
    let mut last = stem.chars().rev();
    let (one, two) = (last.next()?, last.next()?);
    (one == two && one.is_ascii_alphabetic()).then(|| stem.get(..stem.len() - 1)).flatten()
}

/// A value in the form in which values are compared: lower case, one space between words, no scheme
/// and no closing slash of a link.
#[must_use]
pub fn plain(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for word in value.split_whitespace() {
        if !text.is_empty() {
            text.push(' ');
        }
        if word.is_ascii() {
            text.push_str(word);
        } else {
            text.extend(word.chars().flat_map(char::to_lowercase));
        }
    }
    // Nothing else that is left has another case.
    text.make_ascii_lowercase();
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme));
    text.drain(..scheme.map_or(0, str::len));
    text.truncate(text.trim_end_matches('/').len());
    text
}

/// Whether a text in plain form holds a value in plain form, as whole words.
#[must_use]
pub fn holds(text: &str, value: &str) -> bool {
    let (Some(first), Some(last)) = (value.chars().next(), value.chars().next_back()) else {
        return false;
    };
    text.match_indices(value).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + value.len()..).and_then(|text| text.chars().next());
        let joins = |one: char, other: Option<char>| {
            one.is_alphanumeric() && other.is_some_and(char::is_alphanumeric)
        };
        !joins(first, before) && !joins(last, after)
    })
}

#[cfg(test)]
mod tests {
    use super::{base_forms, holds, plain, words};

    #[test]
    fn names_and_sentences_split_alike() {
        for text in ["send_mail", "sendMail", "Send-Mail", "send mail!"] {
            assert_eq!(words(text), ["send", "mail"], "{text}");
        }
    }

    #[test]
    fn forms_lead_to_the_word() {
        for (form, word) in [
            ("sends", "send"),
            ("purchasing", "purchase"),
            ("cancelled", "cancel"),
            ("replies", "reply"),
            ("paid", "pay"),
            ("addresses", "address"),
            ("invites", "invite"),
        ] {
            assert!(base_forms(form).contains(&word.to_owned()), "{form}: {:?}", base_forms(form));
        }
    }

    #[test]
    fn a_value_is_held_only_as_whole_words() {
        assert!(holds("pay bob, not eve", "bob"));
        assert!(!holds("pay bobby", "bob"));
        assert!(holds("see www.a.example/x.", &plain("https://www.a.example/x/")));
        assert!(!holds("anything", ""));
    }
}
