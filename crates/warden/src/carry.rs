//! How one action goes through the gate: the shell carries out what the gate wants.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pathwarden_decide::{Decision, Gate, Input, Output, Refused};
use pathwarden_store::{Append, AppendError, Pending};
use pathwarden_types::{ActionId, Event, Finding, FindingKind, Mode, OperationKind, SessionId};
use pathwarden_wire::{Answer, Fault, Held, Refusal};
use tokio::sync::oneshot;

use crate::containment::{Ordered, ordered};
use crate::live::{Entry, Shard};
use crate::start::unknown;
use crate::{Caller, Warden, internal, ledger_unavailable, no_session};

/// What is left to do once the session's lock is free.
enum Left {
    /// The gate has spoken.
    Nothing(Output),
    /// The record must be on disk first.
    Await(Pending),
}

impl Warden {
    /// Takes an action through its gate in a task of its own, so that a caller who goes away leaves
    /// nothing half done: a permit that nobody takes is closed as `unknown`.
    pub(crate) fn carry_apart(
        self: &Arc<Self>,
        session: SessionId,
        caller: Caller,
        gate: Gate,
    ) -> oneshot::Receiver<Result<Answer, Fault>> {
        let (sender, answer) = oneshot::channel();
        let warden = Arc::clone(self);
        tokio::spawn(async move {
            let action = gate.action().id;
            let answer = warden.carry(session, &caller, gate).await;
            warden.unclaim(session, action);
            if let Err(Ok(Answer::Release(permit))) = sender.send(answer) {
                let detail = "the enforcement point went away before the action";
                warden.close_unknown(session, permit.action(), detail);
            }
        });
        answer
    }

    /// The state knows by now who carries out an emitted call.
    fn unclaim(&self, session: SessionId, action: ActionId) {
        if let Ok(mut shard) = self.shard(session)
            && let Some(live) = shard.sessions.get_mut(&session)
        {
            live.claimed.remove(&action);
        }
    }

    /// Takes an action from facts to an answer.
    async fn carry(
        &self,
        session: SessionId,
        caller: &Caller,
        mut gate: Gate,
    ) -> Result<Answer, Fault> {
        let (left, orders) = self.judge(session, caller, &mut gate)?;
        let output = match left {
            Left::Nothing(output) => output,
            Left::Await(pending) => {
                let outcome = pending.await;
                self.note_outcome(&outcome);
                let mut shard = self.shard(session)?;
                let live = shard.sessions.get_mut(&session).ok_or_else(|| no_session(session))?;
                live.settle(outcome.is_ok());
                gate.handle(self.now(), outcome.map_or(Input::NotRecorded, Input::Recorded))
            }
        };
        self.carry_out(gate.action(), orders).await;
        self.conclude(session, gate, output)
    }

    /// Judges and appends under the session's lock, so that the ledger holds a session's records in
    /// the order in which its state took them.
    fn judge(
        &self,
        session: SessionId,
        caller: &Caller,
        gate: &mut Gate,
    ) -> Result<(Left, Vec<Ordered>), Fault> {
        let mut shard = self.shard(session)?;
        let (engine, live) = self.live(&mut shard, session, caller)?;
        let now = self.now();
        let agent = &live.state.agent().name;
        let supply = self.supplies.of_action(gate.action(), agent)?;
        let agent = agent.clone();
        let restrictions = self.restraint.of(gate.action(), &agent, now)?;
        gate.renew(supply, restrictions);
        let decision = match gate.handle(now, Input::Facts(engine, &live.state)) {
            Output::Record(decision) => decision,
            output => return Ok((Left::Nothing(output), Vec::new())),
        };
        let orders = ordered(&decision, &agent);
        let finding = finding_of(&decision);
        let Decision { record, entry, decided, payloads, reading, .. } = *decision;
        let entry =
            Entry { record: &record, bytes: Some(entry), payloads, reading: Some(&reading) };
        // While the disk refuses, nothing is released on a promise.
        let mode = if self.is_writable() { decided.mode } else { Mode::Strict };
        let left = match mode {
            Mode::Strict => live.append(&self.store, entry).map(Left::Await),
            Mode::Batched => live
                .append_batched(&self.store, entry)
                .map(|receipt| Left::Nothing(gate.handle(now, Input::Recorded(receipt)))),
        };
        self.note_outcome(&left);
        drop(shard);
        if let Some(finding) = finding {
            self.note_finding(Some(session), finding)?;
        }
        Ok((left.unwrap_or_else(|_| Left::Nothing(gate.handle(now, Input::NotRecorded))), orders))
    }

