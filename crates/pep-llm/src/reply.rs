//! The answer to one request, on its way to the client.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use pathwarden_lens_llm::{Provider, compose};
use pathwarden_pep::Answer;
use tokio::sync::{mpsc, oneshot};

/// Pieces of a stream that wait for a slow client; then its provider waits.
const PIECES_QUEUED_MAX: usize = 16;

/// What is on record of a call whose client did not wait for the answer.
pub(crate) const GONE: &str = "the client went away";

/// The answer to one request: nothing sent yet, or a stream begun, or nobody there any more.
pub(crate) enum Reply {
    Waiting(oneshot::Sender<Response<Answer>>),
    Streaming(mpsc::Sender<Bytes>),
    Gone,
}

impl Reply {
    /// Begins a body that comes piece by piece, unless one has begun.
    pub(crate) fn begin(&mut self, status: StatusCode, headers: HeaderMap) {
        match std::mem::replace(self, Self::Gone) {
            Self::Waiting(waiting) => {
                let (sender, pieces) = mpsc::channel(PIECES_QUEUED_MAX);
                if waiting.send(whole(status, headers, Answer::pieces(pieces))).is_ok() {
                    *self = Self::Streaming(sender);
                }
            }
            other => *self = other,
        }
    }

    /// Sends a piece, and waits for a slow client. Says whether the client is still there.
    pub(crate) async fn piece(&mut self, piece: impl Into<Bytes>) -> bool {
        if let Self::Streaming(sender) = self
            && sender.send(piece.into()).await.is_err()
        {
            *self = Self::Gone;
        }
        !matches!(self, Self::Gone)
    }

    /// Sends pieces of a stream now or, when the client is slow, not at all.
    pub(crate) fn hints(&self) -> impl Fn(Bytes) + use<> {
        let sender = match self {
            Self::Streaming(sender) => Some(sender.clone()),
            Self::Waiting(_) | Self::Gone => None,
        };
        move |piece| {
            if let Some(sender) = &sender {
                let _ = sender.try_send(piece);
            }
        }
    }

    /// Done when the client has gone: nobody is to be waited for on its behalf any longer.
    pub(crate) async fn gone(&mut self) {
        match self {
            Self::Waiting(waiting) => waiting.closed().await,
            Self::Streaming(sender) => sender.closed().await,
            Self::Gone => {}
        }
    }

    /// Ends with this, unless a stream has begun: then it just ends.
    pub(crate) fn response(self, response: Response<Answer>) {
        if let Self::Waiting(waiting) = self {
            let _ = waiting.send(response);
        }
    }
}

pub(crate) fn whole(status: StatusCode, headers: HeaderMap, body: Answer) -> Response<Answer> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// An error in the provider's own form, which its SDK shows to whoever called.
pub(crate) fn refused(
    provider: Provider,
    status: StatusCode,
    code: &str,
    words: &str,
) -> Response<Answer> {
    let written = compose::error(provider, status.as_u16(), code, words);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(written.content_type));
    // SDKs that go by this header do not try again what was refused.
    if status == StatusCode::FORBIDDEN {
        headers.insert("x-should-retry", HeaderValue::from_static("false"));
    }
    whole(status, headers, Answer::whole(written.body))
}
