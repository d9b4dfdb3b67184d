//! What an operator does: sessions, answers.

use std::sync::Arc;

use pathwarden_decide::{Standing, State};
use pathwarden_store::{Append, Pending};
use pathwarden_types::{
    Agent, ApprovalAnswer, ApprovalId, Digest, Event, Millis, Name, SessionId, Task, TaskSource,
};
use pathwarden_wire::{
    AnswerApproval, ApprovalRow, Fault, FaultKind, Health, Reach, SessionRow, SessionStanding,
    StartSession, Started,
};

use crate::live::{Entry, Live};
use crate::pdp::random;
use crate::start::unknown;
use crate::{
    ENDED_LISTED_MAX, Listening, SESSIONS_OPEN_MAX, Warden, chain, internal, ledger_unavailable,
    no_session,
};

/// The longest statement of a task, in bytes.
const TASK_BYTES_MAX: usize = 64 * 1024;

impl Warden {
    /// Starts a session for an agent, with the task that a person states.
    ///
    /// # Errors
    ///
    /// A fault when the agent is unknown, the task too long, or the ledger takes no records.
    pub async fn start_session(&self, start: StartSession) -> Result<Started, Fault> {
        if start.task.len() > TASK_BYTES_MAX {
            let message = format!("a task of more than {TASK_BYTES_MAX} bytes");
            return Err(Fault::new(FaultKind::TooMuch, message, "state the task in fewer words"));
        }
        let agent = self.agent(&start.agent)?;
        let task = Task {
            prompt: Digest::of(start.task.as_bytes()),
            stated_by: TaskSource::Person(start.stated_by),
        };
        let session = self.begin_session(agent, task, start.task, None).await?;
        let token = self.tokens.for_agent(&start.agent, Some(session), start.reach);
        let gateway_token = self.tokens.for_agent(&start.agent, Some(session), Reach::Gateways);
        Ok(Started { session, token, gateway_token })
    }

    pub(crate) fn agent(&self, name: &Name) -> Result<Agent, Fault> {
        self.agents.get(name).cloned().ok_or_else(|| {
            let message = format!("there is no agent `{name}` in the configuration");
            let advice = format!("add a table [agents.{name}] with owner, role and purpose");
            Fault::new(FaultKind::NotFound, message, advice)
        })
    }

    pub(crate) async fn begin_session(
        &self,
        agent: Agent,
        task: Task,
        text: String,
        join_key: Option<String>,
    ) -> Result<SessionId, Fault> {
        if self.count_open() >= SESSIONS_OPEN_MAX {
            let message = format!("{SESSIONS_OPEN_MAX} sessions are open");
            return Err(Fault::new(FaultKind::TooMuch, message, "end the ones that are done"));
        }
        let session = SessionId::from_bytes(random()?).map_err(|_| internal())?;
        let event = Event::SessionStarted { agent, task, join_key };
        let record = self.record(self.now(), Some(session), event);
        let entry = record.to_bytes().map_err(|_| internal())?;
        let state = State::begin(&record, Some(&text)).ok_or_else(internal)?;
        let append = Append { entry, payloads: vec![text.into_bytes()] };
        self.append(append).await?;
        self.shard(session)?.sessions.insert(session, Live::new(state, record.at, 1));
        Ok(session)
    }

    /// Ends a session: closes its permits as `unknown` and takes no more actions of it.
    ///
    /// # Errors
    ///
    /// A fault when it is not open, or the ledger takes no records.
    pub fn end_session(&self, session: SessionId, reason: String) -> Result<(), Fault> {
        let mut shard = self.shard(session)?;
        let live = shard.sessions.get_mut(&session).ok_or_else(|| no_session(session))?;
        for action in live.state.open().map(|(action, _)| action).collect::<Vec<_>>() {
            let effect = unknown("the session ended before the effect was reported");
            let event = Event::Closed { action, effect };
            self.commit_apart(live, session, event, Vec::new(), None)?;
        }
        self.commit_apart(live, session, Event::SessionEnded { reason }, Vec::new(), None)?;
        let ended = row(session, &live.state, live.started, SessionStanding::Ended);
        shard.sessions.remove(&session);
        self.forget_points(session);
        let mut list = self.ended.lock().map_err(|_| internal())?;
        if list.len() >= ENDED_LISTED_MAX {
            list.remove(0);
        }
        list.push(ended);
        Ok(())
    }

    /// Says where the gateways listen; what was said first holds.
    pub fn listens(&self, listening: Listening) {
        let _ = self.listening.set(listening);
    }

    /// Every open session and the ended ones of late, oldest first.
    ///
    /// # Errors
    ///
    /// A fault when a lock is broken.
    pub fn sessions(&self) -> Result<Vec<SessionRow>, Fault> {
        let mut rows = self.ended.lock().map_err(|_| internal())?.clone();
        self.each_live(|session, live| {
            let isolated = live.state.is_isolated();
            let standing = if isolated { SessionStanding::Isolated } else { SessionStanding::Open };
            rows.push(row(session, &live.state, live.started, standing));
        })?;
        rows.sort_by_key(|row| (row.started, row.session));
        Ok(rows)
    }

