//! What a piece of content names: addresses, links, accounts; and whether it is restricted.

use std::collections::BTreeSet;

use pathwarden_classify as classify;
use serde_json::Value;

/// What a piece of content names. A pure function of its text, so that a fold over records that
/// reads payloads again comes to the same state.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reading {
    /// Addresses, links and account numbers, normalised.
    pub entities: BTreeSet<String>,
    /// Whether it holds anything restricted.
    pub restricted: bool,
    /// Whether it names more than [`Self::ENTITIES_MAX`] things, of which the rest is left out.
    pub overflowed: bool,
}

impl Reading {
    /// The most entities that one reading keeps.
    pub const ENTITIES_MAX: usize = 4096;
    /// JSON inside JSON strings is read to this depth.
    const NESTING_MAX: usize = 3;

    /// Reads a text: as JSON when it is JSON, since escapes hide addresses; else as it is.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut reading = Self::default();
        reading.read(text, Self::NESTING_MAX);
        reading
    }

    fn read(&mut self, text: &str, nesting: usize) {
        match structured(text) {
            Some(value) if nesting > 0 => self.read_value(&value, nesting - 1),
            _ => self.read_text(text),
        }
    }

    /// Every key and every scalar once. `serde_json` refuses more than 128 levels, so the recursion
    /// is bounded.
    fn read_value(&mut self, value: &Value, nesting: usize) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => self.read_text(&number.to_string()),
            Value::String(text) => self.read(text, nesting),
            Value::Array(items) => {
                for item in items {
                    self.read_value(item, nesting);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.read_text(name);
                    self.read_value(member, nesting);
                }
            }
        }
    }

    fn read_text(&mut self, text: &str) {
        let found = classify::find(text);
        self.restricted |= found.iter().any(|finding| classify::is_restricted(finding.class));
        let accounts = found
            .iter()
            .filter(|finding| finding.class == classify::Class::Iban)
            .filter_map(|finding| text.get(finding.start..finding.end))
            .map(account);
        for entity in classify::emails(text).chain(classify::urls(text)).chain(accounts) {
            if self.entities.len() >= Self::ENTITIES_MAX && !self.entities.contains(&entity) {
                self.overflowed = true;
                return;
            }
            self.entities.insert(entity);
        }
    }
}

/// One spelling of an account number.
pub(crate) fn account(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// The value of a text that is a JSON object, array or string; numbers and words read the same
/// either way.
fn structured(text: &str) -> Option<Value> {
    let starts = text.trim_start().as_bytes().first().copied();
    matches!(starts, Some(b'{' | b'[' | b'"')).then(|| serde_json::from_str(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::Reading;

    #[test]
    fn escapes_do_not_hide_an_address() {
        let text = r#"{"content":[{"type":"text","text":"from:\nBilling@Vendor.example\n"}]}"#;
        let reading = Reading::of(text);
        assert!(reading.entities.contains("billing@vendor.example"), "{reading:?}");
    }

    #[test]
    fn json_inside_json_is_read() {
        let reading = Reading::of(r#"{"text":"{\"to\":\"a@b.example\"}"}"#);
        assert!(reading.entities.contains("a@b.example"), "{reading:?}");
    }

    #[test]
    fn one_more_entity_than_the_limit_is_said() {
        let text =
            |count: usize| -> String { (0..count).map(|n| format!("a{n}@b.example ")).collect() };
        assert!(!Reading::of(&text(Reading::ENTITIES_MAX)).overflowed);
        assert!(Reading::of(&text(Reading::ENTITIES_MAX + 1)).overflowed);
    }
}
