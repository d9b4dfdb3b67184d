use proptest::prelude::*;
use serde_json::Value;

use crate::{MESSAGE_BYTES_MAX, Message, Root, rewrite};

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

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = Message::parse(bytes, MESSAGE_BYTES_MAX);
    }

    #[test]
    fn every_value_is_read_and_its_bytes_are_kept(value in any_value()) {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"x":{value}}}}}"#);
        let message = Message::parse(text.clone().into_bytes(), MESSAGE_BYTES_MAX).unwrap();
        let member = message.member("result").unwrap().member("x").unwrap();
        prop_assert_eq!(member.text(), value.to_string());
        prop_assert_eq!(message.text(), text);
    }

    #[test]
    fn a_rewrite_keeps_every_byte_around_it(
        before in any_value(), after in any_value(), old: String, new: String,
    ) {
        let old = Value::from(old);
        let text = |string: &Value| format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":
            {{"before":{before}, "it" : {string} ,"after":{after}}}}}}}"#
        );
        let message = Message::parse(text(&old).into_bytes(), MESSAGE_BYTES_MAX).unwrap();
        let rewritten = String::from_utf8(rewrite(&message, Root::Arguments, "/it", &new).unwrap()).unwrap();
        let (start, end) = text(&Value::Null).split_once(" : null").map(|(a, b)| (a.to_owned() + " : ", b.to_owned())).unwrap();
        prop_assert!(rewritten.starts_with(&start) && rewritten.ends_with(&end));
        let middle = &rewritten[start.len()..rewritten.len() - end.len()];
        prop_assert_eq!(serde_json::from_str::<Value>(middle).unwrap(), Value::from(new));
    }
}
