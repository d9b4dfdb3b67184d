//! The decision point as a caller in this process, or the API on behalf of one, reaches it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pathwarden_decide::{Asker, Gate, Reading, Settings, Standing, label};
use pathwarden_types::{
    Action, ActionId, Digest, Effect, Event, Integrity, Label, Name, Observation, ObservationKind,
    Outcome, Record, SessionId, Task, TaskSource,
};
use pathwarden_wire::{
    Answer, Ask, Asking, AwaitOrders, Catalogue, Fault, FaultKind, Found, Held, Join, Joined,
    Observe, Orders, Pdp, PointPdp, Report, Reported, Withheld,
};
use tokio::time::{Instant, timeout_at};

use crate::live::{Entry, Live};
use crate::memory::Read;
use crate::{Caller, Role, Warden, internal, ledger_unavailable, no_session};

/// The decision point as one authenticated caller reaches it.
pub struct Door {
    warden: Arc<Warden>,
    caller: Caller,
}

/// The most sessions that one agent opens by itself at a time.
const JOINED_MAX: usize = 1_000;

/// How much of an effect's detail is kept, in characters.
const DETAIL_CHARS_MAX: usize = 1_024;

/// The longest join key, in bytes.
const JOIN_KEY_BYTES_MAX: usize = 1_024;

/// How long a decision may take until its record is handed to the ledger, in ms.
const DECISION_MS_MAX: u64 = 10_000;

impl Door {
    pub(crate) const fn new(warden: Arc<Warden>, caller: Caller) -> Self {
        Self { warden, caller }
    }

    pub(crate) const fn warden(&self) -> &Arc<Warden> {
        &self.warden
    }

    pub(crate) const fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl Pdp for Door {
    fn join(&self, join: Join) -> Asking<'_, Joined> {
        Box::pin(self.warden.join(&self.caller, join))
    }

    fn ask(&self, ask: Ask) -> Asking<'_, Answer> {
        Box::pin(async move {
            if let Some(comeback) = &ask.resume {
                return self.warden.come_back(&self.caller, &ask, comeback).await;
            }
            let session = ask.session;
            let mut action = action(&ask)?;
            self.warden.can_follow(&action)?;
            self.warden.identify(&self.caller, &ask, &mut action)?;
            self.warden.pin_programs(&action)?;
            let asker = Asker { node: self.warden.node.clone(), identity: self.caller.identity() };
            let gate = Gate::new(action, asker, self.warden.now().plus(DECISION_MS_MAX));
            let answer = self.warden.carry_apart(session, self.caller.clone(), gate);
            match answer.await.map_err(|_| internal())?? {
                Answer::Held(held) => {
                    let near = self.warden.near_question(&self.caller, &ask, &held)?;
                    Ok(Answer::Held(Held { near, ..held }))
                }
                other => Ok(other),
            }
        })
    }

    fn wait(&self, action: ActionId, asked: Digest, up_to_ms: u64) -> Asking<'_, Answer> {
        Box::pin(self.warden.wait(&self.caller, action, asked, up_to_ms))
    }

    fn report(&self, report: Report) -> Asking<'_, Reported> {
        Box::pin(async move { self.warden.report(&self.caller, report) })
    }

    fn observe(&self, observe: Observe) -> Asking<'_, ()> {
        Box::pin(async move { self.warden.observe(&self.caller, observe) })
    }

    fn catalogue(&self, catalogue: Catalogue) -> Asking<'_, Withheld> {
        Box::pin(async move { self.warden.catalogue(&self.caller, catalogue) })
    }

    fn found(&self, found: Found) -> Asking<'_, ()> {
        Box::pin(async move { self.warden.found(&self.caller, found) })
    }

    fn changes(&self, since: u64, up_to_ms: u64) -> Asking<'_, u64> {
        Box::pin(self.warden.changes(since, up_to_ms))
    }
}

