//! Asking the decision point, once for everything that is decided alike.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pathwarden_json::{Json, canonical};
use pathwarden_types::{
    ActionId, Digest, Effect, HostAttempt, Name, Obligation, Operation, OperationKind, Outcome,
    SessionId,
};
use pathwarden_wire::{Answer, Ask, PointPdp, Report};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// The most answers that are remembered; with more, all are forgotten and asked for again.
const KNOWN_MAX: usize = 65_536;

/// How many acts of one attempt are named to a person.
const ACTS_NAMED_MAX: usize = 4;

/// How long the decision point may take to answer a question of a process that waits in a system call.
pub(crate) const CALL_DEADLINE: Duration = Duration::from_secs(2);

/// The same of a process that waits where it can neither be frozen nor killed: long enough for a machine
/// that is busy, and not for a person.
pub(crate) const OPEN_DEADLINE: Duration = Duration::from_millis(250);

/// What the decision point says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Said {
    /// Let it happen.
    Allow,
    /// Refuse it.
    Refuse,
}

/// What is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Question {
    pub(crate) kind: OperationKind,
    /// What it is called in a path.
    pub(crate) name: String,
    pub(crate) attempt: HostAttempt,
    /// The action during which it happens, where one is known.
    pub(crate) parent: Option<ActionId>,
}

type Known = HashMap<Digest, Arc<OnceCell<Said>>>;

/// The most different things that are remembered as not let happen; how many there were is counted on.
const DENIED_LISTED_MAX: usize = 64;

/// What was not let happen.
#[derive(Clone, Debug)]
pub struct Denied {
    /// What: verbs and their objects.
    pub what: String,
    /// The rule or check that refused it; `None` while a person is asked.
    pub by: Option<String>,
    /// The action, to look up why.
    pub action: ActionId,
}

/// All that was not let happen, each once.
#[derive(Clone, Debug, Default)]
pub struct Denials {
    /// The first of them.
    pub listed: Vec<Denied>,
    /// How many there were.
    pub count: u64,
}

/// Asks the decision point for one session.
pub(crate) struct Asker {
    pdp: Arc<dyn PointPdp>,
    session: SessionId,
    runtime: Handle,
    server: Name,
    known: Mutex<Known>,
    /// What was allowed at any time: it covers what is seen to have happened.
    allowed: Mutex<HashSet<Digest>>,
    denials: Mutex<Denials>,
}

/// A question that has a digest, and so a place among those that were asked.
struct Put {
    ask: Ask,
    key: Digest,
    /// In few words.
    what: String,
}

impl Asker {
    pub(crate) fn new(
        pdp: Arc<dyn PointPdp>,
        session: SessionId,
        server: Name,
        runtime: Handle,
    ) -> Self {
        let (known, allowed, denials) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { pdp, session, runtime, server, known, allowed, denials }
    }

    /// Asks, and waits for the answer at most so long: no answer in time is a refusal. The question goes
    /// on, so that the next try finds its answer.
    pub(crate) fn ask_within(self: &Arc<Self>, question: &Question, most: Duration) -> Said {
        let Some(put) = self.put(question) else { return Said::Refuse };
        let cell = self.cell(put.key);
        if let Some(said) = cell.get() {
            return *said;
        }
        let asker = Arc::clone(self);
        let asking = self.runtime.spawn(async move { asker.fill(&cell, put).await });
        match self.runtime.block_on(async { timeout(most, asking).await }) {
            Ok(Ok(said)) => said,
            Ok(Err(_)) | Err(_) => Said::Refuse,
        }
    }

    /// Everything must be asked again: another policy decides, or something was taken or given back.
    pub(crate) fn forget(&self) {
        *self.locked() = Known::new();
    }

    /// Whether this was allowed at any time of the session.
    pub(crate) fn was_allowed(&self, question: &Question) -> bool {
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        self.put(question).is_some_and(|put| allowed.contains(&put.key))
    }

