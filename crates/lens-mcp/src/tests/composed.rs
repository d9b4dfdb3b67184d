use super::parse;
use crate::compose::{self, Told};
use pathwarden_json::{Json, Kind};

use crate::{Body, Era, Id};

const HOSTILE: &str = "a\"}],\"x\":\\ \n\u{1} \u{1f600}";

fn id() -> Id {
    Id::of(Json::parse(b"\"i\\u0064\"").unwrap()).unwrap()
}

fn told() -> Told<'static> {
    Told { what: HOSTILE, code: "to_outsider", advice: HOSTILE, action: Some("b7ad6b7169203331") }
}

#[test]
fn what_is_quoted_in_a_refusal_cannot_break_out_of_it() {
    let message = parse(compose::tool_refusal(Era::Modern, &id(), told())).unwrap();
    assert!(matches!(message.body(), Body::Response { is_error: false, .. }));
    assert_eq!(message.member("id").unwrap().text(), "\"i\\u0064\"");
    let result = message.member("result").unwrap();
    assert_eq!(result.member("resultType").unwrap().text(), "\"complete\"");
    assert_eq!(result.member("isError").unwrap().text(), "true");
    let content = result.member("content").unwrap().items().next().unwrap();
    let text = content.member("text").unwrap().string().unwrap();
    assert!(text.contains(HOSTILE) && text.contains("to_outsider"), "{text}");
    let meta = result.member("_meta").unwrap();
    let code = meta.member("pathwarden/code").unwrap();
    assert_eq!(code.string().unwrap(), "to_outsider");
    assert_eq!(meta.member("pathwarden/action").unwrap().string().unwrap(), "b7ad6b7169203331");
}

#[test]
fn other_refusals_are_errors_of_the_protocol() {
    let message = parse(compose::refusal(&id(), told())).unwrap();
    let error = message.member("error").unwrap();
    assert_eq!(error.member("code").unwrap().text(), compose::REFUSED.to_string());
    assert_eq!(error.member("data").unwrap().member("code").unwrap().text(), "\"to_outsider\"");
    let error = parse(compose::error(None, -32_700, HOSTILE)).unwrap();
    assert!(matches!(error.body(), Body::Response { id: None, is_error: true }));
}

#[test]
fn progress_grows_and_names_its_token() {
    let message = parse(compose::progress("\"t\"", 1_002, HOSTILE)).unwrap();
    assert!(matches!(message.body(), Body::Notification { .. }));
    assert_eq!(message.param("progressToken").unwrap().text(), "\"t\"");
    assert_eq!(message.param("progress").unwrap().kind(), Kind::Number);
    assert_eq!(message.param("progress").unwrap().text(), "1.002");
}
