//! What an agent usually does at a type of task: a learned baseline, and how far a call is from it.
//!
//! Novelty only ever weighs in. Agents are far more varied than programs: a pair of calls that was never
//! seen is common in honest work, so that even a mature baseline is a weak witness.

mod drift;
mod learn;

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_types::{Digest, Ratio};
use serde::{Deserialize, Serialize};

use crate::event::{Event, Phase};
use crate::fixed;
use crate::words;

pub use drift::{Drift, DriftKind, drift};
pub use learn::{Learner, LearnerError, Lesson};

/// What one agent usually does at one type of task. Immutable: learning makes another version.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Which version it is; decisions record it.
    pub version: u64,
    /// The agent.
    pub agent: String,
    /// The task type.
    pub task: String,
    /// The sessions that it was learned from.
    pub sessions: u64,
    /// Calls of each tool.
    pub(crate) tools: BTreeMap<String, u64>,
    /// How often a tool came after another, by the first; the empty text is the start.
    pub(crate) pairs: BTreeMap<String, BTreeMap<String, u64>>,
    /// The sessions in which a target was used, by its digest: targets are often personal.
    pub(crate) targets: BTreeMap<Digest, u64>,
    /// The shapes of arguments of each tool.
    pub(crate) shapes: BTreeMap<String, BTreeSet<Digest>>,
    /// Calls of a session: a moving average, in thousandths.
    pub(crate) calls_milli: u64,
    /// The Page-Hinkley test on the calls of a session, upward and downward.
    pub(crate) shift: [learn::Shift; 2],
}

/// What of one session a baseline is asked about and learns from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trail {
    previous: String,
    pub(crate) calls: u64,
    pub(crate) tools: BTreeMap<String, u64>,
    pub(crate) pairs: BTreeMap<String, BTreeMap<String, u64>>,
    pub(crate) targets: BTreeSet<Digest>,
    pub(crate) shapes: BTreeMap<String, BTreeSet<Digest>>,
}

/// How far a call is from what is usual. It blocks nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Novelty {
    /// How unusual it is.
    pub value: Ratio,
    /// How much the baseline knows.
    pub confidence: Ratio,
    /// In words, the most unusual first.
    pub words: String,
}

impl Trail {
    /// The most keys of each kind that a session keeps; more teach nothing.
    pub const KEYS_MAX: usize = 1_024;
    /// The longest tool name that is kept, in bytes; longer ones are as one.
    pub const NAME_BYTES_MAX: usize = 256;

    /// Calls so far.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.calls
    }

    /// Takes a call into account. A result is not a step.
    pub fn step(&mut self, event: &Event) {
        if event.phase == Phase::Result {
            return;
        }
        self.calls = self.calls.saturating_add(1);
        let tool = name(event);
        count(&mut self.tools, &tool);
        if let Some(next) = entry(&mut self.pairs, &self.previous) {
            count(next, &tool);
        }
        if let Some(shapes) = entry(&mut self.shapes, &tool) {
            keep(shapes, Digest::of(event.shape.as_bytes()));
        }
        for target in targets(event) {
            keep(&mut self.targets, target);
        }
        self.previous = tool;
    }
}

impl Baseline {
    /// Sessions before which a baseline is hardly believed, however much it holds.
    pub const COLD_SESSIONS: u64 = 8;
    /// The confidence of a baseline of fewer sessions, at most.
    pub const COLD_CONFIDENCE: Ratio = Ratio::of(2_000);
    /// Calls in one session that are unusual for any agent, whatever it learned.
    pub const CALLS_CEILING: u64 = 500;

    /// Surprisal at which a step counts in full: one in a thousand, in 1/256 bits.
    const SURPRISAL_FULL: u64 = 10 * fixed::BIT;
    const TOOL_WEIGHT: Ratio = Ratio::of(5_000);
    const STEP_WEIGHT: Ratio = Ratio::of(3_000);
    const TARGET_WEIGHT: Ratio = Ratio::of(5_000);
    const SHAPE_WEIGHT: Ratio = Ratio::of(2_000);
    const LENGTH_WEIGHT: Ratio = Ratio::of(4_000);

