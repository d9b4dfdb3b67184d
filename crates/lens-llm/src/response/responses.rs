//! A whole answer of OpenAI's Responses API.

use std::ops::Range;

use pathwarden_json::Json;

use crate::answer::{Call, Ruling};
use crate::response::item::{self, ItemKind};
use crate::response::said::{Said, identity};
use crate::response::shape::{Shape, items, member, text};

/// What a response says of itself, besides its items.
pub(crate) fn envelope(response: Json<'_>, said: &mut Said) {
    let (id, model) = identity(response);
    said.identify(id, model);
    said.finish(text(response, "status"));
    said.openai_usage(member(response, "usage"));
}

/// Reads a response.
pub(super) fn read(response: Json<'_>, said: &mut Said) -> Result<(), Shape> {
    envelope(response, said);
    for item in items(response, "output")? {
        if item::kind(item)? == ItemKind::Call {
            let call = item::call(item, said)?;
            said.output.calls.push(call);
        } else {
            item::read(item, true, said)?;
        }
    }
    Ok(())
}

/// The changes that carry the rulings out.
pub(super) fn rule(
    response: Json<'_>,
    calls: &[Call],
    rulings: &[Ruling],
) -> Vec<(Range<usize>, String)> {
    let items = items(response, "output").unwrap_or_default();
    let own = items.into_iter().filter(|item| item::kind(*item) == Ok(ItemKind::Call));
    let ruled = own.zip(calls.iter().zip(rulings));
    ruled.filter_map(|(item, (call, ruling))| item::ruled(item, call, ruling)).collect()
}
