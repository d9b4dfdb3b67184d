//! What an argument is for.

mod names;

use pathwarden_types::ToolClass;
use serde_json::Value;

use names::{AMOUNT, CHANGED, COMMAND, CONTENT, CONTROL, CREDENTIAL, FORM, REACHED, SELECTOR};

/// What an argument is for. What may come from where depends on it: a body may quote anything, a
/// recipient may not.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Whom or what is reached or changed.
    Target,
    /// Code, a shell command, SQL.
    Command,
    /// A password, token, key or one-time code.
    Credential,
    /// What is said or stored.
    Content,
    /// What is looked for: a query, a filter, the id of a thing to read.
    Selector,
    /// How it is done: a flag, a mode.
    Control,
}

/// How much of a description is read, in words.
const DESCRIPTION_WORDS_MAX: usize = 48;

/// What the argument at `pointer` (RFC 6901, in the arguments) is for. An override by the operator
/// counts first; then the words of the names, from the argument outwards; then what the JSON schema
/// of the arguments says; then what a tool of this class mostly takes.
#[must_use]
pub fn role(
    pointer: &str,
    schema: Option<&Value>,
    class: ToolClass,
    operator: Option<Role>,
) -> Role {
    if let Some(role) = operator {
        return role;
    }
    let names: Vec<&str> = pointer.split('/').filter(|name| is_name(name)).collect();
    let schema = schema.and_then(|schema| at(schema, pointer));
    let own = names.last().map(|name| words(name)).unwrap_or_default();
    let by_schema = schema.and_then(|schema| from_schema(schema, class));
    // A name of a secret, a command or a destination is believed before a schema, which the server
    // writes: it must not turn what is guarded into what is not.
    let by_name = from_words(&own, class);
    match (by_name, by_schema) {
        (Some(role @ (Role::Credential | Role::Command | Role::Target)), _) => return role,
        (_, Some(role)) | (Some(role), None) => return role,
        (None, None) => {}
    }
    let outer = names.iter().rev().skip(1).find_map(|name| from_words(&words(name), class));
    outer
        .or_else(|| schema.and_then(|schema| from_description(schema, class)))
        .unwrap_or_else(|| usual(class))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.bytes().all(|byte| byte.is_ascii_digit())
}

fn from_words(words: &[String], class: ToolClass) -> Option<Role> {
    let says = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let ends = |list: &[&str]| words.last().is_some_and(|word| list.contains(&word.as_str()));
    let reads = class == ToolClass::Read;
    let pair = |first: &str, second: &str| {
        words.windows(2).any(|pair| matches!(pair, [a, b] if a == first && b == second))
    };
    if pair("page", "token") || pair("max", "tokens") || pair("next", "token") {
        Some(Role::Selector)
    } else if says(CREDENTIAL)
        || pair("api", "key")
        || pair("private", "key")
        || pair("access", "key")
    {
        Some(Role::Credential)
    } else if says(COMMAND) || (class == ToolClass::Execute && says(&["query", "input", "code"])) {
        Some(Role::Command)
    } else if says(REACHED) {
        Some(Role::Target)
    } else if ends(CONTROL) {
        Some(Role::Control)
    } else if says(FORM) || ends(CONTENT) {
        Some(if reads { Role::Selector } else { Role::Content })
    } else if says(CHANGED) {
        Some(if reads { Role::Selector } else { Role::Target })
    } else if says(AMOUNT) {
        Some(Role::Control)
    } else if says(SELECTOR) {
        Some(Role::Selector)
    } else if says(CONTENT) {
        Some(Role::Content)
    } else if says(CONTROL) {
        Some(Role::Control)
    } else {
        None
    }
}

fn from_schema(schema: &Value, class: ToolClass) -> Option<Role> {
    let word = |key: &str| schema.get(key).and_then(Value::as_str);
    if word("type") == Some("boolean") || schema.get("enum").is_some() {
        return Some(Role::Control);
    }
    let reads = class == ToolClass::Read;
    match word("format")? {
        "password" => Some(Role::Credential),
        "uri" | "url" | "uri-reference" | "iri" | "hostname" | "idn-hostname" | "ipv4" | "ipv6" => {
            Some(Role::Target)
        }
        "email" | "idn-email" | "uuid" => Some(if reads { Role::Selector } else { Role::Target }),
        "date" | "date-time" | "time" => Some(if reads { Role::Selector } else { Role::Content }),
        _ => None,
    }
}

