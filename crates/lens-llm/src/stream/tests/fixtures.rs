//! Streams, written after the types of the providers' own clients.

use crate::Api;

/// Anthropic: named events.
pub(super) fn named(events: &[&str]) -> String {
    let one = |data: &&str| {
        let value: serde_json::Value = serde_json::from_str(data).unwrap();
        format!("event: {}\ndata: {data}\n\n", value["type"].as_str().unwrap())
    };
    events.iter().map(one).collect()
}

/// OpenAI and Google: data only.
pub(super) fn data(events: &[&str]) -> String {
    events.iter().map(|data| format!("data: {data}\n\n")).collect()
}

pub(super) fn chunk(choices: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x","system_fingerprint":"fp_1","choices":[{choices}],"usage":null}}"#
    )
}

pub(super) fn chat(choices: &[&str]) -> String {
    let chunks: String = choices.iter().map(|choice| data(&[&chunk(choice)])).collect();
    let usage = r#"{"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}"#;
    format!("{chunks}{}data: [DONE]\n\n", data(&[usage]))
}

pub(super) const MESSAGE_START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}}}"#;

pub(super) fn messages(blocks: &[&str], stop: &str) -> String {
    let stop = format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"{stop}","stop_sequence":null}},"usage":{{"output_tokens":20,"output_tokens_details":{{"thinking_tokens":7}}}}}}"#
    );
    let start = named(&[MESSAGE_START, r#"{"type": "ping"}"#]);
    let end = named(&[&stop, r#"{"type":"message_stop"}"#]);
    format!("{start}{}{end}", blocks.concat())
}

pub(super) fn text_block(index: u32, text: &str) -> String {
    named(&[
        &format!(
            r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"text","text":""}}}}"#
        ),
        &format!(
            r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"text_delta","text":"{text}"}}}}"#
        ),
        &format!(r#"{{"type":"content_block_stop","index":{index}}}"#),
    ])
}

pub(super) fn thinking_block(index: u32) -> String {
    named(&[
        &format!(
            r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"thinking","thinking":"","signature":""}}}}"#
        ),
        &format!(
            r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"thinking_delta","thinking":"Hm."}}}}"#
        ),
        &format!(
            r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"signature_delta","signature":"EqQB=="}}}}"#
        ),
        &format!(r#"{{"type":"content_block_stop","index":{index}}}"#),
    ])
}

pub(super) fn call_block(index: u32, kind: &str, name: &str) -> String {
    named(&[
        &format!(
            r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"{kind}","id":"toolu_{index}","name":"{name}","input":{{}}}}}}"#
        ),
        &format!(
            r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"input_json_delta","partial_json":""}}}}"#
        ),
        r#"{"type": "ping"}"#,
        &format!(
            r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"input_json_delta","partial_json":"{{\"path\": \"SECRET"}}}}"#
        ),
        &format!(
            r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"input_json_delta","partial_json":"_{index}\"}}"}}}}"#
        ),
        &format!(r#"{{"type":"content_block_stop","index":{index}}}"#),
    ])
}

const RESPONSE: &str = r#""id":"resp_1","object":"response","model":"gpt-x""#;

