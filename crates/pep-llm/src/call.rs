//! One call of a model: its window is recorded, then decided; what obligations want is done to it; then it
//! goes to the provider. Nothing but a permit makes it go.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{HeaderMap, Method, Response, StatusCode, header};
use pathwarden_decide::Permit;
use pathwarden_lens_llm::{Api, Part, PartKind, Request, RequestFault};
use pathwarden_pep::{Answer, Final, in_time, settle};
use pathwarden_types::{
    ActionId, Effect, Finding, FindingKind, Observation, ObservationKind, Operation, OperationKind,
    Outcome,
};
use pathwarden_wire::{Ask, Fault, Found, Held, Observe, Refusal, Report, Said, Seen};

use crate::emit::canonical_digest;
use crate::reply::{GONE, Reply};
use crate::shown::{Texts, TooMuch, window};
use crate::upstream::SendError;
use crate::visit::{Visit, awaited};
use crate::{headers, outcome, relay};

/// The most of a request that cannot be read that is kept on record, in bytes.
const MALFORMED_BYTES_MAX: usize = 64 << 10;

/// What a request wants of a model.
pub(crate) struct Wanted {
    pub(crate) api: Api,
    model: Option<String>,
    /// It is only counted: no model answers.
    pub(crate) is_count: bool,
}

impl Wanted {
    pub(crate) const fn generate(api: Api, model: Option<String>) -> Self {
        Self { api, model, is_count: false }
    }

    pub(crate) const fn count(api: Api, model: Option<String>) -> Self {
        Self { api, model, is_count: true }
    }
}

/// One model call that is under way.
pub(crate) struct Call {
    pub(crate) visit: Visit,
    pub(crate) wanted: Wanted,
    pub(crate) action: ActionId,
    pub(crate) model: String,
    /// Calls of each tool that stand in the window without an id of the provider's.
    pub(crate) calls_before: BTreeMap<String, usize>,
    pub(crate) started: Instant,
    pub(crate) request_bytes: usize,
}

/// A window that may be shown to the provider.
#[must_use = "what was let through must be sent, or its permit be closed"]
pub(crate) struct Cleared(Bytes);

/// Answers one call of a model. The work goes on in a task of its own, so that its permit is closed also
/// when the client goes away.
pub(crate) async fn answer(visit: Visit, wanted: Wanted, body: Vec<u8>) -> Response<Answer> {
    awaited(visit.provider(), |reply| tokio::spawn(work(visit, wanted, body, reply))).await
}

async fn work(visit: Visit, wanted: Wanted, body: Vec<u8>, mut reply: Reply) {
    let request = match Request::parse(wanted.api, body, wanted.model.as_deref()) {
        Ok(request) => request,
        Err((bytes, fault)) => {
            let response = unreadable(&visit, &bytes, &fault).await;
            return reply.response(response);
        }
    };
    let (action, permit, texts) = match decide(&visit, &wanted, &request, &mut reply).await {
        Ok(decided) => decided,
        Err(response) => return reply.response(*response),
    };
    let fulfilled = texts.fulfil(&visit, &request, permit.obligations());
    let release = permit.into_release();
    let mut call = Call {
        wanted,
        action,
        model: request.model().to_owned(),
        calls_before: calls_in(request.parts()),
        started: Instant::now(),
        request_bytes: 0,
        visit,
    };
    debug_assert_eq!(release.action, action, "the node gives the identity that it minted");
    let cleared = match fulfilled {
        Ok(body) => Cleared(body),
        Err(words) => {
            call.close(Outcome::Failed, 0, format!("not sent, because {words}")).await;
            let words = format!("Pathwarden: what must be cut out cannot be: {words}");
            return reply.response(call.visit.refused(
                StatusCode::FORBIDDEN,
                "unfulfilled",
                &words,
            ));
        }
    };
    call.request_bytes = cleared.0.len();
    send(call, cleared, reply).await;
}

