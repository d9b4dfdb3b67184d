//! What a session has read, and how far each source speaks for a value.

use std::collections::BTreeSet;
use std::ops::Range;

use pathwarden_lineage::{How, Index, Match, SourceId, Trace};
use pathwarden_purpose::{Act, Acts, Order, Task, Tool, holds, plain};
use pathwarden_types::{ActionId, Digest, GivenBy, Integrity, Place, Ratio};

use crate::{Reading, links};

/// What a session has read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sources {
    index: Index,
    sources: Vec<Source>,
    orders: usize,
    /// The first source that can answer the demand to prove who one is.
    challenged: Option<usize>,
    is_full: bool,
}

/// One piece of content that a session has read.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Source {
    action: ActionId,
    content: Digest,
    integrity: Integrity,
    standing: Standing,
    /// Where it speaks of what the task names: bytes of the items that do.
    about: Vec<Range<usize>>,
    /// Where it says what nobody sees who looks at it.
    hidden: Vec<Range<usize>>,
    orders: Vec<Order>,
    /// Items in which something is ordered, each with what.
    ordering: Vec<(Range<usize>, Acts)>,
    cue: Ratio,
    /// Whether the agent wrote it: the arguments of an action that had an effect. What stands here
    /// first does not become known by being read back.
    is_own: bool,
}

/// How a result stands to the task, from the call that asked for it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// How the task points to it.
    pub pointed: Pointed,
    /// Whether it was found with a value that outsiders chose, so that it is theirs as well.
    pub is_derived: bool,
}

/// How the task points to a source.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Pointed {
    /// Not at all.
    #[default]
    No,
    /// A source that it points to does.
    Through,
    /// By name.
    Directly,
}

/// What a value is asked about for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Use {
    /// What the action does with it.
    pub(crate) acts: Acts,
    /// Whether a task that leaves the choice to content leaves this one.
    pub(crate) may_be_left: bool,
    /// Whether it is only passed on, as what a message says.
    pub(crate) is_passed_on: bool,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Provenance {
    /// Who gave it.
    pub given_by: GivenBy,
    /// Where it stands, unless the task or nobody gave it.
    pub place: Option<Place>,
    /// How much the result that it stands in looks like an attempt to steer a model.
    pub cue: Ratio,
}

impl Provenance {
    /// A value that stands nowhere.
    pub(crate) const fn nowhere(given_by: GivenBy) -> Self {
        Self { given_by, place: None, cue: Ratio::ZERO }
    }
}

impl Sources {
    /// The most orders that a session remembers; past it nothing outside speaks for a
    /// value.
    pub const ORDERS_MAX: usize = 8_192;

    /// How much of a value a place must explain to have given it.
    const COVERAGE_MIN: Ratio = Ratio::of(8_000);

    /// The most items of one result of which is known that something is ordered there.
    const ORDERING_MAX: usize = 4_096;

    /// Remembers a result.
    pub(crate) fn add(
        &mut self,
        task: &Task,
        (action, content): (ActionId, Digest),
        (integrity, standing): (Integrity, Standing),
        reading: &Reading,
    ) {
        let ordering = reading.ordering();
        self.orders = self.orders.saturating_add(reading.orders.len());
        self.is_full |= reading.overflowed
            || self.orders > Self::ORDERS_MAX
            || ordering.len() > Self::ORDERING_MAX;
        // Once something is left out, nothing outside speaks for a value, whatever orders it.
        let (orders, ordering) =
            if self.is_full { Default::default() } else { (reading.orders.clone(), ordering) };
        let source = Source {
            action,
            content,
            integrity,
            standing,
            about: reading.about(task),
            hidden: reading.hidden(),
            orders,
            ordering,
            cue: reading.cue,
            is_own: false,
        };
        self.keep(source, reading);
    }

