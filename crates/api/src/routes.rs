//! The table of routes: path, who may call it, what it does.

mod containment;
mod context;
mod memory;
mod supply;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use pathwarden_types::{ActionId, ApprovalId, SessionId};
use pathwarden_warden::Warden;
use pathwarden_wire::{
    ActionPath, AnswerApproval, AnswerBody, ApprovalRow, Ask, EndSession, Export, Fault, FaultKind,
    Health, Join, Joined, LearnProfile, LearnedProfile, Observe, Pdp, PolicyStatus, Replay, Report,
    Reported, SessionRow, StartSession, Started, Wait, Why,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::exchange::{Allowed, Exchange, Reply, admit};

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;
type Handler = Arc<dyn Fn(Exchange) -> Answering + Send + Sync>;
type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One route.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) allowed: Allowed,
    pub(crate) summary: &'static str,
    pub(crate) request: Option<SchemaOf>,
    pub(crate) response: Option<SchemaOf>,
    handler: Handler,
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Route {
    fn get<T, F>(
        path: &'static str,
        allowed: Allowed,
        summary: &'static str,
        handle: fn(Exchange) -> F,
    ) -> Self
    where
        T: serde::Serialize + JsonSchema + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |exchange| {
            let answer = handle(exchange);
            Box::pin(async move { Reply(answer.await).into_response() })
        });
        let response: Option<SchemaOf> = Some(schema_of::<T>);
        Self { method: "get", path, allowed, summary, request: None, response, handler }
    }

    fn post<B, T, F>(
        path: &'static str,
        allowed: Allowed,
        summary: &'static str,
        handle: fn(Exchange) -> F,
    ) -> Self
    where
        B: JsonSchema,
        T: serde::Serialize + JsonSchema + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let request: Option<SchemaOf> = Some(schema_of::<B>);
        Self { method: "post", request, ..Self::get(path, allowed, summary, handle) }
    }

    /// A route that answers with plain text.
    fn text<F>(
        path: &'static str,
        allowed: Allowed,
        summary: &'static str,
        handle: fn(Exchange) -> F,
    ) -> Self
    where
        F: Future<Output = Result<String, Fault>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |exchange| {
            let answer = handle(exchange);
            Box::pin(async move {
                match answer.await {
                    Ok(text) => text.into_response(),
                    Err(fault) => Reply::<()>(Err(fault)).into_response(),
                }
            })
        });
        Self { method: "get", path, allowed, summary, request: None, response: None, handler }
    }

    /// Adds the route to a router: nobody passes whom the table does not admit.
    pub(crate) fn add_to(self, router: Router, warden: &Arc<Warden>) -> Router {
        let Self { method, path, allowed, handler, .. } = self;
        let warden = Arc::clone(warden);
        let answer = move |request: Request| {
            let (warden, handler) = (Arc::clone(&warden), Arc::clone(&handler));
            async move {
                let caller = match allowed {
                    Allowed::Anyone => None,
                    _ => match admit(&warden, request.headers(), allowed) {
                        Ok(caller) => Some(caller),
                        Err(fault) => return Reply::<()>(Err(fault)).into_response(),
                    },
                };
                handler(Exchange { warden, caller, request }).await
            }
        };
        let filter = if method == "post" { MethodFilter::POST } else { MethodFilter::GET };
        router.route(path, on(filter, answer))
    }
}

/// Every route there is.
pub(crate) fn all() -> Vec<Route> {
    let supply = [
        supply::acting(),
        supply::watching(),
        memory::watching(),
        context::explaining(),
        containment::containing(),
    ];
    let all = [acting(), operating(), watching(), explaining(), open()];
    all.into_iter().chain(supply).flatten().collect()
}

/// What an agent's token can do.
fn acting() -> Vec<Route> {
    use Allowed::Agents;
    vec![
        Route::post::<Join, Joined, _>("/v1/join", Agents, "The session to act in", |e| async {
            let door = e.warden.door(e.caller()?);
            door.join(e.body().await?).await
        }),
        Route::post::<Ask, AnswerBody, _>("/v1/actions", Agents, "Decide an action", |e| async {
            let door = e.warden.door(e.caller()?);
            door.ask(e.body().await?).await.map(AnswerBody::from)
        }),
        Route::post::<Wait, AnswerBody, _>(
            "/v1/actions/{action}/wait",
            Agents,
            "Wait for a person's answer to a held action",
            |e| async {
                let (e, action) = e.parameter::<ActionId>().await?;
                let door = e.warden.door(e.caller()?);
                let wait: Wait = e.body().await?;
                door.wait(action, wait.asked, wait.up_to_ms).await.map(AnswerBody::from)
            },
        ),
        Route::post::<Report, Reported, _>("/v1/effects", Agents, "Close a permit", |e| async {
            let door = e.warden.door(e.caller()?);
            door.report(e.body().await?).await
        }),
        Route::post::<Observe, (), _>("/v1/observations", Agents, "Record a sight", |e| async {
            let door = e.warden.door(e.caller()?);
            door.observe(e.body().await?).await
        }),
    ]
}