impl PointPdp for Door {
    fn orders(&self, await_orders: AwaitOrders) -> Asking<'_, Orders> {
        Box::pin(self.warden.orders(&self.caller, await_orders))
    }
}

fn action(ask: &Ask) -> Result<Action, Fault> {
    if ask.arguments.len() > Ask::ARGUMENTS_BYTES_MAX {
        let message = format!("arguments of more than {} bytes", Ask::ARGUMENTS_BYTES_MAX);
        return Err(Fault::new(FaultKind::TooMuch, message, "pass less in one action"));
    }
    if ask.operation.name.len() > NAME_BYTES_MAX {
        let message = format!("a name of more than {NAME_BYTES_MAX} bytes");
        return Err(Fault::new(FaultKind::Malformed, message, "use the tool's own name"));
    }
    Ok(Action {
        id: ActionId::from_bytes(random()?).map_err(|_| internal())?,
        session: ask.session,
        parent: ask.parent,
        operation: ask.operation.clone(),
        arguments: ask.arguments.clone(),
        canonical: ask.canonical,
        supply: None,
        claim: None,
        restrictions: Vec::new(),
    })
}

/// The longest name of a tool, resource or prompt, in bytes; resources are named by URI.
const NAME_BYTES_MAX: usize = 8 * 1024;

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| internal())?;
    Ok(bytes)
}

impl Warden {
    /// The session to act in: the one that the token is bound to; else the one that the agent's
    /// enforcement points share, made when it is not there.
    async fn join(&self, caller: &Caller, join: Join) -> Result<Joined, Fault> {
        let Some(name) = caller.agent.clone().filter(|_| caller.role == Role::Agent) else {
            let advice = "use an agent's token: `pathwarden session start` prints one";
            return Err(Fault::new(FaultKind::Forbidden, "only an agent joins a session", advice));
        };
        if let Some(session) = caller.session {
            return self.joined(session, caller);
        }
        if join.join_key.len() > JOIN_KEY_BYTES_MAX {
            let message = format!("a join key of more than {JOIN_KEY_BYTES_MAX} bytes");
            return Err(Fault::new(FaultKind::Malformed, message, "use a shorter one"));
        }
        let mut joins = self.joins.lock().await;
        let key = (name.clone(), join.join_key.clone());
        if let Some(session) = joins.get(&key)
            && let Ok(joined) = self.joined(*session, caller)
        {
            return Ok(joined);
        }
        self.make_room(&mut joins, &name)?;
        let agent = self.agent(&name)?;
        let task = Task { prompt: Digest::of(b""), stated_by: TaskSource::Nobody };
        let session = self.begin_session(agent, task, String::new(), Some(join.join_key)).await?;
        joins.insert(key, session);
        self.joined(session, caller)
    }

    /// An agent that opens session after session does not take them from the others.
    fn make_room(
        &self,
        joins: &mut BTreeMap<(Name, String), SessionId>,
        name: &Name,
    ) -> Result<(), Fault> {
        let of_agent = |joins: &BTreeMap<(Name, String), SessionId>| {
            joins.keys().filter(|(agent, _)| agent == name).count()
        };
        if of_agent(joins) < JOINED_MAX {
            return Ok(());
        }
        let mut open = BTreeSet::new();
        self.each_live(|session, _| {
            open.insert(session);
        })?;
        joins.retain(|_, session| open.contains(session));
        if of_agent(joins) < JOINED_MAX {
            return Ok(());
        }
        let message = format!("{JOINED_MAX} sessions of the agent `{name}` are open");
        Err(Fault::new(FaultKind::TooMuch, message, "end the ones that are done"))
    }

    fn joined(&self, session: SessionId, caller: &Caller) -> Result<Joined, Fault> {
        let mut shard = self.shard(session)?;
        let (_, live) = self.live(&mut shard, session, caller)?;
        let (agent, hold_ms) = (live.state.agent().clone(), self.hold_ms);
        Ok(Joined { session, agent, hold_ms })
    }

