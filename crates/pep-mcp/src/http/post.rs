//! `POST`: one message of the client.

mod relay;

use http::{Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use pathwarden_lens_mcp::{Id, compose};
use pathwarden_wire::Held;
use tokio::sync::oneshot;

use super::answer::{self, Reply};
use super::body::{Answer, Gone};
use super::call::Call;
use super::headers::{self, MCP_PROTOCOL_VERSION};
use super::sse;
use super::upstream::{BodyError, vector};
use crate::exchange::{Attempt, Cleared, Decision, Exchange, Expect, FromClient, Refused};

/// The newest revision with sessions and streams as this gateway knows them.
const NEWEST_REVISION: &str = "2025-11-25";

/// Answers a `POST`. The work goes on in a task of its own, so that a permit is closed also when the
/// client goes away.
pub(super) async fn answer(call: Call, request: Request<Incoming>) -> Response<Answer> {
    let bytes = match body(&call, request).await {
        Ok(bytes) => bytes,
        Err(response) => return *response,
    };
    let read = call.exchange.read_client(bytes);
    if let Some(response) = unknown_revision(&call, &read) {
        return response;
    }
    let (waiting, answered) = oneshot::channel();
    let (here, gone) = oneshot::channel();
    tokio::spawn(async move {
        work(&call, read, Reply::Waiting(waiting), gone).await;
    });
    match answered.await {
        Ok(mut response) => {
            response.body_mut().keep(here);
            response
        }
        Err(_) => answer::empty(StatusCode::ACCEPTED),
    }
}

async fn body(call: &Call, request: Request<Incoming>) -> Result<Vec<u8>, Box<Response<Answer>>> {
    let refused = |status, words: &str| Err(Box::new(answer::refused(status, words)));
    let limit = call.shared.limits.message_bytes_max;
    let too_long = BodyError::TooLong(limit);
    if request.body().size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, &too_long.to_string());
    }
    if !headers::is_type(request.headers(), "application/json") {
        let words = "the body of a POST is `application/json`";
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, words);
    }
    if request.headers().contains_key(http::header::CONTENT_ENCODING) {
        let words = "send the body without a content encoding";
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, words);
    }
    match call.shared.sender.read(request.into_body()).await {
        Ok(bytes) => Ok(vector(bytes)),
        Err(error) => {
            let status = match error {
                BodyError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
                BodyError::Broken => StatusCode::BAD_REQUEST,
                BodyError::Late(_) => StatusCode::REQUEST_TIMEOUT,
            };
            refused(status, &error.to_string())
        }
    }
}

/// A revision after those with sessions: refused so that the client falls back to `initialize`.
fn unknown_revision(call: &Call, read: &FromClient) -> Option<Response<Answer>> {
    let version = call.headers.get(MCP_PROTOCOL_VERSION)?;
    // Revisions are dates, so their order is that of their text.
    if version.to_str().is_ok_and(|version| version <= NEWEST_REVISION) {
        return None;
    }
    let id = match read {
        FromClient::Decide(attempt) => Some(&attempt.id),
        FromClient::Request { id, .. } => Some(id),
        FromClient::Refused(Refused { answer: Some(bytes), .. }) => {
            return Some(answer::json(StatusCode::BAD_REQUEST, bytes.clone()));
        }
        FromClient::OneWay(_)
        | FromClient::Reply(_)
        | FromClient::Cancel { .. }
        | FromClient::Refused(_) => None,
    };
    let words = "this revision of MCP is not spoken here; use 2025-11-25 or 2025-06-18";
    let error = compose::error(id, compose::INVALID_REQUEST, words);
    Some(answer::json(StatusCode::BAD_REQUEST, error))
}

async fn work(call: &Call, read: FromClient, reply: Reply, gone: Gone) {
    match read {
        FromClient::Decide(attempt) => decide(call, *attempt, reply, gone).await,
        FromClient::Request { cleared, id, expect } => {
            relay::send(call, cleared, Some((id, expect)), reply, gone).await;
        }
        FromClient::OneWay(cleared) => relay::send(call, cleared, None, reply, gone).await,
        // Which stream the server asked on, and whether it still stands, only the server knows.
        FromClient::Reply(answer) => relay::send(call, answer.pass(), None, reply, gone).await,
        FromClient::Cancel { request, cleared } => {
            cancel(call, &request, cleared, reply, gone).await;
        }
        FromClient::Refused(refused) => refuse(call, refused, reply).await,
    }
}

async fn cancel(call: &Call, request: &Id, cleared: Cleared, reply: Reply, gone: Gone) {
    if call.shared.deciding.cancel(&call.key(request)) {
        // The server has never had it.
        reply.response(answer::empty(StatusCode::ACCEPTED));
    } else {
        relay::send(call, cleared, None, reply, gone).await;
    }
}

async fn refuse(call: &Call, refused: Refused, reply: Reply) {
    call.exchange.observe_malformed(&refused.content).await;
    let status = if refused.is_message { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let response = match (refused.answer, refused.is_message) {
        (Some(bytes), _) => answer::json(status, bytes),
        (None, true) => answer::empty(StatusCode::ACCEPTED),
        (None, false) => answer::refused(StatusCode::BAD_REQUEST, "not a message"),
    };
    reply.response(response);
}

async fn decide(call: &Call, attempt: Attempt, mut reply: Reply, mut gone: Gone) {
    let id = attempt.id.clone();
    let key = call.key(&id);
    let Some(cancelled) = call.shared.deciding.begin(&key, call.shared.limits.open_max) else {
        let words = "too many requests of this session are being decided; wait for an answer first";
        return reply.message(StatusCode::OK, None, Exchange::busy(&id, words)).await;
    };
    let decision = {
        let token = attempt.message.progress_token().map(str::to_owned);
        let streams = headers::accepts_events(&call.headers);
        let mut signs = |held: &Held, told: u64| {
            if streams {
                reply.begin(StatusCode::OK, &http::HeaderMap::new());
                reply.hint(sign(token.as_deref(), held, told));
            }
        };
        tokio::select! {
            decision = call.exchange.decide(attempt, &cancelled, &mut signs) => decision,
            _ = &mut gone => Decision::Cancelled,
        }
    };
    call.shared.deciding.end(&key, &cancelled);
    match decision {
        Decision::Go(released) => {
            let pending = (released.id, Expect::Decided(released.open));
            relay::send(call, released.cleared, Some(pending), reply, gone).await;
        }
        Decision::Answer(bytes) => reply.message(StatusCode::OK, None, bytes).await,
        Decision::Cancelled => reply.response(answer::empty(StatusCode::ACCEPTED)),
    }
}

/// Tells a client that waits for a person so.
fn sign(token: Option<&str>, held: &Held, told: u64) -> Vec<u8> {
    match token {
        Some(token) => {
            let words = format!("waiting for approval {}", held.approval);
            sse::event(&compose::progress(token, told + 1, &words))
        }
        None => sse::WAITING.to_vec(),
    }
}
