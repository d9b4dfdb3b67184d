//! What is asked of the decision point, so that what is decided alike is asked alike.

use pathwarden_types::{ActionId, HostAct, HostAttempt, HostVerb, Name, OperationKind};

use crate::asker::Question;

/// Who acts, as far as it matters to what is decided.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Actor {
    /// The program's path, as the kernel names it; empty where it is not known.
    pub(crate) program: String,
    /// The tool server; `None` for the agent's own processes.
    pub(crate) server: Option<Name>,
}

/// One thing is to be done, by itself: a file is to be looked at or changed, or an address is to be reached.
pub(crate) fn act(act: HostAct, actor: &Actor) -> Question {
    let (kind, about) = match act.verb {
        HostVerb::Reach => (OperationKind::Connect, &act.what),
        HostVerb::Run | HostVerb::Read | HostVerb::Write | HostVerb::Remove | HostVerb::Change => {
            (OperationKind::File, &act.place)
        }
    };
    // What a person says of one server's is not said of all.
    let by = actor.server.as_ref().map(|server| format!(" by {server}")).unwrap_or_default();
    let name = format!("{} {about}{by}", act.verb.as_str());
    let attempt = HostAttempt { acts: vec![act], server: server(actor), ..HostAttempt::default() };
    Question { kind, name, attempt, parent: None }
}

/// Something was done that no decision on the machine covers, or that a tool's contract may not.
pub(crate) fn effect(act: HostAct, actor: &Actor, during: Option<(ActionId, String)>) -> Question {
    let name = format!("{} {}", act.verb.as_str(), act.place);
    let (parent, tool) = match during {
        Some((action, tool)) => (Some(action), tool),
        None => (None, String::new()),
    };
    let attempt = HostAttempt {
        program: actor.program.clone(),
        acts: vec![act],
        server: server(actor),
        tool,
        ..HostAttempt::default()
    };
    Question { kind: OperationKind::Effect, name, attempt, parent }
}

pub(crate) fn server(actor: &Actor) -> String {
    actor.server.as_ref().map(ToString::to_string).unwrap_or_default()
}
