//! Answers of Gemini: one `GenerateContentResponse`, or the chunks of one, in events or in a list.

use std::collections::BTreeMap;
use std::ops::Range;

use pathwarden_json::{Json, Kind};

use crate::answer::{Call, CallKind, Ruling};
use crate::response::partial::Partial;
use crate::response::said::{Said, put};
use crate::response::shape::{
    Shape, items, member, number, quoted, rebuild, strict_text, text, value_arguments,
};

/// The calls of an answer, as far as it came.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    found: Vec<Found>,
    /// Where the parts of calls stand, and of which call each is. The first part of a call is rewritten,
    /// and the others become empty.
    places: BTreeMap<Place, (usize, Order)>,
    /// The call of each candidate that continues in its next part, by its place in `found`.
    open: BTreeMap<u64, usize>,
    pub(crate) finished: bool,
}

#[derive(Debug)]
struct Found {
    id: String,
    name: String,
    kind: Arguments,
}

#[derive(Debug)]
enum Arguments {
    Whole(String),
    Partial(Partial),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Order {
    First,
    Later,
}

/// The place of a part.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Place {
    chunk: u64,
    candidate: usize,
    part: usize,
}

impl Calls {
    /// Reads a chunk; `number` tells it from others.
    pub(crate) fn read(
        &mut self,
        chunk: Json<'_>,
        chunk_number: u64,
        said: &mut Said,
    ) -> Result<(), Shape> {
        said.identify(text(chunk, "responseId"), text(chunk, "modelVersion"));
        usage(chunk, said);
        let blocked = member(chunk, "promptFeedback").and_then(|told| text(told, "blockReason"));
        self.finished |= blocked.is_some();
        said.finish(blocked);
        for (candidate, value) in items(chunk, "candidates")?.into_iter().enumerate() {
            let index = number(value, "index").unwrap_or_default();
            let content = member(value, "content");
            let parts = content.map_or(Ok(Vec::new()), |content| items(content, "parts"))?;
            for (part, json) in parts.into_iter().enumerate() {
                let place = Place { chunk: chunk_number, candidate, part };
                self.part(json, index, place, said)?;
            }
            let finish = text(value, "finishReason");
            self.finished |= finish.is_some();
            said.finish(finish);
            member(value, "avgLogprobs").into_iter().for_each(|mean| said.token(mean));
        }
        Ok(())
    }

    /// Does a call continue in the next chunk?
    pub(crate) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The calls, once none is open.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.found.iter().map(Found::call).collect()
    }

    /// Forgets what was found.
    pub(crate) fn clear(&mut self) {
        self.found.clear();
        self.open.clear();
        self.places.clear();
    }

    fn part(
        &mut self,
        part: Json<'_>,
        index: u64,
        place: Place,
        said: &mut Said,
    ) -> Result<(), Shape> {
        // Google's own clients take this spelling as well; the service never writes it.
        if part.member("function_call").is_some() {
            return Err(Shape("`functionCall` in this spelling"));
        }
        match member(part, "functionCall") {
            Some(call) => self.call(call, index, place, said),
            None => {
                words(part, said);
                Ok(())
            }
        }
    }

    fn call(
        &mut self,
        call: Json<'_>,
        index: u64,
        place: Place,
        said: &mut Said,
    ) -> Result<(), Shape> {
        let name = strict_text(call, "name")?.unwrap_or_default();
        let (at, order) = match self.open.get(&index).copied() {
            Some(_) if !name.is_empty() => {
                return Err(Shape("the end of a call before another one begins"));
            }
            Some(at) => (at, Order::Later),
            None => (self.begin(call, &name, said)?, Order::First),
        };
        self.found.get_mut(at).ok_or(Shape("a call that began"))?.take(call)?;
        self.places.insert(place, (at, order));
        match continues(call)? {
            true => self.open.insert(index, at),
            false => self.open.remove(&index),
        };
        Ok(())
    }

    fn begin(&mut self, call: Json<'_>, name: &str, said: &mut Said) -> Result<usize, Shape> {
        if name.is_empty() {
            return Err(Shape("a call with a name"));
        }
        let id = said.call_id(&strict_text(call, "id")?.unwrap_or_default(), name);
        let is_partial = continues(call)? || member(call, "partialArgs").is_some();
        let kind = if is_partial {
            Arguments::Partial(Partial::default())
        } else {
            Arguments::Whole(member(call, "args").map_or("{}".to_owned(), value_arguments))
        };
        self.found.push(Found { id, name: name.to_owned(), kind });
        Ok(self.found.len().saturating_sub(1))
    }

    /// The changes of a chunk that carry the rulings out.
    pub(crate) fn rule(
        &self,
        chunk: Json<'_>,
        chunk_number: u64,
        rulings: &[Ruling],
    ) -> Vec<(Range<usize>, String)> {
        let first = Place { chunk: chunk_number, candidate: 0, part: 0 };
        let next = self.places.range(first..).next();
        if next.is_none_or(|(place, _)| place.chunk != chunk_number) {
            return Vec::new();
        }
        let mut parts = Vec::new();
        for (candidate, value) in items(chunk, "candidates").unwrap_or_default().iter().enumerate()
        {
            let content = member(*value, "content");
            let list = content.and_then(|content| items(content, "parts").ok()).unwrap_or_default();
            for (part, json) in list.into_iter().enumerate() {
                let place = Place { chunk: chunk_number, candidate, part };
                let own = self.places.get(&place);
                let ruling = own.and_then(|(at, order)| Some((rulings.get(*at)?, *order)));
                parts.extend(ruling.and_then(|(ruling, order)| change(json, order, ruling)));
            }
        }
        parts
    }
}

