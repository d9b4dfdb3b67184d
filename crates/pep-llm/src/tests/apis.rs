//! What agents and providers say in each of the four APIs.

use pathwarden_lens_llm::{Api, Ending, Output, Response, Ruling, Step, Stream};
use serde_json::{Value, json};

/// One way of calling a model, and the upstream that is called so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) api: Api,
    pub(super) upstream: &'static str,
}

pub(super) const CHAT: Case = Case { api: Api::ChatCompletions, upstream: "openai" };
pub(super) const RESPONSES: Case = Case { api: Api::Responses, upstream: "openai" };
pub(super) const MESSAGES: Case = Case { api: Api::Messages, upstream: "anthropic" };
pub(super) const GEMINI: Case = Case { api: Api::GenerateContent, upstream: "gemini" };

pub(super) const ALL: [Case; 4] = [CHAT, RESPONSES, MESSAGES, GEMINI];

/// A tool and its arguments.
pub(super) type Wanted<'a> = (&'a str, &'a str);

impl Case {
    pub(super) fn path(&self, is_stream: bool, model: &str) -> String {
        let path = match (self.api, is_stream) {
            (Api::ChatCompletions, _) => "v1/chat/completions".to_owned(),
            (Api::Responses, _) => "v1/responses".to_owned(),
            (Api::Messages, _) => "v1/messages".to_owned(),
            (Api::GenerateContent, true) => {
                format!("v1beta/models/{model}:streamGenerateContent?alt=sse")
            }
            (Api::GenerateContent, false) => format!("v1beta/models/{model}:generateContent"),
        };
        format!("/{}/{path}", self.upstream)
    }

    /// A request that no JSON library would write so.
    pub(super) fn request(&self, is_stream: bool, model: &str, text: &str) -> String {
        let text = serde_json::to_string(text).unwrap();
        match self.api {
            Api::ChatCompletions => format!(
                r#"{{ "temperature":1.0,"stream" : {is_stream},"model":"{model}","messages":[{{"role":"user","content":{text}}}]}}"#
            ),
            Api::Responses => format!(
                r#"{{ "temperature":1.0,"stream" : {is_stream},"model":"{model}","input":{text}}}"#
            ),
            Api::Messages => format!(
                r#"{{ "max_tokens":50,"stream" : {is_stream},"model":"{model}","messages":[{{"content":{text},"role":"user"}}]}}"#
            ),
            Api::GenerateContent => format!(
                r#"{{ "generationConfig":{{"temperature" : 1.0}},"contents":[{{"parts":[{{"text":{text}}}]}}]}}"#
            ),
        }
    }

