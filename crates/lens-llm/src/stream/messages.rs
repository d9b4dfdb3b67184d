//! The events of Anthropic's Messages API.
//!
//! A `tool_use` block is held from its start to its stop. Everything else passes as it came: above all
//! the blocks of thinking, whose signatures cover them byte for byte.

use std::collections::BTreeMap;

use pathwarden_json::Json;

use crate::answer::{Call, CallKind, Ruling};
use crate::response::messages::{self, BlockKind};
use crate::response::said::{Said, identity};
use crate::response::shape::{
    Shape, arguments, items, member, number, quoted, strict_text, text, written,
};
use crate::sse::compose;

use super::event::Event;
use super::{Lens, Turn};

const ORDER: Shape =
    Shape("blocks of content that start once, in order, and end before they are used");

#[derive(Debug, Default)]
pub(super) struct Messages {
    begun: bool,
    whole: bool,
    /// By index.
    blocks: Vec<Block>,
    /// The blocks of the calls that wait, or will, in the order of their ends.
    asked: Vec<Asked>,
    /// How many blocks are calls that have not ended.
    open: usize,
    called: bool,
    /// A call reached the client.
    left: bool,
}

#[derive(Debug)]
enum Block {
    Plain,
    Server(Draft),
    Call(Draft),
    Closed,
}

/// A block of a call that is being written.
#[derive(Debug)]
struct Draft {
    kind: String,
    id: String,
    name: String,
    /// The input of its start; it counts when no fragments follow.
    whole: String,
    fragments: String,
}

#[derive(Debug)]
struct Asked {
    index: u64,
    written: String,
    call: Call,
}

impl Lens for Messages {
    fn read(&mut self, event: &Event, said: &mut Said) -> Result<Turn, Shape> {
        let Some(object) = event.object() else { return Ok(Turn::Pass) };
        match event.kind()?.as_ref() {
            "message_start" => self.begin(object, said),
            "content_block_start" => self.start(object, said),
            "content_block_delta" => self.delta(object, said),
            "content_block_stop" => self.stop_block(object, said),
            "message_delta" => {
                let delta = member(object, "delta");
                said.finish(delta.and_then(|delta| text(delta, "stop_reason")));
                messages::usage(object, said);
                Ok(Turn::Pass)
            }
            "message_stop" => {
                self.whole = true;
                Ok(Turn::Pass)
            }
            "error" => {
                self.blocks.iter_mut().for_each(|block| *block = Block::Closed);
                self.asked.clear();
                self.open = 0;
                Ok(Turn::Abandon)
            }
            _ => Ok(Turn::Pass),
        }
    }

    fn pass(&self, event: &Event) -> Vec<u8> {
        let refused_all = self.called && !self.left;
        let is_delta = event.kind().is_ok_and(|kind| kind == "message_delta");
        let reason = event
            .object()
            .filter(|_| refused_all && is_delta)
            .and_then(|object| member(object, "delta")?.member("stop_reason"));
        event.spliced(reason.and_then(messages::end_turn).into_iter().collect())
    }

    fn rule(&mut self, held: &[Event], rulings: &[Ruling]) -> Vec<u8> {
        let asked = std::mem::take(&mut self.asked);
        self.called = true;
        self.left |= rulings.iter().any(|ruling| !matches!(ruling, Ruling::Instead(_)));
        let ruled = asked.into_iter().zip(rulings);
        let ruled: BTreeMap<u64, (Asked, &Ruling)> =
            ruled.map(|(asked, ruling)| (asked.index, (asked, ruling))).collect();
        held.iter().flat_map(|event| self.ruled(event, &ruled)).collect()
    }

    fn is_whole(&self) -> bool {
        self.whole
    }

    fn stop(&self, words: &str) -> (&'static str, String) {
        let words = quoted(words);
        let error = format!("{{\"type\":\"permission_error\",\"message\":{words}}}");
        ("error", format!("{{\"type\":\"error\",\"error\":{error}}}"))
    }
}

impl Messages {
    fn begin(&mut self, object: Json<'_>, said: &mut Said) -> Result<Turn, Shape> {
        let Some(message) = member(object, "message") else { return Ok(Turn::Pass) };
        if self.begun || !self.blocks.is_empty() || !items(message, "content")?.is_empty() {
            return Err(Shape("one start of a message, without content"));
        }
        self.begun = true;
        let (id, model) = identity(message);
        said.identify(id, model);
        messages::usage(message, said);
        Ok(Turn::Pass)
    }

    fn start(&mut self, object: Json<'_>, said: &mut Said) -> Result<Turn, Shape> {
        // Clients find a block by its index or by its place; only when they are the same is it one block.
        let next = u64::try_from(self.blocks.len()).ok();
        if number(object, "index").is_none() || number(object, "index") != next {
            return Err(ORDER);
        }
        let block =
            member(object, "content_block").ok_or(Shape("a block of content that starts"))?;
        let (block, turn) = match messages::kind(block)? {
            BlockKind::Call => {
                self.open += 1;
                (Block::Call(Draft::of(block)?), Turn::Hold)
            }
            BlockKind::Server => (Block::Server(Draft::of(block)?), Turn::Pass),
            BlockKind::Plain => {
                messages::plain(block, said);
                (Block::Plain, Turn::Pass)
            }
        };
        self.blocks.push(block);
        Ok(turn)
    }

