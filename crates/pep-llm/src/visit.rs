//! One request, checked in order, cheapest first: it is meant for us (`Host`, `Origin`), what it is for
//! (provider, method, path), who it is (credential), whether it can be read.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use pathwarden_lens_llm::{Endpoint, Provider, without_key};
use pathwarden_pep::{Answer, Patience, in_time, is_ours};
use pathwarden_types::{Finding, FindingKind, Name, SessionId};
use pathwarden_wire::{Fault, Join, ModelPdp};
use tokio::time::timeout;

use crate::coding::{Coding, CodingFault, unpack};
use crate::headers::{self, Credential, Key};
use crate::reply::{Reply, refused};
use crate::upstream::Upstream;
use crate::{JOIN_KEY, Shared, call, relay};

/// One request of a caller that has been let in.
pub(crate) struct Visit {
    pub(crate) shared: Arc<Shared>,
    /// The provider, as the operator named it.
    pub(crate) name: Name,
    pub(crate) upstream: Upstream,
    pub(crate) pdp: Arc<dyn ModelPdp>,
    pub(crate) session: SessionId,
    pub(crate) patience: Patience,
    /// As the client sent them.
    pub(crate) headers: HeaderMap,
    /// Path and query below the provider's, without keys.
    pub(crate) path: String,
    /// Whether the provider gets the agent's own key.
    pub(crate) passes_key: bool,
}

impl Visit {
    pub(crate) fn provider(&self) -> Provider {
        self.upstream.provider()
    }

    /// An error in the provider's form.
    pub(crate) fn refused(&self, status: StatusCode, code: &str, words: &str) -> Response<Answer> {
        refused(self.provider(), status, code, words)
    }

    /// A fault of the node.
    pub(crate) fn fault(&self, fault: &Fault) -> Response<Answer> {
        fault_in_form(self.provider(), fault)
    }

    /// The headers that go to the provider.
    pub(crate) fn to_provider(&self) -> HeaderMap {
        let key = match self.upstream.key() {
            Some(key) if !self.passes_key => Key::Ours(key),
            _ => Key::Theirs,
        };
        headers::to_provider(&self.headers, self.provider(), &key)
    }
}

