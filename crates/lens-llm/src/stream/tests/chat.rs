use super::fixtures::{chat, chunk, data};
use super::*;

const API: Api = Api::ChatCompletions;

fn fragments(choice: u32, list: &str) -> String {
    format!(r#"{{"index":{choice},"delta":{{"tool_calls":[{list}]}},"finish_reason":null}}"#)
}

fn finish(choice: u32, reason: &str) -> String {
    format!(r#"{{"index":{choice},"delta":{{}},"finish_reason":"{reason}"}}"#)
}

fn begin(index: u32, name: &str) -> String {
    format!(
        r#"{{"index":{index},"id":"call_{index}","type":"function","function":{{"name":"{name}","arguments":""}}}}"#
    )
}

fn more(index: u32, text: &str) -> String {
    let text = serde_json::to_string(text).unwrap();
    format!(r#"{{"index":{index},"function":{{"arguments":{text}}}}}"#)
}

fn two_calls() -> String {
    chat(&[
        r#"{"index":0,"delta":{"role":"assistant","content":null},"finish_reason":null}"#,
        r#"{"index":0,"delta":{"content":"Hi","reasoning_content":"Hm."},"logprobs":{"content":[{"token":"Hi","logprob":-0.6931471805599453}]},"finish_reason":null}"#,
        &fragments(0, &begin(0, "read")),
        &fragments(0, &more(0, "{\"a\":")),
        &fragments(0, &format!("{},{}", more(0, "1}"), begin(1, "write"))),
        &fragments(0, &more(1, "{\"b\":2}")),
        &finish(0, "tool_calls"),
    ])
}

fn left(bytes: &[u8]) -> Vec<Value> {
    let choices = objects(bytes).into_iter().map(|chunk| chunk["choices"][0].clone());
    choices.filter(|choice| !choice["delta"]["tool_calls"].is_null()).collect()
}

#[test]
fn all_is_told() {
    let run = run_text(API, &two_calls(), release);
    assert_eq!(run.bytes, two_calls().as_bytes());
    assert_eq!(run.end, Ok(Ending::Whole));
    let calls =
        vec![function("call_0", "read", "{\"a\":1}"), function("call_1", "write", "{\"b\":2}")];
    assert_eq!(run.calls, [calls]);
    let output = run.output;
    assert_eq!((output.text.as_str(), output.reasoning.as_str()), ("Hi", "Hm."));
    assert_eq!(output.fingerprint.as_deref(), Some("fp_1"));
    assert_eq!(output.confidence.map(|ratio| ratio.steps()), Some(5000));
    let usage = output.usage;
    assert_eq!((usage.input_tokens, usage.output_tokens), (9, 5));
    assert_eq!((usage.cached_tokens, usage.reasoning_tokens), (4, 2));
}

#[test]
fn one_refused_leaves_the_other_as_the_first() {
    let run = run_text(API, &two_calls(), refuse_only("read"));
    let left = left(&run.bytes);
    assert_eq!(left.len(), 1);
    let call = &left[0]["delta"]["tool_calls"][0];
    assert_eq!((&call["index"], &call["id"]), (&Value::from(0), &Value::from("call_1")));
    assert_eq!(call["function"], serde_json::json!({"name": "write", "arguments": "{\"b\":2}"}));
    let text = String::from_utf8(run.bytes.clone()).unwrap();
    assert!(!text.contains("call_0"));
    assert!(text.contains("\"finish_reason\":\"tool_calls\""));
    let words = objects(&run.bytes).into_iter();
    let words: Vec<_> = words
        .filter(|chunk| chunk["choices"][0]["delta"]["content"] == "refused \"read\"")
        .collect();
    assert_eq!(words.len(), 1);
    assert_eq!(words[0]["id"], "chatcmpl-1");
    assert_eq!(words[0]["system_fingerprint"], "fp_1");
}

#[test]
fn all_refused_stops() {
    let run = run_text(API, &two_calls(), refuse);
    assert!(left(&run.bytes).is_empty());
    let text = String::from_utf8(run.bytes).unwrap();
    assert!(text.contains("refused \\\"read\\\"\\nrefused \\\"write\\\""));
    assert!(text.contains("\"finish_reason\":\"stop\"") && !text.contains("tool_calls"));
    assert!(text.contains("\"usage\":{") && text.ends_with("data: [DONE]\n\n"));
}

#[test]
fn a_rewritten_call_comes_as_one_chunk() {
    let left = left(&run_text(API, &two_calls(), rewrite).bytes);
    assert_eq!(left.len(), 2);
    let call = &left[1]["delta"]["tool_calls"][0];
    assert_eq!((&call["index"], &call["id"]), (&Value::from(1), &Value::from("call_1")));
    assert_eq!(call["function"]["arguments"], "{\"input\":\"new\"}");
}

#[test]
fn words_among_the_fragments_stay() {
    let text = chat(&[
        &fragments(0, &begin(0, "read"))
            .replace("{\"tool", "{\"role\":\"assistant\",\"content\":\"kept\",\"tool"),
        &finish(0, "tool_calls"),
    ]);
    let run = run_text(API, &text, refuse);
    assert_eq!(objects(&run.bytes)[0]["choices"][0]["delta"]["content"], "kept");
    assert_eq!(objects(&run.bytes)[0]["choices"][0]["delta"]["role"], "assistant");
}

#[test]
fn each_choice_is_ruled_by_itself() {
    let text = chat(&[
        &fragments(0, &begin(0, "read")),
        &fragments(1, &begin(0, "write")),
        &finish(0, "tool_calls"),
        r#"{"index":2,"delta":{"content":"third"},"finish_reason":null}"#,
        &finish(1, "tool_calls"),
    ]);
    assert_eq!(run_text(API, &text, release).bytes, text.as_bytes());
    let run = run_text(API, &text, refuse_only("read"));
    assert_eq!(run.calls[0].len(), 2);
    let reasons: Vec<(Value, Value)> = objects(&run.bytes)
        .into_iter()
        .map(|chunk| chunk["choices"][0].clone())
        .filter(|choice| choice["finish_reason"].is_string())
        .map(|choice| (choice["index"].clone(), choice["finish_reason"].clone()))
        .collect();
    assert_eq!(reasons, [(0.into(), "stop".into()), (1.into(), "tool_calls".into())]);
    assert_eq!(left(&run.bytes)[0]["index"], 1);
}

#[test]
fn the_deprecated_call_and_the_custom_tool_are_calls() {
    let old = |inner: &str| {
        format!(r#"{{"index":0,"delta":{{"function_call":{inner}}},"finish_reason":null}}"#)
    };
    let text = chat(&[
        &old(r#"{"name":"read","arguments":""}"#),
        &old(r#"{"arguments":"{}"}"#),
        &finish(0, "function_call"),
    ]);
    let run = run_text(API, &text, refuse);
    assert_eq!(run.calls, [vec![function("read#1", "read", "{}")]]);
    let out = String::from_utf8(run.bytes).unwrap();
    assert!(out.contains("\"stop\"") && !out.contains("function_call"));
    let custom = r#"{"index":0,"id":"c","type":"custom","custom":{"name":"sql","input":"DROP"}}"#;
    let text = chat(&[&fragments(0, custom), &finish(0, "tool_calls")]);
    let run = run_text(API, &text, rewrite);
    assert_eq!(run.calls[0][0].kind, CallKind::Custom);
    assert_eq!(run.calls[0][0].arguments, "{\"input\":\"DROP\"}");
    assert_eq!(left(&run.bytes)[0]["delta"]["tool_calls"][0]["custom"]["input"], "new");
}

#[test]
fn without_a_finish_reason_the_end_completes_a_call() {
    let text = chat(&[&fragments(0, &begin(0, "read"))]);
    let run = run_text(API, &text, refuse);
    assert_eq!(run.calls.len(), 1);
    assert!(String::from_utf8(run.bytes).unwrap().ends_with("data: [DONE]\n\n"));
    let cut = text.strip_suffix("data: [DONE]\n\n").unwrap();
    assert_eq!(run_text(API, cut, release).end, Err(StreamFault::Cut));
}

#[test]
fn what_vendors_add_to_a_call_stays() {
    let call =
        begin(0, "read").replace("\"type\"", "\"extra_content\":{\"google\":{\"s\":1}},\"type\"");
    let text =
        chat(&[&fragments(0, &call), &fragments(0, &begin(1, "write")), &finish(0, "tool_calls")]);
    let run = run_text(API, &text, refuse_only("write"));
    assert_eq!(left(&run.bytes)[0]["delta"]["tool_calls"][0]["extra_content"]["google"]["s"], 1);
}

#[test]
fn an_error_of_the_provider_passes_and_drops_an_open_call() {
    let error = data(&[r#"{"error":{"message":"x"}}"#]);
    let text = format!("{}{error}", data(&[&chunk(&fragments(0, &begin(0, "read")))]));
    assert_eq!(run_text(API, &text, release).bytes, error.as_bytes());
}

#[test]
fn what_clients_would_read_differently_is_a_fault() {
    let call = fragments(0, &begin(0, "read"));
    let done = finish(0, "tool_calls");
    let faults = [
        chat(&[&call, &done, &fragments(0, &more(0, "x"))]),
        chat(&[&fragments(0, &begin(1, "read"))]),
        chat(&[&fragments(0, r#"{"id":"a","function":{"name":"read"}}"#)]),
        chat(&[&call, &fragments(0, &begin(0, "write"))]),
        chat(&[&call, &fragments(0, r#"{"index":0,"id":"other"}"#)]),
        chat(&[&fragments(0, r#"{"index":0,"id":"a","function":{"name":"r","arguments":{}}}"#)]),
        chat(&[&fragments(0, r#"{"index":0,"id":"a"}"#), &done]),
        chat(&[&call.replace("\"delta\"", "\"delta\":{},\"message\"")]),
    ];
    for text in faults {
        assert!(shape(&run_text(API, &text, release)), "{text}");
    }
    let repeated = chat(&[&call, &call, &done]);
    assert_eq!(run_text(API, &repeated, release).calls[0][0].name, "read");
}