    async fn wait(
        self: &Arc<Self>,
        caller: &Caller,
        action: ActionId,
        asked: Digest,
        up_to_ms: u64,
    ) -> Result<Answer, Fault> {
        let until = Instant::now() + Duration::from_millis(up_to_ms.min(WAIT_MS_MAX));
        let mut answers = self.answers.subscribe();
        loop {
            answers.borrow_and_update();
            match self.look(caller, action, asked)? {
                Looked::Answered(session, gate) => {
                    let answer = self.carry_apart(session, caller.clone(), *gate);
                    return answer.await.map_err(|_| internal())?;
                }
                Looked::Standing(held) => {
                    if timeout_at(until, answers.changed()).await.is_err() {
                        return Ok(Answer::Held(held));
                    }
                }
            }
        }
    }

    /// Where a held action stands; takes its gate out when the question is answered.
    pub(crate) fn look(
        &self,
        caller: &Caller,
        action: ActionId,
        asked: Digest,
    ) -> Result<Looked, Fault> {
        let session = self.session_of_held(caller, action)?;
        let mut shard = self.shard(session)?;
        let (_, live) = self.live(&mut shard, session, caller)?;
        if live.gates.get(&action).is_none_or(|gate| gate.action().canonical != asked) {
            return Err(not_held(action));
        }
        if let Some(question) = live.state.question_about(action)
            && question.standing == Standing::Asked
        {
            let (approval, expires) = (question.approval.id, question.approval.expires);
            return Ok(Looked::Standing(Held { action, approval, expires, near: None }));
        }
        let gate = live.gates.remove(&action).ok_or_else(|| not_held(action))?;
        Ok(Looked::Answered(session, Box::new(gate)))
    }

    /// The session in which an action of this caller waits.
    fn session_of_held(&self, caller: &Caller, action: ActionId) -> Result<SessionId, Fault> {
        for shard in &self.shards {
            let shard = shard.lock().map_err(|_| internal())?;
            for (session, live) in &shard.sessions {
                if live.gates.contains_key(&action)
                    && caller.agent.as_ref() == Some(&live.state.agent().name)
                {
                    return Ok(*session);
                }
            }
        }
        Err(not_held(action))
    }

    fn report(&self, caller: &Caller, report: Report) -> Result<Reported, Fault> {
        let Report { session, action, mut effect, result } = report;
        effect.detail = effect.detail.chars().take(DETAIL_CHARS_MAX).collect();
        let seen = result.map(Seen::new).transpose()?;
        let mut shard = self.shard(session)?;
        let (engine, live) = self.live(&mut shard, session, caller)?;
        let Some(permit) = live.state.open_permit(action) else {
            let message = format!("the action `{action}` has no open permit");
            return Err(Fault::new(FaultKind::Conflict, message, "report each effect once"));
        };
        let server = permit.server.clone();
        let taken = match seen {
            Some(seen) => {
                let settings = engine.snapshot().settings();
                self.take_result(settings, live, session, (action, &server), (seen, &effect))
            }
            None => Ok(Read::default()),
        };
        live.uses.remove(&action);
        let event = Event::Closed { action, effect };
        self.commit_apart(live, session, event, Vec::new(), None)?;
        drop(shard);
        let read = taken?;
        self.note_memory(session, &server, action, &read)?;
        Ok(Reported { instead: read.instead })
    }

