//! Answers of our own, and the one place an answer leaves through.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use pathwarden_lens_mcp::{Id, compose};
use pathwarden_wire::{Fault, FaultKind};
use tokio::sync::{mpsc, oneshot};

use super::resource::Resource;
use super::{headers, sse};
use pathwarden_pep::Answer;

/// Pieces of a stream that wait for a slow client; then its upstream waits.
const PIECES_QUEUED_MAX: usize = 16;

/// An answer with headers of the server.
pub(super) fn with(status: StatusCode, headers: HeaderMap, body: Answer) -> Response<Answer> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// A JSON body.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Answer> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    with(status, headers, Answer::whole(body))
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Answer> {
    with(status, HeaderMap::new(), Answer::whole(Bytes::new()))
}

/// A refusal before any message was read: a JSON-RPC error without an id.
pub(super) fn refused(status: StatusCode, words: &str) -> Response<Answer> {
    json(status, compose::error(None, compose::INVALID_REQUEST, words))
}

/// How a caller without a good credential is told where to get one (RFC 6750 section 3, RFC 9728
/// section 5.1).
pub(super) struct Challenge {
    rest: String,
}

impl Challenge {
    /// At the endpoint of this path.
    pub(super) fn at(resource: Option<&Resource>, path: &str) -> Self {
        let rest = resource.map_or_else(String::new, |resource| {
            let scope = match resource.scopes.join(" ") {
                scope if scope.is_empty() => String::new(),
                scope => format!(", scope=\"{scope}\""),
            };
            format!(", resource_metadata=\"{}\"{scope}", resource.metadata_url(path))
        });
        Self { rest }
    }

    /// A fault of the node, or of the credential.
    pub(super) fn fault(&self, fault: &Fault) -> Response<Answer> {
        let status = StatusCode::from_u16(fault.kind.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let words = format!("{}; {}", fault.message, fault.advice);
        let mut response = json(status, compose::error(None, compose::NODE_UNAVAILABLE, &words));
        let error = match fault.kind {
            FaultKind::Unauthenticated => "",
            FaultKind::Forbidden => ", error=\"insufficient_scope\"",
            _ => return response,
        };
        let challenge = format!("Bearer realm=\"pathwarden\"{error}{}", self.rest);
        if let Ok(value) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// The answer to one request of the client, on its way: nothing sent yet, or a stream begun.
pub(super) enum Reply {
    Waiting(oneshot::Sender<Response<Answer>>),
    Streaming(mpsc::Sender<Bytes>),
    Gone,
}

impl Reply {
    /// Begins a stream of events, unless one has begun.
    pub(super) fn begin(&mut self, status: StatusCode, headers: &HeaderMap) {
        match std::mem::replace(self, Self::Gone) {
            Self::Waiting(waiting) => {
                let (sender, pieces) = mpsc::channel(PIECES_QUEUED_MAX);
                let headers = headers::to_client_stream(headers);
                if waiting.send(with(status, headers, Answer::pieces(pieces))).is_ok() {
                    *self = Self::Streaming(sender);
                }
            }
            other => *self = other,
        }
    }

    /// The same stream, to send pieces of it from elsewhere; `None` when none has begun.
    pub(super) fn share(&self) -> Option<Self> {
        match self {
            Self::Streaming(sender) => Some(Self::Streaming(sender.clone())),
            Self::Waiting(_) | Self::Gone => None,
        }
    }

    /// Sends a piece of the stream now or, when the client is slow, not at all.
    pub(super) fn hint(&self, piece: Vec<u8>) {
        if let Self::Streaming(sender) = self {
            let _ = sender.try_send(piece.into());
        }
    }

    /// Sends a piece of the stream, and waits for a slow client.
    pub(super) async fn piece(&mut self, piece: Vec<u8>) {
        if let Self::Streaming(sender) = self
            && sender.send(piece.into()).await.is_err()
        {
            *self = Self::Gone;
        }
    }

    /// Ends with this answer; as an event, when a stream has begun.
    pub(super) async fn message(
        mut self,
        status: StatusCode,
        headers: Option<HeaderMap>,
        message: Vec<u8>,
    ) {
        match self {
            Self::Waiting(waiting) => {
                let response = match headers {
                    Some(headers) => with(status, headers, Answer::whole(message)),
                    None => json(status, message),
                };
                let _ = waiting.send(response);
            }
            Self::Streaming(_) => self.piece(sse::event(&message)).await,
            Self::Gone => {}
        }
    }

    /// Ends with an error of the protocol for `id`. It has the status of success: clients read the
    /// message then.
    pub(super) async fn error(self, id: &Id, words: &str) {
        let message = compose::error(Some(id), compose::SERVER_BROKEN, words);
        self.message(StatusCode::OK, None, message).await;
    }

    /// Ends with this, unless a stream has begun: then it just ends.
    pub(super) fn response(self, response: Response<Answer>) {
        if let Self::Waiting(waiting) = self {
            let _ = waiting.send(response);
        }
    }
}
