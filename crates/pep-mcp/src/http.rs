//! Streamable HTTP in front of configured upstream servers, at `/mcp/<upstream>` (MCP 2025-06-18,
//! 2025-11-25 and 2026-07-28, «Transports»).
//!
//! Order of checks, written once in `admitted`: the request is meant for us (`Host`, `Origin`), who it
//! is (bearer token), what it is for (path, method), whether it can be read (length, type); then the
//! message itself.

mod answer;
mod call;
mod endpoint;
mod get;
mod headers;
mod left;
mod post;
mod resource;
mod sender;
mod sse;
mod stream;
mod upstream;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use answer::{Challenge, refused};
use call::Call;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use left::{Deciding, Left};
use pathwarden_lens_mcp::Era;
use pathwarden_pep::{Answer, Doors};
use pathwarden_types::{Finding, FindingKind, Name};
use pathwarden_wire::{Fault, FaultKind, Pdp};
pub use resource::Resource;
use sender::Sender;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
pub use upstream::{CallLimits, Upstream, UpstreamError};

use crate::Limits;
use crate::exchange::Exchange;
use crate::params::Params;

/// Who is behind a bearer token, or behind none, at the endpoint of this path: the decision point as that
/// caller reaches it, or why not.
pub type Admit = Arc<dyn Fn(Option<&str>, &str) -> Admitting + Send + Sync>;

/// An answer of [`Admit`] under way.
pub type Admitting = Pin<Box<dyn Future<Output = Result<Arc<dyn Pdp>, Fault>> + Send>>;

/// Takes a finding that belongs to no session.
pub type Intrusion = Arc<dyn Fn(Finding) + Send + Sync>;

/// What [`serve`] stands in front of, and for whom.
pub struct Gateway {
    /// The servers, by the name in the path.
    pub upstreams: BTreeMap<Name, Upstream>,
    /// Endpoints of several servers, by the name in the path.
    pub endpoints: BTreeMap<Name, Vec<Name>>,
    /// Who may come in.
    pub admit: Admit,
    /// Where it is told that somebody tried to come in who may not.
    pub intrusion: Intrusion,
    /// What it says of itself to clients that look for an authorization server.
    pub resource: Option<Resource>,
    /// Every bound.
    pub limits: Limits,
    /// Values of `Host` that are ours, beside those of the loopback; with or without port.
    pub allowed_hosts: BTreeSet<String>,
    /// Values of `Origin` that may call, beside those of the loopback.
    pub allowed_origins: BTreeSet<String>,
}

/// What the enforcement points of one agent have in common over HTTP.
const JOIN_KEY: &str = "http";

/// What all requests share.
struct Shared {
    gateway: Gateway,
    limits: Limits,
    sender: Sender,
    params: Arc<Params>,
    left: Left,
    deciding: Deciding,
    eras: endpoint::Eras,
    /// Whether the gateway stops.
    stop: watch::Receiver<bool>,
    /// Dropped with the last of all that still has a permit to close.
    _working: mpsc::Sender<()>,
}

