//! Whole answers, ruled on.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::answer::{Call, CallKind};

const CHAT: &str = r#"{"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-x", "system_fingerprint": "fp_1",
  "choices": [
    {"index": 0, "finish_reason": "tool_calls", "logprobs": {"content": [{"token": "Hi", "logprob": -0.6931471805599453}]},
     "message": {"role": "assistant", "content": "Hi", "reasoning_content": "Hm.", "tool_calls": [
       {"id": "call_0", "type": "function", "function": {"name": "read", "arguments": "{\"path\": \"SECRET\"}"}},
       {"id": "call_1", "type": "custom", "custom": {"name": "sql", "input": "SECRET"}}]}},
    {"index": 1, "finish_reason": "function_call", "message": {"role": "assistant", "content": null, "function_call": {"name": "write", "arguments": "SECRET"}}}
  ],
  "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}}"#;

const MESSAGES: &str = r#"{"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": [
  {"type": "thinking", "thinking": "Hm.", "signature": "EqQB=="},
  {"type": "text", "text": "Hi"},
  {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}},
  {"type": "tool_use", "id": "toolu_0", "name": "read", "input": {"path": "SECRET"}},
  {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {}}
  ], "stop_reason": "tool_use", "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 3}}"#;

const RESPONSES: &str = r#"{"id": "resp_1", "object": "response", "model": "gpt-x", "status": "completed", "output": [
  {"id": "rs", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
  {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]},
  {"id": "w", "type": "mcp_call", "name": "find", "server_label": "crm", "arguments": "{}"},
  {"id": "fc", "type": "function_call", "call_id": "call_0", "name": "read", "arguments": "{\"path\": \"SECRET\"}"},
  {"id": "sh", "type": "shell_call", "call_id": "call_1", "action": {"commands": ["SECRET"]}}
  ], "usage": {"input_tokens": 9, "output_tokens": 5}}"#;

const GEMINI: &str = r#"{"candidates": [{"content": {"role": "model", "parts": [
  {"text": "Hm.", "thought": true}, {"text": "Hi"},
  {"functionCall": {"name": "read", "args": {"path": "SECRET"}}, "thoughtSignature": "c2ln"},
  {"functionCall": {"name": "read"}}]}, "finishReason": "STOP", "avgLogprobs": -0.6931471805599453}],
  "modelVersion": "gemini-x", "responseId": "r1", "usageMetadata": {"promptTokenCount": 9}}"#;

const ALL: [(Api, &str); 4] = [
    (Api::ChatCompletions, CHAT),
    (Api::Messages, MESSAGES),
    (Api::Responses, RESPONSES),
    (Api::GenerateContent, GEMINI),
];

fn parse(api: Api, text: &str) -> Response {
    Response::parse(api, text.as_bytes().to_vec()).unwrap()
}

fn rule(api: Api, text: &str, rule: impl Fn(&Call) -> Ruling) -> Value {
    let response = parse(api, text);
    let rulings: Vec<Ruling> = response.output().calls.iter().map(rule).collect();
    serde_json::from_slice(&response.rule(&rulings).unwrap()).unwrap()
}

fn refuse(call: &Call) -> Ruling {
    Ruling::Instead(format!("refused {}", call.name))
}

fn refuse_only(id: &str) -> impl Fn(&Call) -> Ruling {
    move |call| if call.id == id { refuse(call) } else { Ruling::Release }
}

fn rewrite(_: &Call) -> Ruling {
    Ruling::Rewrite("{\"input\":\"new\"}".to_owned())
}

#[test]
fn all_is_told() {
    for (api, text) in ALL {
        let output = parse(api, text).output;
        assert_eq!((output.text.as_str(), output.reasoning.as_str()), ("Hi", "Hm."), "{api:?}");
        assert!(output.id.is_some() && output.model.is_some() && output.finish.is_some());
        assert!(output.usage.input_tokens > 0);
    }
    let steps = |api, text| parse(api, text).output.confidence.map(|ratio| ratio.steps());
    assert_eq!(steps(Api::ChatCompletions, CHAT), Some(5000));
    assert_eq!(steps(Api::GenerateContent, GEMINI), Some(5000));
    assert_eq!(steps(Api::Messages, MESSAGES), None);
    assert_eq!(parse(Api::Messages, MESSAGES).output.server_calls[0].arguments, "{\"q\": 1}");
    assert_eq!(parse(Api::Responses, RESPONSES).output.server_calls[0].name, "find");
}

