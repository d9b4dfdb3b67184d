//! Chunks that were held, with rulings carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pathwarden_json::{Json, Kind};

use crate::answer::Ruling;
use crate::response::chat::{Form, refusals, stopped};
use crate::response::shape::{items, member, number, quoted, rebuild, text};
use crate::stream::event::Event;

use super::Asked;

struct Compose<'a> {
    /// The first chunk that was held: what a chunk says besides its choices is taken from it.
    envelope: &'a Event,
    /// The calls of each choice.
    own: BTreeMap<u64, Vec<(&'a Asked, &'a Ruling)>>,
    /// The choices whose calls were written.
    told: BTreeSet<u64>,
    out: Vec<u8>,
}

pub(super) fn compose(held: &[Event], asked: &[Asked], rulings: &[Ruling]) -> Vec<u8> {
    let Some(envelope) = held.iter().find(|event| event.object().is_some()) else {
        return Vec::new();
    };
    let mut own: BTreeMap<u64, Vec<(&Asked, &Ruling)>> = BTreeMap::new();
    for (asked, ruling) in asked.iter().zip(rulings) {
        own.entry(asked.choice).or_default().push((asked, ruling));
    }
    let mut compose = Compose { envelope, own, told: BTreeSet::new(), out: Vec::new() };
    for event in held {
        compose.event(event);
    }
    compose.out
}

impl Compose<'_> {
    fn event(&mut self, event: &Event) {
        if event.is_done() {
            let choices: Vec<u64> = self.own.keys().copied().collect();
            choices.into_iter().for_each(|choice| self.tell(choice));
        }
        let Some(chunk) = event.object() else {
            self.out.extend_from_slice(event.raw());
            return;
        };
        let choices = items(chunk, "choices").unwrap_or_default();
        for choice in choices.iter().filter(|choice| is_finished(**choice)) {
            self.tell(index(*choice));
        }
        let changes: Vec<_> = choices.iter().flat_map(|choice| self.changes(*choice)).collect();
        if changes.is_empty() || !is_empty(chunk) {
            self.out.extend(event.spliced(changes));
        }
    }

    /// The changes of a choice: no fragments of calls, and another reason when no call is left.
    fn changes(&self, choice: Json<'_>) -> Vec<(Range<usize>, String)> {
        let delta = member(choice, "delta").filter(|delta| has_calls(*delta));
        let delta = delta.map(|delta| (delta.span(), without_calls(delta)));
        let refused = |(_, ruling): &(&Asked, &Ruling)| matches!(ruling, Ruling::Instead(_));
        let own = self.own.get(&index(choice));
        let none_left = own.is_some_and(|own| own.iter().all(refused));
        let reason = none_left.then(|| stopped(choice)).flatten();
        delta.into_iter().chain(reason).collect()
    }

    /// Writes what is left of the calls of a choice, and the refusals, once.
    fn tell(&mut self, choice: u64) {
        if !self.told.insert(choice) {
            return;
        }
        let own = self.own.get(&choice).cloned().unwrap_or_default();
        let mut place = 0;
        for (asked, ruling) in &own {
            if let Some(delta) = call_delta(asked, ruling, place) {
                self.chunk(choice, &delta);
                place += usize::from(asked.draft.written.form != Form::Alone);
            }
        }
        let rulings: Vec<Ruling> = own.into_iter().map(|(_, ruling)| ruling.clone()).collect();
        if let Some(words) = refusals(&rulings) {
            self.chunk(choice, &format!("{{\"content\":{}}}", quoted(&words)));
        }
    }

    fn chunk(&mut self, choice: u64, delta: &str) {
        let choices = format!("[{{\"index\":{choice},\"delta\":{delta},\"finish_reason\":null}}]");
        let old = self.envelope.object().and_then(|chunk| chunk.member("choices"));
        self.out.extend(
            self.envelope.spliced(old.map(|old| (old.span(), choices)).into_iter().collect()),
        );
    }
}

/// The delta of a whole call; nothing when it was refused.
fn call_delta(asked: &Asked, ruling: &Ruling, place: usize) -> Option<String> {
    let written = &asked.draft.written;
    let text = match ruling {
        Ruling::Release => written.text.clone(),
        Ruling::Rewrite(new) => written.rewritten(new),
        Ruling::Instead(_) => return None,
    };
    let (carrier, name) = (written.form.carrier(), quoted(&written.name));
    let inner = format!("{{\"name\":{name},\"{carrier}\":{}}}", quoted(&text));
    let kind = match written.form {
        Form::Function => "function",
        Form::Custom => "custom",
        Form::Alone => return Some(format!("{{\"function_call\":{inner}}}")),
    };
    let id = quoted(&written.id);
    let id = if written.id.is_empty() { String::new() } else { format!("\"id\":{id},") };
    let extras = &asked.draft.extras;
    let extras = if extras.is_empty() { String::new() } else { format!(",{extras}") };
    let call = format!("{{\"index\":{place},{id}\"type\":\"{kind}\",\"{kind}\":{inner}{extras}}}");
    Some(format!("{{\"tool_calls\":[{call}]}}"))
}

fn index(choice: Json<'_>) -> u64 {
    number(choice, "index").unwrap_or_default()
}

fn is_finished(choice: Json<'_>) -> bool {
    text(choice, "finish_reason").is_some_and(|reason| !reason.is_empty())
}

fn has_calls(delta: Json<'_>) -> bool {
    delta.member("tool_calls").is_some() || delta.member("function_call").is_some()
}

fn without_calls(delta: Json<'_>) -> String {
    rebuild(delta, &[("tool_calls", None), ("function_call", None)])
}

/// Does a chunk say nothing once the fragments of calls are out of it?
fn is_empty(chunk: Json<'_>) -> bool {
    let choices = items(chunk, "choices").unwrap_or_default();
    member(chunk, "usage").is_none() && choices.into_iter().all(says_nothing)
}

fn says_nothing(choice: Json<'_>) -> bool {
    let said = |(name, value): (std::borrow::Cow<'_, str>, Json<'_>)| {
        let silent = matches!(value.kind(), Kind::Null) || value.text() == "\"\"";
        !silent && name != "tool_calls" && name != "function_call"
    };
    let delta = member(choice, "delta");
    !is_finished(choice)
        && member(choice, "logprobs").is_none()
        && !delta.is_some_and(|delta| delta.members().any(said))
}
