//! Streams of an endpoint of several servers.

use http::{HeaderMap, HeaderName, Method, Response, StatusCode};
use pathwarden_lens_mcp::{Id, compose};
use tokio::sync::oneshot;

use super::Several;
use crate::http::answer::{self, Reply};
use crate::http::call::Call;
use crate::http::headers;
use crate::http::sse;
use crate::http::stream::{self, Pending, next_change};
use pathwarden_pep::Answer;

/// Where a stream would go on; not offered here.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Opens the stream of each server that has one, and passes all of them on as one.
pub(super) async fn open(several: &Several) -> Response<Answer> {
    if !headers::accepts_events(&several.visit.headers) {
        let words = "a GET must accept `text/event-stream`";
        return answer::refused(StatusCode::NOT_ACCEPTABLE, words);
    }
    let (waiting, answered) = oneshot::channel();
    let mut reply = Reply::Waiting(waiting);
    let mut present = Vec::new();
    for server in several.mounts.servers() {
        let Ok(mut call) = several.call(server).await else { continue };
        call.headers.remove(LAST_EVENT_ID);
        let to_server = headers::to_server(&call.headers);
        let sent = call.shared.sender.without_message(&call.upstream, Method::GET, to_server).await;
        let Ok(response) = sent else { continue };
        if response.status().is_success()
            && headers::is_type(response.headers(), "text/event-stream")
        {
            reply.begin(StatusCode::OK, &HeaderMap::new());
            let Some(share) = reply.share() else { break };
            let (here, gone) = oneshot::channel();
            present.push(here);
            tokio::spawn(async move {
                stream::relay(&call, response.into_body(), Pending::None, share, gone).await;
            });
        }
    }
    drop(reply);
    match answered.await {
        Ok(mut response) => {
            present.into_iter().for_each(|here| response.body_mut().keep(here));
            response
        }
        Err(_) => answer::refused(StatusCode::METHOD_NOT_ALLOWED, "no server has such a stream"),
    }
}

/// A subscription to changes of what the agent may see: the only one that such an endpoint grants.
pub(super) async fn listen(several: &Several, id: &Id) -> Response<Answer> {
    let Some(server) = several.mounts.servers().first() else {
        return answer::empty(StatusCode::NOT_FOUND);
    };
    let call = match several.call(server).await {
        Ok(call) => call,
        Err(fault) => return several.fault(&fault),
    };
    let (waiting, answered) = oneshot::channel();
    let (here, gone) = oneshot::channel();
    let mut reply = Reply::Waiting(waiting);
    reply.begin(StatusCode::OK, &HeaderMap::new());
    tokio::spawn(news(call, id.clone(), reply, gone));
    match answered.await {
        Ok(mut response) => {
            response.body_mut().keep(here);
            response
        }
        Err(_) => answer::empty(StatusCode::BAD_GATEWAY),
    }
}

async fn news(call: Call, id: Id, mut reply: Reply, mut gone: pathwarden_pep::Gone) {
    reply.piece(sse::event(&compose::acknowledged(&id))).await;
    let mut since = 0;
    loop {
        let (before, now) = tokio::select! {
            change = next_change(&call.exchange, since) => change,
            _ = &mut gone => return,
            () = call.shared.stopping() => return,
        };
        if before != 0 {
            let changed = compose::list_changed("notifications/tools/list_changed", Some(&id));
            reply.piece(sse::event(&changed)).await;
        }
        since = now;
    }
}
