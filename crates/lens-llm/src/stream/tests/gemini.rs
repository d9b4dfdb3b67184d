use super::fixtures::{data, gemini, gemini_chunk};
use super::*;

const API: Api = Api::GenerateContent;

const READ: &str =
    r#"{"functionCall": {"name": "read","args": {"path": "SECRET"}},"thoughtSignature": "c2ln"}"#;

fn parts(bytes: &[u8]) -> Vec<Value> {
    let parts =
        |chunk: Value| chunk["candidates"][0]["content"]["parts"].as_array().unwrap().clone();
    objects(bytes).into_iter().flat_map(parts).collect()
}

fn streamed(parts: &[&str]) -> String {
    let mut chunks = vec![r#"{"functionCall": {"name": "write","willContinue": true}}"#.to_owned()];
    chunks.extend(parts.iter().map(|part| {
        format!(r#"{{"functionCall": {{"partialArgs": [{part}],"willContinue": true}}}}"#)
    }));
    chunks.push(r#"{"functionCall": {}}"#.to_owned());
    gemini(&chunks.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn all_is_told() {
    let text = gemini(&[
        r#"{"text": "Hm.","thought": true}"#,
        r#"{"text": "Hi"}"#,
        &format!("{READ},{READ}"),
        r#"{"functionCall": {"id": "x7","name": "read"}}"#,
        r#"{"executableCode": {"language": "PYTHON","code": "1"}}"#,
    ]);
    let run = run_text(API, &text, release);
    assert_eq!(run.bytes, text.as_bytes());
    assert_eq!(run.end, Ok(Ending::Whole));
    let read = |id| function(id, "read", "{\"path\": \"SECRET\"}");
    assert_eq!(
        run.calls,
        [vec![read("read#1"), read("read#2")], vec![function("x7", "read", "{}")]]
    );
    let output = run.output;
    assert_eq!((output.text.as_str(), output.reasoning.as_str()), ("Hi", "Hm."));
    assert_eq!(
        (output.model.as_deref(), output.finish.as_deref()),
        (Some("gemini-x"), Some("STOP"))
    );
    assert_eq!((output.usage.output_tokens, output.usage.reasoning_tokens), (7, 2));
    assert_eq!(output.server_calls[0].name, "PYTHON");
}

#[test]
fn a_refused_part_becomes_text() {
    let text = gemini(&[&format!(r#"{{"text": "Hi"}},{READ}"#), READ]);
    let run =
        run_text(
            API,
            &text,
            |call| {
                if call.id == "read#1" { refuse(call) } else { Ruling::Release }
            },
        );
    let parts = parts(&run.bytes);
    assert_eq!(parts[1], serde_json::json!({"text": "refused \"read\""}));
    assert_eq!(parts[2]["functionCall"]["name"], "read");
}

#[test]
fn a_rewritten_part_keeps_its_signature() {
    let parts = parts(&run_text(API, &gemini(&[READ]), rewrite).bytes);
    assert_eq!(parts[0]["functionCall"]["args"], serde_json::json!({"input": "new"}));
    assert_eq!(parts[0]["thoughtSignature"], "c2ln");
}

#[test]
fn arguments_in_parts_are_put_together() {
    let text = streamed(&[
        r#"{"jsonPath": "$.a.b[0]","stringValue": "SEC","willContinue": true}"#,
        r#"{"jsonPath": "$.a.b[0]","stringValue": "RET"},{"jsonPath": "$.a.b[1]","numberValue": 1.50}"#,
        r#"{"jsonPath": "$['c d']","boolValue": true},{"jsonPath": "$.e","nullValue": "NULL_VALUE"},{"jsonPath": "$.f"}"#,
    ]);
    let run = run_text(API, &text, release);
    assert_eq!(run.bytes, text.as_bytes());
    let want = r#"{"a":{"b":["SECRET",1.50]},"c d":true,"e":null,"f":""}"#;
    assert_eq!(run.calls, [vec![function("write#1", "write", want)]]);
    let parts = parts(&run_text(API, &text, refuse).bytes);
    assert_eq!(parts[0], serde_json::json!({"text": "refused \"write\""}));
    assert!(parts[1..5].iter().all(|part| *part == serde_json::json!({"text": ""})));
    let run = run_text(API, &text, rewrite);
    let text = String::from_utf8(run.bytes).unwrap();
    assert!(text.contains(r#"{"name":"write","args":{"input":"new"}}"#) && !text.contains("SEC"));
}

#[test]
fn a_path_that_is_not_simple_is_a_fault() {
    for path in
        ["$", "a", "$..a", "$.*", "$.a[*]", "$.a[-1]", "$.a[1]", "$.a[?@.b]", "$['a\\\\'b']"]
    {
        let text = streamed(&[&format!(r#"{{"jsonPath": "{path}","stringValue": "x"}}"#)]);
        assert!(shape(&run_text(API, &text, release)), "{path}");
    }
    let twice = r#"{"jsonPath": "$.a","numberValue": 1},{"jsonPath": "$.a","numberValue": 2}"#;
    assert!(shape(&run_text(API, &streamed(&[twice]), release)));
    let deep = format!(r#"{{"jsonPath": "${}","stringValue": "x"}}"#, ".a".repeat(200));
    assert!(shape(&run_text(API, &streamed(&[&deep]), release)));
}

#[test]
fn what_clients_would_read_differently_is_a_fault() {
    let faults = [
        gemini(&[r#"{"function_call": {"name": "read"}}"#]),
        gemini(&[r#"{"functionCall": {}}"#]),
        gemini(&[
            r#"{"functionCall": {"name": "a","willContinue": true}},{"functionCall": {"name": "b"}}"#,
        ]),
        gemini(&[r#"{"functionCall": {"name": "a","willContinue": true,"args": {"x": 1}}}"#]),
        gemini(&[r#"{"functionCall": {"name": "a","willContinue": "true"}}"#]),
    ];
    for text in faults {
        assert!(shape(&run_text(API, &text, release)), "{text}");
    }
}

#[test]
fn a_prompt_that_is_blocked_is_an_end() {
    let text = data(&[r#"{"promptFeedback": {"blockReason": "SAFETY"}}"#]);
    let run = run_text(API, &text, release);
    assert_eq!((run.end, run.output.finish.as_deref()), (Ok(Ending::Whole), Some("SAFETY")));
    let cut = data(&[&gemini_chunk(r#"{"functionCall": {"name": "a","willContinue": true}}"#, "")]);
    assert_eq!(run_text(API, &cut, release).end, Err(StreamFault::Cut));
}
