//! Endpoints of several servers: one address, and the servers' names before what they offer.
//!
//! A client of one era sees servers of that era. As long as every server that can be reached speaks the
//! modern one, so does the endpoint; otherwise a modern client is told to fall back. Nothing is translated
//! from one era to the other.

mod hello;
mod lists;
mod sessions;
mod streams;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::{HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use pathwarden_lens_mcp::mount::{Mounts, Share};
use pathwarden_lens_mcp::{Body, Era, Id, Listing, Message, compose, headers as mirrored};
use pathwarden_types::Name;
use pathwarden_wire::Fault;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Visit;
use super::answer::{self, Challenge};
use super::call::Call;
use super::headers::{self, MCP_SESSION_ID};
use super::post;
use super::sender::vector;
use super::sse::{EVENT_OVERHEAD_BYTES, Parser};
use crate::exchange::{FromClient, FromServer};
use pathwarden_pep::{Answer, only};

/// Which endpoints speak the modern era, as far as it was asked of late.
#[derive(Default)]
pub(super) struct Eras {
    known: Mutex<BTreeMap<Vec<Name>, (Instant, bool)>>,
}

/// How long it is believed that an endpoint speaks the modern era, or not.
const ERA_FRESH: Duration = Duration::from_secs(30);

impl Eras {
    fn of(&self, servers: &[Name]) -> Option<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(servers).filter(|(at, _)| at.elapsed() < ERA_FRESH).map(|(_, modern)| *modern)
    }

    fn learn(&self, servers: &[Name], modern: bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(servers.to_vec(), (Instant::now(), modern));
    }
}

/// Several servers, as one client reaches them.
struct Several {
    visit: Visit,
    mounts: Mounts,
}

/// Answers a request to an endpoint of several servers.
pub(super) async fn answer(
    visit: Visit,
    servers: Vec<Name>,
    request: Request<Incoming>,
) -> Response<Answer> {
    let several = Several { visit, mounts: Mounts::new(servers) };
    match *request.method() {
        Method::POST => match post::body(&several.visit.shared, request).await {
            Ok(bytes) => several.post(bytes).await,
            Err(response) => *response,
        },
        Method::GET => streams::open(&several).await,
        _ => several.end().await,
    }
}

impl Several {
    async fn post(&self, bytes: Vec<u8>) -> Response<Answer> {
        // Whatever no server would be sent is refused as by one of them.
        let Some(first) = self.mounts.servers().first() else {
            return answer::refused(StatusCode::NOT_FOUND, "this endpoint has no servers");
        };
        let first = match self.call(first).await {
            Ok(call) => call,
            Err(fault) => return self.fault(&fault),
        };
        let carried = |name: &str| headers::carried(&self.visit.headers, name);
        if let FromClient::Refused(_) = first.exchange.read_client(bytes.clone(), Some(&carried)) {
            return post::answer_to(first, bytes).await;
        }
        let Ok(message) = Message::parse(bytes, self.visit.shared.limits.message_bytes_max) else {
            return answer::refused(StatusCode::BAD_REQUEST, "not a message");
        };
        if let Some(response) = self.falls_back(&message).await {
            return response;
        }
        match self.mounts.share(&message) {
            Ok(Share::One(server, bytes, name)) => self.one(&server, bytes, name).await,
            Ok(Share::Each) => self.each(&message).await,
            Ok(Share::Here) => match id_of(&message) {
                Some(id) => answer::json(StatusCode::OK, empty_result(&id)),
                None => answer::empty(StatusCode::ACCEPTED),
            },
            Err(fault) => self.refuse(&message, &fault.to_string()),
        }
    }

    fn refuse(&self, message: &Message, words: &str) -> Response<Answer> {
        match id_of(message) {
            Some(id) => {
                let error = compose::error(Some(&id), compose::INVALID_PARAMS, words);
                answer::json(StatusCode::OK, error)
            }
            None => answer::refused(StatusCode::BAD_REQUEST, words),
        }
    }

    fn fault(&self, fault: &Fault) -> Response<Answer> {
        Challenge::at(self.visit.shared.gateway.resource.as_ref(), "").fault(fault)
    }

