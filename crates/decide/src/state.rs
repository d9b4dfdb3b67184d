//! The state of one session: a fold over its records.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pathwarden_behaviour::{LoopLevel, Loops};
use pathwarden_purpose::{Task as Asked, Tool, plain};
use pathwarden_types::{
    ActionId, Agent, ApprovalId, Band, Confidentiality, Decided, Digest, Event, GivenBy, Integrity,
    Label, MemoryEvent, Millis, Name, Obligation, Observation, ObservationKind, Operation,
    OperationKind, Record, Task, TaskSource, ToolClass, Verdict,
};

use crate::sources::{Pointed, Provenance, Sources, Standing as SourceStanding, Use, any_act};
use crate::{Conduct, Models, Reading};

/// The state of one session. Equal records give equal states, so a restart or a replay is the same
/// fold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct State {
    agent: Agent,
    task: Task,
    join_key: Option<String>,
    task_text: String,
    ended: bool,
    isolated: bool,
    incomplete: bool,
    step: u64,
    refused: u64,
    previous: Option<ActionId>,
    calls: VecDeque<Digest>,
    loops: Loops,
    conduct: Conduct,
    /// Decisions for which the session is still given less room.
    alert: u32,
    /// Operations that a person refused.
    refused_by_person: BTreeSet<String>,
    asked: Asked,
    sources: Sources,
    models: Models,
    /// What each server says of its tools, once it has said something.
    tools: BTreeMap<Name, BTreeMap<String, Tool>>,
    given_by_task: BTreeSet<String>,
    given_by_content: BTreeSet<String>,
    given_by_outside: BTreeSet<String>,
    made_up: BTreeSet<String>,
    /// More was made up than is remembered, so that nothing read later makes a value known.
    unteachable: bool,
    untrusted_seen: bool,
    restricted_seen: bool,
    retrieved: VecDeque<Digest>,
    open: BTreeMap<ActionId, OpenPermit>,
    questions: BTreeMap<ApprovalId, Question>,
    held: BTreeMap<ActionId, ApprovalId>,
    limited: BTreeMap<String, VecDeque<Millis>>,
}

/// A permit that waits for its effect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenPermit {
    /// When the action was released.
    pub at: Millis,
    /// Where it went.
    pub server: Name,
    /// How its result will stand to the task.
    pub standing: SourceStanding,
    /// Whether it does more than look.
    pub has_effect: bool,
}

mod host;
mod questions;
mod shown;

pub(crate) use questions::operation_text;
pub use questions::{Binding, Question, Standing};

impl State {
    /// The calls that repeats are counted among.
    pub const CALLS_MAX: usize = 256;
    /// The most servers whose tools a session keeps; those of others are known by their names.
    pub const SERVERS_MAX: usize = 256;
    /// The most tools that a session keeps of one server.
    pub const TOOLS_MAX: usize = 4_096;
    /// The most entities that a session keeps of each source.
    pub const ENTITIES_MAX: usize = 16_384;
    /// The most questions that a session keeps; a hold past it is a deny.
    pub const QUESTIONS_MAX: usize = 256;
    /// The most actions that wait for a person at a time; a hold past it is a deny.
    pub const WAITING_MAX: usize = 1_024;
    /// The most permits that wait for their effect at a time; an action past it is a deny.
    pub const OPEN_MAX: usize = 4_096;
    /// For how many decisions a session that called for a person is given less room.
    pub const ALERT_DECISIONS: u32 = 16;
    /// The most operations that are remembered as refused by a person.
    const REFUSED_MAX: usize = 1_024;
    /// The window of a rate limit, in ms.
    pub const RATE_WINDOW_MS: u64 = 60_000;

    /// The state after a session's first record; `None` when the record is another. `text` is the
    /// payload that the record names, the statement of the task; see [`apply`](Self::apply).
    #[must_use]
    pub fn begin(record: &Record, text: Option<&str>) -> Option<Self> {
        let Event::SessionStarted { agent, task, join_key } = &record.event else { return None };
        let state = Self::of(agent, task, text.unwrap_or_default());
        let incomplete = text.is_none();
        Some(Self { join_key: join_key.clone(), incomplete, ..state })
    }