#[test]
fn calls_are_in_order_with_objects_as_arguments() {
    let calls = |api, text| {
        let calls = parse(api, text).output.calls.into_iter();
        calls.map(|call| (call.id, call.name, call.arguments)).collect::<Vec<_>>()
    };
    let call = |id: &str, name: &str, arguments: &str| {
        (id.to_owned(), name.to_owned(), arguments.to_owned())
    };
    let secret = "{\"path\": \"SECRET\"}";
    let wrapped = "{\"input\":\"SECRET\"}";
    assert_eq!(
        calls(Api::ChatCompletions, CHAT),
        [
            call("call_0", "read", secret),
            call("call_1", "sql", wrapped),
            call("write#1", "write", wrapped),
        ]
    );
    assert_eq!(
        calls(Api::Responses, RESPONSES)[1],
        call("call_1", "shell", "{\"commands\": [\"SECRET\"]}")
    );
    assert_eq!(
        calls(Api::GenerateContent, GEMINI),
        [call("read#1", "read", secret), call("read#2", "read", "{}")]
    );
    assert_eq!(parse(Api::Responses, RESPONSES).output.calls[1].kind, CallKind::BuiltIn);
}

#[test]
fn when_all_is_released_every_byte_is_as_it_came() {
    for (api, text) in ALL {
        let response = parse(api, text);
        let rulings = vec![Ruling::Release; response.output().calls.len()];
        assert_eq!(response.rule(&rulings).unwrap(), text.as_bytes());
    }
}

#[test]
fn a_refused_call_of_a_message_becomes_content() {
    let value = rule(Api::ChatCompletions, CHAT, refuse_only("call_0"));
    let first = &value["choices"][0];
    assert_eq!(first["message"]["content"], "Hi\nrefused read");
    assert_eq!(first["message"]["tool_calls"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&first["finish_reason"], &value["choices"][1]["finish_reason"]),
        (&json!("tool_calls"), &json!("function_call"))
    );
    let value = rule(Api::ChatCompletions, CHAT, refuse);
    for choice in value["choices"].as_array().unwrap() {
        assert_eq!(choice["finish_reason"], "stop");
        let message = choice["message"].as_object().unwrap();
        assert!(!message.contains_key("tool_calls") && !message.contains_key("function_call"));
    }
    assert_eq!(value["choices"][1]["message"]["content"], "refused write");
}

#[test]
fn a_refused_block_item_or_part_is_replaced() {
    let value = rule(Api::Messages, MESSAGES, refuse_only("toolu_0"));
    assert_eq!(value["content"][3], json!({"type": "text", "text": "refused read"}));
    assert_eq!(
        (&value["stop_reason"], &value["content"][4]["name"]),
        (&json!("tool_use"), &json!("write"))
    );
    assert_eq!(rule(Api::Messages, MESSAGES, refuse)["stop_reason"], "end_turn");
    let value = rule(Api::Responses, RESPONSES, refuse);
    assert_eq!(value["output"][3]["content"][0]["text"], "refused read");
    assert_eq!(value["output"][4]["id"], "msg_call_1");
    let value = rule(Api::GenerateContent, GEMINI, refuse_only("read#2"));
    let parts = &value["candidates"][0]["content"]["parts"];
    assert_eq!(
        (&parts[2]["functionCall"]["name"], &parts[3]),
        (&json!("read"), &json!({"text": "refused read"}))
    );
}

#[test]
fn new_arguments_are_spelled_like_the_old_ones() {
    let value = rule(Api::ChatCompletions, CHAT, rewrite);
    let calls = &value["choices"][0]["message"]["tool_calls"];
    assert_eq!(calls[0]["function"]["arguments"], "{\"input\":\"new\"}");
    assert_eq!(calls[1]["custom"]["input"], "new");
    // What was no object is none again.
    assert_eq!(value["choices"][1]["message"]["function_call"]["arguments"], "new");
    assert_eq!(value["choices"][0]["message"]["content"], "Hi");
    let value = rule(Api::Messages, MESSAGES, rewrite);
    assert_eq!(value["content"][4]["input"], json!({"input": "new"}));
    let value = rule(Api::Responses, RESPONSES, rewrite);
    assert_eq!(value["output"][3]["arguments"], "{\"input\":\"new\"}");
    assert_eq!(value["output"][4]["action"], json!({"input": "new"}));
    let value = rule(Api::GenerateContent, GEMINI, rewrite);
    let parts = &value["candidates"][0]["content"]["parts"];
    assert_eq!(parts[3]["functionCall"], json!({"name": "read", "args": {"input": "new"}}));
    assert_eq!(parts[2]["thoughtSignature"], "c2ln");
}