    /// A request of this client to one of the servers, in that server's session of the transport.
    async fn call(&self, server: &Name) -> Result<Call, Fault> {
        let upstreams = &self.visit.shared.gateway.upstreams;
        let upstream = upstreams.get(server).cloned().ok_or_else(|| {
            let kind = pathwarden_wire::FaultKind::NotFound;
            Fault::new(kind, format!("there is no server `{server}`"), "see [endpoints]")
        })?;
        let mut call = self.visit.call(server, upstream).await?;
        call.is_mounted = true;
        let outer = only(&self.visit.headers, &MCP_SESSION_ID).unwrap_or_default();
        call.headers.remove(MCP_SESSION_ID);
        let inner = sessions::of(outer, server).and_then(|id| HeaderValue::from_str(&id).ok());
        if let Some(inner) = inner {
            call.headers.insert(MCP_SESSION_ID, inner);
        }
        Ok(call)
    }

    async fn one(&self, server: &Name, bytes: Vec<u8>, name: Option<String>) -> Response<Answer> {
        let mut call = match self.call(server).await {
            Ok(call) => call,
            Err(fault) => return self.fault(&fault),
        };
        if call.headers.contains_key(mirrored::NAME)
            && let Some(name) = name.and_then(|n| HeaderValue::from_str(&mirrored::encode(&n)).ok())
        {
            call.headers.insert(mirrored::NAME, name);
        }
        post::answer_to(call, bytes).await
    }

    async fn each(&self, message: &Message) -> Response<Answer> {
        let Body::Request { id, method } = message.body() else {
            return self.tell_each(message).await;
        };
        match method.as_str() {
            "initialize" => hello::legacy(self, message, id).await,
            "server/discover" => hello::modern(self, message, id).await,
            "subscriptions/listen" => streams::listen(self, id).await,
            "resources/list" => lists::merged(self, message, id, "resources").await,
            method => match Listing::answering(method) {
                Some(Listing::Items(_, member)) => lists::merged(self, message, id, member).await,
                _ => {
                    // What concerns the connection as a whole, such as the level of the log.
                    self.fetch_each(message.text().as_bytes()).await;
                    answer::json(StatusCode::OK, empty_result(id))
                }
            },
        }
    }

    /// Passes a notification on to each server.
    async fn tell_each(&self, message: &Message) -> Response<Answer> {
        for server in self.mounts.servers() {
            if let Ok(call) = self.call(server).await {
                let told = post::answer_to(call, message.text().as_bytes().to_vec()).await;
                tracing::debug!(%server, status = told.status().as_u16(), "a notification");
            }
        }
        answer::empty(StatusCode::ACCEPTED)
    }

    /// Ends the sessions of the transport.
    async fn end(&self) -> Response<Answer> {
        for server in self.mounts.servers() {
            if let Ok(call) = self.call(server).await {
                super::get::answer(call, Method::DELETE).await;
            }
        }
        answer::empty(StatusCode::NO_CONTENT)
    }

    /// Sends a request that acts on nothing to each server; the answers of those that gave one, in the
    /// order of the servers.
    async fn fetch_each(&self, bytes: &[u8]) -> Vec<(Name, Fetched)> {
        let mut fetching = JoinSet::new();
        for (index, server) in self.mounts.servers().iter().enumerate() {
            let Ok(call) = self.call(server).await else { continue };
            let bytes = bytes.to_vec();
            fetching.spawn(async move { (index, fetch(&call, bytes).await.ok()) });
        }
        let mut found = BTreeMap::new();
        while let Some(done) = fetching.join_next().await {
            if let Ok((index, Some(fetched))) = done {
                found.insert(index, fetched);
            }
        }
        let name = |index: usize| self.mounts.servers().get(index).cloned();
        found.into_iter().filter_map(|(index, one)| Some((name(index)?, one))).collect()
    }