    /// How far a call is from what is usual, after what its session did before it.
    #[must_use]
    pub fn novelty(&self, trail: &Trail, event: &Event) -> Novelty {
        let parts = [
            self.new_tool(event),
            self.new_target(event),
            self.long_session(trail),
            self.unusual_step(trail, event),
            self.new_shape(event),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let value = parts.iter().fold(Ratio::ZERO, |all, (part, _)| fixed::either(all, *part));
        let words = if parts.is_empty() {
            format!("as usual in {} sessions", self.sessions)
        } else {
            parts.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join("; ")
        };
        Novelty { value, confidence: self.confidence(), words }
    }

    /// How much the baseline knows: half at 100 sessions.
    #[must_use]
    pub fn confidence(&self) -> Ratio {
        let confidence = fixed::share(self.sessions, self.sessions.saturating_add(100));
        if self.sessions < Self::COLD_SESSIONS {
            confidence.min(Self::COLD_CONFIDENCE)
        } else {
            confidence
        }
    }

    /// How surprising it is that `next` follows `previous`, in 1/256 bits: by a first-order Markov
    /// chain with Laplace's smoothing, where one tool more than is known can always come.
    #[must_use]
    pub fn surprisal(&self, previous: &str, next: &str) -> u64 {
        let (seen, all) = self.pair(previous, next);
        let kinds = u64::try_from(self.tools.len()).unwrap_or(u64::MAX).saturating_add(1);
        let all = fixed::log2(all.saturating_add(kinds));
        all.saturating_sub(fixed::log2(seen.saturating_add(1)))
    }

    fn pair(&self, previous: &str, next: &str) -> (u64, u64) {
        self.pairs.get(previous).map_or((0, 0), |followers| {
            let all = followers.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
            (followers.get(next).copied().unwrap_or_default(), all)
        })
    }

    fn new_tool(&self, event: &Event) -> Option<(Ratio, String)> {
        let is_new = !self.tools.contains_key(&name(event));
        let words = || format!("{} was never used in {} sessions", tool(event), self.sessions);
        is_new.then(|| (Self::TOOL_WEIGHT, words()))
    }

    fn new_target(&self, event: &Event) -> Option<(Ratio, String)> {
        let new = targets(event).filter(|target| !self.targets.contains_key(target)).count();
        let words = || format!("{new} targets were never used in {} sessions", self.sessions);
        (new > 0).then(|| (Self::TARGET_WEIGHT, words()))
    }

    fn unusual_step(&self, trail: &Trail, event: &Event) -> Option<(Ratio, String)> {
        let next = name(event);
        let surprisal = self.surprisal(&trail.previous, &next);
        // A step with more than even odds is usual.
        if surprisal <= fixed::BIT {
            return None;
        }
        let (seen, all) = self.pair(&trail.previous, &next);
        let bits =
            format!("{}.{} bits", surprisal / fixed::BIT, surprisal % fixed::BIT * 10 / fixed::BIT);
        let after = match trail.previous.as_str() {
            "" => "first".to_owned(),
            previous => format!("after {}", words::quote(previous)),
        };
        let words = format!("{} {after}: {bits}, seen {seen} of {all} times", tool(event));
        Some((Self::STEP_WEIGHT.times(fixed::share(surprisal, Self::SURPRISAL_FULL)), words))
    }

    fn new_shape(&self, event: &Event) -> Option<(Ratio, String)> {
        let shapes = self.shapes.get(&name(event))?;
        let is_new = !shapes.contains(&Digest::of(event.shape.as_bytes()));
        let words = || format!("{} never had such arguments", tool(event));
        is_new.then(|| (Self::SHAPE_WEIGHT, words()))
    }

    /// Beside what was learned there is a ceiling that no slow ramp lifts.
    fn long_session(&self, trail: &Trail) -> Option<(Ratio, String)> {
        let usual = self.calls_milli.saturating_mul(4).div_ceil(1_000).max(10);
        let most = usual.min(Self::CALLS_CEILING);
        let words = || format!("more than {most} calls in one session");
        (trail.calls >= most).then(|| (Self::LENGTH_WEIGHT, words()))
    }
}

fn name(event: &Event) -> String {
    if event.tool.len() > Trail::NAME_BYTES_MAX {
        return "(a name that is too long)".to_owned();
    }
    format!("{}/{}", event.server, event.tool)
}

fn tool(event: &Event) -> String {
    words::quote(&event.tool)
}

fn targets(event: &Event) -> impl Iterator<Item = Digest> {
    let texts = event.usage.targets.iter().chain(&event.usage.recipients);
    texts.map(|text| Digest::of(text.as_bytes()))
}

fn count(counts: &mut BTreeMap<String, u64>, key: &str) {
    if let Some(count) = entry(counts, key) {
        *count = count.saturating_add(1);
    }
}

/// The value of a key; `None` when there is no room for it.
fn entry<'a, K, Q, V>(map: &'a mut BTreeMap<K, V>, key: &Q) -> Option<&'a mut V>
where
    K: Clone + Ord + std::borrow::Borrow<Q>,
    V: Default,
    Q: Ord + ?Sized + ToOwned<Owned = K>,
{
    if map.len() >= Trail::KEYS_MAX && !map.contains_key(key) {
        return None;
    }
    Some(map.entry(key.to_owned()).or_default())
}

fn keep(set: &mut BTreeSet<Digest>, value: Digest) {
    if set.len() < Trail::KEYS_MAX {
        set.insert(value);
    }
}

#[cfg(test)]
mod tests;
