//! What a session did and why: views of the ledger.

use std::collections::BTreeMap;

use pathwarden_decide::{Engine, Snapshot, Snippet, decide, snippet, what_if};
use pathwarden_types::{
    Action, ActionId, Decided, Effect, Emission, Event, Record, RuleHit, SessionId, ToolClass,
};
use pathwarden_wire::{
    ActionPath, Because, Export, Fault, FaultKind, OriginShown, PathEvent, PathEventKind,
    SaidShown, SnippetShown, Step, Why, WindowShown, WouldChange,
};
use serde_json::Value;

use crate::context::Calls;
use crate::history::{History, HistoryError};
use crate::{Warden, chain, internal};

/// The most new pieces of a window that a path shows of each call.
const PATH_PIECES_MAX: usize = 64;

/// How much of a text a path shows, in characters.
const PATH_TEXT_CHARS_MAX: usize = 400;

/// The most records that one page of an export holds.
const EXPORT_RECORDS_MAX: usize = 1_000;

impl Warden {
    /// The action path of a session.
    ///
    /// # Errors
    ///
    /// A fault when there is no such session or the ledger cannot be read.
    pub fn path(&self, session: SessionId) -> Result<ActionPath, Fault> {
        let records = self.history.of_session(session).map_err(unreadable)?;
        let mut path = None;
        for (index, record) in &records {
            if let Event::SessionStarted { agent, task, .. } = &record.event {
                let task = self.history.text(&task.prompt).map_err(unreadable)?;
                path = Some(ActionPath {
                    session,
                    agent: agent.clone(),
                    task: task.unwrap_or_default(),
                    steps: Vec::new(),
                    events: Vec::new(),
                });
            }
            if let Some(path) = &mut path {
                add(&mut path.steps, *index, record);
                path.events.extend(event_of(record));
            }
        }
        if let Some(path) = &mut path {
            self.add_host(&mut path.steps, &records).map_err(unreadable)?;
            let calls = self.history.calls(&records).map_err(unreadable)?;
            self.add_models(&mut path.steps, &calls)?;
        }
        path.ok_or_else(|| {
            let message = format!("the ledger knows no session `{session}`");
            Fault::new(FaultKind::NotFound, message, "see `pathwarden session list`")
        })
    }

    /// Says of each act of a process what it does to the machine.
    fn add_host(&self, steps: &mut [Step], records: &[(u64, Record)]) -> Result<(), HistoryError> {
        for step in steps.iter_mut().filter(|step| step.operation.kind.is_on_host()) {
            let is_decision = |(index, _): &&(u64, Record)| *index == step.index;
            let Some((_, record)) = records.iter().find(is_decision) else { continue };
            if let Some(decided) = decided(record) {
                let text = self.history.text(&decided.arguments)?;
                step.host = text.and_then(|text| serde_json::from_str(&text).ok());
            }
        }
        Ok(())
    }

    /// Says of each model call what it was shown and what it said.
    fn add_models(&self, steps: &mut [Step], calls: &Calls) -> Result<(), Fault> {
        let mut told: BTreeMap<ActionId, ActionId> = BTreeMap::new();
        for seen in &calls.seen {
            let placed = &seen.placed;
            if let Some(spawned_by) = placed.spawned_by {
                told.insert(placed.thread, spawned_by);
            }
            let Some(step) = steps.iter_mut().find(|step| step.action == seen.action) else {
                continue;
            };
            let spawned_by = told.get(&placed.thread).copied();
            step.parent = step.parent.or(spawned_by);
            let mut added = Vec::new();
            for artifact in placed.added.iter().take(PATH_PIECES_MAX) {
                let mut piece = self.piece(calls, artifact, true)?;
                piece.text = piece.text.map(|text| short(&text));
                added.push(piece);
            }
            let (thread, change) = (placed.thread, placed.change.as_str().to_owned());
            step.window = Some(WindowShown { thread, spawned_by, change, added });
            step.said = seen.said.as_ref().map(|said| {
                let text = |name| short(said.get(name).and_then(Value::as_str).unwrap_or_default());
                SaidShown {
                    text: text("text"),
                    reasoning: text("reasoning"),
                    finish: text("finish"),
                }
            });
        }
        Ok(())
    }

    /// Why an action was decided as it was; what would have changed it comes from other runs of the
    /// same policy on the recorded inputs.
    ///
    /// # Errors
    ///
    /// A fault when there is no such action or the ledger cannot be read.
    pub fn why(&self, action: ActionId) -> Result<Why, Fault> {
        let records = self.history.of_action(action).map_err(unreadable)?;
        let (index, record, decided) = records
            .iter()
            .rev()
            .find_map(|(index, record)| Some((*index, record, decided(record)?)))
            .ok_or_else(|| no_action(action))?;
        let session = record.session.ok_or_else(internal)?;
        let effect = records.iter().find_map(|(_, record)| effect(record));
        let would_change = self.would_change(session, index, record, decided);
        Ok(Why {
            index,
            session,
            at: record.at,
            arguments: self.history.text(&decided.arguments).map_err(unreadable)?,
            task: self.history.text(&decided.prompt).map_err(unreadable)?.unwrap_or_default(),
            decided: decided.clone(),
            effect: effect.cloned(),
            origins: self.origins(decided).map_err(unreadable)?,
            would_change: would_change.map_err(unreadable)?.unwrap_or_default(),
        })
    }

