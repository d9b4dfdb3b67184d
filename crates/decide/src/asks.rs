//! What a server asks of the client's person and model.

use pathwarden_types::OperationKind;
use serde_json::Value;

/// Words of what nobody should type into a form of a server (MCP 2026-07-28, client/elicitation: «MUST
/// NOT use form mode elicitation to request sensitive information»).
const SECRET_WORDS: &[&str] = &[
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "passcode",
    "secret",
    "credential",
    "credentials",
    "apikey",
    "token",
    "pin",
    "cvv",
    "cvc",
    "ssn",
    "otp",
    "mnemonic",
];

/// The same in two words.
const SECRET_PAIRS: &[(&str, &str)] = &[
    ("api", "key"),
    ("access", "key"),
    ("private", "key"),
    ("secret", "key"),
    ("card", "number"),
    ("security", "code"),
    ("security", "number"),
    ("verification", "code"),
    ("one", "time"),
    ("recovery", "code"),
    ("seed", "phrase"),
];

/// Whether a server asks the person for a secret, in a form.
pub(crate) fn asks_secret(kind: OperationKind, arguments: &Value) -> bool {
    kind == OperationKind::Elicitation && names_secret(arguments)
}

fn names_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let sentences = text.split(['.', ';', '!', '?', '\n', '(', ')']);
            let rest: Vec<&str> = sentences.filter(|sentence| !warns_of(sentence)).collect();
            is_secret(&rest.join(" "))
        }
        Value::Array(items) => items.iter().any(names_secret),
        Value::Object(members) => {
            members.iter().any(|(name, value)| is_secret(name) || names_secret(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_secret(text: &str) -> bool {
    let words = pathwarden_purpose::words(text);
    let pairs = || words.iter().zip(words.iter().skip(1));
    words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
        || pairs().any(|(a, b)| SECRET_PAIRS.contains(&(a.as_str(), b.as_str())))
}

/// Whether a sentence does nothing but warn the person not to give something.
fn warns_of(sentence: &str) -> bool {
    let words = pathwarden_purpose::words(sentence);
    let at = |index: usize| words.get(index).map_or("", String::as_str);
    let forbids = |index: usize| {
        let next = match (at(index), at(index + 1)) {
            ("do", "not") | ("don", "t") => at(index + 2),
            ("never" | "don't" | "dont", next) => next,
            _ => return false,
        };
        GIVES.contains(&next)
    };
    (0..words.len()).any(forbids) && !words.iter().any(|word| GOES_ON.contains(&word.as_str()))
}

/// What a person is warned not to do.
const GIVES: &[&str] =
    &["enter", "give", "include", "provide", "reveal", "send", "share", "tell", "type"];

/// Words by which a sentence goes on to ask after it has warned.
const GOES_ON: &[&str] =
    &["and", "below", "but", "except", "here", "instead", "into", "just", "only", "then", "unless"];

/// Whether a server asks for what the client knows from other servers (`includeContext`).
pub(crate) fn asks_everything(kind: OperationKind, arguments: &Value) -> bool {
    let context = arguments.get("includeContext");
    // A value that is not known may mean more than one that is.
    kind == OperationKind::Sampling
        && context.is_some_and(|context| !matches!(context.as_str(), Some("none" | "thisServer")))
}

#[cfg(test)]
mod tests {
    use pathwarden_types::OperationKind;
    use serde_json::json;

    use super::{asks_everything, asks_secret};

    #[test]
    fn forms_that_ask_for_secrets_are_told_from_others() {
        let asks = |arguments| asks_secret(OperationKind::Elicitation, &arguments);
        let form =
            |name: &str| json!({"requestedSchema": {"properties": {name: {"type": "string"}}}});
        for name in ["password", "apiKey", "api_key", "cardNumber", "PIN", "access-token"] {
            assert!(asks(form(name)), "{name}");
        }
        assert!(asks(json!({"message": "Please type your bank password"})));
        let warning =
            "Your number (do not give us your phone number, pin, or other sensitive info)";
        assert!(!asks(json!({"message": warning})));
        for message in [
            "Do not share your PIN with others. Your PIN:",
            "Never give your password to anyone but type it here",
            "Do not worry, enter your PIN",
            "Your api.key",
        ] {
            assert!(asks(json!({"message": message})), "{message}");
        }
        for name in ["name", "opinion", "city", "number", "keyboard", "spinning"] {
            assert!(!asks(form(name)), "{name}");
        }
        assert!(!asks_secret(OperationKind::Sampling, &form("password")));
    }

    #[test]
    fn only_the_context_of_the_server_itself_is_its_business() {
        let asks = |arguments| asks_everything(OperationKind::Sampling, &arguments);
        assert!(asks(json!({"includeContext": "allServers"})));
        assert!(asks(json!({"includeContext": "everything", "messages": []})));
        assert!(asks(json!({"includeContext": ["none"]})));
        assert!(!asks(json!({"includeContext": "none"})) && !asks(json!({"messages": []})));
    }
}
