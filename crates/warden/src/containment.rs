//! Taking something from live agents: what stands, who ordered it, and which points have applied it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use pathwarden_decide::{Decision, host_attempt};
use pathwarden_store::Append;
use pathwarden_types::{
    Action, Containment, ContainmentScope, Event, Millis, Name, Operation, PointPhase,
    PointStanding, Restriction, SessionId, StandingRestriction, Target, Verb,
};
use pathwarden_wire::{
    AwaitOrders, Contain, Containments, Fault, FaultKind, Orders, PointRow, Release,
};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::live::Entry;
use crate::{Caller, Warden, internal, ledger_unavailable, no_session};

/// The most restrictions that stand at a time.
const STANDING_MAX: usize = 4_096;

/// The most enforcement points that are remembered.
const POINTS_MAX: usize = 10_000;

/// How long a point may be silent before what it applied counts for nothing, in ms.
const SILENT_MS: u64 = 10_000;

/// How long a point that has ended is still shown, in ms.
const SHOWN_MS: u64 = 5_000;

/// The longest that one call waits for orders, in ms; the caller calls again.
const ORDERS_MS_MAX: u64 = 60_000;

/// How long whoever orders something waits for the points to apply it.
const APPLY_WAIT: Duration = Duration::from_secs(2);

/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 4 << 10;

/// The node itself, as a point: the engine looks at what stands before every decision.
const NODE: &str = "node";

/// What is taken from whom, and where the points stand.
pub(crate) struct Restraint {
    standing: Mutex<BTreeMap<Restriction, StandingRestriction>>,
    points: Mutex<BTreeMap<(SessionId, String), Point>>,
    epoch: watch::Sender<u64>,
    acknowledged: watch::Sender<u64>,
    /// When the present epoch began.
    began: Mutex<Instant>,
}

struct Point {
    epoch: u64,
    failed: Vec<String>,
    after: Option<Duration>,
    seen: Millis,
    standing: Option<PointStanding>,
    /// It has come to its end, and nothing of its session is left to be held.
    ended: bool,
}

/// Restrictions by what they restrict: what a ledger tells of them.
pub(crate) type Standing = BTreeMap<Restriction, StandingRestriction>;

/// Takes one more record into account.
pub(crate) fn apply(standing: &mut Standing, event: &Event) {
    match event {
        Event::Contained { standing: one, .. } => {
            standing.insert(one.restriction.clone(), one.clone());
        }
        Event::Released { restriction, .. } => {
            standing.remove(restriction);
        }
        _ => {}
    }
}

impl Restraint {
    pub(crate) fn new(standing: Standing) -> Self {
        Self {
            standing: Mutex::new(standing),
            points: Mutex::default(),
            // 0 is what a point begins with, so that its first call answers at once.
            epoch: watch::Sender::new(1),
            acknowledged: watch::Sender::new(0),
            began: Mutex::new(Instant::now()),
        }
    }

    /// Lets every point look again: something was taken or given back, or another policy decides.
    pub(crate) fn announce(&self) {
        if let Ok(mut began) = self.began.lock() {
            *began = Instant::now();
        }
        self.epoch.send_modify(|epoch| *epoch = epoch.wrapping_add(1));
    }

    fn standing(&self) -> Result<MutexGuard<'_, Standing>, Fault> {
        self.standing.lock().map_err(|_| internal())
    }

    /// What is in force of what concerns an action.
    pub(crate) fn of(
        &self,
        action: &Action,
        agent: &Name,
        now: Millis,
    ) -> Result<Vec<Restriction>, Fault> {
        let standing = self.standing()?;
        if standing.is_empty() {
            return Ok(Vec::new());
        }
        let server = server_of(action);
        let concerns = |target: &Target| match target {
            Target::Session { session } => *session == action.session,
            Target::Agent { agent: of } => of == agent,
            Target::Server { server: of } => Some(of.as_str()) == server.as_deref(),
        };
        let in_force = standing.values().filter(|one| now < one.expires);
        let restrictions = in_force.map(|one| &one.restriction);
        Ok(restrictions.filter(|one| concerns(&one.target)).cloned().collect())
    }
}

/// The tool server that an action goes to, or whose process acts.
fn server_of(action: &Action) -> Option<String> {
    let Operation { kind, server, .. } = &action.operation;
    if !kind.is_on_host() {
        return Some(server.to_string());
    }
    host_attempt(action).map(|attempt| attempt.server).filter(|server| !server.is_empty())
}

