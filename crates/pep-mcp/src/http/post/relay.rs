//! A message goes to the server, its answer comes back.

use http::{HeaderMap, Response, StatusCode, header};
use hyper::body::Incoming;
use pathwarden_lens_mcp::{Body, Era, Id, Message};
use pathwarden_types::Outcome;

use crate::exchange::{Cleared, Expect, FromServer};
use crate::http::answer::{self, Reply};
use crate::http::call::Call;
use crate::http::headers;
use crate::http::sender::{SendError, vector};
use crate::http::stream::{self, Pending};
use pathwarden_pep::{Answer, Gone};

/// Sends what was let through, and brings the answer back. `tool` is what it calls, if it calls one;
/// `pending` is the request that the server must answer; a notification or a response has none.
pub(super) async fn send(
    call: &Call,
    tool: Option<&str>,
    cleared: Cleared,
    pending: Option<(Id, Expect)>,
    reply: Reply,
    mut gone: Gone,
) {
    let time = call.upstream.answer(tool);
    let headers = call.to_server(cleared.bytes());
    let sending = call.shared.sender.post(&call.upstream, headers, cleared, time);
    let sent = tokio::select! {
        sent = sending => sent,
        // In the modern era a client cancels by going away, and the server must learn of it
        // (2026-07-28, transports/streamable-http, «Cancellation»).
        _ = &mut gone, if call.era == Era::Modern => {
            if let Some((_, expect)) = pending {
                call.close(expect, Outcome::Unknown, "cancelled by the client").await;
            }
            return;
        }
    };
    match sent {
        Ok(response) => answered(call, response, pending, reply, gone).await,
        Err(error) => not_answered(call, &error, pending, reply).await,
    }
}

async fn not_answered(call: &Call, error: &SendError, pending: Option<(Id, Expect)>, reply: Reply) {
    let Some((id, expect)) = pending else {
        return reply.response(answer::refused(StatusCode::BAD_GATEWAY, &error.to_string()));
    };
    let outcome = match error {
        SendError::NotReached => Outcome::Failed,
        SendError::Broken | SendError::Late(_) => Outcome::Unknown,
    };
    call.close(expect, outcome, &error.to_string()).await;
    reply.error(&id, &error.to_string()).await;
}

async fn answered(
    call: &Call,
    response: Response<Incoming>,
    pending: Option<(Id, Expect)>,
    mut reply: Reply,
    gone: Gone,
) {
    let status = response.status();
    if status.is_success() && headers::is_type(response.headers(), "text/event-stream") {
        reply.begin(status, &call.to_client(response.headers()));
        let pending = pending.map_or(Pending::None, |(id, expect)| Pending::Here(id, expect));
        return stream::relay(call, response.into_body(), pending, reply, gone).await;
    }
    let head = call.to_client(response.headers());
    let body = call.shared.sender.read(response.into_body()).await;
    match (body, pending) {
        (Ok(body), Some((id, expect))) => {
            return whole(call, (status, head), vector(body), (id, expect), reply).await;
        }
        (Ok(_), None) => {}
        (Err(error), Some((id, expect))) => {
            call.close(expect, Outcome::Unknown, &error.to_string()).await;
            return reply.error(&id, &error.to_string()).await;
        }
        (Err(error), None) => {
            return reply.response(answer::refused(StatusCode::BAD_GATEWAY, &error.to_string()));
        }
    }
    // Nothing was asked, so a success has nothing to say.
    reply.response(if status.is_success() {
        answer::with(status, head, Answer::whole(""))
    } else {
        failure(status, head)
    });
}

/// An error of HTTP, in our own words: those of the server may be meant to mislead the client.
pub(in crate::http) fn failure(status: StatusCode, mut head: HeaderMap) -> Response<Answer> {
    let mut response = answer::refused(headers::status_to_client(status), &failed_with(status));
    head.remove(header::CONTENT_TYPE);
    response.headers_mut().extend(head);
    response
}

fn failed_with(status: StatusCode) -> String {
    format!("the server answered with the status {}", status.as_u16())
}

/// The whole body of an answer to a request.
async fn whole(
    call: &Call,
    (status, head): (StatusCode, HeaderMap),
    body: Vec<u8>,
    (id, expect): (Id, Expect),
    reply: Reply,
) {
    if !status.is_success() && !is_answer_to(&body, &id, call) {
        return failed(call, (status, head), body, (id, expect), reply).await;
    }
    let why = if body.is_empty() {
        format!("the server answered with the status {} and nothing else", status.as_u16())
    } else {
        match call.exchange.read_server(body).await {
            FromServer::Response(answered, response) if answered.key() == id.key() => {
                let message = call.outward(call.exchange.settle(expect, response).await);
                let status = headers::status_to_client(status);
                return reply.message(status, Some(head), message).await;
            }
            FromServer::Response(_, response) => {
                call.exchange.observe_unasked(&response).await;
                "the server answered another request than the one it got".to_owned()
            }
            FromServer::Broken(_, why) => why,
            FromServer::Answer(cleared) => {
                call.send_aside(cleared);
                NO_ANSWER.to_owned()
            }
            FromServer::Pass(_) | FromServer::Acknowledged(..) | FromServer::Request(..) => {
                NO_ANSWER.to_owned()
            }
        }
    };
    call.close(expect, Outcome::Unknown, &why).await;
    reply.error(&id, &why).await;
}

const NO_ANSWER: &str = "the server sent something else in place of an answer";

/// An error of HTTP in place of an answer, such as an expired session: recorded, and told in our words.
async fn failed(
    call: &Call,
    (status, head): (StatusCode, HeaderMap),
    body: Vec<u8>,
    (id, expect): (Id, Expect),
    reply: Reply,
) {
    let why = failed_with(status);
    if let Expect::Decided(open, others) = expect {
        for other in others {
            call.exchange.close_without(other, Outcome::Failed, &why).await;
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        if let Err(fault) = call.exchange.close_with(open, Outcome::Failed, &why, text).await {
            tracing::error!(%fault, advice = fault.advice, "answer withheld, not recorded");
            let message = crate::refusal::withheld(Some(&id), &fault);
            return reply.message(StatusCode::OK, None, message).await;
        }
    }
    match reply {
        Reply::Waiting(_) => reply.response(failure(status, head)),
        Reply::Streaming(_) | Reply::Gone => reply.error(&id, &why).await,
    }
}

fn is_answer_to(body: &[u8], id: &Id, call: &Call) -> bool {
    let message = Message::parse(body.to_vec(), call.shared.limits.message_bytes_max);
    message.is_ok_and(|message| {
        matches!(message.body(), Body::Response { id: Some(other), .. } if other.key() == id.key())
    })
}
