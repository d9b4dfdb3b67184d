//! Watches the contracts of one session.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use pathwarden_types::ActionId;

use super::budget::Meter;
use super::compile::{Contract, Contracts, Rule};
use super::formula::{Moment, Moments, Need, Operator};
use super::spec::Over;
use super::{Deviation, Limits};
use crate::event::{Cause, Event, Phase};
use crate::words;

/// The contracts that bind one session, and what of its past they need.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Monitor {
    watches: Vec<Watch>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Watch {
    contract: Arc<Contract>,
    /// The moments as of the last event, along the session order.
    line: Moments,
    /// The latest moment of each operator in the whole session.
    anywhere: Moments,
    /// The transitions that may follow the last call; `None` before the first.
    last: Option<Followers>,
    causes: BTreeMap<ActionId, Known>,
    /// The keys of `causes`, oldest first.
    order: VecDeque<ActionId>,
    meters: Vec<Meter>,
}

/// The transitions whose `from` is a call, by index.
type Followers = BTreeSet<usize>;

/// What is remembered of an action that can be a cause.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Known {
    moments: Moments,
    followers: Followers,
}

/// What an event makes of the past.
struct Step {
    deviations: Vec<Deviation>,
    line: Moments,
    causal: Moments,
}

impl Contracts {
    /// The monitor of a session of this agent at this type of task.
    #[must_use]
    pub fn monitor(&self, agent: &str, task: &str) -> Monitor {
        let bound = self.0.iter().filter(|(spec, _)| spec.binds(agent, task));
        Monitor { watches: bound.map(|(_, contract)| Watch::new(contract)).collect() }
    }
}

impl Monitor {
    /// Takes an event into account, and says how it breaks the contracts. Results break none: what
    /// they use counts against the next call.
    pub fn step(&mut self, event: &Event) -> Vec<Deviation> {
        self.watches.iter_mut().flat_map(|watch| watch.step(event)).collect()
    }

    /// What [`step`](Self::step) would say.
    #[must_use]
    pub fn would(&self, event: &Event) -> Vec<Deviation> {
        self.watches.iter().flat_map(|watch| watch.judge(event).deviations).collect()
    }

    /// Whether no contract binds the session.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }
}

impl Watch {
    fn new(contract: &Arc<Contract>) -> Self {
        let nothing: Moments = contract.operators.iter().map(|_| None).collect();
        Self {
            contract: Arc::clone(contract),
            line: nothing.clone(),
            anywhere: nothing,
            last: None,
            causes: BTreeMap::new(),
            order: VecDeque::new(),
            meters: contract.budgets.iter().map(super::BudgetSpec::meter).collect(),
        }
    }

    fn step(&mut self, event: &Event) -> Vec<Deviation> {
        let Step { deviations, line, causal } = self.judge(event);
        for (anywhere, moment) in self.anywhere.iter_mut().zip(line.iter().zip(&causal)) {
            *anywhere = (*anywhere).max(*moment.0).max(*moment.1);
        }
        self.line = line;
        let followers = match event.phase {
            Phase::Call => self.followers(event),
            Phase::Result => {
                self.causes.get(&event.id).map(|known| known.followers.clone()).unwrap_or_default()
            }
        };
        if event.phase == Phase::Call {
            self.last = Some(followers.clone());
        }
        self.remember(event.id, Known { moments: causal, followers });
        for (budget, meter) in self.contract.budgets.iter().zip(&mut self.meters) {
            budget.count(meter, event);
        }
        deviations
    }

    fn judge(&self, event: &Event) -> Step {
        let line = self.along(event, |slot| {
            let past = self.line.get(slot).copied().flatten();
            vec![Some(past)]
        });
        let causal = match (event.phase, &event.cause) {
            (Phase::Call, Cause::SessionOrder) => line.clone(),
            (Phase::Call, Cause::Parents(parents)) => self.along_causes(event, parents, &line),
            (Phase::Result, _) => self.along_causes(event, &[event.id], &line),
        };
        let deviations = match event.phase {
            Phase::Call => self.deviations(event, &causal),
            Phase::Result => Vec::new(),
        };
        Step { deviations, line, causal }
    }

    /// The moments as of the event, with for each operator the pasts that it inherits from.
    fn along(
        &self,
        event: &Event,
        pasts: impl Fn(usize) -> Vec<Option<Option<Moment>>>,
    ) -> Moments {
        let inherit = |(slot, operator): (usize, &Operator)| {
            let anywhere = self.anywhere.get(slot).copied().flatten();
            operator.inherit(pasts(slot).into_iter(), anywhere, event)
        };
        let mut moments = self.contract.operators.iter().enumerate().map(inherit).collect();
        for rule in &self.contract.rules {
            rule.require.holds(&self.contract.operators, event, &mut moments);
        }
        moments
    }

