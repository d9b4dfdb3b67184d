//! What changed from one baseline to the next, for a person to review.

use std::collections::{BTreeMap, BTreeSet};

use super::Baseline;
use crate::fixed;
use crate::words;

/// What kind of change it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum DriftKind {
    /// A tool is used that was not.
    NewTool,
    /// The share of a tool among the calls changed.
    ToolShare,
    /// Targets are used that were not.
    NewTargets,
    /// Sessions became longer or shorter.
    Length,
}

/// One change from one baseline to another.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Drift {
    /// What kind.
    pub kind: DriftKind,
    /// In words.
    pub words: String,
}

/// A tool's share is the same up to this, in ten-thousandths of all calls.
const SHARE_MOST: u16 = 1_000;
/// The most new or shifted tools that are named each; the rest is counted.
const NAMED_MAX: usize = 16;

/// What changed from `old` to `new`.
#[must_use]
pub fn drift(old: &Baseline, new: &Baseline) -> Vec<Drift> {
    let mut found = new_tools(old, new);
    found.extend(shares(old, new));
    let targets = new.targets.keys().filter(|target| !old.targets.contains_key(*target)).count();
    if targets > 0 {
        let words = format!("{targets} targets are used that were not, of {}", new.targets.len());
        found.push(Drift { kind: DriftKind::NewTargets, words });
    }
    found.extend(length(old, new));
    found
}

fn new_tools(old: &Baseline, new: &Baseline) -> Vec<Drift> {
    let tools = new.tools.keys().filter(|tool| !old.tools.contains_key(*tool));
    let words = tools.map(|tool| format!("{} is used, which was not", words::quote(tool)));
    named(DriftKind::NewTool, words.collect(), "more tools are used that were not")
}

fn shares(old: &Baseline, new: &Baseline) -> Vec<Drift> {
    let (before, after) = (total(&old.tools), total(&new.tools));
    if before == 0 || after == 0 {
        return Vec::new();
    }
    let tools: BTreeSet<_> = old.tools.keys().chain(new.tools.keys()).collect();
    let share = |tools: &BTreeMap<String, u64>, tool: &String, all: u64| {
        fixed::share(tools.get(tool).copied().unwrap_or_default(), all)
    };
    let shifted = tools.into_iter().filter_map(|tool| {
        let (was, is) = (share(&old.tools, tool, before), share(&new.tools, tool, after));
        (was.steps().abs_diff(is.steps()) > SHARE_MOST).then(|| {
            let (was, is) = (was.steps() / 100, is.steps() / 100);
            format!("{} was {was} % of the calls and is {is} %", words::quote(tool))
        })
    });
    named(DriftKind::ToolShare, shifted.collect(), "more tools changed their share")
}

fn length(old: &Baseline, new: &Baseline) -> Option<Drift> {
    let [up, down] = new.shift;
    let (was, is) = (old.calls_milli / 1_000, new.calls_milli / 1_000);
    let doubled = is > was.saturating_mul(2) || was > is.saturating_mul(2);
    let is_shift = up.is_alarm() || down.is_alarm() || (old.sessions > 0 && doubled);
    let words = format!("sessions had about {was} calls and have {is}");
    is_shift.then_some(Drift { kind: DriftKind::Length, words })
}

fn named(kind: DriftKind, mut words: Vec<String>, more: &str) -> Vec<Drift> {
    let rest = words.len().saturating_sub(NAMED_MAX);
    words.truncate(NAMED_MAX);
    if rest > 0 {
        words.push(format!("{rest} {more}"));
    }
    words.into_iter().map(|words| Drift { kind, words }).collect()
}

fn total(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().fold(0, |sum, count| sum.saturating_add(*count))
}