fn fault_in_form(provider: Provider, fault: &Fault) -> Response<Answer> {
    let status = StatusCode::from_u16(fault.kind.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let words = format!("Pathwarden: {}; {}", fault.message, fault.advice);
    refused(provider, status, "pathwarden", &words)
}

/// Where a path leads: the provider, and what is asked of it.
struct Place {
    name: Name,
    upstream: Upstream,
    path: String,
    query: Option<String>,
}

/// Answers one request.
pub(crate) async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Response<Answer> {
    let place = match place(&shared, &request) {
        Ok(place) => place,
        Err(response) => return *response,
    };
    let provider = place.upstream.provider();
    let method = request.method().clone();
    let endpoint = Endpoint::of(provider, method.as_str(), &place.path, place.query.as_deref());
    if endpoint == Endpoint::Unknown {
        let words = "Pathwarden does not know this path of the provider's, so it is not passed on";
        return refused(provider, StatusCode::NOT_FOUND, "unknown_path", words);
    }
    let visit = match admitted(shared, &place, request.headers()).await {
        Ok(visit) => visit,
        Err(response) => return *response,
    };
    let wanted = match endpoint {
        Endpoint::Generate { api, model, .. } => {
            call::Wanted::generate(api, model.map(Cow::into_owned))
        }
        Endpoint::Count { api, model } => call::Wanted::count(api, model.map(Cow::into_owned)),
        Endpoint::About | Endpoint::Unknown => return relay::about(&visit, method).await,
    };
    match body(&visit, request).await {
        Ok(bytes) => call::answer(visit, wanted, bytes).await,
        Err(response) => *response,
    }
}

fn place(shared: &Shared, request: &Request<Incoming>) -> Result<Place, Box<Response<Answer>>> {
    let gateway = &shared.gateway;
    let (uri, headers) = (request.uri(), request.headers());
    if let Err(words) = is_ours(uri, headers, &gateway.allowed_hosts, &gateway.allowed_origins) {
        note_foreign(shared, headers, words);
        return Err(Box::new(refused(Provider::OpenAi, StatusCode::FORBIDDEN, "foreign", words)));
    }
    let rest = uri.path().strip_prefix('/').unwrap_or_default();
    let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let known = name.parse::<Name>().ok().and_then(|name| {
        let upstream = gateway.upstreams.get(&name)?.clone();
        Some((name, upstream))
    });
    let Some((name, upstream)) = known else {
        let words =
            "there is no such provider; the path is `/PROVIDER/…`, by the names of [models]";
        let response = refused(Provider::OpenAi, StatusCode::NOT_FOUND, "unknown_provider", words);
        return Err(Box::new(response));
    };
    let path = if below.is_empty() { "/" } else { below };
    let query = uri.query().map(str::to_owned);
    Ok(Place { name, upstream, path: path.to_owned(), query })
}

/// A page of somebody else's, or a name of somebody else's for this machine (DNS rebinding).
fn note_foreign(shared: &Shared, headers: &HeaderMap, words: &str) {
    let text = |name| headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let subject = text(header::ORIGIN).or_else(|| text(header::HOST)).unwrap_or_default();
    (shared.gateway.intrusion)(Finding {
        kind: FindingKind::ForeignOrigin,
        server: None,
        subject,
        detail: words.to_owned(),
        action: None,
    });
}

async fn admitted(
    shared: Arc<Shared>,
    place: &Place,
    from: &HeaderMap,
) -> Result<Visit, Box<Response<Answer>>> {
    let provider = place.upstream.provider();
    let unauthorised =
        |words: &str| Box::new(refused(provider, StatusCode::UNAUTHORIZED, "no_token", words));
    let query = place.query.as_deref().unwrap_or_default();
    let key = key_in(query).map_err(|SeveralKeys| unauthorised(ONE_TOKEN))?;
    let (token, passes_key) = match headers::credential(from, provider, key) {
        Credential::Unusable => return Err(unauthorised(ONE_TOKEN)),
        Credential::None => (None, false),
        Credential::Token(token) => (Some(token), false),
        Credential::Beside(token) => (Some(token), place.upstream.key().is_none()),
    };
    let fault = |fault: Fault| Box::new(fault_in_form(provider, &fault));
    let path = format!("/{}", place.name);
    let pdp = (shared.gateway.admit)(token, &path).await.map_err(fault)?;
    if place.upstream.key().is_none() && !passes_key {
        return Err(unauthorised(NO_KEY));
    }
    let mut patience = shared.gateway.limits.patience;
    let join = Join { join_key: JOIN_KEY.to_owned() };
    let joined = in_time(&patience, pdp.join(join)).await.map_err(fault)?;
    patience.hold = patience.hold.min(Duration::from_millis(joined.hold_ms));
    let query = place.query.as_deref().map(|query| match passes_key {
        true => query.to_owned(),
        false => without_key(query),
    });
    let path = match query.filter(|query| !query.is_empty()) {
        Some(query) => format!("{}?{query}", place.path),
        None => place.path.clone(),
    };
    let (name, upstream) = (place.name.clone(), place.upstream.clone());
    let (session, headers) = (joined.session, from.clone());
    let visit = Visit { shared, name, upstream, pdp, session, patience, headers, path, passes_key };
    // Wherever else the agent has put it, the provider would see it.
    let outgoing = visit.to_provider();
    let shows_token = |token: &str| headers::shows(&outgoing, token) || visit.path.contains(token);
    if token.is_some_and(shows_token) {
        return Err(unauthorised(TOKEN_AS_KEY));
    }
    Ok(visit)
}

const ONE_TOKEN: &str = "Pathwarden: the credential is not one; send the agent's token once, where the \
    SDK sends the key, or in `X-Pathwarden-Token` beside a key";

const NO_KEY: &str = "Pathwarden: the operator has given no key for this provider (`key_env`); send your \
    own key, and the agent's token in `X-Pathwarden-Token`";

const TOKEN_AS_KEY: &str = "Pathwarden: the agent's token stands where the provider would see it; send it in \
    `X-Pathwarden-Token` alone, and your own key where the SDK sends it";

/// A query has more than one key.
struct SeveralKeys;

/// The key in a query, as Gemini allows.
fn key_in(query: &str) -> Result<Option<&str>, SeveralKeys> {
    let keys = query.split('&').filter_map(|pair| pair.strip_prefix("key="));
    let mut keys = keys.filter(|key| !key.is_empty());
    let key = keys.next();
    if keys.any(|other| Some(other) != key) { Err(SeveralKeys) } else { Ok(key) }
}

/// The body, unpacked, if it is one that may be read.
async fn body(visit: &Visit, request: Request<Incoming>) -> Result<Vec<u8>, Box<Response<Answer>>> {
    let limits = &visit.shared.gateway.limits;
    let max = limits.request_bytes_max;
    let refused = |status, words: &str| Err(Box::new(visit.refused(status, "unreadable", words)));
    let too_long = |status| refused(status, &format!("the request is longer than {max} bytes"));
    if request.body().size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return too_long(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let coding = match Coding::of(request.headers()) {
        Ok(coding) => coding,
        Err(fault) => {
            let words = format!("of the request: {fault}");
            return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, &words);
        }
    };
    let read = Limited::new(request.into_body(), max).collect();
    let bytes: Bytes = match timeout(limits.request, read).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return too_long(StatusCode::PAYLOAD_TOO_LARGE);
        }
        Ok(Err(_)) => return refused(StatusCode::BAD_REQUEST, "the request broke off"),
        Err(_) => return refused(StatusCode::REQUEST_TIMEOUT, "the request did not come in time"),
    };
    match unpack(coding, bytes.into(), max) {
        Ok(bytes) => Ok(bytes),
        Err(CodingFault::TooLong(_)) => too_long(StatusCode::PAYLOAD_TOO_LARGE),
        Err(fault) => refused(StatusCode::BAD_REQUEST, &format!("of the request: {fault}")),
    }
}

/// A reply that a task of its own will give.
pub(crate) async fn awaited(
    provider: Provider,
    work: impl FnOnce(Reply) -> tokio::task::JoinHandle<()>,
) -> Response<Answer> {
    let (waiting, answered) = tokio::sync::oneshot::channel();
    drop(work(Reply::Waiting(waiting)));
    answered.await.unwrap_or_else(|_| {
        let words =
            "Pathwarden: something is broken here; an operator can look at the daemon's log";
        refused(provider, StatusCode::INTERNAL_SERVER_ERROR, "pathwarden", words)
    })
}
