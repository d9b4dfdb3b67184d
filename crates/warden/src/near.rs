//! Approval by the person behind the client (MCP 2026-07-28, patterns/mrtr): the question goes out with
//! a state that binds the answer to this very action, once.

use std::sync::Arc;

use pathwarden_decide::Standing;
use pathwarden_json::{Json, canonical};
use pathwarden_types::{
    ActionId, ApprovalAnswer, ApprovalId, Choice, Digest, Finding, FindingKind, Millis, Name,
    Operation, SessionId, escape_invisible,
};
use pathwarden_wire::{Answer, Ask, Comeback, Fault, FaultKind, Held, NearQuestion};

use crate::explain::unreadable;
use crate::pdp::Looked;
use crate::{Caller, Warden, internal};

/// The longest arguments that a person behind a client is asked about, in bytes: they must see all of
/// them.
const ARGUMENTS_BYTES_MAX: usize = 4 << 10;

/// What every state begins with; `lens-mcp` knows them by it.
const PREFIX: &str = "pathwarden-state1";

/// What a state binds an answer to.
#[derive(Debug, Eq, PartialEq)]
struct Bound {
    session: SessionId,
    action: ActionId,
    approval: ApprovalId,
    expires: Millis,
    /// Digest of policy, operation, canonical arguments and principal.
    to: Digest,
}

impl Bound {
    fn to(policy: Digest, operation: &Operation, canonical: Digest, principal: &str) -> Digest {
        let Operation { kind, server, name } = operation;
        let (policy, canonical) = (policy.to_string(), canonical.to_string());
        // Lengths keep the parts apart.
        let parts = [&*policy, kind.as_str(), server.as_str(), name, &*canonical, principal];
        let text: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
        Digest::of(text.as_bytes())
    }

    fn text(&self) -> String {
        let Self { session, action, approval, expires, to } = self;
        format!("{PREFIX}.{session}.{action}.{approval}.{}.{to}", expires.0)
    }

    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [PREFIX, session, action, approval, expires, to] = parts.as_slice() else {
            return None;
        };
        Some(Self {
            session: session.parse().ok()?,
            action: action.parse().ok()?,
            approval: approval.parse().ok()?,
            expires: Millis(expires.parse().ok()?),
            to: to.parse().ok()?,
        })
    }
}

impl Warden {
    /// How the person behind the client of a held action may be asked; `None` when the operator does
    /// not let them answer, a person of a certain role is wanted, or they would not see all of it.
    pub(crate) fn near_question(
        &self,
        caller: &Caller,
        ask: &Ask,
        held: &Held,
    ) -> Result<Option<NearQuestion>, Fault> {
        let may_answer = caller.agent.as_ref().is_some_and(|agent| self.near.contains(agent));
        if !ask.near_person || !may_answer || ask.arguments.len() > ARGUMENTS_BYTES_MAX {
            return Ok(None);
        }
        let shown = {
            let mut shard = self.shard(ask.session)?;
            let (_, live) = self.live(&mut shard, ask.session, caller)?;
            let question = live.state.question(held.approval).ok_or_else(internal)?;
            // Of the person behind the client nobody knows a role.
            if !question.approval.role.is_empty() {
                return Ok(None);
            }
            question.approval.shown
        };
        // Nobody is asked without being told why.
        let Some(shown) = self.history.text(&shown).map_err(unreadable)? else { return Ok(None) };
        let bound = Bound {
            session: ask.session,
            action: held.action,
            approval: held.approval,
            expires: held.expires,
            to: self.binding(caller, ask),
        };
        let state = self.tokens.seal(&bound.text());
        Ok(Some(NearQuestion { words: words(ask, &shown), state }))
    }

    fn binding(&self, caller: &Caller, ask: &Ask) -> Digest {
        let policy = self.snapshot.load().version();
        Bound::to(policy, &ask.operation, ask.canonical, &caller.identity().principal)
    }

    /// Takes a held action up again with the answer of the person behind its client.
    pub(crate) async fn come_back(
        self: &Arc<Self>,
        caller: &Caller,
        ask: &Ask,
        comeback: &Comeback,
    ) -> Result<Answer, Fault> {
        let bound = self.opened(caller, ask, comeback)?;
        let Bound { session, action, approval, expires, .. } = bound;
        if self.standing(caller, session, approval)? != Some(Standing::Asked) {
            return Err(self.out_of_order(
                ask,
                FindingKind::ReplayedApproval,
                "an answer to a question that is answered or gone",
                "call again without `requestState`; the question will be put anew",
            ));
        }
        let choice = match comeback.approve {
            Some(true) => Choice::Approve,
            Some(false) => Choice::Deny,
            None => {
                let held = Held { action, approval, expires, near: None };
                let near = self.near_question(caller, ask, &held)?;
                return Ok(Answer::Held(Held { near, ..held }));
            }
        };
        let answer = ApprovalAnswer { choice, by: by(caller)?, note: "at the client".to_owned() };
        self.take_answer(session, approval, answer, None).await?;
        match self.look(caller, action, ask.canonical)? {
            Looked::Answered(session, gate) => {
                let answer = self.carry_apart(session, caller.clone(), *gate);
                answer.await.map_err(|_| internal())?
            }
            Looked::Standing(held) => Ok(Answer::Held(held)),
        }
    }

