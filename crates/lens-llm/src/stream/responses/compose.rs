//! Rulings on the items of a response, carried out in its events.

use std::collections::BTreeMap;
use std::ops::Range;

use pathwarden_json::Json;

use crate::answer::{CallKind, Ruling};
use crate::response::item::{self, Identity};
use crate::response::shape::{items, member, number, quoted, written};
use crate::sse::compose;
use crate::stream::event::Event;

use super::Responses;
use super::calls::Asked;

/// How many events tell of a message: see [`message_event`].
const MESSAGE_EVENTS: usize = 6;

/// An event of a call that was held.
struct Own<'a> {
    event: &'a Event,
    object: Json<'a>,
    before: Before,
    is_last: bool,
}

/// The events of a call before one of them.
#[derive(Clone, Copy, Default)]
struct Before {
    count: usize,
    has_delta: bool,
}

impl Responses {
    /// The bytes of an event that belongs to no single call.
    pub(super) fn passed(&self, event: &Event) -> Vec<u8> {
        event.spliced(self.repeats(event).unwrap_or_default())
    }

    /// The changes of the items that an event repeats.
    fn repeats(&self, event: &Event) -> Option<Vec<(Range<usize>, String)>> {
        let last = ["response.completed", "response.incomplete", "response.failed"];
        if self.calls.ruled_count() == 0 || !last.contains(&event.kind().ok()?.as_ref()) {
            return None;
        }
        let items = items(member(event.object()?, "response")?, "output").ok()?;
        Some(items.into_iter().filter_map(|item| self.repeat(item)).collect())
    }

    fn repeat(&self, item: Json<'_>) -> Option<(Range<usize>, String)> {
        let identity = Identity::of(item).ok()?;
        let (asked, ruling) = self.calls.find(&identity)?;
        item::ruled(item, &asked.call, ruling?)
    }

    /// The bytes of what was held, given the rulings from this one on.
    pub(super) fn compose(&self, held: &[Event], first: usize) -> Vec<u8> {
        let ruled = self.calls.ruled_since(first);
        let places = held.iter().enumerate();
        let last: BTreeMap<u64, usize> =
            places.filter_map(|(at, event)| Some((index(event)?, at))).collect();
        let mut before: BTreeMap<u64, Before> = BTreeMap::new();
        let mut out = Vec::new();
        for (at, event) in held.iter().enumerate() {
            let own = index(event).and_then(|index| Some((index, ruled.get(&index)?)));
            let (Some((index, (asked, ruling))), Some(object)) = (own, event.object()) else {
                out.extend(self.passed(event));
                continue;
            };
            let is_last = last.get(&index) == Some(&at);
            let before = before.entry(index).or_default();
            out.extend(Own { event, object, before: *before, is_last }.ruled(asked, ruling));
            before.count += 1;
            before.has_delta |= is_delta(&kind(event));
        }
        out
    }
}

impl Own<'_> {
    fn ruled(&self, asked: &Asked, ruling: &Ruling) -> Vec<u8> {
        match ruling {
            Ruling::Release => self.event.raw().to_vec(),
            Ruling::Rewrite(new) => self.rewritten(asked, new),
            Ruling::Instead(words) => self.instead(asked, words),
        }
    }

    /// The event of the message that comes in this place; in the last place, all that are left.
    fn instead(&self, asked: &Asked, words: &str) -> Vec<u8> {
        let place = self.before.count;
        let places = if self.is_last {
            place.min(MESSAGE_EVENTS - 1)..MESSAGE_EVENTS
        } else {
            place..(place + 1).min(MESSAGE_EVENTS - 1)
        };
        let number = self.object.member("sequence_number").map(Json::text);
        places.flat_map(|place| message_event(place, asked, words, number)).collect()
    }

    fn rewritten(&self, asked: &Asked, new: &str) -> Vec<u8> {
        let own = asked.call.kind;
        let replaced = |name| {
            let new = || quoted(&written(own, &asked.written, new));
            let old = self.object.member(name).map(|old| (old.span(), new()));
            self.event.spliced(old.into_iter().collect())
        };
        let kind = kind(self.event);
        match kind.as_str() {
            "response.output_item.added" => self.began(own, new),
            "response.output_item.done" => self.item(own, new),
            // One delta has all of it.
            delta if is_delta(delta) && !self.before.has_delta => replaced("delta"),
            "response.function_call_arguments.done" => replaced("arguments"),
            "response.custom_tool_call_input.done" => replaced("input"),
            // What else tells of the call tells of the old one.
            _ => Vec::new(),
        }
    }

    /// The start of a call that gets new arguments, which follow; those of a built-in tool stand in it.
    fn began(&self, kind: CallKind, new: &str) -> Vec<u8> {
        let name = match kind {
            CallKind::BuiltIn => return self.item(kind, new),
            CallKind::Function => "arguments",
            CallKind::Custom => "input",
        };
        let old = member(self.object, "item").and_then(|item| item.member(name));
        let old = old.filter(|old| old.text() != "\"\"");
        self.event.spliced(old.map(|old| (old.span(), quoted(""))).into_iter().collect())
    }

    fn item(&self, kind: CallKind, new: &str) -> Vec<u8> {
        let item = member(self.object, "item");
        let part = item.map(|item| item::rewritten(item, kind, new));
        self.event.spliced(part.into_iter().collect())
    }
}

fn index(event: &Event) -> Option<u64> {
    event.object().and_then(|object| number(object, "output_index"))
}

fn kind(event: &Event) -> String {
    event.kind().unwrap_or_default().into_owned()
}

fn is_delta(kind: &str) -> bool {
    matches!(
        kind,
        "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta"
    )
}

/// The events of a message, in their order: item added, part added, text, text done, part done, item
/// done.
fn message_event(place: usize, asked: &Asked, words: &str, sequence: Option<&str>) -> Vec<u8> {
    let call = &asked.call;
    let part =
        |rest: String| format!("\"item_id\":{},\"content_index\":0,{rest}", item::message_id(call));
    let text = |name| part(format!("\"{name}\":{},\"logprobs\":[]", quoted(words)));
    let whole = |words| part(format!("\"part\":{}", item::text_part(words)));
    let item = |words| format!("\"item\":{}", item::message(call, words));
    let (kind, body) = match place {
        0 => ("response.output_item.added", item(None)),
        1 => ("response.content_part.added", whole("")),
        2 => ("response.output_text.delta", text("delta")),
        3 => ("response.output_text.done", text("text")),
        4 => ("response.content_part.done", whole(words)),
        _ => ("response.output_item.done", item(Some(words))),
    };
    let index = asked.index.unwrap_or_default();
    let sequence = sequence.map(|number| format!(",\"sequence_number\":{number}"));
    let sequence = sequence.unwrap_or_default();
    compose(kind, &format!("{{\"type\":\"{kind}\",\"output_index\":{index},{body}{sequence}}}"))
}