    /// Whether every server that can be reached speaks the modern era.
    async fn each_is_modern(&self, probe: &[u8]) -> bool {
        let mut asking = JoinSet::new();
        for server in self.mounts.servers() {
            let Ok(call) = self.call(server).await else { continue };
            let probe = probe.to_vec();
            asking.spawn(async move {
                match fetch(&call, probe).await {
                    Ok(answer) => hello::is_modern(&answer),
                    Err(NotFetched::NotReached) => true,
                    // Servers of the legacy era have many ways to say that they do not understand.
                    Err(NotFetched::NoAnswer) => false,
                }
            });
        }
        asking.join_all().await.into_iter().all(|is_modern| is_modern)
    }

    /// Tells a modern client to fall back, when a server that can be reached speaks no modern revision.
    async fn falls_back(&self, message: &Message) -> Option<Response<Answer>> {
        if message.era() != Era::Modern {
            return None;
        }
        let servers = self.mounts.servers();
        let eras = &self.visit.shared.eras;
        let is_modern = match eras.of(servers) {
            Some(known) => known,
            None => {
                let is_modern = self.each_is_modern(&hello::probe(message)).await;
                eras.learn(servers, is_modern);
                is_modern
            }
        };
        if is_modern {
            return None;
        }
        let words = "a server of this endpoint has sessions; begin with `initialize`";
        let error = compose::error(id_of(message).as_ref(), compose::INVALID_REQUEST, words);
        Some(answer::json(StatusCode::BAD_REQUEST, error))
    }
}

/// What a server answered, with the headers of the answer.
struct Fetched {
    message: Message,
    headers: HeaderMap,
}

/// Why there is no answer of a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum NotFetched {
    /// It could not be reached, or has too much to do.
    NotReached,
    /// What it sent is no answer.
    NoAnswer,
}

/// Sends a request that acts on nothing, and reads its answer whole.
async fn fetch(call: &Call, bytes: Vec<u8>) -> Result<Fetched, NotFetched> {
    let FromClient::Request { cleared, id, expect, .. } = call.exchange.read_client(bytes, None)
    else {
        return Err(NotFetched::NotReached);
    };
    let (shared, to) = (&call.shared, &call.upstream);
    // Each of these is a call of the server like any other.
    let _place = to.enter(None).map_err(|_| NotFetched::NotReached)?;
    let headers = call.to_server(cleared.bytes());
    let sending = shared.sender.post(to, headers, cleared, to.answer(None));
    let response = sending.await.map_err(|_| NotFetched::NotReached)?;
    let headers = response.headers().clone();
    let is_stream = headers::is_type(&headers, "text/event-stream");
    let body = if is_stream {
        first_answer(call, response.into_body(), &id).await
    } else {
        shared.sender.read(response.into_body()).await.ok().map(vector)
    };
    let body = body.ok_or(NotFetched::NoAnswer)?;
    let FromServer::Response(answered, response) = call.exchange.read_server(body).await else {
        return Err(NotFetched::NoAnswer);
    };
    if answered.key() != id.key() {
        return Err(NotFetched::NoAnswer);
    }
    let settled = call.exchange.settle(expect, response).await;
    let message = Message::parse(settled, shared.limits.message_bytes_max);
    Ok(Fetched { message: message.map_err(|_| NotFetched::NoAnswer)?, headers })
}

/// The answer to a request on a stream.
async fn first_answer(call: &Call, mut body: Incoming, id: &Id) -> Option<Vec<u8>> {
    use http_body_util::BodyExt as _;
    let limit = call.shared.limits.message_bytes_max;
    let mut parser = Parser::new(limit + EVENT_OVERHEAD_BYTES);
    let reading = async {
        loop {
            let data = body.frame().await?.ok()?.into_data().unwrap_or_default();
            for event in parser.feed(&data).ok()? {
                let Some(data) = event.data else { continue };
                let message = Message::parse(data.clone(), limit).ok()?;
                if matches!(message.body(), Body::Response { id: Some(of), .. } if of.key() == id.key())
                {
                    return Some(data);
                }
            }
        }
    };
    tokio::time::timeout(call.shared.limits.request, reading).await.ok()?
}

fn id_of(message: &Message) -> Option<Id> {
    match message.body() {
        Body::Request { id, .. } => Some(id.clone()),
        Body::Notification { .. } | Body::Response { .. } => None,
    }
}

fn empty_result(id: &Id) -> Vec<u8> {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{}}}}", id.text()).into_bytes()
}