impl Warden {
    /// Takes something from whom a person names, and waits until the points have applied it, or for
    /// two seconds. It is on disk before anything follows from it.
    ///
    /// # Errors
    ///
    /// A fault when there is no such target, too much is asked for, or the ledger takes no records.
    pub async fn contain(&self, contain: Contain) -> Result<Containments, Fault> {
        let Contain { target, verbs, tool, ttl_ms, by, reason } = contain;
        let target = self.target(&target)?;
        check_order(&verbs, &tool, ttl_ms, &reason)?;
        let since = self.now();
        for verb in &verbs {
            let tool = if *verb == Verb::DisableTool { tool.clone() } else { String::new() };
            let standing = StandingRestriction {
                restriction: Restriction { target: target.clone(), verb: *verb, tool },
                since,
                expires: since.plus(ttl_ms),
                by: by.to_string(),
                reason: reason.clone(),
            };
            self.restrict(standing, None).await?;
        }
        self.applied(&target).await
    }

    /// Gives something back before its time.
    ///
    /// # Errors
    ///
    /// A fault when nothing of it is taken, or the ledger takes no records.
    pub async fn release(&self, release: Release) -> Result<Containments, Fault> {
        let Release { target, verbs, tool, by } = release;
        let target = self.target(&target)?;
        let is_meant = |one: &Restriction| {
            one.target == target
                && (verbs.is_empty() || verbs.contains(&one.verb))
                && (tool.is_empty() || one.verb != Verb::DisableTool || one.tool == tool)
        };
        let meant: Vec<Restriction> =
            self.restraint.standing()?.keys().filter(|one| is_meant(one)).cloned().collect();
        if meant.is_empty() {
            let message = format!("nothing of that is taken from {target}");
            let advice = "see `pathwarden contain list`";
            return Err(Fault::new(FaultKind::NotFound, message, advice));
        }
        for restriction in meant {
            self.give_back(restriction, by.clone()).await?;
        }
        self.applied(&target).await
    }

    /// What is taken from whom, and where the points stand.
    ///
    /// # Errors
    ///
    /// A fault when a lock is broken.
    pub fn containments(&self) -> Result<Containments, Fault> {
        self.containments_since(*self.restraint.epoch.borrow())
    }

    /// The same, where points count that have applied an epoch, or that ended in it or later.
    fn containments_since(&self, since: u64) -> Result<Containments, Fault> {
        let now = self.now();
        let epoch = *self.restraint.epoch.borrow();
        let standing = self.restraint.standing()?;
        let standing = standing.values().filter(|one| now < one.expires).cloned().collect();
        let points = self.restraint.points.lock().map_err(|_| internal())?;
        let mut rows = vec![PointRow {
            point: NODE.to_owned(),
            session: None,
            epoch,
            applied: true,
            failed: Vec::new(),
            after_us: Some(0),
            seen: now,
            standing: None,
        }];
        let is_shown = |point: &Point| !point.ended || point.epoch >= since;
        let points = points.iter().filter(|(_, point)| is_shown(point));
        rows.extend(points.map(|((session, name), point)| {
            let is_heard = now.since(point.seen) < SILENT_MS;
            PointRow {
                point: name.clone(),
                session: Some(*session),
                epoch: point.epoch,
                applied: point.ended
                    || (point.epoch >= since && point.failed.is_empty() && is_heard),
                failed: point.failed.clone(),
                after_us: point.after.map(micros),
                seen: point.seen,
                standing: point.standing.clone(),
            }
        }));
        Ok(Containments { epoch, standing, points: rows })
    }

    /// Whether a point may have something of this target's to hold.
    fn is_concerned(&self, target: &Target, row: &PointRow) -> bool {
        let Some(of) = row.session else { return true };
        match target {
            Target::Session { session } => *session == of,
            Target::Agent { agent } => self.shard(of).is_ok_and(|shard| {
                shard.sessions.get(&of).is_none_or(|live| live.state.agent().name == *agent)
            }),
            // Its processes may be in any session.
            Target::Server { .. } => true,
        }
    }

    /// Waits until every point that is heard of and concerned has applied the present epoch.
    async fn applied(&self, target: &Target) -> Result<Containments, Fault> {
        let mut acknowledged = self.restraint.acknowledged.subscribe();
        let until = tokio::time::Instant::now() + APPLY_WAIT;
        let since = *self.restraint.epoch.borrow();
        loop {
            acknowledged.borrow_and_update();
            let mut containments = self.containments_since(since)?;
            containments.points.retain(|row| self.is_concerned(target, row));
            let now = self.now();
            let waits = |row: &PointRow| row.epoch < since && now.since(row.seen) < SILENT_MS;
            if !containments.points.iter().any(waits)
                || tokio::time::timeout_at(until, acknowledged.changed()).await.is_err()
            {
                return Ok(containments);
            }
        }
    }