    fn conclude(&self, session: SessionId, gate: Gate, output: Output) -> Result<Answer, Fault> {
        let action = gate.action().id;
        match output {
            Output::Release(permit) => {
                self.expect_memory(session, &gate)?;
                Ok(Answer::Release(permit))
            }
            Output::Refuse(Refused { code, advice }) => {
                Ok(Answer::Refuse(Refusal { action, code, advice }))
            }
            Output::Hold(approval) => {
                let mut shard = self.shard(session)?;
                let live = shard.sessions.get_mut(&session).ok_or_else(|| no_session(session))?;
                live.gates.insert(action, gate);
                let (approval, expires) = (approval.id, approval.expires);
                Ok(Answer::Held(Held { action, approval, expires, near: None }))
            }
            Output::Record(_) | Output::Nothing => Err(internal()),
        }
    }

    /// Remembers what a released action does to memory, until it is reported.
    fn expect_memory(&self, session: SessionId, gate: &Gate) -> Result<(), Fault> {
        let Some(uses) = self.remembered.uses_of(gate.action()) else { return Ok(()) };
        if let Some(live) = self.shard(session)?.sessions.get_mut(&session) {
            live.uses.insert(gate.action().id, uses);
        }
        Ok(())
    }

    /// Closes a permit whose outcome nobody can tell. If the ledger takes no record now, the sweep
    /// closes it later.
    pub(crate) fn close_unknown(&self, session: SessionId, action: ActionId, detail: &str) {
        let Ok(mut shard) = self.shard(session) else { return };
        let Shard { sessions, .. } = &mut *shard;
        let Some(live) = sessions.get_mut(&session) else { return };
        let event = Event::Closed { action, effect: unknown(detail) };
        if let Err(fault) = self.commit_apart(live, session, event, Vec::new(), None) {
            tracing::warn!(%action, %fault, "a permit is not closed yet");
        }
    }

    /// Appends one record and waits until it is on disk.
    pub(crate) async fn append(&self, append: Append) -> Result<(), Fault> {
        let outcome = match self.store.append(append) {
            Ok(pending) => pending.await.map(|_receipt| ()),
            Err(error) => Err(error),
        };
        self.note_outcome(&outcome);
        outcome.map_err(|error| ledger_unavailable(&error.to_string()))
    }

    /// Whether the latest record that anybody waited for reached the disk.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    /// Remembers whether the ledger takes records, and says so once when that changes.
    pub(crate) fn note_outcome<T>(&self, outcome: &Result<T, AppendError>) {
        let writable = match outcome {
            Ok(_) => true,
            Err(AppendError::Disk { .. } | AppendError::Stopped) => false,
            // The queue is full, or the record is not one: nothing is wrong with the disk.
            Err(_) => return,
        };
        if self.writable.swap(writable, Ordering::Relaxed) == writable {
            return;
        }
        match outcome {
            Ok(_) => tracing::info!("the ledger takes records again"),
            Err(error) => tracing::error!(
                error = crate::chain(error),
                "the ledger takes no records; new actions are denied until it does"
            ),
        }
    }
}

/// What an effect is that rules do not let pass: done already, and out of order.
fn finding_of(decision: &Decision) -> Option<Finding> {
    let decided = &decision.decided;
    if decided.operation.kind != OperationKind::Effect || decided.verdict.lets_through() {
        return None;
    }
    let host = &decision.input.host;
    let kind = match host.standing.as_str() {
        "orphan" => FindingKind::EffectOrphan,
        _ => FindingKind::EffectDeviation,
    };
    let did = host.acts.iter().map(|act| format!("{} {}", act.verb.as_str(), act.what));
    let by = if host.tool.is_empty() { &host.program } else { &host.tool };
    Some(Finding {
        kind,
        server: host.server.parse().ok(),
        subject: by.clone(),
        detail: did.collect::<Vec<_>>().join(", "),
        action: Some(decided.action),
    })
}
