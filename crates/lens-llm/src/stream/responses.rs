//! The events of OpenAI's Responses API.
//!
//! An item that is a call of the client's is held from `response.output_item.added` to
//! `response.output_item.done`. The last event repeats every item, and clients read either, so that what
//! was ruled once is carried out there again, and what differs there is a fault.

mod calls;
mod compose;

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_json::Json;

use crate::answer::Ruling;
use crate::response::item::{self, Identity, ItemKind};
use crate::response::responses::envelope;
use crate::response::said::{Said, identity};
use crate::response::shape::{Shape, items, member, number, quoted, strict_text, text};

use super::event::Event;
use super::{Lens, Turn};

use calls::{Asked, Calls, Draft};

const ORDER: Shape = Shape("items that are added once and take no more events when they are done");
const SAME: Shape = Shape("a call that is the same in each event that tells of it");

#[derive(Debug, Default)]
pub(super) struct Responses {
    items: BTreeMap<u64, Item>,
    /// How many of them are calls that are not done.
    open: usize,
    calls: Calls,
    /// The items whose text came in deltas.
    spoken: BTreeSet<u64>,
    sequence: u64,
    whole: bool,
}

#[derive(Debug)]
enum Item {
    Plain,
    Open(Draft),
    Closed,
}

impl Lens for Responses {
    fn read(&mut self, event: &Event, said: &mut Said) -> Result<Turn, Shape> {
        let Some(object) = event.object() else { return Ok(Turn::Pass) };
        self.sequence = number(object, "sequence_number").unwrap_or(self.sequence);
        let index = number(object, "output_index");
        if index.is_some_and(|index| matches!(self.items.get(&index), Some(Item::Closed))) {
            return Err(ORDER);
        }
        match event.kind()?.as_ref() {
            "response.output_item.added" => self.added(object),
            "response.output_item.done" => self.done(object, said),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.delta(object)
            }
            "response.function_call_arguments.done" => self.written(object, "arguments"),
            "response.custom_tool_call_input.done" => self.written(object, "input"),
            "response.created" | "response.queued" | "response.in_progress" => begin(object, said),
            "response.completed" | "response.incomplete" | "response.failed" => {
                self.last(object, said)
            }
            "error" => Ok(self.abandon()),
            kind => {
                self.words(kind, object, said);
                Ok(Turn::Pass)
            }
        }
    }

    fn pass(&self, event: &Event) -> Vec<u8> {
        self.passed(event)
    }

    fn rule(&mut self, held: &[Event], rulings: &[Ruling]) -> Vec<u8> {
        let first = self.calls.ruled_count();
        self.calls.rule(rulings);
        self.compose(held, first)
    }

    fn is_whole(&self) -> bool {
        self.whole
    }

    fn stop(&self, words: &str) -> (&'static str, String) {
        let (words, sequence) = (quoted(words), self.sequence.saturating_add(1));
        let event = format!(
            "{{\"type\":\"error\",\"code\":\"stopped_by_pathwarden\",\"message\":{words},\
             \"param\":null,\"sequence_number\":{sequence}}}"
        );
        ("error", event)
    }
}

impl Responses {
    fn added(&mut self, object: Json<'_>) -> Result<Turn, Shape> {
        let Some(item) = member(object, "item") else { return Ok(Turn::Pass) };
        let index = number(object, "output_index").ok_or(ORDER)?;
        if self.items.contains_key(&index) {
            return Err(ORDER);
        }
        if item::kind(item)? != ItemKind::Call {
            self.items.insert(index, Item::Plain);
            return Ok(Turn::Pass);
        }
        self.items.insert(index, Item::Open(Draft::of(item)?));
        self.open += 1;
        Ok(Turn::Hold)
    }

    fn delta(&mut self, object: Json<'_>) -> Result<Turn, Shape> {
        let fragment = strict_text(object, "delta")?.unwrap_or_default();
        self.draft(object)?.written.push_str(&fragment);
        Ok(Turn::Hold)
    }

    fn written(&mut self, object: Json<'_>, name: &str) -> Result<Turn, Shape> {
        let whole = strict_text(object, name)?.unwrap_or_default();
        let draft = self.draft(object)?;
        if draft.written.is_empty() {
            draft.written.push_str(&whole);
        }
        if draft.written == whole { Ok(Turn::Hold) } else { Err(SAME) }
    }

    fn draft(&mut self, object: Json<'_>) -> Result<&mut Draft, Shape> {
        let index = number(object, "output_index").ok_or(ORDER)?;
        match self.items.get_mut(&index) {
            Some(Item::Open(draft)) => Ok(draft),
            Some(Item::Plain | Item::Closed) | None => Err(ORDER),
        }
    }

