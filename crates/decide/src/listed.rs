//! Whether an agent is to see in a list what it could use.

use pathwarden_types::{Action, ActionId, Digest, Millis, Operation, SessionId, Verdict};
use serde_json::Value;

use crate::facts::{self, Survey};
use crate::{Engine, State};

/// Whether the rules leave this agent any use of it: no rule denies it whatever the arguments are and
/// whatever happened. `at_rest` is the state in which nothing has (see [`State::at_rest`]).
///
/// Silence of the rules hides nothing: a rule may need arguments before it allows.
pub fn is_listed(engine: &mut Engine, at_rest: &State, operation: &Operation) -> bool {
    let nothing = Digest::of(b"{}");
    let action = Action {
        id: ActionId::of(&nothing),
        session: SessionId::of(&nothing),
        parent: None,
        operation: operation.clone(),
        arguments: "{}".to_owned(),
        canonical: nothing,
        supply: None,
        claim: None,
        restrictions: Vec::new(),
    };
    let arguments = Value::Object(serde_json::Map::new());
    let (settings, survey) = (engine.snapshot().settings(), Survey::default());
    let input = facts::input(settings, at_rest, &action, arguments, survey, Millis(0));
    let judgement = engine.judge(&input);
    // A hit of the engine's own stands on no line.
    !judgement.hits.iter().any(|hit| hit.line > 0 && hit.verdict >= Verdict::Deny)
}