/// What changes something.
fn operating() -> Vec<Route> {
    use Allowed::Operators;
    vec![
        Route::post::<StartSession, Started, _>(
            "/v1/sessions",
            Operators,
            "Start a session for an agent, with its task",
            |e| async { Arc::clone(&e.warden).start_session(e.body().await?).await },
        ),
        Route::post::<EndSession, (), _>(
            "/v1/sessions/{session}/end",
            Operators,
            "End a session",
            |e| async {
                let (e, session) = e.parameter::<SessionId>().await?;
                let warden = Arc::clone(&e.warden);
                let end: EndSession = e.body().await?;
                warden.end_session(session, end.reason)
            },
        ),
        Route::post::<AnswerApproval, (), _>(
            "/v1/approvals/{approval}",
            Operators,
            "Answer a question",
            |e| async {
                let (e, approval) = e.parameter::<ApprovalId>().await?;
                let warden = Arc::clone(&e.warden);
                warden.answer(approval, e.body().await?).await
            },
        ),
        Route::post::<(), PolicyStatus, _>(
            "/v1/policy/reload",
            Operators,
            "Load the policy anew; one that does not load changes nothing",
            |e| async move { e.warden.reload_policy().await },
        ),
        Route::post::<LearnProfile, LearnedProfile, _>(
            "/v1/profiles/learn",
            Operators,
            "Learn what an agent usually does, for a person to review; nothing is put to use",
            |e| async {
                let warden = Arc::clone(&e.warden);
                let learn: LearnProfile = e.body().await?;
                blocking(move || warden.learn_profile(learn)).await
            },
        ),
        Route::post::<(), String, _>(
            "/v1/ledger/publish",
            Operators,
            "Cover every record so far with a signed checkpoint",
            |e| async move { blocking(move || e.warden.publish()).await },
        ),
    ]
}

/// What shows how things stand.
fn watching() -> Vec<Route> {
    use Allowed::Readers;
    vec![
        Route::get::<Vec<SessionRow>, _>(
            "/v1/sessions",
            Readers,
            "Every session",
            |e| async move { e.warden.sessions() },
        ),
        Route::get::<Vec<ApprovalRow>, _>(
            "/v1/approvals",
            Readers,
            "Every question that stands",
            |e| async move { blocking(move || e.warden.approvals()).await },
        ),
        Route::get::<PolicyStatus, _>(
            "/v1/policy",
            Readers,
            "The policy, and what stands beside it",
            |e| async move { blocking(move || e.warden.policy()).await },
        ),
        Route::get::<Health, _>("/v1/health", Readers, "How the node is", |e| async move {
            e.warden.health()
        }),
    ]
}

/// What explains and proves what happened.
fn explaining() -> Vec<Route> {
    use Allowed::Readers;
    vec![
        Route::get::<ActionPath, _>(
            "/v1/sessions/{session}/path",
            Readers,
            "The action path of a session",
            |e| async {
                let (e, session) = e.parameter::<SessionId>().await?;
                blocking(move || e.warden.path(session)).await
            },
        ),
        Route::get::<Why, _>(
            "/v1/actions/{action}/why",
            Readers,
            "Why an action was decided as it was",
            |e| async {
                let (e, action) = e.parameter::<ActionId>().await?;
                blocking(move || e.warden.why(action)).await
            },
        ),
        Route::text(
            "/v1/actions/{action}/proof",
            Readers,
            "A .tlog-proof of the record that decided an action",
            |e| async {
                let (e, action) = e.parameter::<ActionId>().await?;
                blocking(move || e.warden.prove(e.warden.index_of(action)?)).await
            },
        ),
        Route::get::<Export, _>(
            "/v1/ledger/records",
            Readers,
            "A page of records, from `first` on",
            |e| async move {
                let first = e.number("first");
                blocking(move || e.warden.export(first)).await
            },
        ),
        Route::get::<Replay, _>(
            "/v1/replay",
            Readers,
            "Decide every recorded action again, of one `session` or of all",
            |e| async move {
                let only = e.query("session").map(str::parse::<SessionId>).transpose();
                let only = only.map_err(|_| {
                    let advice = "copy the id from `pathwarden session list`";
                    Fault::new(FaultKind::Malformed, "`session` is no id", advice)
                })?;
                blocking(move || e.warden.replay(only)).await
            },
        ),
    ]
}

/// What anybody may know.
fn open() -> Vec<Route> {
    vec![Route::get::<serde_json::Value, _>(
        "/v1/openapi.json",
        Allowed::Anyone,
        "This document",
        |_| async { Ok(crate::openapi_document()) },
    )]
}

/// Work that reads a lot from disk does not hold up the others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        let advice = "look at the daemon's log";
        Err(Fault::new(FaultKind::Internal, "something is broken in the daemon", advice))
    })
}
