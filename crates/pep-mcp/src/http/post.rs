//! `POST`: one message of the client.

mod relay;

use http::{Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use pathwarden_lens_mcp::{Era, Id, compose};
use pathwarden_types::Outcome;
use pathwarden_wire::Held;
pub(super) use relay::failure;
use tokio::sync::oneshot;

use super::Shared;
use super::answer::{self, Reply};
use super::call::Call;
use super::headers;
use super::sender::{BodyError, vector};
use super::sse;
use crate::exchange::{Attempt, Cleared, Decision, Exchange, FromClient, Refused, Released, Told};
use pathwarden_pep::{Answer, Gone};

/// Answers a `POST`. The work goes on in a task of its own, so that a permit is closed also when the
/// client goes away.
pub(super) async fn answer(call: Call, request: Request<Incoming>) -> Response<Answer> {
    match body(&call.shared, request).await {
        Ok(bytes) => answer_to(call, bytes).await,
        Err(response) => *response,
    }
}

/// Answers one message of the client.
pub(super) async fn answer_to(mut call: Call, bytes: Vec<u8>) -> Response<Answer> {
    let carried = |name: &str| headers::carried(&call.headers, name);
    let read = call.exchange.read_client(bytes, Some(&carried));
    call.era = match &read {
        FromClient::Decide(attempt) => attempt.era,
        FromClient::Request { era, .. } => *era,
        _ => Era::Legacy,
    };
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

/// The body of a `POST`, if it is one that may be read.
pub(super) async fn body(
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Vec<u8>, Box<Response<Answer>>> {
    let refused = |status, words: &str| Err(Box::new(answer::refused(status, words)));
    let limit = shared.limits.message_bytes_max;
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
    match shared.sender.read(request.into_body()).await {
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

async fn work(call: &Call, read: FromClient, reply: Reply, gone: Gone) {
    match read {
        FromClient::Decide(attempt) => decide(call, *attempt, reply, gone).await,
        FromClient::Request { cleared, id, expect, .. } => {
            relay::send(call, None, cleared, Some((id, expect)), reply, gone).await;
        }
        FromClient::OneWay(cleared) | FromClient::Begun(cleared) => {
            relay::send(call, None, cleared, None, reply, gone).await;
        }
        // Which stream the server asked on, and whether it still stands, only the server knows. The
        // client is not kept waiting: some send nothing else until this is taken.
        FromClient::Reply(answer) => {
            reply.response(answer::empty(StatusCode::ACCEPTED));
            if let Some(cleared) = call.exchange.reply(answer).await {
                call.send_aside(cleared);
            }
        }
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
        relay::send(call, None, cleared, None, reply, gone).await;
    }
}

async fn refuse(call: &Call, refused: Refused, reply: Reply) {
    call.exchange.observe_malformed(&refused.content).await;
    if let Some((kind, detail)) = refused.finding {
        call.exchange.found(kind, call.exchange.server_name().as_str(), detail).await;
    }
    let status = match refused.told {
        Told::InAnswer => StatusCode::OK,
        Told::BadRequest => StatusCode::BAD_REQUEST,
        Told::NotFound => StatusCode::NOT_FOUND,
    };
    let response = match (refused.answer, refused.told) {
        (Some(bytes), _) => answer::json(status, bytes),
        (None, Told::InAnswer) => answer::empty(StatusCode::ACCEPTED),
        (None, Told::BadRequest | Told::NotFound) => answer::refused(status, "not a message"),
    };
    reply.response(response);
}

async fn decide(call: &Call, attempt: Attempt, mut reply: Reply, mut gone: Gone) {
    let id = attempt.id.clone();
    let tool = attempt.tool().map(str::to_owned);
    if let Err(full) = call.upstream.enter(tool.as_deref()) {
        return reply.message(StatusCode::OK, None, attempt.busy(full.most)).await;
    }
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
        // A call that waits for a person takes no place from those that do not.
        Decision::Go(Released { cleared, id, expect }) => {
            match call.upstream.enter(tool.as_deref()) {
                Ok(_place) => {
                    let pending = Some((id, expect));
                    relay::send(call, tool.as_deref(), cleared, pending, reply, gone).await;
                }
                Err(full) => {
                    let why = format!("{} calls are under way, which is the limit", full.most);
                    call.close(expect, Outcome::Failed, &why).await;
                    reply.message(StatusCode::OK, None, Exchange::busy(&id, &why)).await;
                }
            }
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
