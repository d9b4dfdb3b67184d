use serde_json::json;

use super::PartKind::*;
use super::{Api, CallKind, check, check_tools, read};

const API: Api = Api::Messages;

#[test]
fn a_run_with_tools_is_read_in_order() {
    let body = json!({"model": "claude", "max_tokens": 9, "stream": true,
    "system": [{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}],
    "metadata": {"user_id": "user_0123456789_account__session_0123456789"},
    "messages": [
        {"role": "user", "content": "Go."},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "I look.", "signature": "EqQB"},
            {"type": "redacted_thinking", "data": "Emw"},
            {"type": "text", "text": "Looking."},
            {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "/a"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": false, "content": [
                {"type": "text", "text": "words"},
                {"type": "image", "source": {"type": "file", "file_id": "f"}},
                {"type": "document", "title": "D", "source":
                    {"type": "text", "media_type": "text/plain", "data": "inside"}}]},
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": "lost"},
        ]},
        {"role": "system", "content": "Late words."},
    ]});
    let request = read(API, &body);
    assert!(request.streams() && request.continues().is_none());
    check(
        &request,
        &[
            (System, "/system/0/text", "Be short.", "", ""),
            (User, "/messages/0/content", "Go.", "", ""),
            (Reasoning, "/messages/1/content/0/thinking", "I look.", "", ""),
            (Media, "/messages/1/content/0/signature", r#""EqQB""#, "", ""),
            (
                Media,
                "/messages/1/content/1",
                r#"{"data":"Emw","type":"redacted_thinking"}"#,
                "",
                "",
            ),
            (Assistant, "/messages/1/content/2/text", "Looking.", "", ""),
            (Call, "/messages/1/content/3/input", r#"{"path":"/a"}"#, "toolu_1", "read"),
            (ToolResult, "/messages/2/content/0/content/0/text", "words", "toolu_1", "read"),
            (
                Media,
                "/messages/2/content/0/content/1",
                r#"{"source":{"file_id":"f","type":"file"},"type":"image"}"#,
                "toolu_1",
                "read",
            ),
            (ToolResult, "/messages/2/content/0/content/2/title", "D", "toolu_1", "D"),
            (ToolResult, "/messages/2/content/0/content/2/source/data", "inside", "toolu_1", "D"),
            (ToolResult, "/messages/2/content/1/content", "lost", "toolu_2", ""),
            (System, "/messages/3/content", "Late words.", "", ""),
        ],
    );
}

#[test]
fn documents_are_read_where_they_have_words() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": [
        {"type": "document", "title": "T", "context": "C", "citations": {"enabled": true},
         "source": {"type": "content", "content": [{"type": "text", "text": "W"}]}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "A"}},
        {"type": "search_result", "source": "https://a.example", "title": "R",
         "content": [{"type": "text", "text": "found"}]},
        {"type": "container_upload", "file_id": "f"},
    ]}]});
    check(
        &read(API, &body),
        &[
            (Document, "/messages/0/content/0/title", "T", "", "T"),
            (Document, "/messages/0/content/0/context", "C", "", "T"),
            (Document, "/messages/0/content/0/source/content/0/text", "W", "", "T"),
            (
                Media,
                "/messages/0/content/1/source",
                r#"{"data":"A","media_type":"application/pdf","type":"base64"}"#,
                "",
                "",
            ),
            (Document, "/messages/0/content/2/title", "R", "", ""),
            (Document, "/messages/0/content/2/source", "https://a.example", "", ""),
            (Document, "/messages/0/content/2/content/0/text", "found", "", ""),
            (
                Media,
                "/messages/0/content/3",
                r#"{"file_id":"f","type":"container_upload"}"#,
                "",
                "",
            ),
        ],
    );
}

