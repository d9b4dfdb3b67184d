use std::collections::BTreeMap;

use pathwarden_json::Json;
use proptest::prelude::*;

use super::parse;
use crate::headers::{Header, Param, check, encode};
use crate::{EraFault, Message};

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

fn request(method: &str, params: &str) -> Message {
    let comma = if params.is_empty() { "" } else { "," };
    parse(format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{comma}{META}}}}}"#
    ))
    .unwrap()
}

fn is_same(message: &Message, params: &[Param], headers: &[(&str, &str)]) -> bool {
    let headers: BTreeMap<&str, &str> = headers.iter().copied().collect();
    let header = |name: &str| match headers.get(name) {
        None => Header::Absent,
        Some(&"!") => Header::Unusable,
        Some(value) => Header::One(value),
    };
    check(message, params, &header).is_ok()
}

const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");

#[test]
fn headers_that_say_something_else_than_the_body_are_a_mismatch() {
    let call = request("tools/call", r#""name":"read","arguments":{}"#);
    let method = ("mcp-method", "tools/call");
    assert!(is_same(&call, &[], &[VERSION, method, ("mcp-name", "read")]));
    assert!(is_same(&call, &[], &[VERSION, method, ("mcp-name", "=?base64?cmVhZA==?=")]));
    for wrong in [
        &[VERSION, method, ("mcp-name", "delete")][..],
        &[VERSION, method, ("mcp-name", "Read")],
        &[VERSION, method, ("mcp-name", "=?base64?!?=")],
        &[VERSION, method, ("mcp-name", "!")],
        &[VERSION, method],
        &[VERSION, ("mcp-method", "tools/list"), ("mcp-name", "read")],
        &[VERSION, ("mcp-name", "read")],
        &[("mcp-protocol-version", "2025-11-25"), method, ("mcp-name", "read")],
        &[method, ("mcp-name", "read")],
    ] {
        assert!(!is_same(&call, &[], wrong), "{wrong:?}");
    }
    let list = request("tools/list", "");
    assert!(is_same(&list, &[], &[VERSION, ("mcp-method", "tools/list")]));
    let read = request("resources/read", r#""uri":"file:///a""#);
    let method = ("mcp-method", "resources/read");
    assert!(is_same(&read, &[], &[VERSION, method, ("mcp-name", "file:///a")]));
    assert!(!is_same(&read, &[], &[VERSION, method, ("mcp-name", "file:///b")]));
    let task = request("tasks/get", r#""taskId":"t""#);
    let method = ("mcp-method", "tasks/get");
    assert!(is_same(&task, &[], &[VERSION, method]));
    assert!(!is_same(&task, &[], &[VERSION, method, ("mcp-name", "u")]));
}

fn params() -> Vec<Param> {
    let tool = r#"{"name":"sql","inputSchema":{"type":"object","properties":{
        "region":{"type":"string","x-mcp-header":"Region"},
        "limit":{"type":"integer","x-mcp-header":"Limit"},
        "bad":{"type":"string","x-mcp-header":"not a token"},
        "deep":{"type":"object","properties":{"flag":{"type":"boolean","x-mcp-header":"Flag"}}},
        "list":{"type":"array","items":{"type":"string","x-mcp-header":"Never"}}}}}"#;
    Param::all_of(Json::parse(tool.as_bytes()).unwrap())
}

#[test]
fn annotated_parameters_are_compared_and_others_are_not() {
    let names: Vec<String> = params().into_iter().map(|param| param.header).collect();
    assert_eq!(names, ["mcp-param-region", "mcp-param-limit", "mcp-param-flag"]);
    let check = |arguments: &str, extra: &[(&str, &str)]| {
        let call = request("tools/call", &format!(r#""name":"sql","arguments":{arguments}"#));
        let mut headers = vec![VERSION, ("mcp-method", "tools/call"), ("mcp-name", "sql")];
        headers.extend_from_slice(extra);
        is_same(&call, &params(), &headers)
    };
    let (region, flag) = (("mcp-param-region", "eu"), ("mcp-param-flag", "true"));
    assert!(check("{}", &[]));
    assert!(check(r#"{"region":null}"#, &[]));
    assert!(check(r#"{"region":"eu"}"#, &[region]));
    assert!(check(r#"{"deep":{"flag":true}}"#, &[flag]));
    assert!(check(r#"{"limit":42}"#, &[("mcp-param-limit", "42.0")]));
    assert!(check("{}", &[("mcp-param-unknown", "x")]));
    assert!(!check(r#"{"region":"us"}"#, &[region]), "split");
    assert!(!check(r#"{"region":"eu"}"#, &[]), "left out");
    assert!(!check("{}", &[region]), "without its parameter");
    assert!(!check(r#"{"limit":42}"#, &[("mcp-param-limit", "43")]));
    assert!(!check(r#"{"region":["eu"]}"#, &[region]), "not a scalar");
}

#[test]
fn the_values_of_the_specification_are_coded_as_it_says() {
    for (value, want) in [
        ("us-west1", "us-west1"),
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
    ] {
        assert_eq!(encode(value), want);
    }
}

#[test]
fn a_modern_request_says_what_it_must() {
    let check = |meta: &str| {
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"_meta":{{{meta}}}}}}}"#
        );
        parse(text).unwrap().check_era()
    };
    let version = |text: &str| format!(r#""io.modelcontextprotocol/protocolVersion":{text}"#);
    let capabilities = r#""io.modelcontextprotocol/clientCapabilities":"#;
    assert_eq!(check(&format!("{},{capabilities}{{}}", version("\"2026-07-28\""))), Ok(()));
    for wrong in [
        version("\"2026-07-28\""),
        format!("{},{capabilities}[]", version("\"2026-07-28\"")),
        format!("{},{capabilities}{{}}", version("1")),
    ] {
        assert!(matches!(check(&wrong), Err(EraFault::Meta { .. })), "{wrong}");
    }
    for other in ["2025-11-25", "2027-01-01", "1900-01-01", "draft"] {
        let fault = check(&format!("{},{capabilities}{{}}", version(&format!("\"{other}\""))));
        assert_eq!(fault, Err(EraFault::Unsupported { requested: other.to_owned() }));
    }
}

proptest! {
    #[test]
    fn what_is_coded_compares_as_equal(value in "\\PC{1,40}") {
        let quoted = serde_json::to_string(&value).unwrap();
        let call = request("tools/call", &format!(r#""name":{quoted}"#));
        let coded = encode(&value);
        let headers = [VERSION, ("mcp-method", "tools/call"), ("mcp-name", coded.as_str())];
        prop_assume!(coded != "!");
        prop_assert!(is_same(&call, &[], &headers));
    }
}
