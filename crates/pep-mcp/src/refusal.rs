//! What a client is told when something did not happen.

use pathwarden_lens_mcp::compose::{self, Told};
use pathwarden_lens_mcp::{Era, Id};
use pathwarden_types::{Operation, OperationKind};
use pathwarden_wire::{Fault, FaultKind, Held, Refusal};

/// One request that may have to be refused: what its client is told then.
pub(crate) struct Refusing<'a> {
    pub(crate) id: &'a Id,
    era: Era,
    kind: OperationKind,
    what: String,
}

impl<'a> Refusing<'a> {
    pub(crate) fn new(era: Era, operation: &Operation, id: &'a Id) -> Self {
        let kind = match operation.kind {
            OperationKind::ToolCall => "tool",
            OperationKind::ResourceRead => "resource",
            OperationKind::PromptGet => "prompt",
            OperationKind::Sampling | OperationKind::Elicitation | OperationKind::Roots => {
                "question"
            }
            OperationKind::Reply => "answer to a question",
            OperationKind::ModelCall => "call of the model",
            OperationKind::Exec
            | OperationKind::File
            | OperationKind::Connect
            | OperationKind::Effect => "act on the machine",
        };
        let what = format!("{kind} {} of {}", operation.name, operation.server);
        Self { id, era, kind: operation.kind, what }
    }

    /// The answer when it was refused.
    pub(crate) fn refused(&self, refusal: &Refusal) -> Vec<u8> {
        let action = refusal.action.to_string();
        self.answer(&refusal.code, &refusal.advice, Some(&action))
    }

    /// The answer when it could not be decided.
    pub(crate) fn undecided(&self, fault: &Fault) -> Vec<u8> {
        self.answer(code(fault.kind), &format!("{}; {}", fault.message, fault.advice), None)
    }

    /// The answer when a person has not answered in time; the question stands.
    pub(crate) fn waits(&self, held: &Held) -> Vec<u8> {
        let advice = format!(
            "a person is asked (approval {}); go on with something else, and make this very call again \
             when they have answered",
            held.approval
        );
        self.answer("waiting_for_approval", &advice, Some(&held.action.to_string()))
    }

    /// The answer when too many of its kind are under way.
    pub(crate) fn busy(&self, most: usize) -> Vec<u8> {
        let advice = format!("{most} such calls are under way, which is the limit; wait for one");
        self.answer("too_many_calls", &advice, None)
    }

    fn answer(&self, code: &str, advice: &str, action: Option<&str>) -> Vec<u8> {
        let told = Told { what: &self.what, code, advice, action };
        match self.kind {
            OperationKind::ToolCall => compose::tool_refusal(self.era, self.id, told),
            OperationKind::ResourceRead
            | OperationKind::PromptGet
            | OperationKind::Sampling
            | OperationKind::Elicitation
            | OperationKind::Roots
            | OperationKind::Reply
            | OperationKind::ModelCall
            | OperationKind::Exec
            | OperationKind::File
            | OperationKind::Connect
            | OperationKind::Effect => compose::refusal(self.id, told),
        }
    }
}

/// The answer when the result is here and could not be recorded.
pub(crate) fn withheld(id: Option<&Id>, fault: &Fault) -> Vec<u8> {
    let message = format!(
        "the answer of the server is withheld because it could not be recorded: {}; {}",
        fault.message, fault.advice
    );
    compose::error(id, compose::NODE_UNAVAILABLE, &message)
}

/// The stable code of a kind of fault.
const fn code(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Malformed => "malformed",
        FaultKind::Unauthenticated => "unauthenticated",
        FaultKind::Forbidden => "forbidden",
        FaultKind::NotFound => "not_found",
        FaultKind::Conflict => "conflict",
        FaultKind::TooMuch => "too_much",
        FaultKind::LedgerUnavailable => "ledger_unavailable",
        FaultKind::Unreachable => "unreachable",
        FaultKind::Internal => "internal",
    }
}
