use super::{fault, kind, parse};
use pathwarden_json::{DEPTH_MAX, JsonFault};

use crate::{Body, Era, FaultKind, Message, MessageFault, Route, Shape};

#[test]
fn vendor_fields_odd_numbers_order_and_space_survive() {
    let text = " {\"zz\" : 1e400,\t\"id\":7,\"jsonrpc\":\"2.0\", \"method\":\"tools/call\",\"params\":\
                {\"vendor\":[1.0,50.0,-0,0.10],\"name\":\"a\\u0062\",\"arguments\":{\"x\":1E+2}}}\r";
    let message = parse(text).unwrap();
    assert_eq!(message.text(), text);
    assert_eq!(message.into_bytes(), text.as_bytes());
}

#[test]
fn each_kind_of_message_is_told_apart() {
    let request = parse(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).unwrap();
    assert!(matches!(request.body(), Body::Request { method, .. } if method == "ping"));
    let notification = parse(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).unwrap();
    assert!(matches!(notification.body(), Body::Notification { .. }));
    let result = parse(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#).unwrap();
    assert!(matches!(result.body(), Body::Response { id: Some(_), is_error: false }));
    let error = parse(r#"{"jsonrpc":"2.0","id":null,"error":{"code":1}}"#).unwrap();
    assert!(matches!(error.body(), Body::Response { id: None, is_error: true }));
}

#[test]
fn ids_are_matched_by_value_and_written_as_spelled() {
    let id = |text: &str| match parse(text).unwrap().body() {
        Body::Request { id, .. } => id.clone(),
        other => panic!("{other:?}"),
    };
    let escaped = id("{\"jsonrpc\":\"2.0\",\"id\":\"\\u0061\",\"method\":\"ping\"}");
    let plain = id(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#);
    let number = id(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let string = id(r#"{"jsonrpc":"2.0","id":"1","method":"ping"}"#);
    assert_eq!(escaped.key(), plain.key());
    assert_eq!(escaped.text(), "\"\\u0061\"");
    assert_ne!(number.key(), string.key());
}

#[test]
fn what_is_no_message_is_refused() {
    for text in [
        "",
        "null",
        "7",
        "\"x\"",
        "{}",
        "{\"jsonrpc\":\"2.0\"}",
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":7}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_message_that_is_two_things_to_two_parsers_is_refused() {
    for text in [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","NAME":"b"}}"#,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"param\u{17f}\":{}}",
    ] {
        let fault = fault(text);
        assert_eq!(fault.code(), -32_600, "{text}");
        assert_eq!(fault.id.unwrap().text(), "1", "{text}");
    }
}

#[test]
fn duplicate_keys_are_found_however_deep_and_escaped() {
    let deep = "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":\
                {\"name\":\"a\",\"arguments\":{\"o\":[{\"to\":1,\"\\u0074o\":2}]}}}";
    let fault = fault(deep);
    assert!(
        matches!(&fault.kind, FaultKind::Json(JsonFault::DuplicateKey { key, .. }) if key == "to")
    );
    assert_eq!((fault.code(), fault.shape), (-32_600, Shape::Call));
    assert_eq!(fault.id.unwrap().text(), "3");
}

#[test]
fn two_ids_are_answered_to_neither() {
    assert_eq!(fault(r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#).id, None);
}

#[test]
fn invalid_utf8_names_its_place_and_its_request() {
    let mut bytes = br#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":""#.to_vec();
    let place = bytes.len();
    bytes.extend([0xff, b'"', b'}']);
    let fault = fault(&bytes);
    assert_eq!(fault.kind, FaultKind::Json(JsonFault::NotUtf8 { at: place }));
    assert_eq!((fault.code(), fault.id.unwrap().text()), (-32_700, "\"x\""));
}

#[test]
fn a_batch_is_refused_as_such() {
    assert_eq!(kind(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#), FaultKind::Batch);
}

#[test]
fn depth_is_allowed_to_the_limit_and_refused_one_past_it() {
    let nested = |depth: usize| {
        // The envelope is one level.
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"a":0}},"x":{open}{close}}}"#)
    };
    assert!(parse(nested(DEPTH_MAX)).is_ok());
    assert!(matches!(kind(nested(DEPTH_MAX + 1)), FaultKind::Json(JsonFault::TooDeep { .. })));
    // So deep that recursion without a bound would overflow.
    assert!(parse("[".repeat(1 << 20)).is_err());
    assert!(parse("{\"a\":".repeat(1 << 18)).is_err());
}

#[test]
fn size_is_allowed_to_the_limit_and_refused_one_past_it() {
    let text = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
    assert!(Message::parse(text.into(), text.len()).is_ok());
    let fault = Message::parse(text.into(), text.len() - 1).unwrap_err();
    assert_eq!(fault.kind, FaultKind::TooLong { bytes_max: text.len() - 1 });
    assert_eq!(fault.id.unwrap().text(), "9");
}

#[test]
fn what_is_not_the_grammar_is_refused() {
    let wrap = |value: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","x":{value}}}"#);
    for value in [
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "0x1",
        "NaN",
        "Infinity",
        "tru",
        "nul",
        "'a'",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\"}",
        "[",
        "{",
        "\"",
        "1 2",
        "/**/1",
        "{\"\\ud800\":1}",
        "\u{feff}1",
    ] {
        assert!(parse(wrap(value)).is_err(), "{value}");
    }
    for value in ["0", "-0", "1.5E-3", "1e400", "\"\\ud800\"", "\"\\/\"", "\"\u{7f}\"", "[]", "{}"]
    {
        assert!(parse(wrap(value)).is_ok(), "{value}");
    }
    assert!(parse(wrap("1") + "x").is_err());
    assert!(parse("\u{feff}".to_owned() + &wrap("1")).is_err());
}

#[test]
fn a_method_of_no_known_revision_has_no_route() {
    let known = |era, method| crate::client_request(era, method).is_some();
    for era in [Era::Legacy, Era::Modern] {
        assert_eq!(crate::client_request(era, "tools/call"), Some(Route::Decide));
        for method in ["tools/Call", "tools/call ", "events/listen", ""] {
            assert!(!known(era, method), "{method}");
            assert_eq!(crate::server_request(method), None, "{method}");
        }
    }
    // Each era has methods that the other has not.
    for method in ["initialize", "ping", "logging/setLevel", "resources/subscribe", "tasks/result"]
    {
        assert!(known(Era::Legacy, method) && !known(Era::Modern, method), "{method}");
    }
    for method in ["server/discover", "subscriptions/listen", "tasks/update"] {
        assert!(!known(Era::Legacy, method) && known(Era::Modern, method), "{method}");
    }
    assert!(!crate::client_notification("notifications/claude/channel"));
    assert!(!crate::server_notification("notifications/claude/channel"));
}

#[test]
fn of_a_message_too_long_to_keep_the_id_is_found_at_either_end() {
    let id = |beginning: &str, ending: &str| {
        MessageFault::too_long(9, beginning.as_bytes(), ending.as_bytes())
            .id
            .map(|id| id.text().to_owned())
    };
    assert_eq!(id("{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"x", "xx").unwrap(), "5");
    assert_eq!(
        id("{\"result\":{\"x", "x\"},\"jsonrpc\":\"2.0\", \"id\": \"a\" }\n").unwrap(),
        "\"a\""
    );
    for ending in ["\"id\":5}}", "x,\\\"id\\\":5}\"}", "\"id\":5}\"}", "x}", "", "{\"id\":[5]}"] {
        assert_eq!(id("{\"result\":{\"x", ending), None, "{ending}");
    }
}
