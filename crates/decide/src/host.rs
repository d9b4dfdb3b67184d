//! What processes do to a machine, as a policy is told of it.

use pathwarden_policy::{HostActFacts, HostFacts};
use pathwarden_types::{
    Action, HostAct, HostAttempt, HostVerb, Name, OperationKind, Restriction, ToolClass, Verb,
};

use crate::Settings;

/// The arguments of an operation on a machine; `None` when they are not in that shape, or name more
/// than is decided at once.
#[must_use]
pub fn host_attempt(action: &Action) -> Option<HostAttempt> {
    if !action.operation.kind.is_on_host() {
        return None;
    }
    let attempt: HostAttempt = serde_json::from_str(&action.arguments).ok()?;
    let is_bounded = attempt.acts.len() <= HostAttempt::ACTS_MAX
        && attempt.programs.len() <= HostAttempt::PROGRAMS_MAX;
    is_bounded.then_some(attempt)
}

/// What an operation on a machine does to the world. A file that is loaded as a program is looked at; what
/// the program then does is asked about by itself. What cannot be read does more than look.
pub(crate) fn class(kind: OperationKind, attempt: Option<&HostAttempt>) -> ToolClass {
    let is_read = |act: &HostAct| {
        act.verb == HostVerb::Read || (kind == OperationKind::File && act.verb == HostVerb::Run)
    };
    match attempt {
        Some(attempt) if !attempt.acts.is_empty() && attempt.acts.iter().all(is_read) => {
            ToolClass::Read
        }
        _ => ToolClass::Write,
    }
}

/// What a policy is told.
pub(crate) fn facts(settings: &Settings, action: &Action) -> HostFacts {
    let Some(attempt) = host_attempt(action) else { return HostFacts::default() };
    let standing = standing(settings, action.operation.kind, &attempt).to_owned();
    let HostAttempt { program, program_place, acts, doubts, server, tool, programs: _ } = attempt;
    let acts = acts.into_iter().map(|act| {
        let HostAct { verb, place, what, in_workspace } = act;
        HostActFacts { verb, place, what, in_workspace }
    });
    let acts = acts.collect();
    HostFacts { program, program_place, acts, doubts, server, tool, standing }
}

/// How something that was done stands to what was allowed.
fn standing(settings: &Settings, kind: OperationKind, attempt: &HostAttempt) -> &'static str {
    if kind != OperationKind::Effect {
        return "attempt";
    }
    if attempt.tool.is_empty() {
        return "orphan";
    }
    let server = attempt.server.parse::<Name>().ok();
    let contract = server.and_then(|server| settings.server(&server).contract(&attempt.tool));
    match contract {
        None => "undeclared",
        Some(contract) if attempt.acts.iter().all(|act| contract.allows(act)) => "declared",
        Some(_) => "deviation",
    }
}

/// Why a restriction that is in force refuses an action, and what to do instead; `None` when the
/// action is none of what it takes away.
pub(crate) fn refusal_by(
    restriction: &Restriction,
    action: &Action,
    class: ToolClass,
) -> Option<(&'static str, &'static str)> {
    use OperationKind::{Connect, Effect, Exec, File, ToolCall};
    let kind = action.operation.kind;
    // What has happened cannot be refused; rules say what follows.
    if kind == Effect {
        return None;
    }
    let attempt = host_attempt(action);
    let reaches = || attempt.as_ref().is_none_or(reaches_out);
    match restriction.verb {
        Verb::Freeze => Some(("everything stands still", "wait until a person releases it")),
        Verb::Terminate => Some(("the work was ended", "end; a person must look at it")),
        Verb::NoEgress if kind == Connect && reaches() => {
            Some(("nothing may leave", "go on with what needs no network"))
        }
        Verb::NoEgress if class == ToolClass::Send => {
            Some(("nothing may leave", "go on with what tells nobody"))
        }
        Verb::ReadOnly if kind == File && attempt.as_ref().is_some_and(is_on_devices) => None,
        Verb::ReadOnly if class.has_effect() && matches!(kind, ToolCall | File) => {
            Some(("nothing may be changed", "go on with what only reads"))
        }
        Verb::NoExec if kind == Exec || class == ToolClass::Execute => {
            Some(("no program may be started", "go on with what starts none"))
        }
        Verb::DisableTool if kind == ToolCall && action.operation.name == restriction.tool => {
            Some(("this tool was taken away", "go on without it"))
        }
        Verb::NoEgress | Verb::ReadOnly | Verb::NoExec | Verb::DisableTool => None,
    }
}

/// Whether it is about devices alone, which keep nothing of what is written.
fn is_on_devices(attempt: &HostAttempt) -> bool {
    !attempt.acts.is_empty() && attempt.acts.iter().all(|act| act.place == "device")
}

/// Whether it reaches anything but the node that governs it.
fn reaches_out(attempt: &HostAttempt) -> bool {
    attempt.acts.iter().any(|act| act.verb == HostVerb::Reach && act.place != "node")
}
