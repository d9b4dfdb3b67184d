//! A whole answer of Anthropic's Messages API, and what its blocks are.

use std::ops::Range;

use pathwarden_json::Json;

use crate::answer::{Call, CallKind, Ruling};
use crate::response::said::{Said, identity, put};
use crate::response::shape::{
    Shape, arguments, items, member, number, quoted, rebuild, strict_text, text, value_arguments,
    written_value,
};

/// Who acts on a block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BlockKind {
    /// The client makes a call.
    Call,
    /// The provider made one.
    Server,
    /// Nobody.
    Plain,
}

/// A call's block at its start.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) input: String,
}

/// A block of a kind that is not known and is called some `tool_use` is one of the client's: the safe
/// reading.
pub(crate) fn kind(block: Json<'_>) -> Result<BlockKind, Shape> {
    let kind = text(block, "type").ok_or(Shape("a block of content with a type"))?;
    Ok(match kind.as_ref() {
        "server_tool_use" | "mcp_tool_use" => BlockKind::Server,
        kind if kind.ends_with("tool_use") => BlockKind::Call,
        _ => BlockKind::Plain,
    })
}

/// What a block that is no call says.
pub(crate) fn plain(block: Json<'_>, said: &mut Said) {
    match text(block, "type").as_deref() {
        Some("text") => said.text(text(block, "text")),
        Some("thinking") => said.reasoning(text(block, "thinking")),
        _ => {}
    }
}

/// The call of a block.
pub(crate) fn call(block: Json<'_>) -> Result<Start, Shape> {
    let name = strict_text(block, "name")?.filter(|name| !name.is_empty());
    let name = name.ok_or(Shape("a call with a name"))?.into_owned();
    let id = strict_text(block, "id")?.unwrap_or_default().into_owned();
    let input = member(block, "input").map(|input| input.text().to_owned()).unwrap_or_default();
    Ok(Start { id, name, input })
}

/// `usage` of a message, or what a later event says anew of it: the counts are totals.
pub(crate) fn usage(object: Json<'_>, said: &mut Said) {
    let Some(usage) = member(object, "usage") else { return };
    let all = &mut said.output.usage;
    if let Some(fresh) = number(usage, "input_tokens") {
        let cached = number(usage, "cache_read_input_tokens").unwrap_or_default();
        let created = number(usage, "cache_creation_input_tokens").unwrap_or_default();
        // Anthropic counts the cached part of the window apart from the rest.
        all.input_tokens = fresh.saturating_add(cached).saturating_add(created);
        all.cached_tokens = cached;
    }
    put(&mut all.output_tokens, number(usage, "output_tokens"));
    let details = member(usage, "output_tokens_details");
    let thinking = details.and_then(|details| number(details, "thinking_tokens"));
    put(&mut all.reasoning_tokens, thinking);
}

/// The change of a stop reason when no call is left.
pub(crate) fn end_turn(reason: Json<'_>) -> Option<(Range<usize>, String)> {
    let called = reason.string().as_deref() == Some("tool_use");
    called.then(|| (reason.span(), quoted("end_turn")))
}

/// Reads a message.
pub(super) fn read(message: Json<'_>, said: &mut Said) -> Result<(), Shape> {
    let (id, model) = identity(message);
    said.identify(id, model);
    said.finish(text(message, "stop_reason"));
    usage(message, said);
    for block in items(message, "content")? {
        match kind(block)? {
            BlockKind::Plain => plain(block, said),
            BlockKind::Server => {
                let (start, kind) = (call(block)?, text(block, "type").unwrap_or_default());
                said.server_call(&kind, &start.name, &start.input);
            }
            BlockKind::Call => {
                let start = call(block)?;
                let id = said.call_id(&start.id, &start.name);
                let arguments = member(block, "input").map_or(arguments(""), value_arguments);
                let kind = CallKind::Function;
                said.output.calls.push(Call { id, name: start.name, arguments, kind });
            }
        }
    }
    Ok(())
}

/// The changes that carry the rulings out.
pub(super) fn rule(message: Json<'_>, rulings: &[Ruling]) -> Vec<(Range<usize>, String)> {
    let blocks = items(message, "content").unwrap_or_default();
    let calls = blocks.into_iter().filter(|block| kind(*block) == Ok(BlockKind::Call));
    let mut parts: Vec<_> =
        calls.zip(rulings).filter_map(|(block, ruling)| ruled(block, ruling)).collect();
    if !rulings.is_empty() && rulings.iter().all(|ruling| matches!(ruling, Ruling::Instead(_))) {
        parts.extend(message.member("stop_reason").and_then(end_turn));
    }
    parts
}

fn ruled(block: Json<'_>, ruling: &Ruling) -> Option<(Range<usize>, String)> {
    match ruling {
        Ruling::Release => None,
        Ruling::Instead(words) => {
            Some((block.span(), format!("{{\"type\":\"text\",\"text\":{}}}", quoted(words))))
        }
        Ruling::Rewrite(new) => Some(match member(block, "input") {
            Some(input) => (input.span(), written_value(input, new)),
            None => {
                let input = [("input", Some(new.clone()))];
                (block.span(), rebuild(block, &input))
            }
        }),
    }
}
