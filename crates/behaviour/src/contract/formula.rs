//! Past-time temporal logic, one remembered moment per operator.
//!
//! `once f` is `true since f`, and `historically f` is `not once not f`, so that `since` is the only
//! operator with a memory: the latest moment at which its `from` held and its `hold` has held from
//! there. A window is then a comparison. The recurrences are those of runtime verification with
//! past-time LTL (Havelund and Roşu, 2002), carried from the line of events to the graph of their
//! causes.

use pathwarden_types::{ActionId, Millis};

use super::spec::{Match, Over, WithinSpec};
use crate::event::{Event, Phase};

/// A formula, compiled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Formula {
    True,
    Event(Match),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Since { slot: usize, hold: Box<Self>, from: Box<Self> },
}

/// What one `since` remembers, and how it joins several pasts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Operator {
    pub(super) within: Option<WithinSpec>,
    pub(super) over: Over,
    pub(super) paths: Paths,
    pub(super) need: Need,
}

/// On which of several paths of causes a `since` has to hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Paths {
    Some,
    Every,
}

/// Whether a rule wants the operator to hold; what is unknown counts against the call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Need {
    Wanted,
    Unwanted,
}

impl Need {
    pub(super) const fn inverted(self) -> Self {
        match self {
            Self::Wanted => Self::Unwanted,
            Self::Unwanted => Self::Wanted,
        }
    }
}

/// When a `since` began to hold, and where. A greater one is later.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Moment {
    /// The time in ms, or for a window of steps `u64::MAX` less the calls since.
    rank: u64,
    pub(super) event: ActionId,
}

/// What each operator remembers, by slot.
pub(super) type Moments = Vec<Option<Moment>>;

impl Operator {
    /// The moment of an event at which `from` holds.
    const fn moment(&self, event: &Event) -> Moment {
        let rank = match self.within {
            Some(WithinSpec::Steps(_)) => u64::MAX,
            Some(WithinSpec::Ms(_)) | None => event.at.0,
        };
        Moment { rank, event: event.id }
    }

    /// What an event inherits from one before it.
    fn pass(&self, moment: Option<Moment>, event: &Event) -> Option<Moment> {
        let older = match (self.within, event.phase) {
            (Some(WithinSpec::Steps(_)), Phase::Call) => 1,
            _ => 0,
        };
        moment.map(|moment| Moment { rank: moment.rank.saturating_sub(older), ..moment })
    }

    /// What an event inherits from several before it. `pasts` holds `None` for one that is unknown;
    /// `anywhere` is the latest moment in the whole session.
    pub(super) fn inherit(
        &self,
        pasts: impl Iterator<Item = Option<Option<Moment>>>,
        anywhere: Option<Moment>,
        event: &Event,
    ) -> Option<Moment> {
        let known = pasts.map(|past| match (past, self.need) {
            (Some(moment), _) => self.pass(moment, event),
            (None, Need::Wanted) => None,
            (None, Need::Unwanted) => anywhere,
        });
        match self.paths {
            Paths::Some => known.max().flatten(),
            Paths::Every => known.min().flatten(),
        }
    }

    /// Whether the moment is in the window.
    pub(super) fn holds(&self, moment: Option<Moment>, now: Millis) -> bool {
        moment.is_some_and(|moment| match self.within {
            None => true,
            Some(WithinSpec::Ms(ms)) => now.since(Millis(moment.rank)) <= ms,
            Some(WithinSpec::Steps(steps)) => u64::MAX - moment.rank <= steps,
        })
    }
}

impl Formula {
    /// Whether it holds at the event. `moments` goes in as inherited and comes out as of this event;
    /// nothing is skipped, because each operator must be brought up to date.
    pub(super) fn holds(
        &self,
        operators: &[Operator],
        event: &Event,
        moments: &mut Moments,
    ) -> bool {
        let mut part = |formula: &Self| formula.holds(operators, event, moments);
        match self {
            Self::True => true,
            Self::Event(wanted) => wanted.matches(event),
            Self::Not(formula) => !part(formula),
            Self::All(formulas) => formulas.iter().map(part).fold(true, |all, one| all & one),
            Self::Any(formulas) => formulas.iter().map(part).fold(false, |any, one| any | one),
            Self::Since { slot, hold, from } => {
                let (held, begun) = (part(hold), part(from));
                let (Some(operator), Some(moment)) = (operators.get(*slot), moments.get_mut(*slot))
                else {
                    return false;
                };
                let kept = moment.filter(|_| held);
                *moment = kept.max(begun.then(|| operator.moment(event)));
                operator.holds(*moment, event.at)
            }
        }
    }

    /// The slots of its operators.
    pub(super) fn slots(&self, into: &mut Vec<usize>) {
        match self {
            Self::True | Self::Event(_) => {}
            Self::Not(formula) => formula.slots(into),
            Self::All(formulas) | Self::Any(formulas) => {
                formulas.iter().for_each(|formula| formula.slots(into));
            }
            Self::Since { slot, hold, from } => {
                into.push(*slot);
                hold.slots(into);
                from.slots(into);
            }
        }
    }
}
