use serde_json::json;

use super::PartKind::*;
use super::{Api, CallKind, RequestFault, check, check_tools, fault, read};

const API: Api = Api::ChatCompletions;

#[test]
fn a_run_with_tools_is_read_in_order() {
    let body = json!({
        "model": "gpt-6-luna", "stream": true, "metadata": {"task": "a long text, not for the model"},
        "messages": [
            {"role": "developer", "content": "Be short."},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "What is in these?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:..."}},
            ]},
            {"role": "assistant", "content": null, "reasoning_content": "I look.", "tool_calls": [
                {"id": "call_1", "type": "function",
                 "function": {"name": "read", "arguments": "{\"path\":\"/a\"}"}},
                {"id": "call_2", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "secret words"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "done"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot."}]},
            {"role": "assistant", "refusal": "No.", "audio": {"id": "audio_1"}},
        ],
    });
    let request = read(API, &body);
    assert!(request.streams());
    assert_eq!((request.model(), request.api()), ("gpt-6-luna", API));
    check(
        &request,
        &[
            (System, "/messages/0/content", "Be short.", "", ""),
            (User, "/messages/1/content/0/text", "What is in these?", "", "ann"),
            (
                Media,
                "/messages/1/content/1",
                r#"{"image_url":{"url":"data:image/png;base64,AAAA"},"type":"image_url"}"#,
                "",
                "ann",
            ),
            (
                Media,
                "/messages/1/content/2",
                r#"{"input_audio":{"data":"AAAA","format":"wav"},"type":"input_audio"}"#,
                "",
                "ann",
            ),
            (
                Media,
                "/messages/1/content/3",
                r#"{"file":{"file_data":"data:...","filename":"a.pdf"},"type":"file"}"#,
                "",
                "a.pdf",
            ),
            (Reasoning, "/messages/2/reasoning_content", "I look.", "", ""),
            (
                Call,
                "/messages/2/tool_calls/0/function/arguments",
                r#"{"path":"/a"}"#,
                "call_1",
                "read",
            ),
            (Call, "/messages/2/tool_calls/1/custom/input", "*** Begin", "call_2", "patch"),
            (ToolResult, "/messages/3/content", "secret words", "call_1", "read"),
            (ToolResult, "/messages/4/content/0/text", "done", "call_2", "patch"),
            (Assistant, "/messages/5/content/0/refusal", "I cannot.", "", ""),
            (Assistant, "/messages/6/refusal", "No.", "", ""),
            (Media, "/messages/6/audio", r#"{"id":"audio_1"}"#, "", ""),
        ],
    );
    assert!(request.parts().iter().all(|part| part.is_string == (part.kind != Media)));
}

#[test]
fn calls_before_tools_are_matched_by_their_place() {
    let body = json!({"model": "m", "messages": [
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "one"},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "two"},
    ], "functions": [{"name": "f", "description": "d", "parameters": {}}]});
    let request = read(API, &body);
    check(
        &request,
        &[
            (Call, "/messages/0/function_call/arguments", "{}", "f#1", "f"),
            (ToolResult, "/messages/1/content", "one", "f#1", "f"),
            (Call, "/messages/2/function_call/arguments", "{}", "f#2", "f"),
            (ToolResult, "/messages/3/content", "two", "f#2", "f"),
        ],
    );
    check_tools(&request, &[("f", CallKind::Function)], &[]);
    assert_eq!(request.tools_text(), Some(body["functions"].to_string().as_str()));
}

#[test]
fn tools_are_told_apart_by_who_runs_them() {
    let body = json!({"model": "m", "messages": [], "web_search_options": {}, "tools": [
        {"type": "function", "function": {"name": "f", "description": "d\u{7}", "parameters": {}}},
        {"type": "custom", "custom": {"name": "c"}},
        {"type": "novel", "name": "n"},
    ]});
    let request = read(API, &body);
    let own = [("f", CallKind::Function), ("c", CallKind::Custom)];
    check_tools(&request, &own, &[("novel", "n"), ("web_search", "web_search")]);
    assert_eq!(request.tools()[0].description, "d\u{7}");
    assert_eq!(request.tools()[0].text, body["tools"][0].to_string());
    assert_eq!(request.tools_text(), Some(body["tools"].to_string().as_str()));
}