    /// Where the arguments came from, with the places themselves as far as they are still there.
    fn origins(&self, decided: &Decided) -> Result<Vec<OriginShown>, HistoryError> {
        let mut shown = Vec::with_capacity(decided.origins.len());
        for origin in &decided.origins {
            let text = match &origin.place {
                Some(place) => self.history.text(&place.content)?.map(|text| (text, *place)),
                None => None,
            };
            let snippet = text.map(|(text, place)| {
                let at = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX);
                let Snippet { before, value, after } =
                    snippet(&text, at(place.start), at(place.end));
                SnippetShown { before, value, after }
            });
            shown.push(OriginShown { origin: origin.clone(), snippet });
        }
        Ok(shown)
    }

    fn would_change(
        &self,
        session: SessionId,
        index: u64,
        record: &Record,
        decided: &Decided,
    ) -> Result<Option<Vec<WouldChange>>, HistoryError> {
        let before = self.history.of_session(session)?;
        let state = before
            .iter()
            .take_while(|(at, _)| *at < index)
            .try_fold(None, |state, (_, record)| self.history.fold(state, record))?;
        let (Some(state), Some(mut engine)) = (state, self.history.engine_of(decided)?) else {
            return Ok(None);
        };
        let Some(action) = self.history.action_of(session, decided)? else { return Ok(None) };
        let asker = crate::replay::asker(record, decided);
        let again = decide(&mut engine, &state, &action, &asker, record.at);
        let changes = what_if(&mut engine, &again);
        Ok(Some(changes.into_iter().map(WouldChange::from).collect()))
    }

    /// Index of the latest record that decided an action.
    ///
    /// # Errors
    ///
    /// A fault when there is no such action or the ledger cannot be read.
    pub fn index_of(&self, action: ActionId) -> Result<u64, Fault> {
        let records = self.history.of_action(action).map_err(unreadable)?;
        let found = records.iter().rev().find(|(_, record)| decided(record).is_some());
        found.map(|(index, _)| *index).ok_or_else(|| no_action(action))
    }

    /// A `.tlog-proof` that the record at an index is on the log.
    ///
    /// # Errors
    ///
    /// A fault when the log is shorter, or no checkpoint can be published.
    pub fn prove(&self, index: u64) -> Result<String, Fault> {
        self.history.reader().proof(index).map_err(|error| {
            let advice = "see `pathwarden ledger verify`";
            Fault::new(FaultKind::NotFound, chain(&error), advice)
        })
    }

    /// Covers every record so far with a signed checkpoint, and gives its text.
    ///
    /// # Errors
    ///
    /// A fault when it cannot be published.
    pub fn publish(&self) -> Result<String, Fault> {
        let checkpoint = self.store.publish().map_err(|error| {
            Fault::new(FaultKind::LedgerUnavailable, chain(&error), "look at the daemon's log")
        })?;
        Ok(checkpoint.text().to_owned())
    }

    /// Writes down what is on its way, signs a last checkpoint, and takes no more records.
    ///
    /// # Errors
    ///
    /// A fault when the ledger could not be closed in order; a start recovers it.
    pub fn close(&self) -> Result<(), Fault> {
        let closed = self.store.close().map_err(|error| {
            Fault::new(FaultKind::LedgerUnavailable, chain(&error), "a start recovers the ledger")
        })?;
        tracing::debug!(records = closed.size(), "the ledger is closed");
        Ok(())
    }

    /// A page of records as they stand in the ledger.
    ///
    /// # Errors
    ///
    /// A fault when the ledger cannot be read.
    pub fn export(&self, first: u64) -> Result<Export, Fault> {
        let mut records = Vec::new();
        for item in self.history.from(first).take(EXPORT_RECORDS_MAX) {
            let (_, record) = item.map_err(unreadable)?;
            records.push(serde_json::to_value(record).map_err(|_| internal())?);
        }
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let next = first.saturating_add(count);
        let next = (count > 0 && next < self.history.reader().size()).then_some(next);
        Ok(Export { first, records, next })
    }
}

impl History {
    /// An engine that decides as the recorded decision did; `None` when the policy is gone.
    pub(crate) fn engine_of(&self, decided: &Decided) -> Result<Option<Engine>, HistoryError> {
        let bytes = self.reader().payload(&decided.policy).map_err(HistoryError::Read)?;
        Ok(bytes.and_then(|bytes| Snapshot::from_bytes(&bytes).ok()).map(Engine::new))
    }

