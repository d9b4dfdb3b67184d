//! What changed between two forms of an item, member by member and word by word.

use std::collections::BTreeMap;

use pathwarden_json::{Json, Kind};
use pathwarden_types::is_invisible;
use similar::{ChangeTag, TextDiff};

use crate::out::Out;

/// The longest text that is shown whole, in characters; of a longer one the words around each change are.
const TEXT_CHARS_MAX: usize = 4_000;

/// One line for each member that was added, removed or changed; for a form without one before, all of it.
pub(super) fn between(before: Option<&str>, after: &str, out: &Out) -> Vec<String> {
    let (old, new) = (before.map(leaves).unwrap_or_default(), leaves(after));
    if before.is_none() {
        return new.iter().map(|(at, text)| format!("+ {at}: {}", visible(text))).collect();
    }
    let mut lines = Vec::new();
    for (at, text) in &old {
        match new.get(at) {
            None => lines.push(format!("- {at}: {}", visible(text))),
            Some(now) if now != text => lines.push(format!("~ {at}: {}", words(text, now, out))),
            Some(_) => {}
        }
    }
    let added = new.iter().filter(|(at, _)| !old.contains_key(*at));
    lines.extend(added.map(|(at, text)| format!("+ {at}: {}", visible(text))));
    if lines.is_empty() {
        lines.push("nothing changed".to_owned());
    }
    lines
}

/// Every scalar of a JSON text by its pointer.
fn leaves(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if let Ok(value) = Json::parse(text.as_bytes()) {
        collect(value, String::new(), &mut found);
    }
    found
}

fn collect(value: Json<'_>, at: String, found: &mut BTreeMap<String, String>) {
    match value.kind() {
        Kind::Object => {
            for (name, value) in value.members() {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(value, format!("{at}/{}", visible(&name)), found);
            }
        }
        Kind::Array => {
            for (index, item) in value.items().enumerate() {
                collect(item, format!("{at}/{index}"), found);
            }
        }
        Kind::String => {
            let text = value.string().map_or_else(|| value.text().to_owned(), |t| t.into_owned());
            found.insert(at, text);
        }
        Kind::Number | Kind::Boolean | Kind::Null => {
            found.insert(at, value.text().to_owned());
        }
    }
}

/// Words that went and came: `[-went-]` and `{+came+}`, also where there is colour.
fn words(before: &str, after: &str, out: &Out) -> String {
    let diff = TextDiff::from_words(before, after);
    let mut line = String::new();
    for change in diff.iter_all_changes() {
        let text = visible(change.value());
        match change.tag() {
            ChangeTag::Equal => line.push_str(&text),
            ChangeTag::Delete => line.push_str(&out.removed(&format!("[-{text}-]"))),
            ChangeTag::Insert => line.push_str(&out.added(&format!("{{+{text}+}}"))),
        }
    }
    line.replace("-][-", "").replace("+}{+", "")
}

/// Text with every character that does not show as its escape: hidden text is what one looks for here.
fn visible(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(TEXT_CHARS_MAX) {
        if is_invisible(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::between;
    use crate::out::Out;

    #[test]
    fn a_change_is_shown_word_by_word_and_nothing_hides_in_it() {
        let before = r#"{"name":"add","description":"Adds two numbers.","v":1.0,"old":true}"#;
        let after = r#"{"name":"add","description":"Adds two secret\u200b numbers.","v":1,"in":{"a/b":"x"}}"#;
        assert_eq!(
            between(Some(before), after, &Out::new(false)),
            [
                "~ /description: Adds two {+secret\\u{200b} +}numbers.",
                "- /old: true",
                "~ /v: [-1.0-]{+1+}",
                "+ /in/a~1b: x",
            ]
        );
        assert_eq!(between(Some(before), before, &Out::new(false)), ["nothing changed"]);
        assert_eq!(between(None, r#"{"a":1}"#, &Out::new(false)), ["+ /a: 1"]);
    }
}