    fn along_causes(&self, event: &Event, parents: &[ActionId], line: &Moments) -> Moments {
        let known = |parent: &ActionId, slot: usize| {
            self.causes.get(parent).map(|known| known.moments.get(slot).copied().flatten())
        };
        let mut moments = self.along(event, |slot| {
            let mut pasts: Vec<_> = parents
                .iter()
                .take(Limits::PARENTS_MAX)
                .map(|parent| known(parent, slot))
                .collect();
            if parents.len() > Limits::PARENTS_MAX {
                pasts.push(None);
            }
            pasts
        });
        let operators = self.contract.operators.iter();
        for ((moment, operator), on_line) in moments.iter_mut().zip(operators).zip(line) {
            if operator.over == Over::Session {
                *moment = *on_line;
            }
        }
        moments
    }

    fn deviations(&self, event: &Event, moments: &Moments) -> Vec<Deviation> {
        let deviation = |rule: &str, words: String, events: Vec<ActionId>| Deviation {
            contract: self.contract.name.clone(),
            rule: rule.to_owned(),
            words,
            events,
        };
        let rules = self.contract.rules.iter().filter(|rule| self.breaks(rule, event, moments));
        let rules = rules.map(|rule| {
            deviation(&rule.name, rule.words.clone(), self.witnesses(rule, event, moments))
        });
        let step = self
            .forbidden_step(event)
            .map(|(words, events)| deviation("transitions", words, events));
        let budgets = self.contract.budgets.iter().zip(&self.meters);
        let budgets = budgets.filter_map(|(budget, meter)| {
            let words = budget.excess(meter, event)?;
            Some(deviation(&budget.name, words, vec![event.id]))
        });
        rules.chain(step).chain(budgets).collect()
    }

    /// The moments are already those of the event; evaluating again changes none of them.
    fn breaks(&self, rule: &Rule, event: &Event, moments: &Moments) -> bool {
        rule.on.matches(event)
            && !rule.require.holds(&self.contract.operators, event, &mut moments.clone())
    }

    /// The event, and where what the rule does not want happened.
    fn witnesses(&self, rule: &Rule, event: &Event, moments: &Moments) -> Vec<ActionId> {
        let mut slots = Vec::new();
        rule.require.slots(&mut slots);
        let mut events = vec![event.id];
        for slot in slots {
            let (Some(operator), Some(Some(moment))) =
                (self.contract.operators.get(slot), moments.get(slot))
            else {
                continue;
            };
            if operator.need == Need::Unwanted
                && operator.holds(Some(*moment), event.at)
                && !events.contains(&moment.event)
            {
                events.push(moment.event);
            }
        }
        events
    }

    fn followers(&self, event: &Event) -> Followers {
        let follows = |from: Option<&super::Match>| from.is_some_and(|from| from.matches(event));
        let transitions = self.contract.transitions.iter().enumerate();
        transitions
            .filter(|(_, step)| follows(step.from.as_ref()))
            .map(|(index, _)| index)
            .collect()
    }

    /// Why the step to this call is not one of those that may be taken.
    fn forbidden_step(&self, event: &Event) -> Option<(String, Vec<ActionId>)> {
        if self.contract.transitions.is_empty() {
            return None;
        }
        let tool = words::quote(&event.tool);
        let after = |followers: Option<&Followers>| {
            self.contract.transitions.iter().enumerate().any(|(index, step)| {
                step.to.matches(event)
                    && match followers {
                        Some(followers) => followers.contains(&index),
                        None => step.from.is_none(),
                    }
            })
        };
        let parents = match &event.cause {
            Cause::Parents(parents) => parents.as_slice(),
            Cause::SessionOrder => {
                let words = format!("{tool} may not follow the call before it");
                return (!after(self.last.as_ref())).then(|| (words, vec![event.id]));
            }
        };
        if parents.is_empty() {
            let words = format!("{tool} may not begin a session");
            return (!after(None)).then(|| (words, vec![event.id]));
        }
        let may_follow = |parent: &&ActionId| {
            self.causes.get(*parent).is_some_and(|known| after(Some(&known.followers)))
        };
        let wrong = parents.iter().find(|parent| !may_follow(parent))?;
        Some((format!("{tool} may not follow the call that led to it"), vec![event.id, *wrong]))
    }

    fn remember(&mut self, id: ActionId, known: Known) {
        if self.contract.operators.is_empty() && self.contract.transitions.is_empty() {
            return;
        }
        if self.causes.insert(id, known).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > Limits::CAUSES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.causes.remove(&oldest);
        }
    }
}

#[cfg(test)]
impl Monitor {
    pub(super) fn watches_hold_at_most(&self, most: usize) -> bool {
        self.watches.iter().all(|watch| watch.causes.len() <= most && watch.order.len() <= most)
    }
}