    /// The action that was decided; `None` when its arguments are gone.
    pub(crate) fn action_of(
        &self,
        session: SessionId,
        decided: &Decided,
    ) -> Result<Option<Action>, HistoryError> {
        Ok(self.text(&decided.arguments)?.map(|arguments| Action {
            id: decided.action,
            session,
            parent: decided.position.parent,
            operation: decided.operation.clone(),
            arguments,
            canonical: decided.canonical,
            supply: decided.supply.clone(),
            claim: decided.claim,
            restrictions: decided.restrictions.clone(),
        }))
    }
}

fn decided(record: &Record) -> Option<&Decided> {
    match &record.event {
        Event::Decided(decided) => Some(decided),
        _ => None,
    }
}

fn effect(record: &Record) -> Option<&Effect> {
    match &record.event {
        Event::Closed { effect, .. } => Some(effect),
        _ => None,
    }
}

/// A text cut short, for a list.
fn short(text: &str) -> String {
    match text.char_indices().nth(PATH_TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// What a record tells of a session beside its actions.
fn event_of(record: &Record) -> Option<PathEvent> {
    let (action, what) = match &record.event {
        Event::Found { finding } => {
            (finding.action, PathEventKind::Found { finding: finding.clone() })
        }
        Event::Contained { standing, action } => {
            (*action, PathEventKind::Contained { standing: standing.clone() })
        }
        Event::Released { restriction, by } => {
            let (restriction, by) = (restriction.clone(), by.clone());
            (None, PathEventKind::Released { restriction, by })
        }
        Event::Point { standing } => (None, PathEventKind::Point { standing: standing.clone() }),
        _ => return None,
    };
    Some(PathEvent { at: record.at, action, what })
}

fn add(steps: &mut Vec<Step>, index: u64, record: &Record) {
    match &record.event {
        Event::Emitted { emission } => steps.push(emitted_step(index, record, emission)),
        Event::Decided(decided) => decide_step(steps, index, record, decided),
        Event::Closed { action, effect } => {
            if let Some(step) = steps.iter_mut().find(|step| step.action == *action) {
                step.outcome = Some(effect.outcome);
                step.elapsed_ms = Some(effect.elapsed_ms);
                step.measured.clone_from(&effect.measured);
            }
        }
        _ => {}
    }
}

fn decide_step(steps: &mut Vec<Step>, index: u64, record: &Record, decided: &Decided) {
    let because = weighed_most(&decided.hits);
    let risk = decided.risk.score.steps();
    if let Some(step) = steps.iter_mut().find(|step| step.action == decided.action) {
        step.verdicts.push(decided.verdict);
        (step.because, step.risk, step.index) = (because, risk, index);
        (step.class, step.claim) = (decided.class, decided.claim);
        step.operation = decided.operation.clone();
        return;
    }
    steps.push(Step {
        action: decided.action,
        parent: decided.position.parent,
        at: record.at,
        operation: decided.operation.clone(),
        class: decided.class,
        verdicts: vec![decided.verdict],
        because,
        risk,
        outcome: None,
        elapsed_ms: None,
        host: None,
        measured: None,
        index,
        claim: decided.claim,
        is_emitted: false,
        window: None,
        said: None,
    });
}

/// A call that a model emitted, and that nobody has carried out yet.
fn emitted_step(index: u64, record: &Record, emission: &Emission) -> Step {
    Step {
        action: emission.action,
        parent: Some(emission.model_call),
        at: record.at,
        operation: emission.operation.clone(),
        class: ToolClass::Unknown,
        verdicts: Vec::new(),
        because: Vec::new(),
        risk: 0,
        outcome: None,
        elapsed_ms: None,
        host: None,
        measured: None,
        index,
        claim: None,
        is_emitted: true,
        window: None,
        said: None,
    }
}

/// The most restrained rules that spoke.
fn weighed_most(hits: &[RuleHit]) -> Vec<Because> {
    let most = hits.iter().map(|hit| hit.verdict).max();
    hits.iter()
        .filter(|hit| Some(hit.verdict) == most)
        .map(|hit| Because { rule: hit.rule.clone(), reason: hit.reason.clone() })
        .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "this is what `map_err` hands over")]
pub(crate) fn unreadable(error: HistoryError) -> Fault {
    tracing::error!(error = chain(&error), "the ledger could not be read back");
    let advice = "verify the ledger: `pathwarden ledger verify`";
    Fault::new(FaultKind::Internal, chain(&error), advice)
}

fn no_action(action: ActionId) -> Fault {
    let message = format!("the ledger knows no action `{action}`");
    Fault::new(FaultKind::NotFound, message, "see `pathwarden path SESSION`")
}
