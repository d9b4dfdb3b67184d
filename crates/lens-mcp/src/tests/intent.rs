use pathwarden_types::{Digest, Name, OperationKind, Outcome};

use super::parse;
use pathwarden_json::{Json, canonical};

use crate::{
    Era, Intent, IntentFault, RewriteFault, Root, Route, client_request, outcome, rewrite,
};

fn intent(text: &str) -> Result<Intent, IntentFault> {
    let server: Name = "mail".parse().unwrap();
    Intent::of(&parse(text).unwrap(), &server)
}

fn call(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#)
}

#[test]
fn a_tool_call_is_decided_on_its_arguments_as_spelled() {
    let intent = intent(&call(r#"{"name":"send","arguments":{ "b":1.0,"a":"\u0078" }}"#)).unwrap();
    assert_eq!(intent.operation.kind, OperationKind::ToolCall);
    assert_eq!(intent.operation.name, "send");
    assert_eq!(intent.arguments, r#"{ "b":1.0,"a":"\u0078" }"#);
    assert_eq!(intent.canonical, Digest::of(br#"{"a":"x","b":1.0}"#));
}

#[test]
fn absent_arguments_are_an_empty_object() {
    for params in [r#"{"name":"x"}"#, r#"{"name":"x","arguments":null}"#] {
        assert_eq!(intent(&call(params)).unwrap().arguments, "{}");
    }
}

#[test]
fn resources_and_prompts_are_decided_on_what_names_them() {
    let method = |method: &str, params: &str| {
        intent(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#))
            .unwrap()
    };
    let read = method("resources/read", r#"{"uri":"file:///a"}"#);
    assert_eq!(read.operation.kind, OperationKind::ResourceRead);
    assert_eq!(read.operation.name, "file:///a");
    assert_eq!(read.arguments, r#"{"uri":"file:///a"}"#);
    let prompt = method("prompts/get", r#"{"name":"p","arguments":{"q":"1"}}"#);
    assert_eq!(prompt.operation.kind, OperationKind::PromptGet);
    assert_eq!(prompt.arguments, r#"{"name":"p","arguments":{"q":"1"}}"#);
}

fn complete(params: &str) -> Result<Intent, IntentFault> {
    intent(&format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{params}}}"#
    ))
}

#[test]
fn a_completion_is_decided_on_all_that_it_carries() {
    let prompt = complete(
        r#"{"_meta":{"progressToken":1},"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"secret"},"context":{"arguments":{"b":"1"}}}"#,
    )
    .unwrap();
    assert_eq!(prompt.operation.kind, OperationKind::PromptGet);
    assert_eq!(prompt.operation.name, "p");
    assert_eq!(
        prompt.arguments,
        r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"secret"},"context":{"arguments":{"b":"1"}}}"#
    );
    let resource = complete(r#"{"ref":{"type":"ref/resource","uri":"file:///{a}"}}"#).unwrap();
    assert_eq!(resource.operation.kind, OperationKind::ResourceRead);
    assert_eq!(resource.operation.name, "file:///{a}");
}

#[test]
fn a_completion_of_nothing_known_is_refused() {
    for params in [
        "{}",
        r#"{"ref":"p"}"#,
        r#"{"ref":{"type":"ref/tool","name":"p"}}"#,
        r#"{"ref":{"type":"ref/prompt","uri":"p"}}"#,
        r#"{"ref":{"type":"ref/prompt","name":""}}"#,
        r#"{"ref":{"type":"ref/prompt","name":"p","Name":"q"}}"#,
        r#"{"ref":{"type":"ref/resource","uri":"a","name":"q"}}"#,
    ] {
        assert!(matches!(complete(params), Err(IntentFault::Parameter { .. })), "{params}");
    }
}

#[test]
fn every_method_that_is_decided_can_be_read() {
    let params = r#"{"name":"x","uri":"file:///a","ref":{"type":"ref/prompt","name":"p"}}"#;
    for method in [
        "tools/call",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "prompts/get",
        "completion/complete",
    ] {
        assert_eq!(client_request(Era::Legacy, method), Some(Route::Decide), "{method}");
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        assert!(intent(&text).is_ok(), "{method}");
    }
}

#[test]
fn a_bare_message_holds_nothing_but_meta() {
    let is_bare = |rest: &str| {
        parse(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping"{rest}}}"#)).unwrap().is_bare()
    };
    assert!(is_bare("") && is_bare(r#","params":{}"#));
    assert!(is_bare(r#","params":{"_meta":{"progressToken":1}}"#));
    assert!(!is_bare(r#","params":{"_meta":{},"x":1}"#));
}

#[test]
fn parameters_that_cannot_be_decided_on_are_refused() {
    for params in [
        "{}",
        r#"{"name":""}"#,
        r#"{"name":7}"#,
        r#"{"name":"\ud800"}"#,
        r#"{"name":"x","arguments":[]}"#,
        r#"{"name":"x","arguments":"{}"}"#,
    ] {
        assert!(matches!(intent(&call(params)), Err(IntentFault::Parameter { .. })), "{params}");
    }
    let name = |length| call(&format!(r#"{{"name":"{}"}}"#, "x".repeat(length)));
    assert!(intent(&name(Intent::NAME_BYTES_MAX)).is_ok());
    assert_eq!(intent(&name(Intent::NAME_BYTES_MAX + 1)), Err(IntentFault::TooLong));
}

#[test]
fn the_parent_is_the_span_of_the_traceparent() {
    let parent = |traceparent: &str| {
        let meta = format!(r#"{{"name":"x","_meta":{{"traceparent":"{traceparent}"}}}}"#);
        intent(&call(&meta)).unwrap().parent.map(|id| id.to_string())
    };
    let trace = "0af7651916cd43dd8448eb211c80319c";
    assert_eq!(parent(&format!("00-{trace}-b7ad6b7169203331-01")).unwrap(), "b7ad6b7169203331");
    for wrong in ["", "00", "00-1-b7ad6b7169203331-01", &format!("ff-{trace}-b7ad6b7169203331-01")]
    {
        assert_eq!(parent(wrong), None, "{wrong}");
    }
}

#[test]
fn a_rewrite_changes_one_string_and_nothing_else() {
    let text = call(r#" {"v":1e400,"name":"x","arguments":{"to" : ["a","b"],"a/b":"c"}} "#);
    let message = parse(&text).unwrap();
    let new = rewrite(&message, Root::Arguments, "/to/1", "q\"\n").unwrap();
    assert_eq!(String::from_utf8(new).unwrap(), text.replace("\"b\"", "\"q\\\"\\n\""));
    let new = rewrite(&message, Root::Arguments, "/a~1b", "").unwrap();
    assert_eq!(String::from_utf8(new).unwrap(), text.replace("\"c\"", "\"\""));
}

#[test]
fn a_rewrite_that_does_not_fit_is_a_fault() {
    let message = parse(call(r#"{"name":"x","arguments":{"n":1,"l":["a"]}}"#)).unwrap();
    let fault = |pointer| rewrite(&message, Root::Arguments, pointer, "y").unwrap_err();
    assert_eq!(fault("/to"), RewriteFault::Missing("/to".into()));
    assert_eq!(fault("/l/01"), RewriteFault::Missing("/l/01".into()));
    assert_eq!(fault("/l/-"), RewriteFault::Missing("/l/-".into()));
    assert_eq!(fault("/n"), RewriteFault::NotAString("/n".into()));
    assert_eq!(fault(""), RewriteFault::NotAString(String::new()));
    assert!(matches!(fault("to"), RewriteFault::Pointer { .. }));
    assert!(matches!(fault("/~2"), RewriteFault::Pointer { .. }));
}

#[test]
fn the_outcome_is_what_the_server_says() {
    let of =
        |rest: &str| outcome(&parse(format!(r#"{{"jsonrpc":"2.0","id":1,{rest}}}"#)).unwrap()).0;
    assert_eq!(of(r#""result":{"content":[]}"#), Outcome::Done);
    assert_eq!(of(r#""result":{"isError":false}"#), Outcome::Done);
    assert_eq!(of(r#""result":{"isError":true}"#), Outcome::Failed);
    assert_eq!(of(r#""error":{"code":1,"message":"no"}"#), Outcome::Failed);
    assert_eq!(of(r#""result":{"task":{"taskId":"t"}}"#), Outcome::Unknown);
    assert_eq!(of(r#""result":{"resultType":"complete"}"#), Outcome::Done);
    for other in ["task", "input_required", "of_a_later_extension"] {
        assert_eq!(of(&format!(r#""result":{{"resultType":"{other}"}}"#)), Outcome::Unknown);
    }
}

#[test]
fn canonical_sorts_by_utf16_units_and_keeps_numbers() {
    // The example of RFC 8785 section 3.2.3, where UTF-16 order is not code point order.
    let text = "{\"\u{20ac}\":1.0,\"\\r\":2,\"\u{fb33}\":3,\"1\":4,\"\u{1f600}\":5,\"\u{80}\":6,\
                \"\u{f6}\":[ 1E2 , -0 ]}";
    let value = Json::parse(text.as_bytes()).unwrap();
    let want = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":[1E2,-0],\"\u{20ac}\":1.0,\
                \"\u{1f600}\":5,\"\u{fb33}\":3}";
    assert_eq!(String::from_utf8(canonical(value)).unwrap(), want);
}