    /// Every question that stands.
    ///
    /// # Errors
    ///
    /// A fault when the ledger cannot be read.
    pub fn approvals(&self) -> Result<Vec<ApprovalRow>, Fault> {
        let mut standing = Vec::new();
        let now = self.now();
        self.each_live(|session, live| {
            for question in live.state.questions() {
                if question.standing == Standing::Asked && now < question.approval.expires {
                    standing.push((session, question.action, question.approval.clone()));
                }
            }
        })?;
        standing
            .into_iter()
            .map(|(session, action, approval)| {
                let shown = self.history.text(&approval.shown).map_err(|error| {
                    tracing::error!(error = chain(&error), "what a person is to see is not there");
                    internal()
                })?;
                let shown = shown.and_then(|text| serde_json::from_str(&text).ok());
                Ok(ApprovalRow {
                    approval: approval.id,
                    session,
                    action,
                    role: approval.role,
                    expires: approval.expires,
                    shown: shown.unwrap_or_default(),
                    shown_digest: approval.shown,
                })
            })
            .collect()
    }

    /// Takes a person's answer. It is recorded before anything follows from it.
    ///
    /// # Errors
    ///
    /// A fault when there is no such question, it was answered already, it lapsed, or the person
    /// was shown something else.
    pub async fn answer(
        self: &Arc<Self>,
        approval: ApprovalId,
        given: AnswerApproval,
    ) -> Result<(), Fault> {
        let session = self.session_of_question(approval)?;
        let answer = ApprovalAnswer { choice: given.choice, by: given.by, note: given.note };
        self.take_answer(session, approval, answer, Some(given.shown_digest)).await
    }

    /// Records an answer, and lets what waits go on. `shown` is what the person saw, where they say so.
    pub(crate) async fn take_answer(
        self: &Arc<Self>,
        session: SessionId,
        approval: ApprovalId,
        answer: ApprovalAnswer,
        shown: Option<Digest>,
    ) -> Result<(), Fault> {
        let pending = {
            let mut shard = self.shard(session)?;
            let live = shard.sessions.get_mut(&session).ok_or_else(|| no_session(session))?;
            let question = live.state.question(approval).ok_or_else(|| no_question(approval))?;
            let now = self.now();
            if question.standing != Standing::Asked || question.approval.expires <= now {
                let message = format!("the question `{approval}` is answered or has lapsed");
                return Err(Fault::new(FaultKind::Conflict, message, "let the agent ask again"));
            }
            if shown.is_some_and(|shown| shown != question.approval.shown) {
                let message = "the answer is to something else than what was shown";
                return Err(Fault::new(FaultKind::Conflict, message, "look at it again"));
            }
            let action = question.action;
            let event = Event::Answered { action, approval, answer: Some(answer) };
            let record = self.record(now, Some(session), event);
            let entry = Entry { record: &record, bytes: None, payloads: Vec::new(), reading: None };
            let pending = live.append(&self.store, entry);
            self.note_outcome(&pending);
            pending.map_err(|error| ledger_unavailable(&error.to_string()))?
        };
        // In a task of its own: a person who hangs up must not leave an answer in the state that the
        // ledger refused, nor one that nobody is told of.
        let warden = Arc::clone(self);
        let settled = tokio::spawn(async move { warden.settle_answer(session, pending).await });
        settled.await.map_err(|_| internal())?
    }

    async fn settle_answer(&self, session: SessionId, pending: Pending) -> Result<(), Fault> {
        let outcome = pending.await;
        self.note_outcome(&outcome);
        if let Some(live) = self.shard(session)?.sessions.get_mut(&session) {
            live.settle(outcome.is_ok());
        }
        outcome.map(|_receipt| ()).map_err(|error| ledger_unavailable(&error.to_string()))?;
        self.announce_answer();
        Ok(())
    }

    pub(crate) fn announce_answer(&self) {
        self.answers.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn session_of_question(&self, approval: ApprovalId) -> Result<SessionId, Fault> {
        let mut found = None;
        self.each_live(|session, live| {
            if live.state.question(approval).is_some() {
                found = Some(session);
            }
        })?;
        found.ok_or_else(|| no_question(approval))
    }

    /// How the node is.
    ///
    /// # Errors
    ///
    /// A fault when a lock is broken.
    pub fn health(&self) -> Result<Health, Fault> {
        Ok(Health {
            node: self.node.clone(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            records: self.history.reader().size(),
            ledger_writable: self.is_writable(),
            policy: self.snapshot.load().version(),
            open_sessions: u64::try_from(self.count_open()).unwrap_or(u64::MAX),
            gateway: self.listening.get().map(|listening| listening.gateway.to_string()),
            models: self.listening.get().map(|listening| listening.models.to_string()),
        })
    }

    fn count_open(&self) -> usize {
        let mut count = 0;
        let counted = self.each_live(|_, _| count += 1);
        if counted.is_ok() { count } else { usize::MAX }
    }

    pub(crate) fn each_live(
        &self,
        mut visit: impl FnMut(SessionId, &mut Live),
    ) -> Result<(), Fault> {
        for shard in &self.shards {
            let mut shard = shard.lock().map_err(|_| internal())?;
            for (session, live) in &mut shard.sessions {
                visit(*session, live);
            }
        }
        Ok(())
    }
}

fn no_question(approval: ApprovalId) -> Fault {
    let message = format!("no question `{approval}` stands");
    Fault::new(FaultKind::NotFound, message, "see `pathwarden approvals list`")
}

/// A session in a list.
pub(crate) fn row(
    session: SessionId,
    state: &State,
    started: Millis,
    standing: SessionStanding,
) -> SessionRow {
    let waiting = state.questions().filter(|question| question.standing == Standing::Asked).count();
    SessionRow {
        session,
        agent: state.agent().name.clone(),
        task: state.task_text().to_owned(),
        started,
        standing,
        actions: state.step(),
        refused: state.refused(),
        waiting: u64::try_from(waiting).unwrap_or(u64::MAX),
    }
}
