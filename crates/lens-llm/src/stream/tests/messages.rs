use super::fixtures::{MESSAGE_START, call_block, messages, named, text_block, thinking_block};
use super::*;

const API: Api = Api::Messages;

fn two_calls() -> String {
    messages(
        &[
            &thinking_block(0),
            &text_block(1, "Hi"),
            &call_block(2, "tool_use", "read"),
            &call_block(3, "tool_use", "write"),
        ],
        "tool_use",
    )
}

#[test]
fn words_pass_and_are_told() {
    let text = messages(&[&thinking_block(0), &text_block(1, "Hi")], "end_turn");
    let run = run_text(API, &text, release);
    assert_eq!(run.bytes, text.as_bytes());
    assert_eq!(run.end, Ok(Ending::Whole));
    let output = run.output;
    assert_eq!((output.text.as_str(), output.reasoning.as_str()), ("Hi", "Hm."));
    assert_eq!(output.model.as_deref(), Some("claude-x"));
    assert_eq!(output.finish.as_deref(), Some("end_turn"));
    let usage = output.usage;
    assert_eq!((usage.input_tokens, usage.cached_tokens), (15, 5));
    assert_eq!((usage.output_tokens, usage.reasoning_tokens), (20, 7));
}

#[test]
fn calls_are_asked_for_one_by_one() {
    let run = run_text(API, &two_calls(), release);
    let read = function("toolu_2", "read", "{\"path\": \"SECRET_2\"}");
    let write = function("toolu_3", "write", "{\"path\": \"SECRET_3\"}");
    assert_eq!(run.calls, [vec![read.clone()], vec![write.clone()]]);
    assert_eq!(run.output.calls, [read, write]);
    assert_eq!(run.bytes, two_calls().as_bytes());
}

#[test]
fn a_refused_call_becomes_text_in_its_place() {
    let run = run_text(API, &two_calls(), refuse_only("read"));
    let own: Vec<Value> =
        objects(&run.bytes).into_iter().filter(|event| event["index"] == 2).collect();
    assert_eq!(own[0]["content_block"], serde_json::json!({"type": "text", "text": ""}));
    assert_eq!(own[1]["delta"]["text"], "refused \"read\"");
    assert_eq!(own[2]["type"], "content_block_stop");
    assert_eq!(own.len(), 3);
    let text = String::from_utf8(run.bytes).unwrap();
    assert!(!text.contains("SECRET_2") && text.contains("SECRET") && text.contains("toolu_3"));
    assert!(text.contains("\"stop_reason\":\"tool_use\""), "one call is left");
}

#[test]
fn without_calls_the_turn_ends() {
    let run = run_text(API, &two_calls(), refuse);
    let text = String::from_utf8(run.bytes).unwrap();
    assert!(!text.contains("SECRET") && !text.contains("toolu"));
    assert!(text.contains("\"stop_reason\":\"end_turn\"") && !text.contains("tool_use"));
    assert!(text.contains(&thinking_block(0)), "signed thinking is as it came");
    assert_eq!(run.output.calls.len(), 2);
}

#[test]
fn a_rewritten_call_has_its_arguments_in_one_piece() {
    let run = run_text(API, &two_calls(), rewrite);
    let own: Vec<Value> =
        objects(&run.bytes).into_iter().filter(|event| event["index"] == 2).collect();
    assert_eq!(own[0]["content_block"]["name"], "read");
    assert_eq!(own[1]["delta"]["partial_json"], "{\"input\":\"new\"}");
    assert_eq!(own.len(), 3);
}

#[test]
fn server_calls_pass_and_are_told() {
    let text = messages(
        &[&call_block(0, "server_tool_use", "web_search"), &call_block(1, "mcp_tool_use", "find")],
        "end_turn",
    );
    let run = run_text(API, &text, refuse);
    assert_eq!(run.bytes, text.as_bytes());
    let told = run.output.server_calls;
    assert_eq!((told[0].kind.as_str(), told[0].name.as_str()), ("server_tool_use", "web_search"));
    assert_eq!(told[1].arguments, "{\"path\": \"SECRET_1\"}");
}

#[test]
fn blocks_that_overlap_are_asked_for_together() {
    let start = |index: u32| {
        call_block(index, "tool_use", "read").split_inclusive("\n\n").next().unwrap().to_owned()
    };
    let rest = |index: u32| {
        call_block(index, "tool_use", "read").split_inclusive("\n\n").skip(1).collect::<String>()
    };
    let text = messages(&[&start(0), &start(1), &rest(1), &rest(0)], "tool_use");
    let run =
        run_text(
            API,
            &text,
            |call| {
                if call.id == "toolu_0" { refuse(call) } else { Ruling::Release }
            },
        );
    assert_eq!(run.calls.len(), 1);
    let text = String::from_utf8(run.bytes).unwrap();
    assert!(text.contains(&rest(1)) && !text.contains("SECRET\\\"_0") && !text.contains("toolu_0"));
}

#[test]
fn input_that_is_no_object_is_wrapped() {
    let text = messages(&[&call_block(0, "tool_use", "read").replace("_0\\\"}", "")], "max_tokens");
    let run = run_text(API, &text, release);
    assert_eq!(run.calls[0][0].arguments, "{\"input\":\"{\\\"path\\\": \\\"SECRET\"}");
    let doubled =
        call_block(0, "tool_use", "read").replace("{\\\"path", "{\\\"path\\\":1,\\\"path");
    let run = run_text(API, &messages(&[&doubled], "tool_use"), release);
    assert!(run.calls[0][0].arguments.starts_with("{\"input\":"), "two parsers differ on it");
}

#[test]
fn an_unknown_kind_of_tool_use_is_the_clients() {
    let text = messages(&[&call_block(0, "robot_tool_use", "grip")], "tool_use");
    assert_eq!(run_text(API, &text, release).calls.len(), 1);
}

#[test]
fn an_error_of_the_provider_passes_and_drops_an_open_call() {
    let call = call_block(0, "tool_use", "read");
    let (open, _) = call.rsplit_once("event: content_block_stop").unwrap();
    let error = named(&[r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#]);
    let run = run_text(API, &format!("{}{open}{error}", named(&[MESSAGE_START])), release);
    assert_eq!(run.bytes, format!("{}{error}", named(&[MESSAGE_START])).as_bytes());
    assert_eq!(run.end, Ok(Ending::Early));
}

#[test]
fn what_clients_would_read_differently_is_a_fault() {
    let call = call_block(0, "tool_use", "read");
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"x"}}"#;
    let faults = [
        // Fragments after the end.
        format!("{call}{}", named(&[delta])),
        // Fragments before the start.
        named(&[delta]),
        // A place twice, or left out.
        format!("{call}{call}"),
        call_block(1, "tool_use", "read"),
        // A call that has no fragments.
        named(&[
            &MESSAGE_START.replace("[]", r#"[{"type":"tool_use","id":"a","name":"b","input":{}}]"#)
        ]),
        // Names that do not say the type.
        call.replace("event: content_block_start", "event: ping"),
        call.replace("\"name\":\"read\"", "\"name\":1"),
    ];
    for text in faults {
        let run = run_text(API, &text, release);
        assert!(shape(&run), "{text} {:?}", run.end);
    }
}

#[test]
fn a_stop_is_an_error_of_the_provider() {
    let event = Stream::new(API).stop("by \"policy\"");
    let (name, data) = events(&event).remove(0);
    assert_eq!((name.as_str(), &data["type"]), ("error", &Value::from("error")));
    assert_eq!(data["error"]["message"], "by \"policy\"");
}
