//! The events that a response is streamed in.

use serde_json::{Value, json};

use super::super::answer::{Answer, Call};
use super::super::chat;
use super::super::conversation::{Conversation, ToolKind, str_of};
use super::{Progress, called, message, output, part, reasoning, response};

/// Letters that the padding of a delta is taken from.
const PADDING_LETTERS: usize = 14;

/// The answer as server-sent events.
pub(in super::super) fn stream(answer: &Answer, asked: &Conversation) -> Vec<String> {
    let mut events = Events { answer, items: 0, sent: Vec::new() };
    let running = response(answer, asked, Progress::Running, &[]);
    events.event("response.created", json!({ "response": running }));
    events.event("response.in_progress", json!({ "response": running }));
    if !answer.reasoning.is_empty() {
        events.reasoning();
    }
    if !answer.text.is_empty() {
        events.message();
    }
    for (place, call) in answer.calls.iter().enumerate() {
        events.call(place, call);
    }
    events.end(asked);
    events.sent
}

/// The events of one answer, as they are sent.
struct Events<'a> {
    answer: &'a Answer,
    items: usize,
    sent: Vec<String>,
}

impl Events<'_> {
    fn reasoning(&mut self) {
        let answer = self.answer;
        let text = &answer.reasoning;
        let item = reasoning(answer, &json!([]));
        let at = self.added(&item);
        let at = with(&at, json!({ "summary_index": 0 }));
        let part = |text: &str| json!({ "part": { "type": "summary_text", "text": text } });
        self.event("response.reasoning_summary_part.added", with(&at, part("")));
        for piece in answer.pieces(text) {
            self.delta(
                "response.reasoning_summary_text.delta",
                &with(&at, json!({ "delta": piece })),
            );
        }
        let done = with(&at, json!({ "text": text }));
        self.event("response.reasoning_summary_text.done", done);
        self.event("response.reasoning_summary_part.done", with(&at, part(text)));
        let summary = json!([{ "type": "summary_text", "text": text }]);
        self.done(&reasoning(answer, &summary));
    }

    fn message(&mut self) {
        let answer = self.answer;
        let text = &answer.text;
        let at = self.added(&message(answer, "in_progress", &json!([])));
        let at = with(&at, json!({ "content_index": 0 }));
        let tokens =
            |text: &str| if answer.logprobs { chat::tokens(answer, text) } else { Vec::new() };
        let added = with(&at, json!({ "part": part(answer, "") }));
        self.event("response.content_part.added", added);
        for piece in answer.pieces(text) {
            let delta = json!({ "delta": piece, "logprobs": tokens(piece) });
            self.delta("response.output_text.delta", &with(&at, delta));
        }
        let done = json!({ "text": text, "logprobs": tokens(text) });
        self.event("response.output_text.done", with(&at, done));
        let whole = part(answer, text);
        self.event("response.content_part.done", with(&at, json!({ "part": whole })));
        self.done(&message(answer, "completed", &json!([whole])));
    }

    fn call(&mut self, place: usize, call: &Call) {
        let answer = self.answer;
        let at = self.added(&called(answer, place, call, ""));
        match call.tool.kind {
            ToolKind::Function => self.input(&at, call, "function_call_arguments", "arguments"),
            ToolKind::Custom => self.input(&at, call, "custom_tool_call_input", "input"),
            // A search comes whole.
            ToolKind::Search => {}
        }
        self.done(&called(answer, place, call, &call.arguments));
    }

    fn input(&mut self, at: &Value, call: &Call, kind: &str, field: &str) {
        for piece in self.answer.pieces(&call.arguments) {
            let delta = with(at, json!({ "delta": piece }));
            self.delta(&format!("response.{kind}.delta"), &delta);
        }
        let done = with(at, json!({ field: call.arguments }));
        self.event(&format!("response.{kind}.done"), done);
    }

    /// Says that an item begins, and returns what its events say of where they are.
    fn added(&mut self, item: &Value) -> Value {
        let index = self.items;
        let added = json!({ "output_index": index, "item": item });
        self.event("response.output_item.added", added);
        json!({ "item_id": str_of(item, "id"), "output_index": index })
    }

    fn done(&mut self, item: &Value) {
        let done = json!({ "output_index": self.items, "item": item });
        self.items += 1;
        self.event("response.output_item.done", done);
    }

    fn end(&mut self, asked: &Conversation) {
        let answer = self.answer;
        let output = output(answer);
        let (progress, kind) = match (&answer.error, answer.finish) {
            (Some(_), _) => (Progress::Failed, "response.failed"),
            (None, Some(_)) => (Progress::Ended, "response.incomplete"),
            (None, None) => (Progress::Ended, "response.completed"),
        };
        let response = response(answer, asked, progress, &output);
        self.event(kind, json!({ "response": response }));
    }

    /// A delta is padded, so that its length does not tell what is in it.
    fn delta(&mut self, kind: &str, fields: &Value) {
        let place = self.sent.len();
        let padding = format!("padding {place}");
        let padding = self.answer.seed.letters(&padding, place % PADDING_LETTERS + 1);
        self.event(kind, with(fields, json!({ "obfuscation": padding })));
    }

    fn event(&mut self, kind: &str, fields: Value) {
        let event = with(&json!({ "type": kind, "sequence_number": self.sent.len() }), fields);
        self.sent.push(format!("event: {kind}\ndata: {event}\n\n"));
    }
}

/// The fields of both objects.
fn with(object: &Value, more: Value) -> Value {
    let mut object = object.clone();
    if let (Value::Object(fields), Value::Object(more)) = (&mut object, more) {
        fields.extend(more);
    }
    object
}
