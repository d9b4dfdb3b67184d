use serde_json::json;

use super::PartKind::*;
use super::{Api, CallKind, Request, RequestFault, check, check_tools, fault, read};

const API: Api = Api::GenerateContent;

#[test]
fn a_window_is_read_in_order() {
    let body = json!({
        "systemInstruction": {"parts": [{"text": "Be short."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Go."}, {"inlineData": {"data": "AAAA"}},
                {"fileData": {"fileUri": "files/1", "displayName": "f.pdf"}}]},
            {"role": "model", "parts": [
                {"text": "I look.", "thought": true, "thoughtSignature": "Cq"}, {"text": "Done."}]},
            {"role": "novel", "parts": []},
        ],
        "safetySettings": [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "BLOCK_NONE"}],
    });
    let file = r#"{"displayName":"f.pdf","fileUri":"files/1"}"#;
    check(
        &read(API, &body),
        &[
            (System, "/systemInstruction/parts/0/text", "Be short.", "", ""),
            (User, "/contents/0/parts/0/text", "Go.", "", ""),
            (Media, "/contents/0/parts/1/inlineData", r#"{"data":"AAAA"}"#, "", ""),
            (Media, "/contents/0/parts/2/fileData", file, "", "f.pdf"),
            (Reasoning, "/contents/1/parts/0/text", "I look.", "", ""),
            (Media, "/contents/1/parts/0/thoughtSignature", r#""Cq""#, "", ""),
            (Assistant, "/contents/1/parts/1/text", "Done.", "", ""),
            (Media, "/contents/2", r#"{"parts":[],"role":"novel"}"#, "", ""),
        ],
    );
}

#[test]
fn calls_without_id_are_matched_by_their_place() {
    let body = json!({"contents": [
        {"role": "model", "parts": [
            {"functionCall": {"name": "read", "args": {"path": "/a"}}},
            {"functionCall": {"name": "read", "args": {"path": "/b"}}},
            {"functionCall": {"name": "now"}},
            {"functionCall": {"id": "x1", "name": "read", "args": {}}}]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": "read", "response": {"r": "a"}}},
            {"functionResponse": {"name": "now", "response": {"r": 7}}},
            {"functionResponse": {"id": "x1", "response": {}}},
            {"functionResponse": {"name": "read", "response": {}, "parts": [{"inlineData": {}}]}}]},
    ]});
    let request = read(API, &body);
    let rows = request.parts().iter().map(|part| {
        (
            part.kind,
            part.text.as_str(),
            part.call.as_deref().unwrap(),
            part.name.as_deref().unwrap(),
        )
    });
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            (Call, r#"{"path":"/a"}"#, "read#1", "read"),
            (Call, r#"{"path":"/b"}"#, "read#2", "read"),
            (Call, "{}", "now#1", "now"),
            (Call, "{}", "x1", "read"),
            (ToolResult, r#"{"r":"a"}"#, "read#1", "read"),
            (ToolResult, r#"{"r":7}"#, "now#1", "now"),
            (ToolResult, "{}", "x1", "read"),
            (ToolResult, "{}", "read#2", "read"),
            (Media, r#"{"inlineData":{}}"#, "read#2", "read"),
        ]
    );
}

#[test]
fn what_the_provider_ran_is_in_the_window_too() {
    let body = json!({"contents": [{"role": "model", "parts": [
        {"executableCode": {"code": "1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "one"}},
        {"toolCall": {"id": "t", "toolType": "URL_CONTEXT", "args": {"u": "x"}}},
        {"toolResponse": {"id": "t", "toolType": "URL_CONTEXT", "response": {"page": "words"}}},
    ]}]});
    let (id, name) = ("codeExecution#1", "codeExecution");
    let at = |rest: &str| format!("/contents/0/parts/{rest}");
    check(
        &read(API, &body),
        &[
            (Call, &at("0/executableCode"), r#"{"code":"1"}"#, id, name),
            (ToolResult, &at("1/codeExecutionResult/output"), "one", id, name),
            (Call, &at("2/toolCall/args"), r#"{"u":"x"}"#, "t", "URL_CONTEXT"),
            (ToolResult, &at("3/toolResponse/response"), r#"{"page":"words"}"#, "t", "URL_CONTEXT"),
        ],
    );
}

#[test]
fn both_spellings_are_read_and_what_repeats_may_stand_once() {
    let body = json!({
        "system_instruction": {"parts": {"text": "Be short."}},
        "contents": {"parts": {"text": "Go."}},
        "tools": {"function_declarations": {"name": "f", "description": "d"}},
        "generation_config": {"response_schema": {"type": "STRING", "description": "words"}},
        "cached_content": "cachedContents/c1",
    });
    let request = read(API, &body);
    assert_eq!(request.continues().as_deref(), Some("cachedContents/c1"));
    check(
        &request,
        &[
            (System, "/system_instruction/parts/text", "Be short.", "", ""),
            (User, "/contents/parts/text", "Go.", "", ""),
            (
                System,
                "/generation_config/response_schema",
                r#"{"description":"words","type":"STRING"}"#,
                "",
                "",
            ),
        ],
    );
    check_tools(&request, &[("f", CallKind::Function)], &[]);
}

#[test]
fn one_thing_in_two_spellings_is_a_fault() {
    for body in [
        r#"{"contents":[],"systemInstruction":{},"system_instruction":{}}"#,
        r#"{"contents":[{"parts":[{"inlineData":{},"inline_data":{}}]}]}"#,
        r#"{"contents":[],"tools":[{"functionDeclarations":[],"function_declarations":[]}]}"#,
        r#"{"contents":[],"Contents":[]}"#,
    ] {
        assert!(matches!(fault(API, body), RequestFault::LookAlike { .. }), "{body}");
    }
    let body = r#"{"contents":[],"generateContentRequest":{"contents":[]}}"#;
    assert!(matches!(fault(API, body), RequestFault::Shape { .. }));
}

#[test]
fn the_model_of_the_path_counts() {
    let parse = |body: &str, path| Request::parse(API, body.into(), path);
    assert_eq!(parse(r#"{"contents":[]}"#, Some("g")).unwrap().model(), "g");
    assert_eq!(parse(r#"{"contents":[],"model":"models/g"}"#, Some("g")).unwrap().model(), "g");
    let (_, other) = parse(r#"{"contents":[],"model":"models/h"}"#, Some("g")).unwrap_err();
    assert!(matches!(other, RequestFault::Shape { at, .. } if at == "/model"));
}

#[test]
fn counting_takes_a_whole_request() {
    let body = json!({"generateContentRequest": {"model": "models/g",
        "contents": [{"role": "user", "parts": [{"text": "Go."}]}]}});
    let at = "/generateContentRequest/contents/0/parts/0/text";
    check(&read(API, &body), &[(User, at, "Go.", "", "")]);
}

#[test]
fn tools_are_told_apart_by_who_runs_them() {
    let body = json!({"contents": [], "tools": [
        {"functionDeclarations": [{"name": "f"}, {"name": "g"}], "google_search": {}},
        {"codeExecution": {}, "urlContext": {}},
        {"computerUse": {"environment": "ENVIRONMENT_BROWSER"}},
        {"mcpServers": [{"name": "s", "streamableHttpTransport":
            {"url": "https://s.example", "headers": {"X-Key": "TOKEN"}}}]},
        {"retrieval": {"externalApi": {"endpoint": "https://e.example", "apiAuth":
            {"apiKeyConfig": {"apiKeyString": "TOKEN"}}}}},
    ]});
    let request = read(API, &body);
    let own =
        [("f", CallKind::Function), ("g", CallKind::Function), ("computerUse", CallKind::BuiltIn)];
    check_tools(
        &request,
        &own,
        &[
            ("googleSearch", "googleSearch"),
            ("codeExecution", "codeExecution"),
            ("urlContext", "urlContext"),
            ("mcp", "s"),
            ("retrieval", "retrieval"),
        ],
    );
    let urls: Vec<_> =
        request.server_tools().iter().map(|tool| tool.server_url.as_deref()).collect();
    assert_eq!(urls, [None, None, None, Some("https://s.example"), Some("https://e.example")]);
    assert!(request.server_tools().iter().all(|tool| !tool.text.contains("TOKEN")));
}