impl Shared {
    /// Until the gateway stops.
    fn stopping(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.clone();
        async move {
            // An error says that the gateway has stopped already.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }
}

/// Serves until `shutdown` is done, and then until what is under way has ended or
/// [`Limits::grace`] is over.
pub async fn serve(listener: TcpListener, gateway: Gateway, shutdown: impl Future<Output = ()>) {
    let limits = gateway.limits;
    let (working, mut worked) = mpsc::channel(1);
    let (stopper, stop) = watch::channel(false);
    let shared = Arc::new(Shared {
        gateway,
        limits,
        sender: Sender::new(limits),
        params: Arc::new(Params::new()),
        left: Left::new(limits.resumable_max),
        deciding: Deciding::default(),
        eras: endpoint::Eras::default(),
        stop,
        _working: working,
    });
    let doors = Doors {
        connections_max: limits.connections_max,
        head: limits.request,
        grace: limits.grace,
    };
    let answering = Arc::clone(&shared);
    let answer = move |request| handle(Arc::clone(&answering), request);
    pathwarden_pep::serve(listener, doors, &stopper, shutdown, answer).await;
    for slot in shared.left.drain() {
        call::close_slot(slot, "the gateway stopped before it was answered").await;
    }
    drop(shared);
    // Nothing is ever sent: it ends when all that shares it has ended.
    let _ = timeout(limits.grace, worked.recv()).await;
}

/// One request, checked in order, cheapest first.
async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Response<Answer> {
    if let Some(response) = resource::answer(&shared.gateway, &request) {
        return response;
    }
    match admitted(shared, &request).await {
        Ok((visit, Place::One(name, upstream))) => match visit.call(&name, upstream).await {
            Ok(call) => match *request.method() {
                Method::POST => post::answer(call, request).await,
                _ => get::answer(call, request.method().clone()).await,
            },
            Err(refusal) => {
                let resource = visit.shared.gateway.resource.as_ref();
                Challenge::at(resource, request.uri().path()).fault(&refusal)
            }
        },
        Ok((visit, Place::Many(servers))) => endpoint::answer(visit, servers, request).await,
        Err(response) => *response,
    }
}

/// Where a path leads.
enum Place {
    /// To one server.
    One(Name, Upstream),
    /// To an endpoint of several.
    Many(Vec<Name>),
}

/// A client that has been let in, before it is known whom it wants.
struct Visit {
    shared: Arc<Shared>,
    pdp: Arc<dyn Pdp>,
    headers: HeaderMap,
}

impl Visit {
    /// One request of it to this server.
    async fn call(&self, name: &Name, upstream: Upstream) -> Result<Call, Fault> {
        let shared = Arc::clone(&self.shared);
        let (pdp, params) = (Arc::clone(&self.pdp), Arc::clone(&shared.params));
        let joining = Exchange::join(pdp, name.clone(), JOIN_KEY.to_owned(), params, shared.limits);
        let exchange = Arc::new(joining.await?);
        let (headers, era) = (self.headers.clone(), Era::Legacy);
        Ok(Call { shared, exchange, upstream, headers, era, is_mounted: false })
    }
}

async fn admitted(
    shared: Arc<Shared>,
    request: &Request<Incoming>,
) -> Result<(Visit, Place), Box<Response<Answer>>> {
    let gateway = &shared.gateway;
    let headers = request.headers();
    pathwarden_pep::is_ours(
        request.uri(),
        headers,
        &gateway.allowed_hosts,
        &gateway.allowed_origins,
    )
    .map_err(|words| Box::new(foreign(gateway, headers, words)))?;
    let path = request.uri().path();
    let challenge = Challenge::at(gateway.resource.as_ref(), path);
    let fault = |refusal: &Fault| Box::new(challenge.fault(refusal));
    let token = pathwarden_pep::bearer(headers).map_err(|_| fault(&one_token()))?;
    let pdp = (gateway.admit)(token, path).await.map_err(|refusal| fault(&refusal))?;
    let place = route(gateway, request)?;
    let headers = headers.clone();
    Ok((Visit { shared, pdp, headers }, place))
}

/// A page of somebody else's, or a name of somebody else's for this machine (DNS rebinding).
fn foreign(gateway: &Gateway, headers: &http::HeaderMap, words: &str) -> Response<Answer> {
    let text = |name| headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let subject = text(header::ORIGIN).or_else(|| text(header::HOST)).unwrap_or_default();
    (gateway.intrusion)(Finding {
        kind: FindingKind::ForeignOrigin,
        server: None,
        subject,
        detail: words.to_owned(),
        action: None,
    });
    refused(StatusCode::FORBIDDEN, words)
}

fn one_token() -> Fault {
    Fault::new(
        FaultKind::Unauthenticated,
        "the credential is not one bearer token",
        "send `Authorization: Bearer <token>` once, with the agent's token",
    )
}

/// Where a path leads.
fn place(gateway: &Gateway, path: &str) -> Option<Place> {
    let name: Name = path.strip_prefix("/mcp/")?.parse().ok()?;
    match gateway.upstreams.get(&name) {
        Some(upstream) => Some(Place::One(name, upstream.clone())),
        None => gateway.endpoints.get(&name).map(|servers| Place::Many(servers.clone())),
    }
}

fn route(gateway: &Gateway, request: &Request<Incoming>) -> Result<Place, Box<Response<Answer>>> {
    let Some(found) = place(gateway, request.uri().path()) else {
        let words = "there is no such upstream; the path is `/mcp/<upstream>`";
        return Err(Box::new(refused(StatusCode::NOT_FOUND, words)));
    };
    if request.uri().query().is_some() {
        let words = "a query is not passed on; leave it out";
        return Err(Box::new(refused(StatusCode::BAD_REQUEST, words)));
    }
    if matches!(*request.method(), Method::GET | Method::POST | Method::DELETE) {
        return Ok(found);
    }
    let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, "use GET, POST or DELETE");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST, DELETE"));
    Err(Box::new(response))
}

#[cfg(test)]
mod tests;
