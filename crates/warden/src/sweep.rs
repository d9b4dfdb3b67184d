//! What must happen although nobody asks: questions lapse, permits without an effect are closed,
//! gates that nobody waits for are carried to their end.

use std::sync::Arc;
use std::time::Duration;

use pathwarden_decide::{Gate, Standing};
use pathwarden_types::{ActionId, ApprovalId, Event, Millis, SessionId};
use pathwarden_wire::Reach;

use crate::live::Live;
use crate::start::unknown;
use crate::{Caller, Role, Warden, chain};

/// How often the node sweeps, in ms.
const EVERY_MS: u64 = 250;

/// How long a session that an agent opened by itself may go without a record, in ms.
const IDLE_MS_MAX: u64 = 24 * 3_600 * 1_000;

/// How long an answered action waits for its enforcement point to come back, in ms.
const ABANDONED_MS: u64 = 60_000;

impl Warden {
    /// Sweeps until the node ends.
    pub async fn sweep_for_ever(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(Duration::from_millis(EVERY_MS));
        loop {
            ticks.tick().await;
            self.sweep().await;
        }
    }

    async fn sweep(self: &Arc<Self>) {
        let now = self.now();
        self.lapse_restrictions(now).await;
        self.forget_silent_points(now);
        let mut lapsed = false;
        let mut abandoned = Vec::new();
        let mut idle = Vec::new();
        let swept = self.each_live(|session, live| {
            lapsed |= self.lapse(session, live, now);
            self.close_overdue(session, live, now);
            abandoned.extend(take_abandoned(session, live, now));
            if live.state.join_key().is_some() && now.since(live.touched) >= IDLE_MS_MAX {
                idle.push(session);
            }
        });
        if let Err(fault) = swept {
            tracing::error!(error = chain(&fault), "the sweep could not look at every session");
        }
        if lapsed {
            self.announce_answer();
        }
        for session in idle {
            if let Err(fault) = self.end_session(session, "nothing happened for a day".to_owned()) {
                tracing::warn!(%session, %fault, "an idle session is not ended yet");
            }
        }
        for (session, gate, agent) in abandoned {
            let caller = Caller {
                role: Role::Agent,
                agent: Some(agent),
                session: Some(session),
                reach: Reach::Gateways,
                credential: pathwarden_types::Digest::of(b""),
            };
            // Nobody takes the answer, so a permit is closed as unknown at once.
            drop(self.carry_apart(session, caller, gate));
        }
    }

    fn lapse(&self, session: SessionId, live: &mut Live, now: Millis) -> bool {
        let late: Vec<(ActionId, ApprovalId)> = live
            .state
            .questions()
            .filter(|question| {
                question.standing == Standing::Asked && question.approval.expires <= now
            })
            .map(|question| (question.action, question.approval.id))
            .collect();
        for (action, approval) in &late {
            let event = Event::Answered { action: *action, approval: *approval, answer: None };
            if let Err(fault) = self.commit_apart(live, session, event, Vec::new(), None) {
                tracing::warn!(%approval, %fault, "a question lapsed, and is not recorded yet");
            }
        }
        !late.is_empty()
    }

    fn close_overdue(&self, session: SessionId, live: &mut Live, now: Millis) {
        let overdue: Vec<ActionId> = live
            .state
            .open()
            .filter(|(_, permit)| now.since(permit.at) >= self.effect_ms_max)
            .map(|(action, _)| action)
            .collect();
        for action in overdue {
            let event = Event::Closed { action, effect: unknown("no effect was reported in time") };
            if let Err(fault) = self.commit_apart(live, session, event, Vec::new(), None) {
                tracing::warn!(%action, %fault, "a permit is not closed yet");
            }
        }
    }
}

fn take_abandoned(
    session: SessionId,
    live: &mut Live,
    now: Millis,
) -> Vec<(SessionId, Gate, pathwarden_types::Name)> {
    let agent = live.state.agent().name.clone();
    let over: Vec<ActionId> = live
        .gates
        .keys()
        .filter(|action| {
            live.state.question_about(**action).is_none_or(|question| {
                question.standing != Standing::Asked
                    && question.approval.expires.plus(ABANDONED_MS) <= now
            })
        })
        .copied()
        .collect();
    over.into_iter()
        .filter_map(|action| live.gates.remove(&action))
        .map(|gate| (session, gate, agent.clone()))
        .collect()
}