    fn done(&mut self, object: Json<'_>, said: &mut Said) -> Result<Turn, Shape> {
        let Some(item) = member(object, "item") else { return Err(ORDER) };
        let index = number(object, "output_index").ok_or(ORDER)?;
        let is_call = item::kind(item)? == ItemKind::Call;
        match self.items.insert(index, if is_call { Item::Closed } else { Item::Plain }) {
            Some(Item::Open(draft)) if is_call => {
                self.open = self.open.saturating_sub(1);
                self.calls.push(draft.done(index, item, said)?);
            }
            None if is_call => self.calls.push(Asked::of(Some(index), item, said)?),
            Some(Item::Plain) | None if !is_call => {
                item::read(item, !self.spoken.contains(&index), said)?;
                return Ok(Turn::Pass);
            }
            Some(Item::Plain | Item::Open(_) | Item::Closed) | None => return Err(SAME),
        }
        Ok(self.turn())
    }

    fn turn(&self) -> Turn {
        let waiting = self.calls.waiting();
        if self.open > 0 {
            Turn::Hold
        } else if waiting.is_empty() {
            Turn::Pass
        } else {
            Turn::Complete(waiting.iter().map(|asked| asked.call.clone()).collect())
        }
    }

    /// The last event: calls that are open end with it, and those that only it tells of are asked for.
    fn last(&mut self, object: Json<'_>, said: &mut Said) -> Result<Turn, Shape> {
        self.whole = true;
        let Some(response) = member(object, "response") else { return Ok(self.turn()) };
        envelope(response, said);
        let output = items(response, "output")?;
        self.finish(&output, said)?;
        for item in output {
            if item::kind(item)? == ItemKind::Call {
                self.repeated(item, said)?;
            } else if self.items.is_empty() {
                item::read(item, true, said)?;
            }
        }
        Ok(self.turn())
    }

    /// Ends the calls that are open: with what the last event says of them, or as far as they came.
    fn finish(&mut self, output: &[Json<'_>], said: &mut Said) -> Result<(), Shape> {
        if self.open == 0 {
            return Ok(());
        }
        let mut told = BTreeMap::new();
        for item in output {
            let identity = Identity::of(*item)?;
            told.insert(identity.id, *item);
            told.insert(identity.call_id, *item);
        }
        for (index, item) in &mut self.items {
            let Item::Open(draft) = item else { continue };
            let Identity { id, call_id, .. } = &draft.identity;
            let whole = [id, call_id].into_iter().filter(|id| !id.is_empty());
            let whole = whole.filter_map(|id| told.get(id)).next();
            self.calls.push(match whole {
                Some(whole) => draft.done(*index, *whole, said)?,
                None => draft.cut(*index, said)?,
            });
            *item = Item::Closed;
        }
        self.open = 0;
        Ok(())
    }

    fn repeated(&mut self, item: Json<'_>, said: &mut Said) -> Result<(), Shape> {
        let identity = Identity::of(item)?;
        let Some((known, _)) = self.calls.find(&identity) else {
            self.calls.push(Asked::of(None, item, said)?);
            return Ok(());
        };
        // A scratch account: the call was counted when it was asked for.
        let mut again = item::call(item, &mut Said::default())?;
        again.id.clone_from(&known.call.id);
        if again == known.call && known.identity.call_id == identity.call_id {
            Ok(())
        } else {
            Err(SAME)
        }
    }

    fn words(&mut self, kind: &str, object: Json<'_>, said: &mut Said) {
        let delta = text(object, "delta");
        match kind {
            "response.output_text.delta" | "response.refusal.delta" => said.text(delta),
            "response.reasoning_text.delta" | "response.reasoning_summary_text.delta" => {
                said.reasoning(delta);
            }
            _ => return,
        }
        self.spoken.extend(number(object, "output_index"));
    }

    fn abandon(&mut self) -> Turn {
        self.calls.drop_waiting();
        let open = self.items.values_mut().filter(|item| matches!(item, Item::Open(_)));
        open.for_each(|item| *item = Item::Closed);
        self.open = 0;
        Turn::Abandon
    }
}

/// The events that begin a response have no calls in it yet.
fn begin(object: Json<'_>, said: &mut Said) -> Result<Turn, Shape> {
    let Some(response) = member(object, "response") else { return Ok(Turn::Pass) };
    let (id, model) = identity(response);
    said.identify(id, model);
    for item in items(response, "output")? {
        if item::kind(item)? == ItemKind::Call {
            return Err(Shape("a response that begins without calls"));
        }
    }
    Ok(Turn::Pass)
}