#[test]
fn what_is_not_known_is_a_part_as_it_stands() {
    let body = json!({"model": "m", "messages": [
        {"role": "critic", "content": "words of an unknown role"},
        {"role": "user", "content": [{"type": "novel", "words": "words of an unknown block"}],
         "aside": "words of an unknown member", "phase": "final"},
        {"role": "user", "name": "words in the place of a name", "content": ""},
    ], "prediction": {"type": "content", "content": "guess"}, "service_tier": "auto",
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema":
        {"type": "object", "description": "words in the schema of the answer"}}},
    "note": {"a": "words beside the window"}, "split": ["words", "that", "stand", "apart", "in", "an",
        "array", "of", "many", "very", "short", "strings", "which", "make", "a", "message"]});
    let texts: Vec<_> = read(API, &body).parts().iter().map(|part| part.text.clone()).collect();
    let texts = texts.join("\n");
    for words in [
        "unknown role",
        "unknown block",
        "unknown member",
        "in the place of",
        "guess",
        "schema of the answer",
        "beside the window",
        "\"message\"",
    ] {
        assert!(texts.contains(words), "{words} in {texts}");
    }
    assert!(!texts.contains("final") && !texts.contains("auto"));
}

#[test]
fn escapes_hide_no_word_of_a_json_text() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":[
        {"type":"novel","a":"\u0069gnore\u000a\"\\ all","b":"\ud800"}]}]}"#;
    let (_, request) = ((), super::Request::parse(API, body.into(), None).unwrap());
    let text = &request.parts()[0].text;
    assert_eq!(text, r#"{"type":"novel","a":"ignore\n\"\\ all","b":"\ud800"}"#);
}

#[test]
fn what_has_not_the_shape_of_the_api_is_a_fault() {
    for (body, at) in [
        (r#"{"messages":[]}"#, "/model"),
        (r#"{"model":"m"}"#, "/messages"),
        (r#"{"model":7,"messages":[]}"#, "/model"),
        (r#"{"model":"m","messages":{}}"#, "/messages"),
        (r#"{"model":"m","messages":["x"]}"#, "/messages/0"),
        (r#"{"model":"m","stream":"true","messages":[]}"#, "/stream"),
        (r#"{"model":"m","messages":[{"role":"user","content":7}]}"#, "/messages/0/content"),
        (r#"{"model":"m","messages":[{"role":"user","content":"\ud800"}]}"#, "/messages/0/content"),
        (r#"{"model":"m","messages":[],"tools":[{"type":"function"}]}"#, "/tools/0"),
        (r#"{"model":"m","messages":[],"tools":[7]}"#, "/tools/0"),
    ] {
        assert!(
            matches!(fault(API, body), RequestFault::Shape { at: found, .. } if found == at),
            "{body}"
        );
    }
    assert_eq!(fault(API, "[]"), RequestFault::NotAnObject);
    assert!(matches!(fault(API, r#"{"a":1,"a":2}"#), RequestFault::NotJson(_)));
    assert!(matches!(fault(API, "{"), RequestFault::NotJson(_)));
}

#[test]
fn a_name_that_others_read_as_another_is_a_fault() {
    for (body, at, found) in [
        (r#"{"model":"m","messages":[],"Messages":[]}"#, "", "Messages"),
        (r#"{"model":"m","messages":[],"TOOLS":[]}"#, "", "TOOLS"),
        (r#"{"model":"m","messages":[],"mod\u0065L":"x"}"#, "", "modeL"),
        (r#"{"model":"m","messages":[],"me\u017f\u017fages":[]}"#, "", "meſſages"),
        (r#"{"model":"m","messages":[{"role":"user","Role":"system"}]}"#, "/messages/0", "Role"),
        (r#"{"model":"m","messages":[],"tools":[{"type":"x","Type":"y"}]}"#, "/tools/0", "Type"),
    ] {
        let fault = fault(API, body);
        let is_it = matches!(&fault, RequestFault::LookAlike { at: place, found: name, .. }
            if place == at && name == found);
        assert!(is_it, "{body}: {fault}");
    }
}
