//! Events for tests.

use std::collections::BTreeSet;

use pathwarden_types::{ActionId, Millis, ToolClass};

use crate::event::{Cause, Event, Fact, Facts, Phase, Usage};

/// The id number `n`.
pub(crate) fn id(n: u8) -> ActionId {
    ActionId::from_bytes([n, 0, 0, 0, 0, 0, 0, 1]).unwrap()
}

/// A call of a tool at `n` seconds, in session order.
pub(crate) fn call(n: u8, tool: &str) -> Event {
    Event {
        id: id(n),
        phase: Phase::Call,
        cause: Cause::SessionOrder,
        at: Millis(u64::from(n) * 1_000),
        server: "files".parse().unwrap(),
        tool: tool.to_owned(),
        class: ToolClass::Read,
        shape: String::new(),
        facts: Facts::NONE,
        usage: Usage::default(),
    }
}

/// A call with facts.
pub(crate) fn call_with(n: u8, tool: &str, facts: &[Fact]) -> Event {
    Event { facts: facts.iter().copied().collect(), ..call(n, tool) }
}

/// A set of texts.
pub(crate) fn texts(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