#[test]
fn a_list_of_chunks_is_one_answer() {
    let part = |part: &str| format!(r#"{{"candidates":[{{"content":{{"parts":[{part}]}}}}]}}"#);
    let text = format!(
        "[{},\n{},{},{}]",
        GEMINI,
        part(r#"{"functionCall":{"name":"write","willContinue":true}}"#),
        part(
            r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"SECRET"}],"willContinue":true}}"#
        ),
        part(r#"{"functionCall":{}}"#),
    );
    let response = parse(Api::GenerateContent, &text);
    assert_eq!(response.output().calls[2].arguments, "{\"a\":\"SECRET\"}");
    assert_eq!(response.rule(&vec![Ruling::Release; 3]).unwrap(), text.as_bytes());
    let value = rule(Api::GenerateContent, &text, refuse);
    assert_eq!(value[1]["candidates"][0]["content"]["parts"][0]["text"], "refused write");
    assert!(!value.to_string().contains("SECRET"));
    let open = format!("[{}]", part(r#"{"functionCall":{"name":"write","willContinue":true}}"#));
    let fault = Response::parse(Api::GenerateContent, open.into_bytes());
    assert!(matches!(fault, Err((_, ResponseFault::Shape { .. }))));
    assert!(Response::parse(Api::Messages, b"[]".to_vec()).is_err());
}

#[test]
fn an_error_of_the_provider_says_nothing() {
    for (api, _) in ALL {
        let response = parse(api, r#"{"error": {"message": "x", "type": "y"}}"#);
        assert_eq!(*response.output(), Output::default());
        assert!(response.rule(&[]).is_ok());
    }
}

#[test]
fn faults_give_the_body_back() {
    let body = b"{\"a\":1,\"a\":2}".to_vec();
    let (back, fault) = Response::parse(Api::Messages, body.clone()).unwrap_err();
    assert_eq!(back, body);
    assert!(matches!(fault, ResponseFault::NotJson { .. }));
    let shapes = [
        (Api::ChatCompletions, r#"{"choices": {}}"#),
        (Api::ChatCompletions, r#"{"choices": [{"message": {"tool_calls": [{"id": "a"}]}}]}"#),
        (Api::Messages, r#"{"content": [{"type": "tool_use", "id": "a"}]}"#),
        (Api::Messages, r#"{"content": [{"id": "a"}]}"#),
        (
            Api::Responses,
            r#"{"output": [{"type": "function_call", "name": "a", "arguments": {}}]}"#,
        ),
        (
            Api::GenerateContent,
            r#"{"candidates": [{"content": {"parts": [{"functionCall": {}}]}}]}"#,
        ),
    ];
    for (api, text) in shapes {
        let (back, fault) = Response::parse(api, text.as_bytes().to_vec()).unwrap_err();
        assert_eq!(back, text.as_bytes());
        assert!(matches!(fault, ResponseFault::Shape { .. }), "{text}");
    }
}

#[test]
fn rulings_must_fit() {
    let response = parse(Api::Messages, MESSAGES);
    let bad = Ruling::Rewrite("[]".to_owned());
    for rulings in [vec![], vec![Ruling::Release], vec![Ruling::Release, bad]] {
        assert_eq!(response.rule(&rulings), Err(ResponseFault::Rulings));
    }
    let free = Ruling::Rewrite("{\"sql\":1}".to_owned());
    let custom = [Ruling::Release, free, Ruling::Release];
    assert!(parse(Api::ChatCompletions, CHAT).rule(&custom).is_err(), "free text has no `sql`");
}

fn ruling() -> impl Strategy<Value = Ruling> {
    prop_oneof![
        Just(Ruling::Release),
        "[a-z\"\\\\\n\u{e9}]{0,8}".prop_map(Ruling::Instead),
        Just(Ruling::Rewrite("{\"input\":\"new\"}".to_owned())),
    ]
}

proptest! {
    /// What is left after rulings is read again as exactly the calls that were not refused.
    #[test]
    fn only_refused_calls_are_gone(
        which in 0_usize..4,
        rulings in proptest::collection::vec(ruling(), 3),
    ) {
        let (api, text) = ALL[which];
        let response = parse(api, text);
        let calls = &response.output().calls;
        let rulings = rulings.get(..calls.len()).unwrap();
        let after = Response::parse(api, response.rule(rulings).unwrap()).unwrap();
        let kept = calls.iter().zip(rulings).filter(|(_, ruling)| !matches!(ruling, Ruling::Instead(_)));
        let names: Vec<&String> = kept.map(|(call, _)| &call.name).collect();
        prop_assert_eq!(names, after.output().calls.iter().map(|call| &call.name).collect::<Vec<_>>());
        prop_assert_eq!(&after.output().reasoning, &response.output().reasoning);
    }

    #[test]
    fn arbitrary_bytes_are_harmless(
        which in 0_usize..4,
        from in any::<usize>(),
        length in 0_usize..40,
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let (api, text) = ALL[which];
        let mut damaged = text.as_bytes().to_vec();
        let from = from % damaged.len();
        let to = (from + length).min(damaged.len());
        damaged.splice(from..to, bytes);
        if let Ok(response) = Response::parse(api, damaged.clone()) {
            let rulings = vec![Ruling::Release; response.output().calls.len()];
            prop_assert_eq!(response.rule(&rulings).unwrap(), damaged);
        }
    }
}