    /// Remembers what the agent wrote, so that it is not taken for news when it comes back.
    pub(crate) fn add_own(&mut self, action: ActionId, content: Digest, reading: &Reading) {
        let source = Source {
            action,
            content,
            integrity: Integrity::Untrusted,
            standing: Standing { pointed: Pointed::No, is_derived: true },
            about: Vec::new(),
            hidden: Vec::new(),
            orders: Vec::new(),
            ordering: Vec::new(),
            cue: Ratio::ZERO,
            is_own: true,
        };
        self.keep(source, reading);
    }

    fn keep(&mut self, source: Source, reading: &Reading) {
        if self.sources.len() >= Index::SOURCES_MAX {
            self.is_full = true;
            return;
        }
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.index.add(id, &reading.content);
        self.is_full |= self.index.is_full();
        self.sources.push(source);
    }

    /// Whether more was read than is remembered.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Notes that a system demanded proof of who one is: what is read from here on may hold it.
    pub(crate) fn challenge(&mut self) {
        self.challenged = Some(self.sources.len());
    }

    /// Whether a value stands in what was read after the latest demand for proof.
    pub(crate) fn answers_challenge(&self, value: &str) -> bool {
        let after = |found: &Match| self.challenged.is_some_and(|first| number(found) >= first);
        self.found(value).iter().any(after)
    }

    /// Where a value came from, apart from the task.
    pub(crate) fn trace(&self, task: &Task, value: &str, usage: Use) -> Provenance {
        let found = self.found(value);
        // An id is given by the system that keeps the record, whatever somebody wrote into it.
        let chosen = if is_chosen(value) { usage.acts } else { Acts::NONE };
        let mut best: Option<(GivenBy, &Match)> = None;
        for found in &found {
            let Some(source) = self.sources.get(number(found)) else { continue };
            let given_by = self.speaks(source, found, chosen);
            if best.is_none_or(|(before, _)| given_by < before) {
                best = Some((given_by, found));
            }
        }
        let Some((given_by, found)) = best else {
            return Provenance::nowhere(GivenBy::Nobody);
        };
        if given_by > GivenBy::Content
            && let Some((source, order)) = self.ordered(task, &plain(value), usage)
        {
            return source.gives(GivenBy::Ordered, order.start..order.end);
        }
        let source = self.sources.get(number(found));
        let nowhere = Provenance::nowhere(given_by);
        source.map_or(nowhere, |source| source.gives(given_by, found.start..found.end))
    }

    /// The least trusted source that any part of a text was taken from; `None` when it was taken from
    /// nowhere.
    pub(crate) fn worst(&self, text: &str) -> Option<Integrity> {
        self.taken_from(text).into_iter().map(|(_, integrity)| integrity).max()
    }

    /// Whether one place of what an action returned explains all or nearly all of a text.
    pub(crate) fn is_from(&self, action: ActionId, text: &str) -> bool {
        if text.len() > Trace::VALUE_BYTES_MAX {
            return false;
        }
        let is_its = |found: &Match| {
            let source = self.sources.get(number(found));
            source.is_some_and(|source| source.action == action && !source.is_own)
        };
        self.places(text).iter().any(is_its)
    }

    /// The contents that any part of a text was taken from.
    pub(crate) fn taken_from(&self, text: &str) -> Vec<(Digest, Integrity)> {
        let matches = self.index.trace(text).matches;
        let sources = matches.iter().filter_map(|found| self.sources.get(number(found)));
        let read = sources.filter(|source| !source.is_own);
        let found: BTreeSet<_> = read.map(|source| (source.content, source.integrity)).collect();
        found.into_iter().collect()
    }

    /// The places that explain all or nearly all of a value, as far as they came before the agent wrote
    /// it itself.
    fn found(&self, value: &str) -> Vec<Match> {
        let plain = plain(value);
        let mut matches = self.places(value);
        // A link may have been written without its scheme.
        if matches.is_empty() && plain.len() < value.len() {
            matches = self.places(&plain);
        }
        let is_own =
            |found: &&Match| self.sources.get(number(found)).is_some_and(|source| source.is_own);
        if let Some(written) = matches.iter().filter(is_own).map(number).min() {
            matches.retain(|found| number(found) < written);
        }
        matches
    }