    /// Records the result of an action, and what it makes of memory; gives what it held of it.
    pub(crate) fn take_result(
        &self,
        settings: &Settings,
        live: &mut Live,
        session: SessionId,
        (action, server): (ActionId, &Name),
        (seen, effect): (Seen, &Effect),
    ) -> Result<Read, Fault> {
        let observation = Observation {
            kind: ObservationKind::Result,
            server: server.clone(),
            action: Some(action),
        };
        let Some(uses) = live.uses.remove(&action) else {
            let label = label(settings, server, &seen.reading);
            self.see(live, session, observation, seen, label)?;
            return Ok(Read::default());
        };
        let mut read = self.read_memory(&uses, &seen.content)?;
        let seen = read.instead.clone().map(Seen::new).transpose()?.unwrap_or(seen);
        let mut label = label(settings, server, &seen.reading);
        if read.is_tainted {
            label.integrity = Integrity::Untrusted;
        }
        let (content, integrity) = (Digest::of(seen.content.as_bytes()), label.integrity);
        let text = seen.content.clone();
        self.see(live, session, observation, seen, label)?;
        if effect.outcome != Outcome::Done {
            return Ok(read);
        }
        if !read.is_known()
            && let Some(first) =
                self.first_read(live, session, (action, &uses), &text, integrity)?
        {
            read.add(first);
        }
        self.remember(live, session, (action, &uses), (&read, content))?;
        Ok(read)
    }

    pub(crate) fn observe(&self, caller: &Caller, observe: Observe) -> Result<(), Fault> {
        let Observe { session, observation, content } = observe;
        let seen = Seen::new(content)?;
        let mut shard = self.shard(session)?;
        let (engine, live) = self.live(&mut shard, session, caller)?;
        let label = label(engine.snapshot().settings(), &observation.server, &seen.reading);
        self.see(live, session, observation, seen, label)
    }

    fn see(
        &self,
        live: &mut Live,
        session: SessionId,
        observation: Observation,
        seen: Seen,
        label: Label,
    ) -> Result<(), Fault> {
        let Seen { content, reading } = seen;
        let event = Event::Observed {
            label,
            observation,
            content: Digest::of(content.as_bytes()),
            content_bytes: u64::try_from(content.len()).unwrap_or(u64::MAX),
        };
        let payloads = vec![content.into_bytes()];
        self.commit_apart(live, session, event, payloads, Some(&reading)).map(drop)
    }

    /// Commits a record of a session that has no content and that nobody waits for.
    pub(crate) fn record_in(&self, session: SessionId, event: Event) -> Result<(), Fault> {
        let mut shard = self.shard(session)?;
        let live = shard.sessions.get_mut(&session).ok_or_else(|| no_session(session))?;
        self.commit_apart(live, session, event, Vec::new(), None).map(drop)
    }

    /// Commits a record that nobody waits for, and gives it back.
    pub(crate) fn commit_apart(
        &self,
        live: &mut Live,
        session: SessionId,
        event: Event,
        payloads: Vec<Vec<u8>>,
        reading: Option<&Reading>,
    ) -> Result<Record, Fault> {
        let record = self.record(self.now(), Some(session), event);
        let entry = Entry { record: &record, bytes: None, payloads, reading };
        let outcome = live.append_batched(&self.store, entry);
        self.note_outcome(&outcome);
        outcome.map(|_| record).map_err(|error| ledger_unavailable(&error.to_string()))
    }
}

/// Content that was seen and read, before any lock is taken.
pub(crate) struct Seen {
    content: String,
    reading: Reading,
}

impl Seen {
    pub(crate) fn new(content: String) -> Result<Self, Fault> {
        if content.len() > Observe::CONTENT_BYTES_MAX {
            let message = format!("content of more than {} bytes", Observe::CONTENT_BYTES_MAX);
            return Err(Fault::new(FaultKind::TooMuch, message, "let the tool answer with less"));
        }
        let reading = Reading::of(&content);
        Ok(Self { content, reading })
    }

    /// Content that was read already.
    pub(crate) const fn read(content: String, reading: Reading) -> Self {
        Self { content, reading }
    }
}

/// The longest that one call waits for a person, in ms; the caller calls again.
const WAIT_MS_MAX: u64 = 60_000;

pub(crate) enum Looked {
    Standing(Held),
    Answered(SessionId, Box<Gate>),
}

fn not_held(action: ActionId) -> Fault {
    let message = format!("the action `{action}` does not wait for a person");
    Fault::new(FaultKind::NotFound, message, "ask anew; an approval that stands is used once")
}
