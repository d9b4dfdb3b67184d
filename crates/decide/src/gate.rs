//! The gate: one action on its way through. It does no I/O; a shell carries its outputs out.

use std::mem;

use pathwarden_types::{
    Action, Approval, Digest, Millis, Mode, Receipt, Restriction, RuleHit, Supply, Verdict,
};

use crate::decision::{Asker, Decision, decide};
use crate::{Engine, Permit, Release, State};

/// One action on its way through: fetch facts, judge, record, then release, hold or refuse.
///
/// Every input is legal in every state. Whatever does not fit, comes late, or is forged closes the
/// gate with a refusal; a closed gate stays closed and says nothing more.
#[derive(Debug)]
pub struct Gate {
    action: Action,
    asker: Asker,
    deadline: Millis,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Nothing was decided.
    New,
    /// Decided; the record is on its way to the ledger.
    Recording(Box<Decision>, Digest),
    /// Recorded as held; a person is asked.
    Held(Approval),
    /// Released, refused or given up.
    Closed,
}

/// What a shell tells a gate.
pub enum Input<'a> {
    /// Begin, or go on after a person has answered: the engine and the state of the session, which
    /// already holds the answer.
    Facts(&'a mut Engine, &'a State),
    /// The ledger took the record.
    Recorded(Receipt),
    /// The ledger did not take the record.
    NotRecorded,
    /// Time passes.
    Tick,
}

/// What a gate wants of its shell.
#[derive(Debug)]
#[must_use = "an output that is not carried out leaves an action hanging"]
pub enum Output {
    /// Append this to the ledger, fold it into the state, and come back with the receipt.
    Record(Box<Decision>),
    /// Let the action through.
    Release(Permit),
    /// Ask a person, and come back with facts when there is an answer or none came in time.
    Hold(Approval),
    /// Refuse the action.
    Refuse(Refused),
    /// Nothing to do.
    Nothing,
}

/// Why a gate refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// Stable code: the rule or the check that refused.
    pub code: String,
    /// What the agent may do instead.
    pub advice: String,
}

impl Gate {
    /// A gate for one action. It must have decided and recorded by `deadline`; a hold has a limit
    /// of its own.
    #[must_use]
    pub const fn new(action: Action, asker: Asker, deadline: Millis) -> Self {
        Self { action, asker, deadline, stage: Stage::New }
    }

    /// The action that stands before it.
    #[must_use]
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// Takes how what the action uses stands now, and what is taken from whom; both may have changed while
    /// a person was asked.
    pub fn renew(&mut self, supply: Option<Supply>, restrictions: Vec<Restriction>) {
        self.action.supply = supply;
        self.action.restrictions = restrictions;
    }

    /// Takes an input and says what to do.
    pub fn handle(&mut self, now: Millis, input: Input<'_>) -> Output {
        let stage = mem::replace(&mut self.stage, Stage::Closed);
        match (stage, input) {
            (Stage::Closed, _) => Output::Nothing,
            (Stage::New | Stage::Recording(..), _) if self.deadline <= now => late(),
            (Stage::Held(approval), Input::Tick) if now < approval.expires => {
                self.stage = Stage::Held(approval);
                Output::Nothing
            }
            (stage @ (Stage::New | Stage::Recording(..)), Input::Tick) => {
                self.stage = stage;
                Output::Nothing
            }
            (Stage::New | Stage::Held(_), Input::Facts(engine, state)) => {
                self.judge(engine, state, now)
            }
            (Stage::Recording(decision, leaf), Input::Recorded(receipt)) => {
                self.recorded(*decision, leaf, receipt)
            }
            (Stage::Recording(..), Input::NotRecorded) => refuse(
                "engine.not_recorded",
                "the decision could not be recorded, so nothing may happen; try again later",
            ),
            (Stage::Held(_), Input::Tick) => {
                refuse("engine.approval_lapsed", "nobody answered in time; ask again later")
            }
            (Stage::New | Stage::Held(_), Input::Recorded(_) | Input::NotRecorded)
            | (Stage::Recording(..), Input::Facts(..)) => {
                refuse("engine.out_of_order", "this should not happen; try again")
            }
        }
    }

    fn judge(&mut self, engine: &mut Engine, state: &State, now: Millis) -> Output {
        let decision = decide(engine, state, &self.action, &self.asker, now);
        self.deadline = self.deadline.max(now.plus(Self::RECORD_MS_MAX));
        self.stage =
            Stage::Recording(Box::new(decision.clone()), Receipt::leaf_of(&decision.entry));
        Output::Record(Box::new(decision))
    }

    /// How long the ledger may take once a person has answered, in ms.
    const RECORD_MS_MAX: u64 = 10_000;

    fn recorded(&mut self, decision: Decision, leaf: Digest, receipt: Receipt) -> Output {
        let decided = decision.decided;
        let durable_enough = decided.mode == Mode::Batched || receipt.mode == Mode::Strict;
        if receipt.leaf != leaf || !durable_enough {
            return refuse("engine.forged_receipt", "the ledger's receipt is not for this record");
        }
        match decided.verdict {
            Verdict::Allow | Verdict::Constrain => Output::Release(Permit::new(Release {
                action: decided.action,
                canonical: decided.canonical,
                verdict: decided.verdict,
                obligations: decided.obligations,
                receipt,
            })),
            Verdict::Hold => match decided.approval {
                Some(approval) => {
                    self.stage = Stage::Held(approval.clone());
                    Output::Hold(approval)
                }
                None => refuse("engine.no_question", "this should not happen; try again"),
            },
            Verdict::Deny | Verdict::Isolate => Output::Refuse(told(&decided.hits)),
        }
    }
}

/// What the agent is told: the code and advice of the most restrained rule, the first of these.
fn told(hits: &[RuleHit]) -> Refused {
    let most = hits.iter().rev().max_by_key(|hit| hit.verdict);
    most.map_or_else(
        || Refused { code: "engine.denied".to_owned(), advice: String::new() },
        |hit| Refused { code: hit.rule.clone(), advice: hit.advice.clone() },
    )
}

fn late() -> Output {
    refuse("engine.deadline", "the decision took too long, so it is a refusal; try again")
}

fn refuse(code: &str, advice: &str) -> Output {
    Output::Refuse(Refused { code: code.to_owned(), advice: advice.to_owned() })
}
