//! Learning what an agent usually does, from its sessions in the ledger. What is learned is handed to a
//! person; nothing here puts it to use.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_behaviour::{Baseline, Learner, Lesson, Trail, drift};
use pathwarden_decide::State;
use pathwarden_types::{ActionId, Agent, Decided, Event, Millis, Name, Record, SessionId, Verdict};
use pathwarden_wire::{Fault, FaultKind, LearnProfile, Learned, LearnedProfile, Lessons, Profile};

use crate::Warden;
use crate::explain::unreadable;
use crate::history::{History, HistoryError};

/// How long an open session must have been quiet to count as done, in ms: an hour, longer than a
/// question to a person stands.
pub const QUIET_MS: u64 = 3_600_000;

impl Warden {
    /// Learns the next version of what an agent usually does at its purpose.
    ///
    /// A session teaches once, when it has ended or been quiet for [`QUIET_MS`]; earlier versions say
    /// how far they came. One in which anything was refused, or content of outsiders was read, teaches
    /// nothing.
    ///
    /// # Errors
    ///
    /// A fault when the agent is unknown, the version before is another agent's, or the ledger cannot
    /// be read.
    pub fn learn_profile(&self, asked: LearnProfile) -> Result<LearnedProfile, Fault> {
        let agent = self.agent(&asked.agent)?;
        if let Some(before) = asked.from.as_ref().filter(|from| !is_of(&from.baseline, &agent.name))
        {
            let message = format!("the profile is of the agent `{}`", before.baseline.agent);
            let advice = format!("go on from a profile of `{}`", agent.name);
            return Err(Fault::new(FaultKind::Malformed, message, advice));
        }
        let (records, at) = (self.history.reader().size(), self.now());
        let learned = Learned { node: self.node.clone(), records, at };
        let mut course = Course::new(&self.history, agent, asked.from.as_ref(), &self.node);
        for item in self.history.from(0) {
            let (index, record) = item.map_err(unreadable)?;
            if index >= records {
                break;
            }
            course.take(index, &record).map_err(unreadable)?;
        }
        course.finish(asked.from.map(|from| from.baseline), learned)
    }
}

fn is_of(baseline: &Baseline, agent: &Name) -> bool {
    baseline.agent == agent.as_str()
}

/// Sessions of one agent on their way through the ledger.
struct Course<'a> {
    history: &'a History,
    agent: Agent,
    /// How far the version before came.
    seen: Option<Learned>,
    learner: Learner,
    pupils: BTreeMap<SessionId, Pupil>,
    lessons: Lessons,
}

impl<'a> Course<'a> {
    /// Another purpose is another type of task: it begins anew.
    fn new(history: &'a History, agent: Agent, from: Option<&Profile>, node: &str) -> Self {
        let from = from.filter(|from| from.baseline.task == agent.purpose);
        let seen = from.and_then(|from| from.learned.clone());
        let learner = match from {
            Some(from) => Learner::from(from.baseline.clone()),
            None => Learner::new(agent.name.as_str(), &agent.purpose),
        };
        let (pupils, lessons) = (BTreeMap::new(), Lessons::default());
        let seen = seen.filter(|seen| seen.node == node);
        Self { history, agent, seen, learner, pupils, lessons }
    }

    /// How many records the version before has seen.
    fn seen_records(&self) -> u64 {
        self.seen.as_ref().map_or(0, |seen| seen.records)
    }

    fn take(&mut self, index: u64, record: &Record) -> Result<(), HistoryError> {
        let Some(session) = record.session else { return Ok(()) };
        if let Event::SessionStarted { agent, .. } = &record.event {
            let is_ours = agent.name == self.agent.name && agent.purpose == self.agent.purpose;
            if is_ours && let Some(state) = self.history.fold(None, record)? {
                let is_new = index >= self.seen_records();
                self.pupils.insert(session, Pupil::new(state, record.at, is_new));
            }
            return Ok(());
        }
        let Some(mut pupil) = self.pupils.remove(&session) else { return Ok(()) };
        if index >= self.seen_records() {
            pupil.pass(self.seen.as_ref());
        }
        let Some(state) = self.history.fold(Some(pupil.state), record)? else { return Ok(()) };
        pupil.state = state;
        pupil.last = record.at;
        if let Event::Decided(decided) = &record.event {
            pupil.decide(decided);
        }
        if pupil.state.is_open() {
            self.pupils.insert(session, pupil);
        } else if index >= self.seen_records() {
            self.teach(&pupil);
        }
        Ok(())
    }