    fn delta(&mut self, object: Json<'_>, said: &mut Said) -> Result<Turn, Shape> {
        let block = block_of(&mut self.blocks, object)?;
        let delta = member(object, "delta").ok_or(Shape("a delta"))?;
        let is_input = text(delta, "type").as_deref() == Some("input_json_delta");
        match block {
            Block::Closed => return Err(ORDER),
            Block::Plain => {
                said.text(text(delta, "text"));
                said.reasoning(text(delta, "thinking"));
            }
            Block::Call(draft) | Block::Server(draft) if is_input => {
                let fragment = strict_text(delta, "partial_json")?;
                draft.fragments.push_str(fragment.as_deref().unwrap_or_default());
            }
            Block::Call(_) | Block::Server(_) => {}
        }
        Ok(if matches!(block, Block::Call(_)) { Turn::Hold } else { Turn::Pass })
    }

    fn stop_block(&mut self, object: Json<'_>, said: &mut Said) -> Result<Turn, Shape> {
        let block = block_of(&mut self.blocks, object)?;
        match std::mem::replace(block, Block::Closed) {
            Block::Closed => Err(ORDER),
            Block::Plain => Ok(Turn::Pass),
            Block::Server(draft) => {
                said.server_call(&draft.kind, &draft.name, draft.written());
                Ok(Turn::Pass)
            }
            Block::Call(draft) => self.complete(object, draft, said),
        }
    }

    fn complete(&mut self, object: Json<'_>, draft: Draft, said: &mut Said) -> Result<Turn, Shape> {
        let index = number(object, "index").ok_or(ORDER)?;
        let written = draft.written().to_owned();
        let call = Call {
            id: said.call_id(&draft.id, &draft.name),
            arguments: arguments(&written),
            name: draft.name,
            kind: CallKind::Function,
        };
        self.asked.push(Asked { index, written, call });
        self.open = self.open.saturating_sub(1);
        if self.open > 0 {
            return Ok(Turn::Hold);
        }
        Ok(Turn::Complete(self.asked.iter().map(|asked| asked.call.clone()).collect()))
    }

    /// The bytes of one event that was held.
    fn ruled(&self, event: &Event, ruled: &BTreeMap<u64, (Asked, &Ruling)>) -> Vec<u8> {
        let Some(object) = event.object() else { return event.raw().to_vec() };
        let own = number(object, "index").and_then(|index| ruled.get(&index));
        let kind = event.kind().unwrap_or_default();
        match (own, kind.as_ref()) {
            (Some((_, Ruling::Instead(_))), "content_block_start") => {
                substitute(event, object, "{\"type\":\"text\",\"text\":\"\"}")
            }
            (Some((_, Ruling::Instead(_) | Ruling::Rewrite(_))), "content_block_delta") => {
                Vec::new()
            }
            (Some((asked, Ruling::Instead(words))), "content_block_stop") => {
                before(event, &delta(asked.index, "text_delta", "text", words))
            }
            (Some((_, Ruling::Rewrite(_))), "content_block_start") => empty_input(event, object),
            (Some((asked, Ruling::Rewrite(new))), "content_block_stop") => {
                let new = written(CallKind::Function, &asked.written, new);
                before(event, &delta(asked.index, "input_json_delta", "partial_json", &new))
            }
            _ => self.pass(event),
        }
    }
}

impl Draft {
    fn of(block: Json<'_>) -> Result<Self, Shape> {
        let call = messages::call(block)?;
        let fragments = String::new();
        let kind = text(block, "type").unwrap_or_default().into_owned();
        Ok(Self { kind, id: call.id, name: call.name, whole: call.input, fragments })
    }

    /// The text of the input, as a client takes it.
    fn written(&self) -> &str {
        if self.fragments.is_empty() { &self.whole } else { &self.fragments }
    }
}

fn block_of<'a>(blocks: &'a mut [Block], object: Json<'_>) -> Result<&'a mut Block, Shape> {
    let index = number(object, "index").and_then(|index| usize::try_from(index).ok());
    index.and_then(|index| blocks.get_mut(index)).ok_or(ORDER)
}

fn substitute(event: &Event, object: Json<'_>, block: &str) -> Vec<u8> {
    let old = object.member("content_block").map(Json::span);
    event.spliced(old.map(|span| (span, block.to_owned())).into_iter().collect())
}

fn empty_input(event: &Event, object: Json<'_>) -> Vec<u8> {
    let input = member(object, "content_block").and_then(|block| block.member("input"));
    let full = input.filter(|input| input.members().next().is_some() || input.text() == "null");
    event.spliced(full.map(|input| (input.span(), "{}".to_owned())).into_iter().collect())
}

fn delta(index: u64, kind: &str, field: &str, value: &str) -> Vec<u8> {
    let delta = format!("{{\"type\":\"{kind}\",\"{field}\":{}}}", quoted(value));
    let event = format!("{{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{delta}}}");
    compose("content_block_delta", &event)
}

fn before(event: &Event, new: &[u8]) -> Vec<u8> {
    [new, event.raw()].concat()
}