    /// What somebody means by a target.
    fn target(&self, text: &str) -> Result<Target, Fault> {
        if let Ok(session) = text.parse::<SessionId>() {
            return match self.shard(session)?.sessions.contains_key(&session) {
                true => Ok(Target::Session { session }),
                false => Err(no_session(session)),
            };
        }
        let (kind, name) = text.split_once(':').unwrap_or(("", text));
        let name: Name = name.parse().map_err(|_| no_target(text))?;
        let is_agent = self.agents.contains_key(&name);
        match kind {
            "agent" if is_agent => Ok(Target::Agent { agent: name }),
            "server" => Ok(Target::Server { server: name }),
            "" if is_agent => Ok(Target::Agent { agent: name }),
            "" if self.knows_server(&name) => Ok(Target::Server { server: name }),
            _ => Err(no_target(text)),
        }
    }

    fn knows_server(&self, name: &Name) -> bool {
        self.snapshot.load().settings().servers.contains_key(name)
            || self.pins().is_ok_and(|pins| pins.items.iter().any(|row| row.item.server == *name))
    }

    /// Records a restriction and puts it in force.
    async fn restrict(
        &self,
        standing: StandingRestriction,
        action: Option<&Action>,
    ) -> Result<(), Fault> {
        if self.restraint.standing()?.len() >= STANDING_MAX {
            let message = format!("{STANDING_MAX} restrictions stand");
            return Err(Fault::new(FaultKind::TooMuch, message, "release some"));
        }
        let session = match (&standing.restriction.target, action) {
            (Target::Session { session }, _) => Some(*session),
            (_, Some(action)) => Some(action.session),
            _ => None,
        };
        let standing = match action {
            // A rule does not shorten what stands.
            Some(_) => self.prolong(standing)?,
            None => standing,
        };
        let action = action.map(|action| action.id);
        let event = Event::Contained { standing: standing.clone(), action };
        self.record_durably(session, event).await?;
        let Restriction { target, verb, .. } = standing.restriction.clone();
        tracing::warn!(%target, %verb, by = standing.by, "contained");
        self.restraint.standing()?.insert(standing.restriction.clone(), standing);
        self.restraint.announce();
        Ok(())
    }

    /// The same, lasting at least as long as what stands already.
    fn prolong(&self, mut standing: StandingRestriction) -> Result<StandingRestriction, Fault> {
        if let Some(before) = self.restraint.standing()?.get(&standing.restriction)
            && standing.expires < before.expires
        {
            standing = before.clone();
        }
        Ok(standing)
    }

    async fn give_back(&self, restriction: Restriction, by: Name) -> Result<(), Fault> {
        let session = match &restriction.target {
            Target::Session { session } => Some(*session),
            Target::Agent { .. } | Target::Server { .. } => None,
        };
        let event = Event::Released { restriction: restriction.clone(), by };
        self.record_durably(session, event).await?;
        tracing::info!(target = %restriction.target, verb = %restriction.verb, "released");
        self.restraint.standing()?.remove(&restriction);
        self.restraint.announce();
        Ok(())
    }

    /// Gives back what has lapsed; part of the sweep.
    pub(crate) async fn lapse_restrictions(&self, now: Millis) {
        for restriction in self.lapsed_restrictions(now) {
            let Ok(by) = "expiry".parse::<Name>() else { return };
            if let Err(fault) = self.give_back(restriction, by).await {
                tracing::warn!(%fault, "a restriction lapsed, and is not recorded yet");
            }
        }
    }

    /// Forgets points that have been silent for so long that they are gone.
    pub(crate) fn forget_silent_points(&self, now: Millis) {
        if let Ok(mut points) = self.restraint.points.lock() {
            points.retain(|_, point| !point.ended || now.since(point.seen) < SHOWN_MS);
            points.retain(|(session, name), point| {
                let is_heard = now.since(point.seen) < SILENT_MS * 6;
                if !is_heard {
                    tracing::warn!(%session, name, "an enforcement point is gone without a word");
                }
                is_heard
            });
        }
    }

