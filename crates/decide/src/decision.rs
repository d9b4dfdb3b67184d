//! Deciding: from an action in a session to the record of what was decided.

use pathwarden_policy::Input;
use pathwarden_types::{
    Action, Approval, ApprovalId, ApprovalNeed, Decided, Digest, Event, Identity, Millis, Mode,
    Operation, Origin, Position, Record, Risk, RuleHit, Verdict,
};
use serde::Serialize;

use crate::case::Case;
use crate::state::Binding;
use crate::{Engine, Reading, Snapshot, State, risk};

/// A decision with what must be recorded of it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a decision that is not recorded may not be acted on"]
pub struct Decision {
    /// The leaf.
    pub record: Record,
    /// The leaf's bytes; empty when it cannot be written down, which no ledger takes.
    pub entry: Vec<u8>,
    /// What was decided; the same as in the record.
    pub decided: Decided,
    /// Content that the record refers to and that is new with it.
    pub payloads: Vec<Vec<u8>>,
    /// What the policy was told: the explanation's raw material.
    pub input: Input,
    /// What the arguments name, for the fold.
    pub reading: Reading,
}

/// Who asks and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asker {
    /// The node that decides.
    pub node: String,
    /// The caller, as authenticated.
    pub identity: Identity,
}

/// Decides one action. Equal arguments give equal decisions, bytes included.
pub fn decide(
    engine: &mut Engine,
    state: &State,
    action: &Action,
    asker: &Asker,
    now: Millis,
) -> Decision {
    let mut case = Case::new(engine, state, action, now);
    case.pass();
    let Case { verdict, hits, mut obligations, containment, need, input, reading, origins, .. } =
        case;
    if verdict != Verdict::Constrain && verdict != Verdict::Hold {
        obligations.clear();
    }
    let snapshot = engine.snapshot();
    let shown = (verdict == Verdict::Hold).then(|| shown_to_a_person(&input, &origins, &hits));
    let approval = match &shown {
        Some(shown) => Some(ask(snapshot, state, action, need.as_ref(), Digest::of(shown), now)),
        None if verdict.lets_through() => rest_on(snapshot, state, action, now),
        None => None,
    };
    let decided = Decided {
        action: action.id,
        position: Position {
            step: state.step(),
            parent: action.parent,
            previous: state.previous(),
        },
        operation: action.operation.clone(),
        class: input.action.class,
        arguments: Digest::of(action.arguments.as_bytes()),
        canonical: action.canonical,
        prompt: state.task().prompt,
        retrieved: state.retrieved().collect(),
        policy: snapshot.version(),
        verdict,
        hits,
        obligations,
        containment,
        supply: action.supply.clone(),
        claim: action.claim,
        restrictions: action.restrictions.clone(),
        origins,
        confidence: risk::confidence(&input.risk),
        risk: input.risk.clone(),
        approval,
        mode: mode(snapshot, &input, verdict),
        identity: asker.identity.clone(),
    };
    let payloads = [Some(action.arguments.clone().into_bytes()), shown];
    let (record, entry, decided) = write_down(asker, action, decided, now);
    let payloads = payloads.into_iter().flatten().collect();
    Decision { record, entry, decided, payloads, input, reading }
}

/// The record and its bytes; of a refusal, when they would be more than the ledger takes.
fn write_down(
    asker: &Asker,
    action: &Action,
    decided: Decided,
    now: Millis,
) -> (Record, Vec<u8>, Decided) {
    let written = |decided: &Decided| {
        let event = Event::Decided(Box::new(decided.clone()));
        let (node, session) = (asker.node.clone(), Some(action.session));
        let record = Record { version: Record::VERSION, at: now, node, session, event };
        let entry = record.to_bytes().unwrap_or_default();
        (record, entry)
    };
    let (record, entry) = written(&decided);
    if entry.len() <= Record::BYTES_MAX {
        return (record, entry, decided);
    }
    let decided = cut(decided);
    let (record, entry) = written(&decided);
    (record, entry, decided)
}

