//! What is done with each method: of the legacy revisions 2025-06-18 and 2025-11-25 (their
//! `schema.ts`, unions `ClientRequest`, `ClientNotification`, `ServerRequest`, `ServerNotification`),
//! and of 2026-07-28 with its extension for tasks.
//!
//! A method that stands in no table is not forwarded: nobody has said what it can do.

use pathwarden_types::ObservationKind;

use crate::era::Era;

/// What is done with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Route {
    /// It is an action: ask first.
    Decide,
    /// It acts on nothing: forward it, and observe its result as this, where it says something that
    /// later judgements need.
    Forward(Option<ObservationKind>),
}

/// What to do with a request of the client; `None` for a method of no revision we speak.
#[must_use]
pub fn client_request(era: Era, method: &str) -> Option<Route> {
    let both = match method {
        "tools/call" | "resources/read" | "prompts/get"
        // It carries text of the agent's choice to the server.
        | "completion/complete" => Some(Route::Decide),
        "tools/list" | "resources/list" | "resources/templates/list" | "prompts/list" => {
            Some(Route::Forward(Some(ObservationKind::Catalogue)))
        }
        "tasks/get" | "tasks/cancel" => Some(Route::Forward(Some(ObservationKind::Result))),
        _ => None,
    };
    both.or_else(|| match era {
        Era::Legacy => legacy(method),
        Era::Modern => modern(method),
    })
}

fn legacy(method: &str) -> Option<Route> {
    Some(match method {
        "resources/subscribe" | "resources/unsubscribe" => Route::Decide,
        "initialize" => Route::Forward(Some(ObservationKind::ServerHello)),
        // The result of a call that was decided when its task was created.
        "tasks/result" | "tasks/list" => Route::Forward(Some(ObservationKind::Result)),
        "ping" | "logging/setLevel" => Route::Forward(None),
        _ => return None,
    })
}

fn modern(method: &str) -> Option<Route> {
    Some(match method {
        "server/discover" => Route::Forward(Some(ObservationKind::ServerHello)),
        // It names resources, or brings what a server asked for.
        "subscriptions/listen" | "tasks/update" => Route::Decide,
        _ => return None,
    })
}

/// Whether a notification of the client is of a revision we speak.
#[must_use]
pub fn client_notification(method: &str) -> bool {
    matches!(
        method,
        "notifications/initialized"
            | "notifications/cancelled"
            | "notifications/progress"
            | "notifications/roots/list_changed"
            | "notifications/tasks/status"
    )
}

/// Whether a request of the server is of a legacy revision, and what is done with it. In the modern era
/// a server asks inside its results (see [`crate::asks`]).
#[must_use]
pub fn server_request(method: &str) -> Option<Route> {
    Some(match method {
        "sampling/createMessage" | "elicitation/create" | "roots/list" => Route::Decide,
        // They ask for the state of what was decided when it was created, or for nothing.
        "ping" | "tasks/get" | "tasks/result" | "tasks/list" | "tasks/cancel" => {
            Route::Forward(None)
        }
        _ => return None,
    })
}

/// Whether a notification of the server tells the state of a task, which may ask for something or be a
/// result.
#[must_use]
pub fn tells_task(method: &str) -> bool {
    matches!(method, "notifications/tasks" | "notifications/tasks/status")
}

/// Whether a notification of the server is of a revision we speak.
#[must_use]
pub fn server_notification(method: &str) -> bool {
    matches!(
        method,
        "notifications/cancelled"
            | "notifications/progress"
            | "notifications/message"
            | "notifications/resources/updated"
            | "notifications/resources/list_changed"
            | "notifications/tools/list_changed"
            | "notifications/prompts/list_changed"
            | "notifications/elicitation/complete"
            | "notifications/subscriptions/acknowledged"
    ) || tells_task(method)
}