    fn lapsed_restrictions(&self, now: Millis) -> Vec<Restriction> {
        let Ok(standing) = self.restraint.standing() else { return Vec::new() };
        let late = standing.values().filter(|one| one.expires <= now);
        late.map(|one| one.restriction.clone()).collect()
    }

    /// Carries out what rules ordered when they judged an action.
    pub(crate) async fn carry_out(&self, action: &Action, orders: Vec<Ordered>) {
        for Ordered { containment, by, agent } in orders {
            let Containment { verb, target, expires_ms } = containment;
            let since = self.now();
            let target = aim(target, action, agent);
            let tool = if verb == Verb::DisableTool { tool_of(action) } else { String::new() };
            let standing = StandingRestriction {
                restriction: Restriction { target, verb, tool },
                since,
                expires: since.plus(expires_ms.min(Contain::TTL_MS_MAX)),
                by,
                reason: "a rule ordered it".to_owned(),
            };
            if let Err(fault) = self.restrict(standing, Some(action)).await {
                tracing::error!(action = %action.id, %fault, "a containment is not in force");
            }
        }
    }

    /// Says how a point stands, and gives it what it must have applied once that is another epoch.
    pub(crate) async fn orders(
        &self,
        caller: &Caller,
        waits: AwaitOrders,
    ) -> Result<Orders, Fault> {
        let AwaitOrders { session, point, applied, failed, standing, up_to_ms } = waits;
        let agent = {
            let mut shard = self.shard(session)?;
            let (_, live) = self.live(&mut shard, session, caller)?;
            live.state.agent().name.clone()
        };
        if let Some(standing) = &standing {
            self.record_in(session, Event::Point { standing: standing.clone() })?;
        }
        if standing.as_ref().is_some_and(|standing| standing.phase == PointPhase::Done) {
            let key = (session, point);
            self.end_points(|of| *of == key);
            return self.orders_for(session, &agent);
        }
        self.note_point((session, point), applied, failed, standing)?;
        let mut epoch = self.restraint.epoch.subscribe();
        let moved = epoch.wait_for(|epoch| *epoch != applied);
        let wait = Duration::from_millis(up_to_ms.min(ORDERS_MS_MAX));
        let _ = timeout(wait, moved).await;
        if !self.shard(session)?.sessions.contains_key(&session) {
            return Err(no_session(session));
        }
        self.orders_for(session, &agent)
    }

    fn note_point(
        &self,
        key: (SessionId, String),
        applied: u64,
        failed: Vec<String>,
        standing: Option<PointStanding>,
    ) -> Result<(), Fault> {
        let mut points = self.restraint.points.lock().map_err(|_| internal())?;
        if points.len() >= POINTS_MAX && !points.contains_key(&key) {
            let message = format!("{POINTS_MAX} enforcement points are known");
            return Err(Fault::new(FaultKind::TooMuch, message, "end the sessions that are done"));
        }
        let before = points.remove(&key);
        let took = self.restraint.began.lock().map_err(|_| internal())?.elapsed();
        // Who is new did not get the order when it was given.
        let is_news = before.as_ref().is_some_and(|before| before.epoch != applied);
        let after = if is_news { Some(took) } else { before.as_ref().and_then(|one| one.after) };
        let standing = standing.or_else(|| before.and_then(|before| before.standing));
        points.insert(
            key,
            Point { epoch: applied, failed, after, seen: self.now(), standing, ended: false },
        );
        drop(points);
        self.restraint.acknowledged.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }

    fn orders_for(&self, session: SessionId, agent: &Name) -> Result<Orders, Fault> {
        // Before what stands: a change between the two is another epoch, and asked for again.
        let epoch = *self.restraint.epoch.borrow();
        let policy = self.snapshot.load().version();
        let now = self.now();
        let concerns = |target: &Target| match target {
            Target::Session { session: of } => *of == session,
            Target::Agent { agent: of } => of == agent,
            Target::Server { .. } => true,
        };
        let standing = self.restraint.standing()?;
        let standing = standing.values();
        let standing =
            standing.filter(|one| now < one.expires && concerns(&one.restriction.target)).cloned();
        Ok(Orders { epoch, policy, standing: standing.collect() })
    }