    /// What was not let happen since the last call.
    pub(crate) fn take_denials(&self) -> Denials {
        std::mem::take(&mut *self.denials.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_denied(&self, what: &str, by: Option<String>, action: ActionId) {
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |one: &Denied| one.what == what && one.by == by;
        if denials.listed.iter().any(is_same) {
            return;
        }
        denials.count = denials.count.saturating_add(1);
        if denials.listed.len() < DENIED_LISTED_MAX {
            denials.listed.push(Denied { what: what.to_owned(), by, action });
        }
    }

    fn note_allowed(&self, key: Digest) {
        let mut allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if allowed.len() < KNOWN_MAX {
            allowed.insert(key);
        }
    }

    fn put(&self, question: &Question) -> Option<Put> {
        let arguments = serde_json::to_string(&question.attempt).ok()?;
        let canonical = Digest::of(&canonical(Json::parse(arguments.as_bytes()).ok()?));
        let parent = question.parent.map(|parent| *parent.as_bytes()).unwrap_or_default();
        let kind = question.kind.as_str().as_bytes();
        let key = Digest::of_parts(&[kind, &parent, canonical.as_bytes()]);
        let ask = Ask {
            session: self.session,
            operation: Operation {
                kind: question.kind,
                server: self.server.clone(),
                name: question.name.clone(),
            },
            arguments,
            canonical,
            parent: question.parent,
            near_person: false,
            resume: None,
            minted: None,
        };
        Some(Put { ask, key, what: in_words(question) })
    }

    fn cell(&self, key: Digest) -> Arc<OnceCell<Said>> {
        let mut known = self.locked();
        if known.len() >= KNOWN_MAX && !known.contains_key(&key) {
            known.clear();
        }
        Arc::clone(known.entry(key).or_default())
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer of one question, asked by one of those who wait for it. What is no lasting answer (the
    /// node cannot be reached, a person is asked) refuses and is not remembered.
    async fn fill(&self, cell: &OnceCell<Said>, put: Put) -> Said {
        let Put { ask, key, what } = put;
        let asking = async {
            match self.pdp.ask(ask).await {
                Ok(Answer::Release(permit)) => {
                    let can = permit.obligations().iter().all(is_fulfilled);
                    self.close(permit.action(), can);
                    if can {
                        self.note_allowed(key);
                    }
                    Ok(if can { Said::Allow } else { Said::Refuse })
                }
                Ok(Answer::Refuse(refusal)) => {
                    self.note_denied(&what, Some(refusal.code), refusal.action);
                    Ok(Said::Refuse)
                }
                Ok(Answer::Held(held)) => {
                    self.note_denied(&what, None, held.action);
                    Err(())
                }
                Err(fault) => {
                    tracing::warn!(%fault, "not decided, so refused");
                    Err(())
                }
            }
        };
        cell.get_or_try_init(|| asking).await.copied().unwrap_or(Said::Refuse)
    }

    /// Closes the permit of a standing answer: what was asked for is that it be so from now on.
    fn close(&self, action: ActionId, is_done: bool) {
        let (outcome, detail) = match is_done {
            true => (Outcome::Done, ""),
            false => (Outcome::Failed, "the kernel cannot do what the rules oblige to"),
        };
        let effect = Effect {
            outcome,
            request_bytes: 0,
            response_bytes: 0,
            elapsed_ms: 0,
            detail: detail.to_owned(),
            measured: None,
        };
        let report = Report { session: self.session, action, effect, result: None };
        let pdp = Arc::clone(&self.pdp);
        self.runtime.spawn(async move {
            if let Err(fault) = pdp.report(report).await {
                tracing::warn!(%fault, "a permit is closed by the node, as unknown");
            }
        });
    }
}

/// What is asked, for a person.
fn in_words(question: &Question) -> String {
    let acts = &question.attempt.acts;
    let mut words: Vec<String> = acts
        .iter()
        .take(ACTS_NAMED_MAX)
        .map(|act| format!("{} {}", act.verb.as_str(), act.what))
        .collect();
    if acts.len() > ACTS_NAMED_MAX {
        words.push(format!("{} more", acts.len() - ACTS_NAMED_MAX));
    }
    if !question.attempt.doubts.is_empty() {
        words.push(format!("doubtful: {}", question.attempt.doubts.join(", ")));
    }
    match question.kind {
        OperationKind::Exec => format!("{}: {}", question.name, words.join(", ")),
        _ => words.join(", "),
    }
}

/// Whether the kernel can do what it is obliged to: watching is what it does anyway, and rates are the
/// engine's.
const fn is_fulfilled(obligation: &Obligation) -> bool {
    match obligation {
        Obligation::Watch | Obligation::RateLimit { .. } => true,
        Obligation::Redact { .. } | Obligation::Rewrite { .. } => false,
    }
}
