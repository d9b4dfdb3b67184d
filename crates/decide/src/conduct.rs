//! What a session did, for contracts, limits and profiles.

use std::collections::{BTreeSet, VecDeque};

use pathwarden_behaviour::{
    Baseline, Cause, Contracts, Escalation, Event, Fact, Facts, Novelty, Phase, Trail, Usage,
    Velocity, VelocityLimits,
};
use pathwarden_types::{
    ActionId, Agent, Confidentiality, Integrity, Label, Millis, Operation, Ratio, ToolClass,
};

use crate::Reading;

/// What a session did: only what was let through.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Conduct {
    velocity: Velocity,
    escalation: Escalation,
    trail: Trail,
    /// What contracts are judged over, oldest first.
    past: VecDeque<Event>,
    is_cut: bool,
    reached: BTreeSet<String>,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            velocity: Velocity::new(VelocityLimits::default()),
            escalation: Escalation::default(),
            trail: Trail::default(),
            past: VecDeque::new(),
            is_cut: false,
            reached: BTreeSet::new(),
        }
    }
}

/// What an action would make of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Report {
    /// How it breaks contracts.
    pub(crate) deviations: Vec<String>,
    /// Which hard limits it passes.
    pub(crate) excess: Vec<String>,
    /// What earlier steps make of it.
    pub(crate) escalations: Vec<String>,
    /// How fast the session goes.
    pub(crate) haste: (Ratio, String),
    /// How unusual it is for this agent, where a baseline is known.
    pub(crate) novelty: Option<Novelty>,
}

impl Conduct {
    /// The most events that contracts are judged over; a session with more breaks every contract that
    /// binds it, since nobody can tell any more.
    pub const EVENTS_MAX: usize = 2_048;
    /// The most targets that are known to be reached before.
    const REACHED_MAX: usize = 4_096;

    /// What a baseline is asked about, and learns from.
    #[must_use]
    pub const fn trail(&self) -> &Trail {
        &self.trail
    }

    /// An action that is attempted, as an event.
    pub(crate) fn call(
        &self,
        (id, at): (ActionId, Millis),
        operation: &Operation,
        class: ToolClass,
        reading: Option<&Reading>,
        is_approved: bool,
    ) -> Event {
        let named = reading.map(|reading| reading.entities.clone()).unwrap_or_default();
        let is_new = named.iter().any(|target| !self.reached.contains(target));
        let has = |fact, holds: bool| holds.then_some(fact);
        let is_outward = matches!(class, ToolClass::Send | ToolClass::Pay | ToolClass::Unknown);
        let facts = [
            has(Fact::Egress, is_outward),
            has(Fact::Approved, is_approved),
            has(Fact::Irreversible, !matches!(class, ToolClass::Read | ToolClass::Write)),
            has(Fact::NewTarget, is_new),
            has(Fact::Grant, class == ToolClass::Configure),
        ];
        let recipients: BTreeSet<String> = match class {
            ToolClass::Send => named.iter().filter(|name| name.contains('@')).cloned().collect(),
            _ => BTreeSet::new(),
        };
        let bytes = reading.map_or(0, |reading| u64::try_from(reading.text.len()).unwrap_or(0));
        let usage = Usage { bytes, targets: named, recipients, ..Usage::default() };
        Event {
            id,
            phase: Phase::Call,
            cause: Cause::SessionOrder,
            at,
            server: operation.server.clone(),
            tool: operation.name.clone(),
            class,
            shape: reading.map(Reading::shape).unwrap_or_default(),
            facts: facts.into_iter().flatten().collect(),
            usage,
        }
    }

    /// Takes an action into account that was let through.
    pub(crate) fn step(&mut self, event: Event) {
        let _ = self.velocity.step(&event);
        let _ = self.escalation.step(&event);
        self.trail.step(&event);
        for target in &event.usage.targets {
            if self.reached.len() < Self::REACHED_MAX {
                self.reached.insert(target.clone());
            }
        }
        if self.past.len() >= Self::EVENTS_MAX {
            self.is_cut = true;
        } else {
            self.past.push_back(event);
        }
    }

    /// Takes the result of an action into account.
    pub(crate) fn result(&mut self, action: ActionId, at: Millis, label: &Label, bytes: u64) {
        let Some(call) = self.past.iter().rev().find(|event| event.id == action).cloned() else {
            return;
        };
        let untrusted = (label.integrity == Integrity::Untrusted).then_some(Fact::UntrustedRead);
        let restricted = label.confidentiality == Confidentiality::Restricted;
        let restricted = restricted.then_some(Fact::RestrictedRead);
        let facts: Facts = [untrusted, restricted].into_iter().flatten().collect();
        let usage = Usage { bytes, ..Usage::default() };
        self.step(Event { phase: Phase::Result, at, facts, usage, ..call });
    }

    /// What an event would make of it.
    pub(crate) fn report(
        &self,
        event: &Event,
        agent: &Agent,
        contracts: &Contracts,
        baseline: Option<&Baseline>,
    ) -> Report {
        let excess = self.velocity.would(event);
        let findings = self.escalation.would(event);
        Report {
            deviations: self.deviations(event, agent, contracts),
            excess: excess.into_iter().map(|excess| excess.words).collect(),
            escalations: findings.into_iter().map(|finding| finding.words).collect(),
            haste: self.velocity.haste(event.at),
            novelty: baseline.map(|baseline| baseline.novelty(&self.trail, event)),
        }
    }

    fn deviations(&self, event: &Event, agent: &Agent, contracts: &Contracts) -> Vec<String> {
        let mut monitor = contracts.monitor(agent.name.as_str(), &agent.purpose);
        if monitor.is_empty() {
            return Vec::new();
        }
        if self.is_cut {
            return vec![format!("the session has more than {} events", Self::EVENTS_MAX)];
        }
        for past in &self.past {
            let _ = monitor.step(past);
        }
        let deviations = monitor.would(event).into_iter();
        deviations.map(|found| format!("{}: {}", found.contract, found.words)).collect()
    }
}