    fn of(agent: &Agent, task: &Task, text: &str) -> Self {
        Self {
            agent: agent.clone(),
            task: task.clone(),
            join_key: None,
            task_text: text.to_owned(),
            ended: false,
            isolated: false,
            incomplete: false,
            step: 0,
            refused: 0,
            previous: None,
            calls: VecDeque::new(),
            loops: Loops::default(),
            conduct: Conduct::default(),
            alert: 0,
            refused_by_person: BTreeSet::new(),
            asked: Asked::read(text),
            sources: Sources::default(),
            models: Models::default(),
            tools: BTreeMap::new(),
            given_by_task: Reading::of(text).entities,
            given_by_content: BTreeSet::new(),
            given_by_outside: BTreeSet::new(),
            made_up: BTreeSet::new(),
            unteachable: false,
            untrusted_seen: false,
            restricted_seen: false,
            retrieved: VecDeque::new(),
            open: BTreeMap::new(),
            questions: BTreeMap::new(),
            held: BTreeMap::new(),
            limited: BTreeMap::new(),
        }
    }

    /// The state of a session of the same agent and task that knows what its servers say of their tools,
    /// and in which nothing has happened.
    #[must_use]
    pub fn at_rest(&self) -> Self {
        Self { tools: self.tools.clone(), ..Self::of(&self.agent, &self.task, &self.task_text) }
    }

    /// Takes one more record of this session into account. `reading` is what the record's
    /// [`content`](Record::content) names; `None` when the payload is gone, and then the state says
    /// that it is [`incomplete`](Self::is_incomplete).
    pub fn apply(&mut self, record: &Record, reading: Option<&Reading>) {
        self.incomplete |= record.content().is_some() && reading.is_none();
        match &record.event {
            Event::SessionEnded { .. } => self.ended = true,
            Event::Observed { observation, content, content_bytes, label }
                if self.is_result_of_open(observation) =>
            {
                if let Some(action) = observation.action {
                    self.conduct.result(action, record.at, label, *content_bytes);
                }
                self.see_result(observation.action, *content, label, reading);
            }
            Event::Observed { observation, .. }
                if observation.kind == ObservationKind::Catalogue =>
            {
                self.see_tools(&observation.server, reading);
            }
            Event::Observed { observation, label, .. }
                if observation.kind == ObservationKind::UserMessage
                    && label.integrity == Integrity::Trusted =>
            {
                self.hear(reading);
            }
            Event::Observed { observation, content, label, .. } => {
                self.see_in_window(observation, *content, label, reading);
            }
            Event::Emitted { emission } => self.models.emit(emission),
            Event::Memory { event: MemoryEvent::Consumed { versions, content, .. } } => {
                self.models.consume(*content, versions);
            }
            Event::Decided(decided) => self.decide(record.at, decided, reading),
            Event::Answered { approval, answer, .. } => self.answer(*approval, answer.as_ref()),
            Event::Closed { action, effect } => {
                self.models.closed(*action, effect.outcome);
                self.open.remove(action);
                self.held.remove(action);
                self.forget_spent_questions();
            }
            _ => {}
        }
    }

    /// A server said what tools it has. What it said before stands too: a list may come in pages.
    fn see_tools(&mut self, server: &Name, reading: Option<&Reading>) {
        // A list of prompts or resources says nothing of tools.
        let Some(reading) = reading.filter(|reading| !reading.tools.is_empty()) else { return };
        if self.tools.len() >= Self::SERVERS_MAX && !self.tools.contains_key(server) {
            return;
        }
        let known = self.tools.entry(server.clone()).or_default();
        for (name, tool) in &reading.tools {
            if known.len() < Self::TOOLS_MAX || known.contains_key(name) {
                known.insert(name.clone(), tool.clone());
            }
        }
    }

    /// The person said more.
    fn hear(&mut self, reading: Option<&Reading>) {
        let Some(reading) = reading else { return };
        self.given_by_task.extend(reading.entities.iter().cloned());
        self.task_text.push('\n');
        self.task_text.push_str(&reading.text);
        self.asked = Asked::read(&self.task_text);
    }

