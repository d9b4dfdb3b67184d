//! `GET`, which opens or resumes a stream, and `DELETE`, which ends the transport's session.

use http::{Method, Response, StatusCode};
use tokio::sync::oneshot;

use super::answer::{self, Reply};
use super::call::Call;
use super::headers;
use super::post::failure;
use super::stream::{self, Pending};
use pathwarden_pep::Answer;

/// Answers a request without a message.
pub(super) async fn answer(call: Call, method: Method) -> Response<Answer> {
    let opens = method == Method::GET;
    if opens && !headers::accepts_events(&call.headers) {
        let words = "a GET must accept `text/event-stream`";
        return answer::refused(StatusCode::NOT_ACCEPTABLE, words);
    }
    let to_server = headers::to_server(&call.headers);
    let sent = call.shared.sender.without_message(&call.upstream, method, to_server).await;
    let response = match sent {
        Ok(response) => response,
        Err(error) => return answer::refused(StatusCode::BAD_GATEWAY, &error.to_string()),
    };
    let status = response.status();
    if opens && status.is_success() {
        return if headers::is_type(response.headers(), "text/event-stream") {
            open(call, response).await
        } else {
            answer::refused(StatusCode::BAD_GATEWAY, "the server answered with no stream of events")
        };
    }
    let head = headers::to_client(response.headers());
    if status.is_success() { answer::empty(status) } else { failure(status, head) }
}

async fn open(call: Call, response: Response<hyper::body::Incoming>) -> Response<Answer> {
    let (waiting, answered) = oneshot::channel();
    let (here, gone) = oneshot::channel();
    let mut reply = Reply::Waiting(waiting);
    reply.begin(response.status(), &call.to_client(response.headers()));
    tokio::spawn(async move {
        stream::relay(&call, response.into_body(), Pending::None, reply, gone).await;
    });
    match answered.await {
        Ok(mut response) => {
            response.body_mut().keep(here);
            response
        }
        Err(_) => answer::empty(StatusCode::BAD_GATEWAY),
    }
}