    fn places(&self, value: &str) -> Vec<Match> {
        let mut matches = self.index.trace(value).matches;
        matches.retain(|found| {
            let in_one_place = matches!(found.how, How::Whole | How::Embedded | How::Decoded(_));
            in_one_place && found.coverage >= Self::COVERAGE_MIN
        });
        matches
    }

    /// How far one place speaks for a value.
    fn speaks(&self, source: &Source, found: &Match, chosen: Acts) -> GivenBy {
        if source.integrity != Integrity::Untrusted {
            GivenBy::Content
        } else if self.is_full || source.standing.is_derived || source.is_hidden(found.start) {
            GivenBy::OutsideContent
        } else if found.how == How::Whole && !source.orders_beside(found.start, chosen) {
            GivenBy::Record
        } else if source.pointed(found.start) > Pointed::No {
            GivenBy::Pointed
        } else {
            GivenBy::OutsideContent
        }
    }

    /// Whether outside content orders what a tool does, and names what it works on.
    pub(crate) fn orders_tool(&self, task: &Task, tool: &Tool) -> bool {
        let acts = tool.acts().without(Acts::of(&[Act::Look, Act::Visit]));
        let outside = self
            .sources
            .iter()
            .filter(|source| source.integrity == Integrity::Untrusted && !source.is_own);
        outside.flat_map(|source| source.orders.iter().map(move |order| (source, order))).any(
            |(source, order)| {
                let is_left = task.is_open() && source.pointed(order.start) == Pointed::Directly;
                order.acts.meets(acts)
                    && !is_left
                    && tool.things().any(|thing| holds(&order.text, thing))
            },
        )
    }

    /// A sentence of outside content that holds the value, in plain form, and orders what is done with
    /// it, unless the person left that to this very source.
    fn ordered(&self, task: &Task, value: &str, usage: Use) -> Option<(&Source, &Order)> {
        let outside = self.sources.iter().filter(|source| source.integrity == Integrity::Untrusted);
        outside.flat_map(|source| source.orders.iter().map(move |order| (source, order))).find(
            |(source, order)| {
                let is_left = usage.is_passed_on || (usage.may_be_left && task.is_open());
                order.acts.meets(usage.acts)
                    && holds(&order.text, value)
                    && !(is_left && source.pointed(order.start) == Pointed::Directly)
            },
        )
    }
}

impl Source {
    /// Whether the item that holds this place orders one of these acts: then whoever wrote the order
    /// wrote the record.
    fn orders_beside(&self, at: usize, acts: Acts) -> bool {
        self.ordering.iter().any(|(item, ordered)| item.contains(&at) && ordered.meets(acts))
    }

    /// Whether a person who looks at the content does not see this place.
    fn is_hidden(&self, at: usize) -> bool {
        self.hidden.iter().any(|hidden| hidden.contains(&at))
    }

    fn pointed(&self, at: usize) -> Pointed {
        let is_about = self.about.iter().any(|about| about.contains(&at));
        if is_about { Pointed::Directly } else { self.standing.pointed }
    }

    fn gives(&self, given_by: GivenBy, bytes: Range<usize>) -> Provenance {
        let number = |at: usize| u64::try_from(at).unwrap_or(u64::MAX);
        let (action, content) = (self.action, self.content);
        let place = Place { action, content, start: number(bytes.start), end: number(bytes.end) };
        Provenance { given_by, place: Some(place), cue: self.cue }
    }
}

/// Whether whoever writes to somebody chooses such a value: an address, a link, an account.
fn is_chosen(value: &str) -> bool {
    /// As long as the shortest account numbers.
    const ACCOUNT_BYTES_MIN: usize = 12;
    let digits = value.chars().filter(char::is_ascii_digit).count();
    value.contains('@') || links::is_link(value) || (value.len() >= ACCOUNT_BYTES_MIN && digits > 3)
}

fn number(found: &Match) -> usize {
    usize::try_from(found.source.0).unwrap_or(usize::MAX)
}

/// Everything that can be done.
pub(crate) fn any_act() -> Acts {
    Acts::of(&Act::ALL).without(Acts::of(&[Act::Look]))
}