    /// A point has come to its end: nobody waits for it, and it is shown for a moment longer.
    fn end_points(&self, is_meant: impl Fn(&(SessionId, String)) -> bool) {
        let (now, took) = (self.now(), self.restraint.began.lock().map(|began| began.elapsed()));
        let epoch = *self.restraint.epoch.borrow();
        if let Ok(mut points) = self.restraint.points.lock() {
            for (_, point) in points.iter_mut().filter(|(key, point)| is_meant(key) && !point.ended)
            {
                (point.ended, point.seen, point.epoch) = (true, now, epoch);
                point.after = took.as_ref().ok().copied();
            }
        }
        self.restraint.acknowledged.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Forgets the points of a session that is over, and what was taken from it alone.
    pub(crate) fn forget_points(&self, session: SessionId) {
        if let Ok(mut standing) = self.restraint.standing() {
            let ended = Target::Session { session };
            standing.retain(|restriction, _| restriction.target != ended);
        }
        self.end_points(|(of, _)| *of == session);
        // Whoever governs it hears that it is over.
        self.restraint.announce();
    }

    /// Commits a record of a session, or of none, and waits until it is on disk.
    pub(crate) async fn record_durably(
        &self,
        session: Option<SessionId>,
        event: Event,
    ) -> Result<(), Fault> {
        let record = self.record(self.now(), session, event);
        let Some(session) = session else {
            let entry = record.to_bytes().map_err(|_| internal())?;
            return self.append(Append { entry, payloads: Vec::new() }).await;
        };
        let pending = {
            let mut shard = self.shard(session)?;
            let live = shard.sessions.get_mut(&session).ok_or_else(|| no_session(session))?;
            let entry = Entry { record: &record, bytes: None, payloads: Vec::new(), reading: None };
            live.append(&self.store, entry)
        };
        let outcome = match pending {
            Ok(pending) => pending.await.map(drop),
            Err(error) => Err(error),
        };
        self.note_outcome(&outcome);
        if let Some(live) = self.shard(session)?.sessions.get_mut(&session) {
            live.settle(outcome.is_ok());
        }
        outcome.map_err(|error| ledger_unavailable(&error.to_string()))
    }
}

/// What a rule ordered.
pub(crate) struct Ordered {
    containment: Containment,
    by: String,
    agent: Name,
}

/// What the rules that judged an action ordered.
pub(crate) fn ordered(decision: &Decision, agent: &Name) -> Vec<Ordered> {
    let by = decision.decided.hits.iter().map(|hit| hit.rule.as_str()).collect::<Vec<_>>();
    let by = by.join(", ");
    let ordered = |containment: &Containment| Ordered {
        containment: containment.clone(),
        by: by.clone(),
        agent: agent.clone(),
    };
    decision.decided.containment.iter().map(ordered).collect()
}

/// Whom a rule means, seen from the action that it judged.
fn aim(scope: ContainmentScope, action: &Action, agent: Name) -> Target {
    let session = Target::Session { session: action.session };
    let server = server_of(action).and_then(|server| server.parse().ok());
    let server = server.map(|server| Target::Server { server });
    match scope {
        ContainmentScope::Session => session,
        ContainmentScope::Agent => Target::Agent { agent },
        ContainmentScope::Server | ContainmentScope::Tool => server.unwrap_or(session),
    }
}

/// The tool that an action calls, or during whose call it happened.
fn tool_of(action: &Action) -> String {
    match host_attempt(action) {
        Some(attempt) => attempt.tool,
        None => action.operation.name.clone(),
    }
}

fn check_order(verbs: &[Verb], tool: &str, ttl_ms: u64, reason: &str) -> Result<(), Fault> {
    let wrong = |message: &str, advice: &str| {
        Err(Fault::new(FaultKind::Malformed, message.to_owned(), advice.to_owned()))
    };
    if verbs.is_empty() {
        return wrong("nothing is to be taken", "name a verb, for example `no-egress`");
    }
    if verbs.contains(&Verb::DisableTool) == tool.is_empty() {
        return wrong("`disable-tool` goes with the name of a tool", "write `disable-tool NAME`");
    }
    if ttl_ms == 0 || ttl_ms > Contain::TTL_MS_MAX {
        let advice = "give another `--ttl`, for example `10m`";
        return wrong("a restriction lasts from 1 ms to 30 days", advice);
    }
    if reason.len() > REASON_BYTES_MAX || tool.len() > Name::BYTES_MAX {
        return wrong("the reason or the tool's name is too long", "say it in fewer words");
    }
    Ok(())
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

fn no_target(text: &str) -> Fault {
    let message = format!("`{text}` is no open session, no agent and no server that is known");
    let advice = "see `pathwarden session list`, or write `agent:NAME` or `server:NAME`";
    Fault::new(FaultKind::NotFound, message, advice)
}