    fn teach(&mut self, pupil: &Pupil) {
        if pupil.has_taught {
            return;
        }
        let lesson = pupil.lesson();
        let count = match lesson {
            Lesson::Clean if pupil.trail().calls() == 0 => &mut self.lessons.empty,
            Lesson::Clean => &mut self.lessons.clean,
            Lesson::Refused => &mut self.lessons.refused,
            Lesson::Tainted => &mut self.lessons.tainted,
        };
        *count = count.saturating_add(1);
        // A session without a call would only make the baseline look more certain.
        if pupil.trail().calls() > 0 {
            self.learner.session(pupil.trail(), lesson);
        }
    }

    fn finish(
        mut self,
        before: Option<Baseline>,
        learned: Learned,
    ) -> Result<LearnedProfile, Fault> {
        for (_, mut pupil) in std::mem::take(&mut self.pupils) {
            pupil.pass(self.seen.as_ref());
            if pupil.has_taught || is_quiet(pupil.last, learned.at) {
                self.teach(&pupil);
            } else {
                self.lessons.unfinished = self.lessons.unfinished.saturating_add(1);
            }
        }
        let sessions = self.lessons;
        if sessions.clean == 0 {
            return Ok(LearnedProfile { profile: None, sessions, drift: Vec::new() });
        }
        let version = before.as_ref().map_or(0, |before| before.version).saturating_add(1);
        let baseline = self.learner.finish(version).map_err(|error| {
            Fault::new(FaultKind::Conflict, error.to_string(), "begin with a new profile")
        })?;
        let changes = before.map(|before| drift(&before, &baseline)).unwrap_or_default();
        let drift = changes.into_iter().map(|change| change.words).collect();
        let profile = Some(Profile { baseline, learned: Some(learned) });
        Ok(LearnedProfile { profile, sessions, drift })
    }
}

/// One session that may teach.
struct Pupil {
    state: State,
    /// Actions that wait for a person.
    held: BTreeSet<ActionId>,
    last: Millis,
    /// It has passed the place to which the version before has seen the ledger.
    has_passed: bool,
    /// It taught an earlier version, or could have.
    has_taught: bool,
}

impl Pupil {
    fn new(state: State, last: Millis, has_passed: bool) -> Self {
        Self { state, held: BTreeSet::new(), last, has_passed, has_taught: false }
    }

    /// At the place to which the version before has seen the ledger: a session that was quiet then
    /// was done for it, and what came later does not teach a second time.
    fn pass(&mut self, seen: Option<&Learned>) {
        if self.has_passed {
            return;
        }
        self.has_passed = true;
        self.has_taught = seen.is_some_and(|seen| is_quiet(self.last, seen.at));
    }

    /// The state counts what was let through and what was refused.
    fn decide(&mut self, decided: &Decided) {
        if decided.verdict == Verdict::Hold {
            self.held.insert(decided.action);
        } else if decided.verdict.lets_through() {
            self.held.remove(&decided.action);
        }
    }

    /// What it did.
    const fn trail(&self) -> &Trail {
        self.state.conduct().trail()
    }

    fn lesson(&self) -> Lesson {
        if self.state.untrusted_seen() || self.state.is_incomplete() {
            Lesson::Tainted
        } else if self.state.refused() > 0 || !self.held.is_empty() {
            Lesson::Refused
        } else {
            Lesson::Clean
        }
    }
}

const fn is_quiet(last: Millis, now: Millis) -> bool {
    now.since(last) >= QUIET_MS
}

#[cfg(test)]
mod tests;