/// A description is prose, so only words that mean one thing count.
fn from_description(schema: &Value, class: ToolClass) -> Option<Role> {
    let text = schema.get("description")?.as_str()?;
    let words: Vec<String> =
        text.split_whitespace().take(DESCRIPTION_WORDS_MAX).flat_map(words).collect();
    let says = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let reads = class == ToolClass::Read;
    if says(&["password", "passphrase", "credential", "credentials", "otp"]) {
        Some(Role::Credential)
    } else if says(&["shell", "bash", "sql", "script", "command"]) {
        Some(Role::Command)
    } else if says(&["url", "uri", "hostname", "endpoint", "webhook"]) {
        Some(Role::Target)
    } else if says(&["recipient", "recipients", "iban", "account", "channel", "path", "attendees"])
    {
        Some(if reads { Role::Selector } else { Role::Target })
    } else {
        None
    }
}

/// Where nothing speaks: the most guarded role that such tools usually take.
const fn usual(class: ToolClass) -> Role {
    match class {
        ToolClass::Read => Role::Selector,
        ToolClass::Write | ToolClass::Send => Role::Content,
        ToolClass::Execute => Role::Command,
        ToolClass::Configure | ToolClass::Delete | ToolClass::Pay | ToolClass::Unknown => {
            Role::Target
        }
    }
}

/// The schema of the argument at a pointer, as far as it is written out.
fn at<'a>(schema: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer.split('/').skip(1).try_fold(schema, |schema, token| {
        let name = token.replace("~1", "/").replace("~0", "~");
        let member = schema.get("properties").and_then(|properties| properties.get(&name));
        member.or_else(|| schema.get("items")).or_else(|| schema.get("additionalProperties"))
    })
}

/// The words of a name in lower case: `replyTo`, `reply_to`, `reply-to` and `ReplyTO`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let ends_initials =
            before.is_uppercase() && characters.peek().is_some_and(|next| next.is_lowercase());
        let is_hump = character.is_uppercase() && (!before.is_uppercase() || ends_initials);
        if !character.is_alphanumeric() || is_hump {
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

#[cfg(test)]
mod tests {
    use pathwarden_types::ToolClass::{self, Execute, Pay, Read, Send, Unknown, Write};
    use serde_json::json;

    use super::Role::{self, Command, Content, Control, Credential, Selector, Target};
    use super::role;

    #[test]
    fn names_say_what_an_argument_is_for() {
        let cases: &[(&str, ToolClass, Role)] = &[
            ("/to", Send, Target),
            ("/toRecipients/0/emailAddress", Send, Target),
            ("/reply-to", Send, Target),
            ("/body", Send, Content),
            ("/subject", Send, Content),
            ("/attachments/0", Send, Content),
            ("/recipient", Pay, Target),
            ("/amount", Pay, Control),
            ("/file_path", Write, Target),
            ("/file_path", Read, Selector),
            ("/fileContent", Write, Content),
            ("/url", Read, Target),
            ("/webhookURL", Write, Target),
            ("/id", Read, Selector),
            ("/event_id", Write, Target),
            ("/query", Read, Selector),
            ("/query", Execute, Command),
            ("/pageToken", Read, Selector),
            ("/access_token", Read, Credential),
            ("/apiKey", Write, Credential),
            ("/new-password", Write, Credential),
            ("/command", Unknown, Command),
            ("/SQLStatement", Read, Command),
            ("/message_type", Send, Control),
            ("/xyz", Unknown, Target),
            ("/xyz", Read, Selector),
        ];
        for (pointer, class, want) in cases {
            assert_eq!(role(pointer, None, *class, None), *want, "{pointer} {class:?}");
        }
    }

    #[test]
    fn a_schema_speaks_where_names_do_not() {
        let schema = json!({"properties": {
            "a": {"type": "boolean"}, "b": {"enum": ["x"]}, "c": {"format": "uri"},
            "d": {"items": {"format": "email"}}, "e": {"description": "The shell command to run"},
            "to": {"enum": ["x"]}, "f": {"format": "password"}
        }});
        let cases = [
            ("/a", Control),
            ("/b", Control),
            ("/c", Target),
            ("/d/0", Target),
            ("/e", Command),
            ("/to", Target),
            ("/f", Credential),
        ];
        for (pointer, want) in cases {
            assert_eq!(role(pointer, Some(&schema), Write, None), want, "{pointer}");
        }
        assert_eq!(role("/to", Some(&schema), Write, Some(Content)), Content);
    }
}
