//! What must hold after every restart.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pathwarden_types::{ActionId, Mode, Outcome};

use super::told::{Released, Told};
use super::view::View;

/// How long a batched record may wait for its commit, by the configuration of the node.
pub(crate) const BATCH_WINDOW: Duration = Duration::from_millis(20);

/// A commit that is under way when a batched record arrives has to end before the next begins. How
/// long one takes is the disk's affair; a second is a disk that hangs.
const COMMIT_MAX: Duration = Duration::from_secs(1);

/// What one round showed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) strict: usize,
    pub(crate) batched: usize,
    pub(crate) answers: usize,
    /// Batched effects whose record was on its way when the node was killed.
    pub(crate) batched_lost: usize,
    /// The longest before the kill that one of those was released.
    pub(crate) oldest_lost: Duration,
    /// Permits that the restart closed as unknown.
    pub(crate) unknown: usize,
}

/// The ledger before and after a kill, what was promised in between, and what was done.
pub(crate) struct Restart<'a> {
    pub(crate) view: &'a View,
    pub(crate) told: &'a Told,
    pub(crate) effects: &'a BTreeMap<ActionId, Mode>,
    pub(crate) killed: Instant,
    /// Unknown outcomes on record before.
    pub(crate) unknown_before: usize,
}

impl Restart<'_> {
    /// Looks for broken promises, and says which there are.
    pub(crate) fn check(&self, broken: &mut Vec<String>) -> Counts {
        let mut counts = Counts { answers: self.told.answered.len(), ..Counts::default() };
        for released in &self.told.released {
            match released.receipt.mode {
                Mode::Strict => {
                    counts.strict += 1;
                    self.strict(released, broken);
                }
                Mode::Batched => {
                    counts.batched += 1;
                    self.batched(released, &mut counts, broken);
                }
            }
        }
        self.sessions_and_answers(broken);
        self.effects_have_records(broken);
        self.permits_are_closed(broken);
        counts.unknown = unknown(self.view).saturating_sub(self.unknown_before);
        counts
    }

    /// A durable acknowledgement names the place and the leaf: there it stands.
    fn strict(&self, released: &Released, broken: &mut Vec<String>) {
        let Released { action, receipt, .. } = released;
        let found = receipt.index.and_then(|index| {
            let index = usize::try_from(index).ok()?;
            self.view.leaves.get(index)
        });
        if found != Some(&receipt.leaf) {
            broken.push(format!(
                "the acknowledged record of action {action} is not at {:?}",
                receipt.index
            ));
        }
    }

    /// A batched record is there, or was on its way when the node was killed: then nothing that was
    /// accepted after it was acknowledged as durable.
    fn batched(&self, released: &Released, counts: &mut Counts, broken: &mut Vec<String>) {
        let Released { action, receipt, at } = released;
        let recorded = self.view.actions.get(action).map(|told| told.let_through.as_slice());
        match recorded.unwrap_or_default() {
            [] => {
                let age = self.killed.saturating_duration_since(*at);
                counts.batched_lost += 1;
                counts.oldest_lost = counts.oldest_lost.max(age);
                if Some(*at) < self.told.all_durable_before {
                    broken.push(format!(
                        "the batched record of action {action} is lost, and later ones are durable"
                    ));
                }
                if age > BATCH_WINDOW + COMMIT_MAX {
                    broken.push(format!(
                        "the batched record of action {action} is lost, {age:?} after its release"
                    ));
                }
            }
            [(_, leaf)] if *leaf == receipt.leaf => {}
            _ => broken.push(format!("the batched record of action {action} is another one")),
        }
    }

    fn sessions_and_answers(&self, broken: &mut Vec<String>) {
        for session in &self.told.sessions {
            if !self.view.sessions.contains(session) {
                broken.push(format!("the acknowledged start of session {session} is lost"));
            }
        }
        for (approval, choice) in &self.told.answered {
            if self.view.answers.get(approval) != Some(&Some(*choice)) {
                broken.push(format!("the acknowledged answer to question {approval} is lost"));
            }
        }
        for (approval, uses) in &self.view.uses {
            if *uses != 1 {
                broken.push(format!("approval {approval} let {uses} actions through"));
            }
        }
    }

    /// Whatever was done in strict mode stands in the ledger, whether or not we remember a promise.
    fn effects_have_records(&self, broken: &mut Vec<String>) {
        for (action, mode) in self.effects {
            let recorded = self.view.actions.get(action).is_some_and(|t| !t.let_through.is_empty());
            if *mode == Mode::Strict && !recorded {
                broken.push(format!("the effect of action {action} has no record"));
            }
        }
    }

    /// The node was just started and nobody has asked yet: no permit is open. What only waited for a
    /// person is closed as never done, if at all (its session may have ended), and nothing else is.
    fn permits_are_closed(&self, broken: &mut Vec<String>) {
        for (action, told) in &self.view.actions {
            let sound = match (told.let_through.as_slice(), told.closed.as_slice()) {
                ([_], [_]) | ([], []) => true,
                ([], [Outcome::Failed]) => told.held,
                _ => false,
            };
            if !sound {
                let (opened, closed) = (told.let_through.len(), &told.closed);
                broken.push(format!("action {action}: let through {opened}x, closed {closed:?}"));
            }
        }
    }
}

/// Permits that were closed as unknown so far.
pub(crate) fn unknown(view: &View) -> usize {
    let outcomes = view.actions.values().flat_map(|told| &told.closed);
    outcomes.filter(|outcome| **outcome == Outcome::Unknown).count()
}