    fn see_result(
        &mut self,
        action: Option<ActionId>,
        content: Digest,
        label: &Label,
        reading: Option<&Reading>,
    ) {
        if let Some(action) = action
            && let Some(permit) = self.open.get(&action)
            && let Some(reading) = reading
        {
            self.loops.result(action, content);
            self.models.result(action, reading.texts().chain([content]));
            let known = (label.integrity, permit.standing);
            self.sources.add(&self.asked, (action, content), known, reading);
            if permit.has_effect && reading.demands_proof() {
                self.sources.challenge();
            }
        }
        self.untrusted_seen |= label.integrity == Integrity::Untrusted;
        self.restricted_seen |= label.confidentiality == Confidentiality::Restricted;
        push_bounded(&mut self.retrieved, content, Decided::RETRIEVED_MAX);
        if let Some(reading) = reading.filter(|_| !self.unteachable) {
            let made_up = &self.made_up;
            let seen = reading.entities.iter().filter(|entity| !made_up.contains(*entity));
            let given_by = match label.integrity {
                Integrity::Trusted | Integrity::FirstParty => &mut self.given_by_content,
                Integrity::Untrusted => &mut self.given_by_outside,
            };
            extend(given_by, seen);
        }
    }

    /// Whether an observation is the result of an action that was released and not closed. Anything
    /// else that calls itself a result teaches the session nothing.
    fn is_result_of_open(&self, observation: &Observation) -> bool {
        let permit = observation.action.and_then(|action| self.open.get(&action));
        observation.kind == ObservationKind::Result
            && permit.is_some_and(|permit| permit.server == observation.server)
    }

    fn decide(&mut self, at: Millis, decided: &Decided, reading: Option<&Reading>) {
        let is_first = self.held.remove(&decided.action).is_none();
        self.models.decided(decided.action);
        let (kind, verdict) = (decided.operation.kind, decided.verdict);
        self.step = self.step.saturating_add(1);
        self.previous = Some(decided.action);
        if kind.is_on_host() && verdict != Verdict::Isolate {
            return self.decide_on_host(at, decided);
        }
        if is_first && kind != OperationKind::ModelCall {
            let call = call_of(&decided.operation, decided.canonical);
            push_bounded(&mut self.calls, call, Self::CALLS_MAX);
            let _ = self.loops.call(decided.action, call, decided.class);
        }
        self.alert = match decided.risk.band {
            Band::High | Band::Severe => Self::ALERT_DECISIONS,
            Band::Low | Band::Guarded | Band::Elevated => self.alert.saturating_sub(1),
        };
        match verdict {
            Verdict::Allow | Verdict::Constrain => self.release(at, decided, reading),
            Verdict::Hold => self.hold(decided),
            Verdict::Deny => self.refused = self.refused.saturating_add(1),
            Verdict::Isolate => {
                self.refused = self.refused.saturating_add(1);
                self.isolated = true;
            }
        }
        self.forget_spent_questions();
    }

    fn use_approval(&mut self, decided: &Decided) {
        if let Some(approval) = &decided.approval
            && let Some(question) = self.questions.get_mut(&approval.id)
        {
            question.standing = Standing::Used;
        }
    }

    fn release(&mut self, at: Millis, decided: &Decided, reading: Option<&Reading>) {
        self.use_approval(decided);
        let server = decided.operation.server.clone();
        if decided.operation.kind == OperationKind::ModelCall {
            let standing = SourceStanding::default();
            self.open
                .insert(decided.action, OpenPermit { at, server, standing, has_effect: false });
            return;
        }
        let is_approved = decided.approval.is_some();
        let (id, operation) = ((decided.action, at), &decided.operation);
        let event = self.conduct.call(id, operation, decided.class, reading, is_approved);
        self.conduct.step(event);
        let has_effect = decided.class.has_effect();
        let standing = reading
            .map(|reading| self.standing_of_result(reading, has_effect))
            .unwrap_or(SourceStanding { pointed: Pointed::No, is_derived: true });
        if let Some(reading) = reading.filter(|_| has_effect) {
            self.sources.add_own(decided.action, decided.arguments, reading);
        }
        self.open.insert(decided.action, OpenPermit { at, server, standing, has_effect });
        if let Some(reading) = reading {
            let given = [&self.given_by_task, &self.given_by_content, &self.given_by_outside];
            let is_new = |entity: &&String| !given.iter().any(|set| set.contains(*entity));
            let all_kept = extend(&mut self.made_up, reading.entities.iter().filter(is_new));
            self.unteachable |= !all_kept || reading.overflowed;
        }
        if decided.obligations.iter().any(|o| matches!(o, Obligation::RateLimit { .. })) {
            let is_fresh = |time: &Millis| at.since(*time) < Self::RATE_WINDOW_MS;
            self.limited.retain(|_, times| times.back().is_some_and(is_fresh));
            let times = self.limited.entry(operation_text(&decided.operation)).or_default();
            times.retain(is_fresh);
            times.push_back(at);
        }
    }