/// Adds sequence numbers.
pub(super) fn sequenced(events: &[String]) -> String {
    let numbered = events.iter().enumerate().map(|(number, event)| {
        let inner = event.strip_suffix('}').unwrap();
        format!(r#"{inner},"sequence_number":{number}}}"#)
    });
    let numbered: Vec<String> = numbered.collect();
    named(&numbered.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(super) fn function_item(index: u32, name: &str, arguments: &str) -> String {
    let text = serde_json::to_string(arguments).unwrap();
    format!(
        r#"{{"id":"fc_{index}","type":"function_call","status":"completed","arguments":{text},"call_id":"call_{index}","name":"{name}"}}"#
    )
}

pub(super) fn secret(index: u32) -> String {
    format!(r#"{{"path": "SECRET_{index}"}}"#)
}

pub(super) fn function_events(index: u32, name: &str) -> Vec<String> {
    let place = format!(r#""item_id":"fc_{index}","output_index":{index}"#);
    vec![
        item_event("added", index, &function_item(index, name, "")),
        format!(
            r#"{{"type":"response.function_call_arguments.delta",{place},"delta":"{{\"path\": \"SEC"}}"#
        ),
        format!(
            r#"{{"type":"response.function_call_arguments.delta",{place},"delta":"RET_{index}\"}}"}}"#
        ),
        format!(
            r#"{{"type":"response.function_call_arguments.done",{place},"arguments":"{{\"path\": \"SECRET_{index}\"}}"}}"#
        ),
        item_event("done", index, &function_item(index, name, &secret(index))),
    ]
}

pub(super) fn item_event(what: &str, index: u32, item: &str) -> String {
    format!(r#"{{"type":"response.output_item.{what}","output_index":{index},"item":{item}}}"#)
}

pub(super) fn message_item(index: u32, text: &str) -> String {
    format!(
        r#"{{"id":"msg_{index}","type":"message","status":"completed","role":"assistant","content":[{{"type":"output_text","annotations":[],"logprobs":[{{"token":"a","logprob":0.0}},{{"token":"b","logprob":-0.6931471805599453}}],"text":"{text}"}}]}}"#
    )
}

pub(super) fn message_events(index: u32, text: &str) -> Vec<String> {
    let place = format!(r#""item_id":"msg_{index}","output_index":{index},"content_index":0"#);
    vec![
        item_event("added", index, &message_item(index, "")),
        format!(r#"{{"type":"response.output_text.delta",{place},"delta":"{text}"}}"#),
        format!(r#"{{"type":"response.output_text.done",{place},"text":"{text}"}}"#),
        item_event("done", index, &message_item(index, text)),
    ]
}

pub(super) fn responses(middle: &[Vec<String>], output: &[String]) -> String {
    let mut events = vec![
        format!(
            r#"{{"type":"response.created","response":{{{RESPONSE},"status":"in_progress","output":[]}}}}"#
        ),
        format!(
            r#"{{"type":"response.in_progress","response":{{{RESPONSE},"status":"in_progress","output":[]}}}}"#
        ),
    ];
    events.extend(middle.concat());
    events.push(format!(
        r#"{{"type":"response.completed","response":{{{RESPONSE},"status":"completed","output":[{}],"usage":{{"input_tokens":9,"input_tokens_details":{{"cached_tokens":4}},"output_tokens":5,"output_tokens_details":{{"reasoning_tokens":2}}}}}}}}"#,
        output.join(", ")
    ));
    sequenced(&events)
}

pub(super) fn gemini_chunk(parts: &str, more: &str) -> String {
    format!(
        r#"{{"candidates": [{{"content": {{"parts": [{parts}],"role": "model"}}{more}}}],"usageMetadata": {{"promptTokenCount": 9,"candidatesTokenCount": 5,"thoughtsTokenCount": 2}},"modelVersion": "gemini-x","responseId": "r1"}}"#
    )
}

pub(super) fn gemini(chunks: &[&str]) -> String {
    let mut all: Vec<String> = chunks.iter().map(|parts| gemini_chunk(parts, "")).collect();
    all.push(gemini_chunk(r#"{"text": ""}"#, r#","finishReason": "STOP","index": 0"#));
    data(&all.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A stream with words, thoughts and several calls for each API; arguments have `SECRET` in them.
pub(super) fn all() -> Vec<(Api, String)> {
    let fragment = |index: u32, rest: &str| {
        format!(
            r#"{{"index":0,"delta":{{"tool_calls":[{{"index":{index},{rest}}}]}},"finish_reason":null}}"#
        )
    };
    let begin = |index: u32| {
        fragment(
            index,
            &format!(
                r#""id":"call_{index}","type":"function","function":{{"name":"read","arguments":""}}"#
            ),
        )
    };
    let rest = |index| fragment(index, r#""function":{"arguments":"{\"path\":\"SECRET\"}"}"#);
    let chat = chat(&[
        r#"{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}"#,
        r#"{"index":0,"delta":{"content":"Hi"},"finish_reason":null}"#,
        &begin(0),
        &rest(0),
        &begin(1),
        &rest(1),
        r#"{"index":0,"delta":{},"finish_reason":"tool_calls"}"#,
    ]);
    let messages = messages(
        &[
            &thinking_block(0),
            &text_block(1, "Hi"),
            &call_block(2, "tool_use", "read"),
            &call_block(3, "server_tool_use", "web_search").replace("SECRET", "q"),
            &call_block(4, "tool_use", "write"),
        ],
        "tool_use",
    );
    let responses = responses(
        &[message_events(0, "Hi"), function_events(1, "read"), function_events(2, "write")],
        &[
            message_item(0, "Hi"),
            function_item(1, "read", &secret(1)),
            function_item(2, "write", &secret(2)),
        ],
    );
    let gemini = gemini(&[
        r#"{"text": "Hm.","thought": true}"#,
        r#"{"text": "Hi"},{"functionCall": {"name": "read","args": {"path": "SECRET"}},"thoughtSignature": "c2ln"}"#,
        r#"{"functionCall": {"name": "write","willContinue": true}}"#,
        r#"{"functionCall": {"partialArgs": [{"jsonPath": "$.a[0].b","stringValue": "SEC","willContinue": true}],"willContinue": true}}"#,
        r#"{"functionCall": {"partialArgs": [{"jsonPath": "$.a[0].b","stringValue": "RET"}],"willContinue": true}}"#,
        r#"{"functionCall": {}}"#,
    ]);
    vec![
        (Api::ChatCompletions, chat),
        (Api::Messages, messages),
        (Api::Responses, responses),
        (Api::GenerateContent, gemini),
    ]
}
