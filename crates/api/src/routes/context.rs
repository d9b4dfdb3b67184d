//! Routes about what models were shown and what they said.

use pathwarden_types::{ActionId, SessionId};
use pathwarden_wire::{Comparison, ContextDiff, ContextShown, Fault, FaultKind};

use super::{Route, blocking};
use crate::exchange::Allowed::Readers;
use crate::exchange::Exchange;

/// What explains what happened.
pub(super) fn explaining() -> Vec<Route> {
    vec![
        Route::get::<ContextShown, _>(
            "/v1/actions/{action}/context",
            Readers,
            "What stood in the model's window at a call, or at the call that led to an action",
            |e| async {
                let (e, action) = e.parameter::<ActionId>().await?;
                blocking(move || e.warden.context(action)).await
            },
        ),
        Route::get::<ContextDiff, _>(
            "/v1/actions/{action}/context/diff",
            Readers,
            "Two windows beside each other; the other one is that of `against`",
            |e| async {
                let (e, action) = e.parameter::<ActionId>().await?;
                let against = id::<ActionId>(&e, "against")?;
                blocking(move || e.warden.context_diff(action, against)).await
            },
        ),
        Route::get::<Comparison, _>(
            "/v1/sessions/{session}/compare",
            Readers,
            "Where a run parts from the run `against`, and on what",
            |e| async {
                let (e, session) = e.parameter::<SessionId>().await?;
                let against = id::<SessionId>(&e, "against")?;
                blocking(move || e.warden.compare(session, against)).await
            },
        ),
    ]
}

/// An id among the parameters of a request.
fn id<T: std::str::FromStr>(exchange: &Exchange, name: &str) -> Result<T, Fault> {
    exchange.query(name).and_then(|text| text.parse().ok()).ok_or_else(|| {
        let message = format!("`{name}` is missing, or no id");
        Fault::new(FaultKind::Malformed, message, "copy the id from `pathwarden path`")
    })
}