/// A refusal in place of a decision that is too long to record: what cannot be recorded cannot
/// happen, and that it was tried is recorded all the same.
fn cut(decided: Decided) -> Decided {
    let name = decided.operation.name.chars().take(NAME_CHARS_KEPT).collect();
    let hit = RuleHit {
        rule: "engine.record_too_large".to_owned(),
        file: String::new(),
        line: 0,
        verdict: Verdict::Deny,
        reason: format!("the decision does not fit into {} bytes", Record::BYTES_MAX),
        advice: "do it in smaller pieces".to_owned(),
    };
    Decided {
        operation: Operation { name, ..decided.operation },
        verdict: decided.verdict.max(Verdict::Deny),
        hits: vec![hit],
        obligations: Vec::new(),
        containment: Vec::new(),
        supply: None,
        restrictions: Vec::new(),
        origins: Vec::new(),
        risk: Risk { terms: Vec::new(), ..decided.risk },
        approval: None,
        ..decided
    }
}

/// How much of a name stays in a record that was cut, in characters.
const NAME_CHARS_KEPT: usize = 256;

/// What only reads may wait for its place on disk; everything else may not.
fn mode(snapshot: &Snapshot, input: &Input, verdict: Verdict) -> Mode {
    let harmless = !input.action.class.has_effect() || verdict >= Verdict::Deny;
    if harmless && snapshot.settings().batched_reads { Mode::Batched } else { Mode::Strict }
}

/// The question to a person: a new one, or the one that stands with the same binding.
fn ask(
    snapshot: &Snapshot,
    state: &State,
    action: &Action,
    need: Option<&ApprovalNeed>,
    shown: Digest,
    now: Millis,
) -> Approval {
    let binding = Binding::new(&action.operation, action.canonical, snapshot.version());
    if let Some(question) = state.question_bound(&binding, now) {
        return question.approval.clone();
    }
    let most = snapshot.settings().approval_ms_max;
    Approval {
        id: question_id(action, now),
        expires: now.plus(need.map_or(most, |need| need.within_ms.min(most))),
        role: need.map(|need| need.role.clone()).unwrap_or_default(),
        shown,
        answer: None,
    }
}

/// The approval that lets this action through, where one does.
fn rest_on(snapshot: &Snapshot, state: &State, action: &Action, now: Millis) -> Option<Approval> {
    let binding = Binding::new(&action.operation, action.canonical, snapshot.version());
    let question = state.question_bound(&binding, now)?;
    question.approval.answer.is_some().then(|| question.approval.clone())
}

/// The id of a question follows from the action and the time, so that replay gives the same.
fn question_id(action: &Action, now: Millis) -> ApprovalId {
    ApprovalId::of(&Digest::of_parts(&[
        b"question",
        action.session.as_bytes(),
        action.id.as_bytes(),
        &now.0.to_be_bytes(),
    ]))
}

/// What a person sees before answering.
#[derive(Serialize)]
struct Shown<'a> {
    agent: &'a pathwarden_policy::AgentFacts,
    task: &'a str,
    action: &'a pathwarden_policy::ActionFacts,
    targets: &'a [pathwarden_policy::Target],
    origins: &'a [Origin],
    contents: &'a [pathwarden_policy::Content],
    reasons: Vec<&'a str>,
}

fn shown_to_a_person(input: &Input, origins: &[Origin], hits: &[RuleHit]) -> Vec<u8> {
    let shown = Shown {
        agent: &input.agent,
        task: &input.task.text,
        action: &input.action,
        targets: &input.targets,
        origins,
        contents: &input.contents,
        reasons: hits.iter().map(|hit| hit.reason.as_str()).collect(),
    };
    serde_json::to_vec_pretty(&shown).unwrap_or_default()
}