async fn send(call: Call, cleared: Cleared, mut reply: Reply) {
    let visit = &call.visit;
    let _place = match visit.upstream.enter() {
        Ok(place) => place,
        Err(most) => {
            let words = format!("{most} calls of this provider are under way, which is the limit");
            call.close(Outcome::Failed, 0, words.clone()).await;
            return reply.response(visit.refused(StatusCode::TOO_MANY_REQUESTS, "busy", &words));
        }
    };
    let mut headers = visit.to_provider();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.remove(header::CONTENT_ENCODING);
    headers::trace(&mut headers, visit.session, call.action);
    let to = (Method::POST, visit.path.as_str());
    let sent = tokio::select! {
        biased;
        sent = visit.shared.sender.send(&visit.upstream, to, headers, cleared.0) => sent,
        () = reply.gone() => return call.close(Outcome::Unknown, 0, GONE.to_owned()).await,
    };
    match sent {
        Ok(response) => relay::answer(&call, response, reply).await,
        Err(error) => {
            let words = error.to_string();
            let outcome = match error {
                // Nothing was shown to it.
                SendError::Address | SendError::NotReached => Outcome::Failed,
                SendError::Broken | SendError::Late(_) => Outcome::Unknown,
            };
            call.close(outcome, 0, words.clone()).await;
            let words = format!("Pathwarden: {words}");
            reply.response(visit.refused(StatusCode::BAD_GATEWAY, "unreachable", &words));
        }
    }
}

async fn unreadable(visit: &Visit, bytes: &[u8], fault: &RequestFault) -> Response<Answer> {
    let cause = std::error::Error::source(fault).map(|source| format!(": {source}"));
    let words = format!("Pathwarden cannot read the request: {fault}{}", cause.unwrap_or_default());
    let start = bytes.get(..bytes.len().min(MALFORMED_BYTES_MAX)).unwrap_or_default();
    let observation =
        Observation { kind: ObservationKind::Malformed, server: visit.name.clone(), action: None };
    let content = String::from_utf8_lossy(start).into_owned();
    let observe = Observe { session: visit.session, observation, content };
    if let Err(fault) = in_time(&visit.patience, visit.pdp.observe(observe)).await {
        tracing::error!(%fault, advice = fault.advice, "refused request not recorded");
    }
    visit.refused(StatusCode::BAD_REQUEST, "unreadable", &words)
}

/// Records the window and asks about what is new in it.
async fn decide(
    visit: &Visit,
    wanted: &Wanted,
    request: &Request,
    reply: &mut Reply,
) -> Result<(ActionId, Permit, Texts), Box<Response<Answer>>> {
    let fault = |fault: Fault| Box::new(visit.fault(&fault));
    let texts = Texts::of(visit, request, wanted.is_count).map_err(|TooMuch| too_much(visit))?;
    let seen = in_time(&visit.patience, visit.pdp.window(window(visit, request)));
    let Seen { action, policy, instead } = seen.await.map_err(fault)?;
    let texts = texts.seen(visit, request.parts(), policy, instead);
    let arguments = texts.arguments(visit, wanted.is_count, request);
    let ask = ask(visit, request, action, arguments).ok_or_else(|| too_much(visit))?;
    let canonical = ask.canonical;
    let first = in_time(&visit.patience, visit.pdp.ask(ask)).await.map_err(fault)?;
    let mut signs = |_: &Held, _: u64| {};
    let settled = settle(&*visit.pdp, &visit.patience, first, canonical, &mut signs);
    let settled = tokio::select! {
        // First, so that a permit that is there is not dropped.
        biased;
        settled = settled => Some(settled),
        () = reply.gone() => None,
    };
    let told = |code: &str, words: String| {
        let words = format!("Pathwarden refused this model call. {words}");
        Err(Box::new(visit.refused(StatusCode::FORBIDDEN, code, &words)))
    };
    let Some(settled) = settled else { return told("gone", GONE.to_owned()) };
    match settled.map_err(fault)? {
        Final::Release(permit) => Ok((action, permit, texts)),
        Final::Refuse(Refusal { action, code, advice }) => {
            told(&code, format!("Code: {code}. Instead: {advice}. Action: {action}"))
        }
        Final::Waits(Held { action, approval, .. }) => told(
            "held",
            format!("A person is asked (approval {approval}); try again later. Action: {action}"),
        ),
        Final::AskPerson(_) => told("held", format!("A person must approve it. Action: {action}")),
    }
}