    /// How the result of a call with these arguments stands to the task.
    fn standing_of_result(&self, arguments: &Reading, has_effect: bool) -> SourceStanding {
        let usage = Use { acts: any_act(), may_be_left: true, is_passed_on: false };
        let mut standing = SourceStanding::default();
        let mut is_given = false;
        for field in arguments.fields.iter().filter(|field| is_telling(&field.text)) {
            let given_by = self.provenance(&field.text, usage).given_by;
            let names = given_by == GivenBy::Task || self.asked.gives_part_of(&field.text);
            is_given |= given_by == GivenBy::Task;
            standing.is_derived |= given_by > GivenBy::Nobody;
            standing.pointed = standing.pointed.max(match given_by {
                _ if has_effect => Pointed::No,
                _ if names => Pointed::Directly,
                GivenBy::Pointed => Pointed::Through,
                _ => Pointed::No,
            });
        }
        standing.is_derived &= !is_given;
        standing
    }

    /// Who acts.
    #[must_use]
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The statement of the task.
    #[must_use]
    pub const fn task(&self) -> &Task {
        &self.task
    }

    /// What the enforcement points of one run of a client have in common, when an agent opened the
    /// session.
    #[must_use]
    pub fn join_key(&self) -> Option<&str> {
        self.join_key.as_deref()
    }

    /// What the agent was asked to do; empty when nobody said.
    #[must_use]
    pub fn task_text(&self) -> &str {
        &self.task_text
    }

    /// Whether a person stated the task.
    #[must_use]
    pub fn task_is_stated(&self) -> bool {
        self.task.stated_by != TaskSource::Nobody
    }

