//! Anthropic's Messages.

use serde_json::{Value, json};

use super::answer::{Answer, Call};
use super::conversation::{Conversation, ToolKind, items, str_of, text_of};
use super::scenario::Finish;
use super::seed::Seed;

const ID_LETTERS: usize = 22;
const SIGNATURE_LETTERS: usize = 360;

/// How a harness marks what it adds to the words of its user.
const REMINDER: &str = "<system-reminder>";

pub(super) fn read(body: &Value, read: &mut Conversation) {
    read.max_tokens = body.get("max_tokens").and_then(Value::as_u64);
    read.system_says(&text_of(body.get("system")));
    for message in items(body, "messages") {
        match str_of(message, "role") {
            "user" => read.user_says(said(message)),
            // Newer harnesses add to their instructions in the middle of a conversation.
            "system" => read.system_says(&text_of(message.get("content"))),
            _ => {}
        }
        for block in items(message, "content") {
            match str_of(block, "type") {
                "tool_use" => read.calls.push(str_of(block, "id").to_owned()),
                "tool_result" => {
                    read.result(str_of(block, "tool_use_id"), text_of(block.get("content")));
                }
                _ => {}
            }
        }
    }
    for tool in items(body, "tools") {
        read.declares(str_of(tool, "name"), None, ToolKind::Function);
    }
}

/// What the user says in a message: not the results of tools, not what the harness adds.
fn said(message: &Value) -> String {
    let Some(Value::Array(blocks)) = message.get("content") else {
        return text_of(message.get("content"));
    };
    if blocks.iter().any(|block| str_of(block, "type") == "tool_result") {
        return String::new();
    }
    let texts = blocks.iter().filter(|block| str_of(block, "type") == "text");
    let said = texts.filter(|block| !str_of(block, "text").starts_with(REMINDER));
    text_of(Some(&said.cloned().collect()))
}

/// Whether some thinking in the conversation is not as it was signed.
pub(super) fn has_changed_thinking(body: &Value) -> bool {
    items(body, "messages").iter().flat_map(|message| items(message, "content")).any(|block| {
        str_of(block, "type") == "thinking"
            && str_of(block, "signature") != signature(str_of(block, "thinking"))
    })
}

fn signature(thinking: &str) -> String {
    format!("{}==", Seed::of(thinking.as_bytes()).letters("signature", SIGNATURE_LETTERS))
}

/// The answer in one piece.
pub(super) fn whole(answer: &Answer) -> Value {
    let mut content = Vec::new();
    if !answer.reasoning.is_empty() {
        let signature = signature(&answer.reasoning);
        content.push(json!({
            "type": "thinking", "thinking": answer.reasoning, "signature": signature,
        }));
    }
    if !answer.text.is_empty() {
        content.push(json!({ "type": "text", "text": answer.text }));
    }
    let calls = answer.calls.iter().enumerate();
    content.extend(calls.map(|(place, call)| tool_use(answer, place, call, &call.object())));
    json!({
        "model": answer.model,
        "id": answer.seed.id("msg_01", 0, ID_LETTERS),
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop_reason(answer),
        "stop_sequence": null,
        "usage": usage(answer, answer.output_tokens()),
    })
}

fn tool_use(answer: &Answer, place: usize, call: &Call, input: &Value) -> Value {
    json!({
        "type": "tool_use",
        "id": answer.call_id(place, "toolu_01", ID_LETTERS),
        "name": call.tool.name,
        "input": input,
    })
}

/// The answer as server-sent events.
pub(super) fn stream(answer: &Answer) -> Vec<String> {
    let mut events = Events { answer, blocks: 0, sent: Vec::new() };
    events.start();
    if !answer.reasoning.is_empty() {
        events.thinking();
    }
    if !answer.text.is_empty() {
        events.text();
    }
    for (place, call) in answer.calls.iter().enumerate() {
        events.call(place, call);
    }
    events.end();
    events.sent
}

/// The events of one answer, as they are sent.
struct Events<'a> {
    answer: &'a Answer,
    blocks: usize,
    sent: Vec<String>,
}

impl Events<'_> {
    fn start(&mut self) {
        let answer = self.answer;
        let message = json!({
            "model": answer.model,
            "id": answer.seed.id("msg_01", 0, ID_LETTERS),
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage(answer, 1),
        });
        self.event(&json!({ "type": "message_start", "message": message }));
    }

    fn thinking(&mut self) {
        let answer = self.answer;
        let mut deltas: Vec<_> = answer
            .pieces(&answer.reasoning)
            .into_iter()
            .map(|piece| json!({ "type": "thinking_delta", "thinking": piece }))
            .collect();
        let signature = signature(&answer.reasoning);
        deltas.push(json!({ "type": "signature_delta", "signature": signature }));
        self.block(&json!({ "type": "thinking", "thinking": "", "signature": "" }), deltas);
    }

    fn text(&mut self) {
        let pieces = self.answer.pieces(&self.answer.text).into_iter();
        let deltas = pieces.map(|piece| json!({ "type": "text_delta", "text": piece }));
        self.block(&json!({ "type": "text", "text": "" }), deltas);
    }

    /// The first delta of a call is empty, as the service sends it.
    fn call(&mut self, place: usize, call: &Call) {
        let answer = self.answer;
        let pieces = std::iter::once("").chain(answer.pieces(&call.arguments));
        let deltas =
            pieces.map(|piece| json!({ "type": "input_json_delta", "partial_json": piece }));
        self.block(&tool_use(answer, place, call, &json!({})), deltas);
    }

    fn block(&mut self, block: &Value, deltas: impl IntoIterator<Item = Value>) {
        let index = self.blocks;
        self.blocks += 1;
        self.event(
            &json!({ "type": "content_block_start", "index": index, "content_block": block }),
        );
        if index == 0 {
            self.event(&json!({ "type": "ping" }));
        }
        for delta in deltas {
            self.event(&json!({ "type": "content_block_delta", "index": index, "delta": delta }));
        }
        self.event(&json!({ "type": "content_block_stop", "index": index }));
    }

    fn end(&mut self) {
        let answer = self.answer;
        if let Some(error) = &answer.error {
            self.event(&super::error::in_messages(error, answer.seed));
            return;
        }
        let delta = json!({ "stop_reason": stop_reason(answer), "stop_sequence": null });
        let usage = json!({
            "input_tokens": answer.input_tokens(),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": answer.output_tokens(),
        });
        self.event(&json!({ "type": "message_delta", "delta": delta, "usage": usage }));
        self.event(&json!({ "type": "message_stop" }));
    }

    fn event(&mut self, event: &Value) {
        self.sent.push(format!("event: {}\ndata: {event}\n\n", str_of(event, "type")));
    }
}

fn stop_reason(answer: &Answer) -> &'static str {
    match answer.finish {
        Some(Finish::Length) => "max_tokens",
        Some(Finish::Filter) => "refusal",
        None if answer.calls.is_empty() => "end_turn",
        None => "tool_use",
    }
}

fn usage(answer: &Answer, output: usize) -> Value {
    json!({
        "input_tokens": answer.input_tokens(),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": { "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0 },
        "output_tokens": output,
        "service_tier": "standard",
    })
}