fn too_much(visit: &Visit) -> Box<Response<Answer>> {
    let most = Ask::ARGUMENTS_BYTES_MAX;
    let words = format!(
        "Pathwarden: more than {most} bytes, or too many pieces, are new in the window; let tools return less"
    );
    Box::new(visit.refused(StatusCode::PAYLOAD_TOO_LARGE, "too_much", &words))
}

/// The question about a model call; `None` if too much is new at once.
fn ask(visit: &Visit, request: &Request, action: ActionId, arguments: String) -> Option<Ask> {
    let is_short = arguments.len() <= Ask::ARGUMENTS_BYTES_MAX;
    let canonical = canonical_digest(&arguments).filter(|_| is_short)?;
    let name = request.model().to_owned();
    Some(Ask {
        session: visit.session,
        operation: Operation { kind: OperationKind::ModelCall, server: visit.name.clone(), name },
        arguments,
        canonical,
        parent: headers::parent(&visit.headers),
        near_person: false,
        resume: None,
        minted: Some(action),
    })
}

fn calls_in(parts: &[Part]) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for part in parts.iter().filter(|part| part.kind == PartKind::Call) {
        let (Some(name), Some(id)) = (&part.name, &part.call) else { continue };
        if id.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('#')) {
            *calls.entry(name.clone()).or_insert(0) += 1;
        }
    }
    calls
}

impl Call {
    /// Records what the model answered.
    pub(crate) async fn said(
        &self,
        output: &pathwarden_lens_llm::Output,
        actions: &BTreeMap<usize, ActionId>,
    ) -> Result<(), Fault> {
        let said = Said {
            session: self.visit.session,
            action: self.action,
            provider: self.visit.name.clone(),
            asked: self.model.clone(),
            served: output.model.clone(),
            content: outcome::content(output, actions),
        };
        in_time(&self.visit.patience, self.visit.pdp.said(said)).await
    }

    /// Closes the permit with what was measured.
    pub(crate) async fn close(&self, outcome: Outcome, response_bytes: usize, detail: String) {
        let effect = Effect {
            outcome,
            request_bytes: u64::try_from(self.request_bytes).unwrap_or(u64::MAX),
            response_bytes: u64::try_from(response_bytes).unwrap_or(u64::MAX),
            elapsed_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            detail,
            measured: None,
        };
        let (session, action) = (self.visit.session, self.action);
        let report = Report { session, action, effect, result: None };
        // Without a result, nothing is to be shown in place of one.
        if let Err(fault) = in_time(&self.visit.patience, self.visit.pdp.report(report)).await {
            tracing::error!(%fault, advice = fault.advice, %action, "permit not closed");
        }
    }

    /// Records that an answer could not be read, or broke off.
    pub(crate) async fn broken(&self, detail: &str) {
        let finding = Finding {
            kind: FindingKind::AnswerBroken,
            server: Some(self.visit.name.clone()),
            subject: self.model.clone(),
            detail: detail.to_owned(),
            action: Some(self.action),
        };
        let found = Found { session: self.visit.session, finding: finding.bounded() };
        if let Err(fault) = in_time(&self.visit.patience, self.visit.pdp.found(found)).await {
            tracing::error!(%fault, advice = fault.advice, "a finding is not recorded");
        }
    }

    /// The headers of the answer.
    pub(crate) fn headers(&self, from: &HeaderMap) -> HeaderMap {
        headers::to_client(from, Some(self.action))
    }
}
