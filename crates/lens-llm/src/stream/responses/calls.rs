//! The calls of a response: those that are being written, and those that were asked for.

use std::collections::BTreeMap;

use pathwarden_json::Json;

use crate::answer::{Call, Ruling};
use crate::response::item::{self, Identity};
use crate::response::said::Said;
use crate::response::shape::{Shape, quoted, rebuild};

use super::SAME;

/// A call that is being written.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) identity: Identity,
    /// The arguments so far.
    pub(super) written: String,
    /// The item as it began, for when the answer ends before it is done.
    begun: String,
}

/// A call that is complete.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// `None` when only the last event tells of it.
    pub(super) index: Option<u64>,
    pub(super) identity: Identity,
    pub(super) written: String,
    pub(super) call: Call,
}

/// All calls that were complete, in order. The first ones are ruled on.
#[derive(Debug, Default)]
pub(super) struct Calls {
    all: Vec<Asked>,
    rulings: Vec<Ruling>,
    by_id: BTreeMap<String, usize>,
    by_call_id: BTreeMap<String, usize>,
}

impl Draft {
    pub(super) fn of(item: Json<'_>) -> Result<Self, Shape> {
        let written = item::written_text(item)?.unwrap_or_default().into_owned();
        Ok(Self { identity: Identity::of(item)?, written, begun: item.text().to_owned() })
    }

    /// The call, when its item is done and says what came before it.
    pub(super) fn done(&self, index: u64, item: Json<'_>, said: &mut Said) -> Result<Asked, Shape> {
        let asked = Asked::of(Some(index), item, said)?;
        let same = |before: &str, after: &str| before.is_empty() || before == after;
        let (before, after) = (&self.identity, &asked.identity);
        let agrees = before.kind == after.kind
            && same(&before.id, &after.id)
            && same(&before.call_id, &after.call_id)
            && same(&before.name, &after.name)
            && same(&self.written, &asked.written);
        if agrees { Ok(asked) } else { Err(SAME) }
    }

    /// The call as far as it came.
    pub(super) fn cut(&self, index: u64, said: &mut Said) -> Result<Asked, Shape> {
        let begun = Json::parse(self.begun.as_bytes()).map_err(|_| SAME)?;
        let carrier = match self.identity.kind.as_str() {
            "function_call" => "arguments",
            "custom_tool_call" => "input",
            _ => return Asked::of(Some(index), begun, said),
        };
        let whole = rebuild(begun, &[(carrier, Some(quoted(&self.written)))]);
        let whole = Json::parse(whole.as_bytes()).map_err(|_| SAME)?;
        Asked::of(Some(index), whole, said)
    }
}

impl Asked {
    pub(super) fn of(index: Option<u64>, item: Json<'_>, said: &mut Said) -> Result<Self, Shape> {
        let identity = Identity::of(item)?;
        let written = item::written_text(item)?.unwrap_or_default().into_owned();
        Ok(Self { index, identity, written, call: item::call(item, said)? })
    }
}

impl Calls {
    pub(super) fn push(&mut self, asked: Asked) {
        let place = self.all.len();
        self.by_id.insert(asked.identity.id.clone(), place);
        self.by_call_id.insert(asked.identity.call_id.clone(), place);
        self.all.push(asked);
    }

    pub(super) fn rule(&mut self, rulings: &[Ruling]) {
        self.rulings.extend_from_slice(rulings);
    }

    /// The calls that wait for a ruling.
    pub(super) fn waiting(&self) -> &[Asked] {
        self.all.get(self.rulings.len()..).unwrap_or_default()
    }

    /// Forgets the calls that wait.
    pub(super) fn drop_waiting(&mut self) {
        self.all.truncate(self.rulings.len());
    }

    /// The call that an item repeats.
    pub(super) fn find(&self, identity: &Identity) -> Option<(&Asked, Option<&Ruling>)> {
        let places = [self.by_id.get(&identity.id), self.by_call_id.get(&identity.call_id)];
        places.into_iter().flatten().find_map(|place| {
            let asked = self.all.get(*place).filter(|asked| asked.identity.is(identity))?;
            Some((asked, self.rulings.get(*place)))
        })
    }

    /// The last calls that were ruled on, with their rulings, by the index of their items.
    pub(super) fn ruled_since(&self, first: usize) -> BTreeMap<u64, (&Asked, &Ruling)> {
        let ruled = self.all.iter().zip(&self.rulings).skip(first);
        ruled.filter_map(|(asked, ruling)| Some((asked.index?, (asked, ruling)))).collect()
    }

    pub(super) fn ruled_count(&self) -> usize {
        self.rulings.len()
    }
}