    /// The events of a stream that says `Hi` and then calls these tools.
    pub(super) fn events(&self, calls: &[Wanted<'_>]) -> Vec<String> {
        match self.api {
            Api::ChatCompletions => chat_events(calls),
            Api::Responses => responses_events(calls),
            Api::Messages => messages_events(calls),
            Api::GenerateContent => gemini_events(calls),
        }
    }

    /// The answer that says the same as a whole.
    pub(super) fn answer(&self, calls: &[Wanted<'_>]) -> String {
        let numbered = calls.iter().enumerate();
        match self.api {
            Api::ChatCompletions => {
                let calls: Vec<String> = numbered.map(|(at, call)| chat_call(at, *call)).collect();
                let finish = if calls.is_empty() { "stop" } else { "tool_calls" };
                format!(
                    r#"{{"id":"c1","model":"gpt-x", "odd":[1e400,50.0],"choices":[{{"index":0,"finish_reason":"{finish}","message":{{"role":"assistant","content":"Hi","tool_calls":[{}]}}}}]}}"#,
                    calls.join(", ")
                )
            }
            Api::Responses => {
                let items = numbered.map(|(at, call)| function(at + 1, *call)).collect::<Vec<_>>();
                response("completed", &[vec![message("Hi")], items].concat())
            }
            Api::Messages => {
                let blocks = numbered.map(|(at, (name, arguments))| {
                    format!(
                        r#",{{"type":"tool_use","id":"call_{at}","name":"{name}","input":{arguments}}}"#
                    )
                });
                let blocks: String = blocks.collect();
                let stop = if calls.is_empty() { "end_turn" } else { "tool_use" };
                format!(
                    r#"{{"id":"m1","type":"message","role":"assistant","model":"claude-x","content":[{{"type":"text","text":"Hi"}}{blocks}], "stop_reason":"{stop}","usage":{{"input_tokens":9,"output_tokens":5}}}}"#
                )
            }
            Api::GenerateContent => {
                let parts: String =
                    calls.iter().map(|call| format!(",{}", gemini_call(*call))).collect();
                gemini_chunk(&format!(r#"{{"text":"Hi"}}{parts}"#), r#","finishReason":"STOP""#)
            }
        }
    }

    /// What an SDK reads of it.
    pub(super) fn output(&self, is_stream: bool, text: &str) -> Output {
        if !is_stream {
            return Response::parse(self.api, text.as_bytes().to_vec()).unwrap().output().clone();
        }
        let mut stream = Stream::new(self.api);
        stream.push(text.as_bytes()).unwrap();
        while let Some(step) = stream.step() {
            if let Step::Calls(calls) = step {
                stream.rule(vec![Ruling::Release; calls.len()]).unwrap();
            }
        }
        assert_eq!(stream.end(), Ok(Ending::Whole), "{text}");
        stream.output().clone()
    }

    /// The reason to stop when tools are called, and when none is.
    pub(super) fn finishes(&self) -> (&'static str, &'static str) {
        match self.api {
            Api::ChatCompletions => ("tool_calls", "stop"),
            Api::Responses => ("completed", "completed"),
            Api::Messages => ("tool_use", "end_turn"),
            Api::GenerateContent => ("STOP", "STOP"),
        }
    }

    /// The code in an error of this provider.
    pub(super) fn code<'a>(&self, error: &'a Value) -> &'a str {
        let code = match self.api {
            Api::ChatCompletions | Api::Responses => &error["error"]["code"],
            Api::Messages => &error["error"]["details"]["error_code"],
            Api::GenerateContent => &error["error"]["details"][0]["reason"],
        };
        code.as_str().unwrap_or_else(|| panic!("an error of {self:?}: {error}"))
    }
}

fn named(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap())
}

fn data(data: &str) -> String {
    format!("data: {data}\n\n")
}

fn chat_call(at: usize, (name, arguments): Wanted<'_>) -> String {
    let arguments = serde_json::to_string(arguments).unwrap();
    format!(
        r#"{{"id":"call_{at}","type":"function","function":{{"name":"{name}","arguments":{arguments}}}}}"#
    )
}

fn chat_events(calls: &[Wanted<'_>]) -> Vec<String> {
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        data(&json!({"id": "c1", "model": "gpt-x", "choices": [choice]}).to_string())
    };
    let mut events = vec![
        chunk(json!({"role": "assistant", "content": ""}), Value::Null),
        chunk(json!({"content": "Hi"}), Value::Null),
    ];
    for (at, (name, arguments)) in calls.iter().enumerate() {
        let (first, rest) = arguments.split_at(arguments.len() / 2);
        let function = json!({"name": name, "arguments": ""});
        let id = format!("call_{at}");
        let call = json!({"index": at, "id": id, "type": "function", "function": function});
        events.push(chunk(json!({ "tool_calls": [call] }), Value::Null));
        for fragment in [first, rest] {
            let call = json!({"index": at, "function": {"arguments": fragment}});
            events.push(chunk(json!({ "tool_calls": [call] }), Value::Null));
        }
    }
    let finish = if calls.is_empty() { "stop" } else { "tool_calls" };
    events.push(chunk(json!({}), finish.into()));
    let usage = r#"{"id":"c1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5}}"#;
    events.extend([data(usage), data("[DONE]")]);
    events
}

fn message(text: &str) -> String {
    format!(
        r#"{{"id":"msg_0","type":"message","role":"assistant","content":[{{"type":"output_text","annotations":[],"text":"{text}"}}]}}"#
    )
}

fn function(at: usize, (name, arguments): Wanted<'_>) -> String {
    let arguments = serde_json::to_string(arguments).unwrap();
    format!(
        r#"{{"id":"fc_{at}","type":"function_call","call_id":"call_{at}","name":"{name}","arguments":{arguments}}}"#
    )
}

fn response(status: &str, items: &[String]) -> String {
    format!(
        r#"{{"id":"r1","object":"response","model":"gpt-x", "status":"{status}","output":[{}],"usage":{{"input_tokens":9,"output_tokens":5}}}}"#,
        items.join(",")
    )
}

fn responses_events(calls: &[Wanted<'_>]) -> Vec<String> {
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let item = |what: &str, at: usize, item: &str| {
        let item = read(item.to_owned());
        json!({"type": format!("response.output_item.{what}"), "output_index": at, "item": item})
    };
    let mut events = vec![
        json!({"type": "response.created", "response": read(response("in_progress", &[]))}),
        item("added", 0, &message("")),
        json!({"type": "response.output_text.delta", "item_id": "msg_0", "output_index": 0, "content_index": 0, "delta": "Hi"}),
        item("done", 0, &message("Hi")),
    ];
    let mut items = vec![message("Hi")];
    for (at, (name, arguments)) in (1..).zip(calls) {
        let own = |what: &str, field: &str, text: &str| {
            let kind = format!("response.function_call_arguments.{what}");
            json!({"type": kind, "item_id": format!("fc_{at}"), "output_index": at, field: text})
        };
        let (first, rest) = arguments.split_at(arguments.len() / 2);
        items.push(function(at, (name, arguments)));
        events.extend([
            item("added", at, &function(at, (name, ""))),
            own("delta", "delta", first),
            own("delta", "delta", rest),
            own("done", "arguments", arguments),
            item("done", at, &function(at, (name, arguments))),
        ]);
    }
    let whole = read(response("completed", &items));
    events.push(json!({"type": "response.completed", "response": whole}));
    let numbered = events.into_iter().zip(0..).map(|(mut event, number)| {
        event["sequence_number"] = Value::from(number);
        named(&event)
    });
    numbered.collect()
}

fn messages_events(calls: &[Wanted<'_>]) -> Vec<String> {
    let block = |at: usize, start: Value, deltas: &[Value]| {
        let start = json!({"type": "content_block_start", "index": at, "content_block": start});
        let stop = json!({"type": "content_block_stop", "index": at});
        let delta =
            |delta: &Value| json!({"type": "content_block_delta", "index": at, "delta": delta});
        let deltas = deltas.iter().map(delta);
        [start].into_iter().chain(deltas).chain([stop]).map(|event| named(&event)).collect()
    };
    let start = json!({"id": "m1", "type": "message", "role": "assistant", "model": "claude-x", "content": [], "usage": {"input_tokens": 9}});
    let start = named(&json!({"type": "message_start", "message": start}));
    let ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n".to_owned();
    let words = json!({"type": "text_delta", "text": "Hi"});
    let mut events: Vec<Vec<String>> =
        vec![vec![start, ping], block(0, json!({"type": "text", "text": ""}), &[words])];
    for (at, (name, arguments)) in calls.iter().enumerate() {
        let (first, rest) = arguments.split_at(arguments.len() / 2);
        let id = format!("call_{at}");
        let call = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
        let delta = |text: &str| json!({"type": "input_json_delta", "partial_json": text});
        events.push(block(at + 1, call, &[delta(first), delta(rest)]));
    }
    let stop = if calls.is_empty() { "end_turn" } else { "tool_use" };
    let stop = json!({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 5}});
    events.push(vec![named(&stop), named(&json!({"type": "message_stop"}))]);
    events.concat()
}

fn gemini_chunk(parts: &str, more: &str) -> String {
    format!(
        r#"{{"candidates": [{{"content": {{"parts": [{parts}],"role": "model"}}{more}}}],"modelVersion": "gemini-x","responseId": "r1"}}"#
    )
}

fn gemini_call((name, arguments): Wanted<'_>) -> String {
    format!(r#"{{"functionCall": {{"name": "{name}","args": {arguments}}}}}"#)
}

fn gemini_events(calls: &[Wanted<'_>]) -> Vec<String> {
    let mut events = vec![data(&gemini_chunk(r#"{"text": "Hi"}"#, ""))];
    events.extend(calls.iter().map(|call| data(&gemini_chunk(&gemini_call(*call), ""))));
    events.push(data(&gemini_chunk(r#"{"text": ""}"#, r#","finishReason": "STOP""#)));
    events
}
