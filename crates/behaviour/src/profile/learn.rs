//! Learning a baseline: a fold over sessions that nobody could have poisoned alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Baseline, Trail, entry, keep};

/// Whether a session may teach.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lesson {
    /// Everything in it was allowed, and outsiders' content shaped none of its calls.
    Clean,
    /// A call was refused or held and not approved.
    Refused,
    /// Outsiders' content may have shaped a call.
    Tainted,
}

/// Why learning does not go on from a baseline.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LearnerError {
    /// Versions only go up, so that a record that names one names one baseline.
    #[error("version `{given}` is not after version `{old}`: give a higher one")]
    OldVersion {
        /// The version of the baseline that learning began with.
        old: u64,
        /// The version that was asked for.
        given: u64,
    },
}

/// Learns the next version of a baseline.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Learner {
    baseline: Baseline,
}

impl Learner {
    /// The most that one session adds to any count.
    pub const SESSION_CAP: u64 = 4;
    /// What a session weighs in the average of calls: one part in this.
    const MEMORY: u64 = 16;
    /// A session of this length never is too long to learn from in full, in thousandths of a call.
    const FLOOR: u64 = 10_000;
    /// The first average is no more than this, in thousandths of a call: a first session that runs wild
    /// does not make wildness usual.
    const FIRST_MAX: u64 = 50_000;

    /// Learns from nothing.
    #[must_use]
    pub fn new(agent: &str, task: &str) -> Self {
        let (agent, task) = (agent.to_owned(), task.to_owned());
        Self { baseline: Baseline { agent, task, ..Baseline::default() } }
    }

    /// Goes on from a baseline.
    #[must_use]
    pub const fn from(baseline: Baseline) -> Self {
        Self { baseline }
    }

    /// Takes a session into account, if it may teach.
    pub fn session(&mut self, trail: &Trail, lesson: Lesson) {
        match lesson {
            Lesson::Clean => {}
            Lesson::Refused | Lesson::Tainted => return,
        }
        let baseline = &mut self.baseline;
        add(&mut baseline.tools, &trail.tools);
        for (previous, followers) in &trail.pairs {
            if let Some(known) = entry(&mut baseline.pairs, previous) {
                add(known, followers);
            }
        }
        for target in &trail.targets {
            if let Some(sessions) = entry(&mut baseline.targets, target) {
                *sessions = sessions.saturating_add(1);
            }
        }
        for (tool, shapes) in &trail.shapes {
            if let Some(known) = entry(&mut baseline.shapes, tool) {
                let new = shapes.iter().filter(|shape| !known.contains(*shape)).copied();
                let new: Vec<_> =
                    new.take(usize::try_from(Self::SESSION_CAP).unwrap_or(1)).collect();
                new.into_iter().for_each(|shape| keep(known, shape));
            }
        }
        self.count_calls(trail.calls);
    }

    /// The next version.
    ///
    /// # Errors
    ///
    /// [`LearnerError::OldVersion`] when the version is not higher than the one before.
    pub fn finish(self, version: u64) -> Result<Baseline, LearnerError> {
        let old = self.baseline.version;
        if version <= old {
            return Err(LearnerError::OldVersion { old, given: version });
        }
        Ok(Baseline { version, ..self.baseline })
    }

    fn count_calls(&mut self, calls: u64) {
        let baseline = &mut self.baseline;
        let calls = calls.min(Baseline::CALLS_CEILING).saturating_mul(1_000);
        if baseline.sessions == 0 {
            baseline.calls_milli = calls.min(Self::FIRST_MAX);
        }
        let mean = baseline.calls_milli;
        // One session weighs at most as one of twice the usual length.
        let capped = calls.min(mean.saturating_mul(2).max(Self::FLOOR));
        let capped = if baseline.sessions == 0 { mean } else { capped };
        let (more, less) = (capped.saturating_sub(mean), mean.saturating_sub(capped));
        baseline.calls_milli = mean + more / Self::MEMORY - less / Self::MEMORY;
        let [up, down] = &mut baseline.shift;
        up.add(more, less);
        down.add(less, more);
        baseline.sessions = baseline.sessions.saturating_add(1);
    }
}

/// The Page-Hinkley test in one direction: what is beyond the mean sums up, and usual variation takes
/// away from it. In thousandths.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shift {
    sum: u64,
}

impl Shift {
    /// What is usual variation, in thousandths of a call.
    const SLACK: u64 = 2_000;
    /// The sum at which there is a shift, in thousandths of a call.
    const ALARM: u64 = 40_000;

    fn add(&mut self, beyond: u64, below: u64) {
        let less = below.saturating_add(Self::SLACK);
        self.sum = self.sum.saturating_add(beyond).saturating_sub(less).min(Self::ALARM * 2);
    }

    pub(crate) const fn is_alarm(self) -> bool {
        self.sum >= Self::ALARM
    }
}

fn add(known: &mut BTreeMap<String, u64>, session: &BTreeMap<String, u64>) {
    for (key, count) in session {
        if let Some(known) = entry(known, key) {
            *known = known.saturating_add((*count).min(Learner::SESSION_CAP));
        }
    }
}