impl Found {
    /// Takes a part of the call.
    fn take(&mut self, call: Json<'_>) -> Result<(), Shape> {
        let parts = items(call, "partialArgs")?;
        let Arguments::Partial(partial) = &mut self.kind else { return Ok(()) };
        if member(call, "args").is_some_and(|args| args.members().next().is_some()) {
            return Err(Shape("arguments as a whole or in parts, not both"));
        }
        parts.into_iter().try_for_each(|part| partial.take(part))
    }

    fn call(&self) -> Call {
        let arguments = match &self.kind {
            Arguments::Whole(text) => text.clone(),
            Arguments::Partial(partial) => partial.json(),
        };
        Call { id: self.id.clone(), name: self.name.clone(), arguments, kind: CallKind::Function }
    }
}

fn continues(call: Json<'_>) -> Result<bool, Shape> {
    match member(call, "willContinue") {
        None => Ok(false),
        Some(value) if value.kind() == Kind::Boolean => Ok(value.text() == "true"),
        Some(_) => Err(Shape("whether a call continues")),
    }
}

/// What a part that is no call says.
fn words(part: Json<'_>, said: &mut Said) {
    let text_of = text(part, "text");
    if part.member("thought").is_some_and(|thought| thought.text() == "true") {
        said.reasoning(text_of);
    } else {
        said.text(text_of);
    }
    if let Some(code) = member(part, "executableCode") {
        let language = text(code, "language").unwrap_or_default();
        said.server_call("executableCode", &language, code.text());
    }
    if let Some(call) = member(part, "toolCall") {
        let name = text(call, "toolType").unwrap_or_default();
        said.server_call("toolCall", &name, member(call, "args").map_or("", Json::text));
    }
}

/// Totals so far: the last ones count.
fn usage(chunk: Json<'_>, said: &mut Said) {
    let Some(usage) = member(chunk, "usageMetadata") else { return };
    let all = &mut said.output.usage;
    let count = |name| number(usage, name);
    let thoughts = count("thoughtsTokenCount");
    if let Some(prompt) = count("promptTokenCount") {
        let tools = count("toolUsePromptTokenCount").unwrap_or_default();
        all.input_tokens = prompt.saturating_add(tools);
    }
    if let Some(candidates) = count("candidatesTokenCount").or(thoughts.map(|_| 0)) {
        all.output_tokens = candidates.saturating_add(thoughts.unwrap_or_default());
    }
    put(&mut all.reasoning_tokens, thoughts);
    put(&mut all.cached_tokens, count("cachedContentTokenCount"));
}

/// The change of one part of a call. A part that is not the first one becomes an empty text, which
/// Gemini itself sends at the end of an answer.
fn change(part: Json<'_>, order: Order, ruling: &Ruling) -> Option<(Range<usize>, String)> {
    let call = member(part, "functionCall")?;
    match ruling {
        Ruling::Release => None,
        Ruling::Instead(words) if order == Order::First => Some((part.span(), text_part(words))),
        Ruling::Rewrite(new) if order == Order::First => {
            let old = member(call, "args");
            let new = old.map_or(new.clone(), |old| super::shape::written_value(old, new));
            let changes = [("args", Some(new)), ("partialArgs", None), ("willContinue", None)];
            Some((call.span(), rebuild(call, &changes)))
        }
        Ruling::Instead(_) | Ruling::Rewrite(_) => Some((part.span(), text_part(""))),
    }
}

fn text_part(words: &str) -> String {
    format!("{{\"text\":{}}}", quoted(words))
}

/// The chunks of an answer: itself, or the items of a list of chunks.
fn chunks(root: Json<'_>) -> impl Iterator<Item = (Json<'_>, u64)> {
    let whole = (root.kind() != Kind::Array).then_some(root);
    whole.into_iter().chain(root.items()).zip(0..)
}

/// Reads an answer, or a list of the chunks of one.
pub(super) fn read(root: Json<'_>, said: &mut Said) -> Result<(), Shape> {
    let mut calls = Calls::default();
    for (chunk, number) in chunks(root) {
        calls.read(chunk, number, said)?;
    }
    if calls.is_open() {
        return Err(Shape("the end of a call"));
    }
    said.output.calls = calls.calls();
    Ok(())
}

/// The changes that carry the rulings out.
pub(super) fn rule(root: Json<'_>, rulings: &[Ruling]) -> Vec<(Range<usize>, String)> {
    let (mut calls, mut said) = (Calls::default(), Said::default());
    let all = chunks(root);
    let read = all.map(|(chunk, number)| {
        // It was read before without a fault.
        let _ = calls.read(chunk, number, &mut said);
        (chunk, number)
    });
    let all: Vec<_> = read.collect();
    all.into_iter().flat_map(|(chunk, number)| calls.rule(chunk, number, rulings)).collect()
}
