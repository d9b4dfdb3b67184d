use proptest::prelude::*;
use serde_json::Value;

use crate::{Json, canonical};

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-c\u{e000}-\u{e002}\u{10000}\\\\\"]{0,3}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text that is nearly JSON.
fn near_json() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "d83d",
        "\"id\"",
        "\"method\"",
        "1",
        "-",
        "e",
        ".",
        "true",
        "null",
        " ",
        "\n",
        "\"jsonrpc\":\"2.0\"",
        "\"result\"",
        "\u{e9}",
    ]
    .as_slice();
    prop::collection::vec(prop::sample::select(pieces), 0..24)
        .prop_map(|pieces| pieces.concat().into_bytes())
}

/// Another spelling of the same value: members reversed, white space, needless escapes.
fn respell(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .rev()
                .map(|(k, v)| format!("{} :{}", escape(k), respell(v)))
                .collect();
            format!("{{ {}\n}}", members.join(" ,\t"))
        }
        Value::Array(items) => {
            format!("[{} ]", items.iter().map(respell).collect::<Vec<_>>().join(" , "))
        }
        Value::String(text) => escape(text),
        other => other.to_string(),
    }
}

fn escape(text: &str) -> String {
    text.encode_utf16().fold("\"".to_owned(), |out, unit| format!("{out}\\u{unit:04X}")) + "\""
}

/// The canonical form as another implementation would write it.
fn oracle(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut keys: Vec<_> = members.iter().collect();
            keys.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
            let members: Vec<_> = keys
                .into_iter()
                .map(|(k, v)| format!("{}:{}", Value::from(k.as_str()), oracle(v)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(oracle).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

fn canonical_of(text: &str) -> String {
    String::from_utf8(canonical(Json::parse(text.as_bytes()).unwrap())).unwrap()
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = Json::parse(&bytes);
    }

    /// What we accept, another parser accepts; what it refuses, we refuse.
    #[test]
    fn nothing_is_accepted_that_another_parser_refuses(bytes in near_json()) {
        let theirs = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
        prop_assert!(theirs || Json::parse(&bytes).is_err());
    }

    #[test]
    fn canonical_does_not_depend_on_spelling(value in any_value()) {
        let once = canonical_of(&value.to_string());
        prop_assert_eq!(&once, &oracle(&value));
        prop_assert_eq!(&once, &canonical_of(&respell(&value)));
        prop_assert_eq!(&once, &canonical_of(&once));
    }
}
