use serde_json::json;

use super::PartKind::*;
use super::{Api, CallKind, check, check_tools, read};

const API: Api = Api::Responses;

#[test]
fn input_is_a_string_or_items() {
    let body = json!({"model": "m", "instructions": "Be short.", "input": "Hello."});
    check(
        &read(API, &body),
        &[(System, "/instructions", "Be short.", "", ""), (User, "/input", "Hello.", "", "")],
    );
    assert_eq!(read(API, &json!({"input": []})).model(), "");
}

#[test]
fn a_run_with_tools_is_read_in_order() {
    let body = json!({"model": "m", "input": [
        {"role": "user", "content": "Go."},
        {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "See."}, {"type": "input_image", "file_id": "f"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Short."}],
         "content": [{"type": "reasoning_text", "text": "Long."}], "encrypted_content": "gAAA"},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "done"},
        {"type": "custom_tool_call", "call_id": "call_2", "name": "c", "input": "free"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": [
            {"type": "input_text", "text": "one"},
            {"type": "input_file", "filename": "x.pdf", "file_data": "AAAA"}]},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": "Done.", "annotations": []},
            {"type": "refusal", "refusal": "No."}]},
    ]});
    check(
        &read(API, &body),
        &[
            (User, "/input/0/content", "Go.", "", ""),
            (User, "/input/1/content/0/text", "See.", "", ""),
            (Media, "/input/1/content/1", r#"{"file_id":"f","type":"input_image"}"#, "", ""),
            (Reasoning, "/input/2/summary/0/text", "Short.", "", ""),
            (Reasoning, "/input/2/content/0/text", "Long.", "", ""),
            (Media, "/input/2/encrypted_content", r#""gAAA""#, "", ""),
            (Call, "/input/3/arguments", "{}", "call_1", "f"),
            (ToolResult, "/input/4/output", "done", "call_1", "f"),
            (Call, "/input/5/input", "free", "call_2", "c"),
            (ToolResult, "/input/6/output/0/text", "one", "call_2", "c"),
            (
                Media,
                "/input/6/output/1",
                r#"{"file_data":"AAAA","filename":"x.pdf","type":"input_file"}"#,
                "call_2",
                "x.pdf",
            ),
            (Assistant, "/input/7/content/0/text", "Done.", "", ""),
            (Assistant, "/input/7/content/1/refusal", "No.", "", ""),
        ],
    );
}

#[test]
fn built_in_tools_are_calls_and_results() {
    let body = json!({"model": "m", "input": [
        {"type": "local_shell_call", "id": "l", "call_id": "c1", "action": {"command": ["ls"]}},
        {"type": "local_shell_call_output", "id": "c1", "output": "{\"stdout\":\"a\"}"},
        {"type": "shell_call", "call_id": "c2", "action": {"commands": ["ls"]}},
        {"type": "shell_call_output", "call_id": "c2", "output": [
            {"stdout": "a", "stderr": "b", "outcome": {"type": "exit", "exit_code": 0}}]},
        {"type": "apply_patch_call", "call_id": "c3", "operation": {"type": "delete_file", "path": "p"}},
        {"type": "apply_patch_call_output", "call_id": "c3", "status": "failed", "output": "no"},
        {"type": "computer_call", "id": "x", "call_id": "c4", "action": {"type": "wait"}},
        {"type": "computer_call_output", "call_id": "c4",
         "output": {"type": "computer_screenshot", "image_url": "data:..."}},
    ]});
    check(
        &read(API, &body),
        &[
            (Call, "/input/0/action", r#"{"command":["ls"]}"#, "c1", "local_shell"),
            (ToolResult, "/input/1/output", r#"{"stdout":"a"}"#, "c1", "local_shell"),
            (Call, "/input/2/action", r#"{"commands":["ls"]}"#, "c2", "shell"),
            (ToolResult, "/input/3/output/0/stdout", "a", "c2", "shell"),
            (ToolResult, "/input/3/output/0/stderr", "b", "c2", "shell"),
            (
                Call,
                "/input/4/operation",
                r#"{"path":"p","type":"delete_file"}"#,
                "c3",
                "apply_patch",
            ),
            (ToolResult, "/input/5/output", "no", "c3", "apply_patch"),
            (Call, "/input/6/action", r#"{"type":"wait"}"#, "c4", "computer"),
            (
                Media,
                "/input/7/output",
                r#"{"image_url":"data:...","type":"computer_screenshot"}"#,
                "c4",
                "computer",
            ),
        ],
    );
}

#[test]
fn what_the_provider_ran_is_in_the_window_too() {
    let body = json!({"model": "m", "input": [
        {"type": "mcp_call", "id": "m1", "server_label": "s", "name": "t", "arguments": "{}", "output": "o"},
        {"type": "web_search_call", "id": "w1", "action": {"type": "search", "query": "q"}},
        {"type": "file_search_call", "id": "f1", "queries": ["q"], "results": [{"text": "r"}]},
        {"type": "code_interpreter_call", "id": "i1", "code": "1", "outputs": [{"type": "logs", "logs": "1"}]},
        {"type": "mcp_list_tools", "id": "t1", "server_label": "s", "tools": [
            {"name": "t", "description": "a tool of a stranger", "input_schema": {}}]},
        {"type": "compaction", "encrypted_content": "AAAA"},
        {"type": "item_reference", "id": "msg_9"},
        {"type": "novel_item", "words": "w"},
    ]});
    check(
        &read(API, &body),
        &[
            (Call, "/input/0/arguments", "{}", "m1", "t"),
            (ToolResult, "/input/0/output", "o", "m1", "t"),
            (Call, "/input/1/action", r#"{"query":"q","type":"search"}"#, "w1", "web_search"),
            (Call, "/input/2/queries", r#"["q"]"#, "f1", "file_search"),
            (ToolResult, "/input/2/results/0/text", "r", "f1", "file_search"),
            (Call, "/input/3/code", "1", "i1", "code_interpreter"),
            (ToolResult, "/input/3/outputs/0/logs", "1", "i1", "code_interpreter"),
            (ToolResult, "/input/4/tools/0/description", "a tool of a stranger", "t1", "s"),
            (Compaction, "/input/5", r#"{"encrypted_content":"AAAA","type":"compaction"}"#, "", ""),
            (Media, "/input/6", r#"{"id":"msg_9","type":"item_reference"}"#, "", ""),
            (Media, "/input/7", r#"{"type":"novel_item","words":"w"}"#, "", ""),
        ],
    );
}

#[test]
fn a_template_is_a_part_that_cannot_be_read() {
    let body = json!({"prompt": {"id": "pmpt_1", "version": "2", "variables": {
        "city": "Rome", "photo": {"type": "input_image", "file_id": "f"},
        "note": {"type": "input_text", "text": "warm"}}}});
    check(
        &read(API, &body),
        &[
            (Media, "/prompt/id", r#""pmpt_1""#, "", "prompt"),
            (User, "/prompt/variables/city", "Rome", "", "city"),
            (User, "/prompt/variables/note/text", "warm", "", "note"),
            (
                Media,
                "/prompt/variables/photo",
                r#"{"file_id":"f","type":"input_image"}"#,
                "",
                "photo",
            ),
        ],
    );
}

#[test]
fn a_window_may_begin_at_the_provider() {
    let continues = |body| read(API, &body).continues();
    assert_eq!(continues(json!({"model": "m", "input": "x"})), None);
    let earlier = json!({"model": "m", "input": "x", "previous_response_id": "resp_1"});
    assert_eq!(continues(earlier).as_deref(), Some("resp_1"));
    let by_id = json!({"model": "m", "input": "x", "conversation": "conv_1"});
    assert_eq!(continues(by_id).as_deref(), Some("conv_1"));
    let by_object = json!({"model": "m", "input": "x", "conversation": {"id": "conv_2"}});
    assert_eq!(continues(by_object).as_deref(), Some("conv_2"));
}

#[test]
fn tools_are_told_apart_by_who_runs_them() {
    let body = json!({"model": "m", "tools": [
        {"type": "function", "name": "f", "parameters": {"properties": {"headers": {}}}},
        {"type": "custom", "name": "c"},
        {"type": "namespace", "name": "crm", "description": "d", "tools": [
            {"type": "function", "name": "find"}, {"type": "custom", "name": "note"}]},
        {"type": "local_shell"}, {"type": "apply_patch"}, {"type": "computer"},
        {"type": "shell", "environment": {"type": "local"}},
        {"type": "shell", "environment": {"type": "container_auto"}}, {"type": "shell"},
        {"type": "tool_search"}, {"type": "tool_search", "execution": "client"},
        {"type": "web_search_preview"}, {"type": "file_search", "vector_store_ids": ["v"]},
        {"type": "code_interpreter", "container": {"type": "auto"}}, {"type": "image_generation"},
        {"type": "novel"},
    ]});
    let own = [
        ("f", CallKind::Function),
        ("c", CallKind::Custom),
        ("crm", CallKind::Function),
        ("find", CallKind::Function),
        ("note", CallKind::Custom),
        ("local_shell", CallKind::BuiltIn),
        ("apply_patch", CallKind::BuiltIn),
        ("computer", CallKind::BuiltIn),
        ("shell", CallKind::BuiltIn),
        ("tool_search", CallKind::BuiltIn),
    ];
    let server = [
        "shell",
        "shell",
        "tool_search",
        "web_search_preview",
        "file_search",
        "code_interpreter",
        "image_generation",
        "novel",
    ]
    .map(|kind| (kind, kind));
    check_tools(&read(API, &body), &own, &server);
}

#[test]
fn credentials_of_a_server_are_not_shown() {
    let mcp = json!({"type": "mcp", "server_label": "s", "server_url": "https://s.example/mcp",
        "authorization": "TOKEN", "headers": {"X-Key": "TOKEN"}, "require_approval": {"never": {}},
        "server_description": "d"});
    let connector = json!({"type": "mcp", "server_label": "g", "connector_id": "connector_gmail",
        "authorization": "TOKEN"});
    let body = json!({"model": "m", "tools": [mcp, connector], "input": [
        {"type": "additional_tools", "role": "developer", "tools": [mcp]}]});
    let request = read(API, &body);
    check_tools(&request, &[], &[("mcp", "s"), ("mcp", "s"), ("mcp", "g")]);
    let tools = request.server_tools();
    assert_eq!(tools[0].server_url.as_deref(), Some("https://s.example/mcp"));
    assert_eq!(tools[0].approval.as_deref(), Some(r#"{"never":{}}"#));
    assert_eq!(tools[2].server_url.as_deref(), Some("connector_gmail"));
    assert_eq!(tools[2].approval, None);
    assert!(tools.iter().all(|tool| !tool.text.contains("TOKEN") && tool.text.contains("\"…\"")));
    assert!(tools[0].text.contains(r#""server_description":"d""#));
    assert!(request.parts().iter().all(|part| !part.text.contains("TOKEN")));
    assert!(!format!("{request:?}").contains("TOKEN"));
}