    /// What a state binds to, if it is ours, for this very action of this caller, and not too old.
    fn opened(&self, caller: &Caller, ask: &Ask, comeback: &Comeback) -> Result<Bound, Fault> {
        let bound = self.tokens.open(&comeback.state).and_then(Bound::parse).filter(|bound| {
            bound.session == ask.session
                && bound.to == self.binding(caller, ask)
                && self.now() < bound.expires
        });
        bound.ok_or_else(|| {
            self.out_of_order(
                ask,
                FindingKind::ForgedRequestState,
                "a request state that is not ours, is for another action, or is too old",
                "call again without `requestState`",
            )
        })
    }

    fn standing(
        &self,
        caller: &Caller,
        session: SessionId,
        approval: ApprovalId,
    ) -> Result<Option<Standing>, Fault> {
        let mut shard = self.shard(session)?;
        let (_, live) = self.live(&mut shard, session, caller)?;
        Ok(live.state.question(approval).map(|question| question.standing))
    }

    fn out_of_order(&self, ask: &Ask, kind: FindingKind, detail: &str, advice: &str) -> Fault {
        let finding = Finding {
            kind,
            server: Some(ask.operation.server.clone()),
            subject: ask.operation.name.clone(),
            detail: detail.to_owned(),
            action: None,
        };
        if let Err(fault) = self.note_finding(Some(ask.session), finding) {
            tracing::warn!(%fault, "a finding is not recorded");
        }
        Fault::new(FaultKind::Forbidden, detail, advice)
    }
}

/// Who answered: the person behind this agent's client, whom we do not know by name.
fn by(caller: &Caller) -> Result<Name, Fault> {
    let agent = caller.agent.as_ref().map_or("", Name::as_str);
    let text: String = format!("person at {agent}").chars().take(Name::BYTES_MAX / 4).collect();
    text.parse().map_err(|_| internal())
}

/// Arguments in a form of which nothing is out of view: without white space of the agent's choice, and
/// with an escape for every character that does not show.
fn seen_whole(arguments: &str) -> String {
    let form = Json::parse(arguments.as_bytes()).ok().map(canonical);
    let text = form.and_then(|bytes| String::from_utf8(bytes).ok());
    escape_invisible(text.as_deref().unwrap_or(arguments))
}

/// What the person is asked.
fn words(ask: &Ask, shown: &str) -> String {
    let shown: serde_json::Value = serde_json::from_str(shown).unwrap_or_default();
    let reasons = shown.pointer("/reasons").and_then(serde_json::Value::as_array);
    let because: Vec<&str> =
        reasons.into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    format!(
        "May the agent do this, once?\n\n{} on {}\n{}\n\nA person is asked because: {}",
        ask.operation.name,
        ask.operation.server,
        seen_whole(&ask.arguments),
        because.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{
        ActionId, ApprovalId, Digest, Millis, Operation, OperationKind, SessionId,
    };

    use super::{Bound, seen_whole};

    #[test]
    fn a_state_prints_what_it_parses() {
        let digest = Digest::of(b"x");
        let bound = Bound {
            session: SessionId::of(&digest),
            action: ActionId::of(&digest),
            approval: ApprovalId::of(&digest),
            expires: Millis(7),
            to: digest,
        };
        assert_eq!(Bound::parse(&bound.text()), Some(bound));
        assert_eq!(Bound::parse("pathwarden-state1.x"), None);
    }

    #[test]
    fn a_person_sees_arguments_without_room_to_hide_in() {
        let hidden = "{ \"to\" :\n\n\n\"bob\u{202e}\u{200b}\"}";
        assert_eq!(seen_whole(hidden), r#"{"to":"bob\u202e\u200b"}"#);
    }

    #[test]
    fn whatever_changes_the_action_changes_what_the_state_binds_to() {
        let operation = |kind, server: &str, name: &str| Operation {
            kind,
            server: server.parse().unwrap(),
            name: name.to_owned(),
        };
        let pay = operation(OperationKind::ToolCall, "bank", "pay");
        let (x, y) = (Digest::of(b"x"), Digest::of(b"y"));
        let to = Bound::to(x, &pay, x, "agent:a");
        for other in [
            Bound::to(y, &pay, x, "agent:a"),
            Bound::to(x, &pay, y, "agent:a"),
            Bound::to(x, &pay, x, "agent:b"),
            Bound::to(x, &operation(OperationKind::PromptGet, "bank", "pay"), x, "agent:a"),
            Bound::to(x, &operation(OperationKind::ToolCall, "bank2", "pay"), x, "agent:a"),
            Bound::to(x, &operation(OperationKind::ToolCall, "bank", "pay2"), x, "agent:a"),
        ] {
            assert_ne!(to, other);
        }
    }
}