    /// Whether the session can act: it has not ended.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !self.ended
    }

    /// Whether everything the session attempts is refused.
    #[must_use]
    pub const fn is_isolated(&self) -> bool {
        self.isolated
    }

    /// Whether a payload was gone, so that the state is not what it was.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Decisions so far.
    #[must_use]
    pub const fn step(&self) -> u64 {
        self.step
    }

    /// Refusals so far.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// The action decided last.
    #[must_use]
    pub const fn previous(&self) -> Option<ActionId> {
        self.previous
    }

    /// Whether content that outsiders may have shaped was read.
    #[must_use]
    pub const fn untrusted_seen(&self) -> bool {
        self.untrusted_seen
    }

    /// Whether restricted content was read.
    #[must_use]
    pub const fn restricted_seen(&self) -> bool {
        self.restricted_seen
    }

    /// The results received last, latest last.
    pub fn retrieved(&self) -> impl Iterator<Item = Digest> + '_ {
        self.retrieved.iter().copied()
    }

    /// How often this very call was decided among the last [`Self::CALLS_MAX`].
    #[must_use]
    pub fn repeats(&self, operation: &Operation, canonical: Digest) -> u64 {
        let call = call_of(operation, canonical);
        self.calls.iter().map(|seen| u64::from(*seen == call)).sum()
    }

    /// What this call would make of a loop.
    #[must_use]
    pub fn looping(&self, operation: &Operation, canonical: Digest) -> &'static str {
        match self.loops.would(call_of(operation, canonical)).map(|found| found.level) {
            None => "none",
            Some(LoopLevel::Warn) => "warn",
            Some(LoopLevel::Throttle) => "throttle",
            Some(LoopLevel::Break) => "break",
        }
    }

    /// Where an address, a link or an account came from, spelled as a [`Reading`] spells it: only what
    /// stands somewhere exactly so counts.
    pub(crate) fn given_by(&self, value: &str, usage: Use) -> GivenBy {
        if self.given_by_task.contains(value) {
            GivenBy::Task
        } else if self.given_by_content.contains(value) {
            GivenBy::Content
        } else if self.given_by_outside.contains(value) {
            match self.provenance(value, usage).given_by {
                found @ (GivenBy::Record | GivenBy::Pointed | GivenBy::Ordered) => found,
                _ => GivenBy::OutsideContent,
            }
        } else {
            GivenBy::Nobody
        }
    }

    /// Where any value came from.
    pub(crate) fn provenance(&self, value: &str, usage: Use) -> Provenance {
        if self.asked.gives(value) || plain(value) == plain(&self.agent.owner) {
            return Provenance::nowhere(GivenBy::Task);
        }
        self.sources.trace(&self.asked, value, usage)
    }

    /// What the session did.
    #[must_use]
    pub const fn conduct(&self) -> &Conduct {
        &self.conduct
    }

    /// Whether the session lately did what called for a person.
    pub(crate) const fn is_alert(&self) -> bool {
        self.alert > 0
    }

    /// Whether a person refused an action of this operation.
    pub(crate) fn was_refused(&self, operation: &Operation) -> bool {
        self.refused_by_person.contains(&operation_text(operation))
    }

    /// What was read, and how far it speaks for a value.
    pub(crate) const fn sources(&self) -> &Sources {
        &self.sources
    }

    /// What the task asks for, as far as its words say.
    #[must_use]
    pub const fn asked(&self) -> &Asked {
        &self.asked
    }

    /// What a tool does, as far as its server says; [`ToolClass::Unknown`] for one that a server does
    /// not list.
    #[must_use]
    pub fn tool(&self, operation: &Operation) -> (Tool, ToolClass) {
        let looks = || Tool::unknown("get");
        match (operation.kind, self.tools.get(&operation.server)) {
            (
                OperationKind::ResourceRead
                | OperationKind::PromptGet
                | OperationKind::Sampling
                | OperationKind::Elicitation
                | OperationKind::Roots
                | OperationKind::ModelCall,
                _,
            ) => (looks(), ToolClass::Read),
            // It tells the server something that it did not know.
            (OperationKind::Reply, _) => (looks(), ToolClass::Write),
            (
                OperationKind::Exec
                | OperationKind::File
                | OperationKind::Connect
                | OperationKind::Effect,
                _,
            ) => (looks(), ToolClass::Write),
            (OperationKind::ToolCall, Some(listed)) => match listed.get(&operation.name) {
                Some(tool) => (tool.clone(), tool.class()),
                None => (Tool::unknown(""), ToolClass::Unknown),
            },
            (OperationKind::ToolCall, None) => {
                let tool = Tool::unknown(&operation.name);
                let class = tool.class();
                (tool, class)
            }
        }
    }

    /// Permits that are not closed.
    pub fn open(&self) -> impl Iterator<Item = (ActionId, &OpenPermit)> {
        self.open.iter().map(|(action, permit)| (*action, permit))
    }

    /// The permit of this action, while it waits for its effect.
    #[must_use]
    pub fn open_permit(&self, action: ActionId) -> Option<&OpenPermit> {
        self.open.get(&action)
    }

    /// Actions of this operation that a rate limit counted in the last minute.
    #[must_use]
    pub fn limited(&self, operation: &Operation, now: Millis) -> usize {
        self.limited.get(&operation_text(operation)).map_or(0, |times| {
            times.iter().filter(|time| now.since(**time) < Self::RATE_WINDOW_MS).count()
        })
    }
}

/// Whether a value says something about where it came from: more than a small number or a date.
fn is_telling(value: &str) -> bool {
    /// Shorter numbers stand everywhere by chance.
    const DIGITS_MIN: usize = 5;
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let is_date = digits == 8 && value.contains(['-', '/']) || value.contains(':');
    let has_letters = value.chars().any(char::is_alphabetic);
    value.len() > 2 && (has_letters || (digits >= DIGITS_MIN && !is_date))
}

fn call_of(operation: &Operation, canonical: Digest) -> Digest {
    Digest::of_parts(&[operation_text(operation).as_bytes(), canonical.as_bytes()])
}

/// Adds as much as there is room for; says whether that was all.
fn extend<'a>(into: &mut BTreeSet<String>, from: impl Iterator<Item = &'a String>) -> bool {
    for entity in from {
        if into.len() >= State::ENTITIES_MAX && !into.contains(entity) {
            return false;
        }
        into.insert(entity.clone());
    }
    true
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, most: usize) {
    if queue.len() >= most {
        queue.pop_front();
    }
    queue.push_back(item);
}
