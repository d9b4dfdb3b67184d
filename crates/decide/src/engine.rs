//! One worker's engine: a snapshot and a virtual machine that runs its policy.

use pathwarden_policy::{Input, Judge, Judgement};

use crate::Snapshot;

/// One worker's engine. Holds no state of a session, and none that outlives a call.
pub struct Engine {
    snapshot: Snapshot,
    judge: Judge,
}

impl Engine {
    /// An engine that decides by this snapshot.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        let judge = snapshot.bundle().judge();
        Self { snapshot, judge }
    }

    /// What it decides by.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(crate) fn judge(&mut self, input: &Input) -> Judgement {
        self.judge.judge(input)
    }
}
