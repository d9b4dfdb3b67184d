//! What a client is told when something did not happen.

use pathwarden_lens_mcp::compose::{self, Told};
use pathwarden_lens_mcp::{Body, Id, Message};
use pathwarden_wire::{Fault, FaultKind, Refusal};

/// The answer to a request that was refused: of a kind that fits its method.
pub(crate) fn refused(message: &Message, id: &Id, what: &str, refusal: &Refusal) -> Vec<u8> {
    let action = refusal.action.to_string();
    let told = Told { what, code: &refusal.code, advice: &refusal.advice, action: Some(&action) };
    answer(message, id, told)
}

/// The answer to a request that could not be decided.
pub(crate) fn undecided(message: &Message, id: &Id, what: &str, fault: &Fault) -> Vec<u8> {
    let advice = format!("{}; {}", fault.message, fault.advice);
    answer(message, id, Told { what, code: code(fault.kind), advice: &advice, action: None })
}

fn answer(message: &Message, id: &Id, told: Told<'_>) -> Vec<u8> {
    match message.body() {
        Body::Request { method, .. } if method == "tools/call" => compose::tool_refusal(id, told),
        _ => compose::refusal(id, told),
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
