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
        Value::String(text) => is_secret(text),
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