#[test]
fn what_the_provider_ran_is_in_the_window_too() {
    let body = json!({"model": "m", "messages": [{"role": "assistant", "content": [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"title": "a title"}]},
        {"type": "mcp_tool_use", "id": "m1", "name": "t", "server_name": "s", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "m1", "content": [{"type": "text", "text": "o"}]},
        {"type": "compaction", "content": "what was", "signature": "AAAA"},
        {"type": "compaction", "content": null, "encrypted_content": "AAAA"},
        {"type": "novel_block", "words": "w"},
    ]}], "thread": {"type": "continue", "previous_message_id": "msg_1"}});
    let request = read(API, &body);
    assert_eq!(request.continues().as_deref(), Some("msg_1"));
    check(
        &request,
        &[
            (Call, "/messages/0/content/0/input", r#"{"query":"q"}"#, "s1", "web_search"),
            (
                ToolResult,
                "/messages/0/content/1/content",
                r#"[{"title":"a title"}]"#,
                "s1",
                "web_search",
            ),
            (Call, "/messages/0/content/2/input", "{}", "m1", "t"),
            (ToolResult, "/messages/0/content/3/content/0/text", "o", "m1", "t"),
            (Compaction, "/messages/0/content/4/content", "what was", "", ""),
            (Media, "/messages/0/content/4/signature", r#""AAAA""#, "", ""),
            (
                Compaction,
                "/messages/0/content/5",
                r#"{"content":null,"encrypted_content":"AAAA","type":"compaction"}"#,
                "",
                "",
            ),
            (Media, "/messages/0/content/6", r#"{"type":"novel_block","words":"w"}"#, "", ""),
        ],
    );
}

#[test]
fn tools_are_told_apart_by_who_runs_them() {
    let body = json!({"model": "m", "messages": [{"role": "system", "content": [
            {"type": "tool_addition", "tool": {"type": "tool_definition",
             "definition": {"name": "late", "input_schema": {}}}},
            {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "late"}}]}],
        "tools": [
            {"name": "f", "description": "d", "input_schema": {}},
            {"type": "custom", "name": "c", "input_schema": {}},
            {"type": "bash_20250124", "name": "bash"}, {"type": "memory_20250818", "name": "memory"},
            {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
            {"type": "computer_20251124", "name": "computer", "display_width_px": 1},
            {"type": "browser_toolset_20260801"},
            {"type": "bash_code_execution_20250825", "name": "x"},
            {"type": "code_execution_20250825", "name": "code_execution"},
            {"type": "web_fetch_20260318", "name": "web_fetch"},
            {"type": "tool_search_tool_bm25", "name": "tool_search_tool_bm25"},
            {"type": "mcp_toolset", "mcp_server_name": "s"},
        ],
        "mcp_servers": [{"type": "url", "name": "s", "url": "https://s.example", "authorization_token": "TOKEN"}],
        "container": {"id": "c1", "skills": [{"type": "custom", "skill_id": "k"}]}});
    let request = read(API, &body);
    let own = [
        ("late", CallKind::Function),
        ("f", CallKind::Function),
        ("c", CallKind::Function),
        ("bash", CallKind::BuiltIn),
        ("memory", CallKind::BuiltIn),
        ("str_replace_based_edit_tool", CallKind::BuiltIn),
        ("computer", CallKind::BuiltIn),
        ("browser_toolset", CallKind::BuiltIn),
    ];
    check_tools(
        &request,
        &own,
        &[
            ("bash_code_execution_20250825", "x"),
            ("code_execution_20250825", "code_execution"),
            ("web_fetch_20260318", "web_fetch"),
            ("tool_search_tool_bm25", "tool_search_tool_bm25"),
            ("mcp_toolset", "s"),
            ("mcp", "s"),
            ("container", "c1"),
            ("skill", "k"),
        ],
    );
    let mcp = &request.server_tools()[5];
    assert_eq!(mcp.server_url.as_deref(), Some("https://s.example"));
    assert!(!mcp.text.contains("TOKEN"), "{}", mcp.text);
    assert_eq!(request.parts().len(), 2);
    assert_eq!(request.tools_text(), Some(body["tools"].to_string().as_str()));
}
