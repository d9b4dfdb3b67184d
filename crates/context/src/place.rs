//! Which thread a window belongs to, and what it makes of the window before.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_types::{ActionId, Digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Artifact, Window};

/// A window beside the one before it in its thread: what is kept on record.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// The thread: its first call.
    pub thread: ActionId,
    /// The call before in this thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ActionId>,
    /// The tool call that told this thread what to do, when it is a sub-agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawned_by: Option<ActionId>,
    /// What happened to the window before.
    pub change: Change,
    /// How many pieces of the window before stand at the beginning of this one.
    pub kept: usize,
    /// Everything after them.
    pub added: Vec<Artifact>,
    /// How many pieces of the window before are nowhere in this one.
    pub gone: usize,
    /// The model that is asked for.
    pub model: String,
    /// The tools that are declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Digest>,
    /// What the provider adds from what it keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
}

/// What happened to a window from one call to the next.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A thread begins.
    Begins,
    /// Nothing: the same window again.
    Same,
    /// Something was added at its end.
    Grows,
    /// Pieces are gone, and nothing stands in their place.
    Truncated,
    /// Pieces are gone, and a shorter text that is new stands where they stood.
    Compacted,
    /// Pieces in the middle are others than before.
    Rewritten,
}

impl Change {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begins => "begins",
            Self::Same => "same",
            Self::Grows => "grows",
            Self::Truncated => "truncated",
            Self::Compacted => "compacted",
            Self::Rewritten => "rewritten",
        }
    }
}

/// The conversations of one session with its models: a fold over placed windows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Threads {
    threads: BTreeMap<ActionId, Thread>,
    /// Counts up with each window, so that the thread that is quiet for longest is forgotten first.
    clock: u64,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Thread {
    last: ActionId,
    artifacts: Vec<Artifact>,
    touched: u64,
}

impl Threads {
    /// The most threads of a session that are remembered; the one that is quiet for longest goes.
    pub const THREADS_MAX: usize = 64;

    /// Whether any model call was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }

    /// Where the window of a call belongs. `told` finds the tool call whose arguments hold a text.
    #[must_use]
    pub fn place(
        &self,
        call: ActionId,
        window: &Window,
        told: impl Fn(&Digest) -> Option<ActionId>,
    ) -> Placed {
        // Whom a call told what to do is somebody else, however much they have in common: programs say the
        // same of their surroundings to all their agents.
        let spawned_by = Window::turns(&window.artifacts)
            .filter(|turn| !self.has_turn(turn))
            .find_map(|turn| told(&turn));
        let known = self.threads.iter().filter(|_| spawned_by.is_none());
        let found = known.filter_map(|(id, thread)| {
            let kept = kept(&thread.artifacts, &window.artifacts);
            let likeness = likeness(&thread.artifacts, &window.artifacts, kept)?;
            Some((likeness, thread.touched, id, thread, kept))
        });
        let best = found.max_by_key(|(likeness, touched, ..)| (*likeness, *touched));
        let Some((.., id, thread, kept)) = best else {
            return Placed {
                thread: call,
                before: None,
                spawned_by,
                change: Change::Begins,
                kept: 0,
                added: window.artifacts.clone(),
                gone: 0,
                model: window.model.clone(),
                tools: window.tools,
                continues: window.continues.clone(),
            };
        };
        let (change, gone) = change(&thread.artifacts, &window.artifacts, kept);
        Placed {
            thread: *id,
            before: Some(thread.last),
            spawned_by: None,
            change,
            kept,
            added: window.artifacts.get(kept..).unwrap_or_default().to_vec(),
            gone,
            model: window.model.clone(),
            tools: window.tools,
            continues: window.continues.clone(),
        }
    }

    /// Whether a user's turn stands in any conversation.
    fn has_turn(&self, turn: &Digest) -> bool {
        let mut turns = self.threads.values().flat_map(|thread| Window::turns(&thread.artifacts));
        turns.any(|known| known == *turn)
    }

    /// Takes a placed window into account.
    pub fn apply(&mut self, call: ActionId, placed: &Placed) {
        self.clock = self.clock.saturating_add(1);
        let touched = self.clock;
        let before = self.threads.remove(&placed.thread).map(|thread| thread.artifacts);
        let mut artifacts = before.unwrap_or_default();
        artifacts.truncate(placed.kept);
        artifacts.extend(placed.added.iter().cloned());
        artifacts.truncate(Window::ARTIFACTS_MAX);
        if self.threads.len() >= Self::THREADS_MAX {
            let quiet = self.threads.iter().min_by_key(|(_, thread)| thread.touched);
            if let Some(id) = quiet.map(|(id, _)| *id) {
                self.threads.remove(&id);
            }
        }
        self.threads.insert(placed.thread, Thread { last: call, artifacts, touched });
    }
}

/// How many pieces at the beginning are the same.
pub(crate) fn kept(before: &[Artifact], after: &[Artifact]) -> usize {
    before.iter().zip(after).take_while(|(one, other)| one.is(other)).count()
}

/// How much of a thread a window goes on with, in bytes; `None` when it is another conversation.
fn likeness(before: &[Artifact], after: &[Artifact], kept: usize) -> Option<u64> {
    let known: BTreeSet<Digest> = before.iter().map(|artifact| artifact.content).collect();
    let shared = |artifact: &&Artifact| known.contains(&artifact.content);
    let bytes = |artifacts: &mut dyn Iterator<Item = &Artifact>| -> u64 {
        artifacts.map(|artifact| artifact.bytes.saturating_add(1)).sum()
    };
    let common = bytes(&mut after.iter().filter(shared));
    if kept == before.len() && kept > 0 {
        return Some(common);
    }
    // Another part to play is another agent, whatever it was told.
    let is_system_same = Window::system(before).eq(Window::system(after));
    let shares_a_turn = Window::turns(before).any(|turn| Window::turns(after).any(|t| t == turn));
    let all = bytes(&mut before.iter()).min(bytes(&mut after.iter()));
    let shares_most = common.saturating_mul(2) >= all;
    // Two of the three: a prompt may be written anew, a turn cut short, the middle left out.
    let alike = [is_system_same, shares_a_turn, shares_most];
    (alike.iter().filter(|same| **same).count() >= 2).then_some(common)
}

fn change(before: &[Artifact], after: &[Artifact], kept: usize) -> (Change, usize) {
    let rest = before.get(kept..).unwrap_or_default();
    let added = after.get(kept..).unwrap_or_default();
    let present: BTreeSet<Digest> = added.iter().map(|artifact| artifact.content).collect();
    let gone: Vec<&Artifact> =
        rest.iter().filter(|artifact| !present.contains(&artifact.content)).collect();
    if rest.is_empty() {
        return (if added.is_empty() { Change::Same } else { Change::Grows }, 0);
    }
    if gone.is_empty() {
        return (Change::Rewritten, 0);
    }
    let known: BTreeSet<Digest> = rest.iter().map(|artifact| artifact.content).collect();
    // What is new before the first piece that stayed, or all of it when none stayed.
    let stayed = added.iter().position(|artifact| known.contains(&artifact.content));
    let in_place = added.get(..stayed.unwrap_or(added.len())).unwrap_or_default();
    let bytes = |artifacts: &[&Artifact]| artifacts.iter().map(|a| a.bytes).sum::<u64>();
    let new: Vec<&Artifact> = in_place.iter().collect();
    let change = if new.is_empty() {
        Change::Truncated
    } else if gone.len() > 1 && bytes(&new) < bytes(&gone) {
        Change::Compacted
    } else {
        Change::Rewritten
    };
    (change, gone.len())
}
