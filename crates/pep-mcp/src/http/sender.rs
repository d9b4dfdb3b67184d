//! Requests to the servers behind the gateway.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use pathwarden_outbound::Client;
use tokio::time::timeout;

use super::upstream::Upstream;
use crate::Limits;
use crate::exchange::Cleared;

/// Why a server did not answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum SendError {
    /// It was not reached: the request had no effect.
    #[error("the server could not be reached")]
    NotReached,
    /// It was reached, and the connection broke.
    #[error("the server broke the connection off before it answered")]
    Broken,
    /// It did not answer in time.
    #[error("the server did not begin to answer within {0} s")]
    Late(u64),
}

/// Why a body could not be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    #[error("the body broke off")]
    Broken,
    #[error("the body did not come within {0} s")]
    Late(u64),
}

/// A pool of connections to all servers.
pub(super) struct Sender {
    client: Client<Full<Bytes>>,
    limits: Limits,
}

impl Sender {
    pub(super) fn new(limits: Limits) -> Self {
        Self { client: pathwarden_outbound::client(limits.connect), limits }
    }

    /// Sends a message that was let through. There is no other way to send one.
    pub(super) async fn post(
        &self,
        to: &Upstream,
        headers: HeaderMap,
        message: Cleared,
        answer: Duration,
    ) -> Result<Response<Incoming>, SendError> {
        let mut headers = headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.send(to, (Method::POST, headers), message.into_bytes().into(), answer).await
    }

    /// Opens a stream (`GET`) or ends a session (`DELETE`): requests without a message.
    pub(super) async fn without_message(
        &self,
        to: &Upstream,
        method: Method,
        headers: HeaderMap,
    ) -> Result<Response<Incoming>, SendError> {
        self.send(to, (method, headers), Bytes::new(), to.answer(None)).await
    }

    async fn send(
        &self,
        to: &Upstream,
        (method, mut headers): (Method, HeaderMap),
        body: Bytes,
        answer: Duration,
    ) -> Result<Response<Incoming>, SendError> {
        if !to.is_worth_a_try() {
            return Err(SendError::NotReached);
        }
        to.authorize(&mut headers);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = to.url().clone();
        *request.headers_mut() = headers;
        let answered = match timeout(answer, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() => Err(SendError::NotReached),
            Ok(Err(_)) => Err(SendError::Broken),
            Err(_) => Err(SendError::Late(answer.as_secs())),
        };
        to.note(answered.as_ref().err() != Some(&SendError::NotReached));
        answered
    }

    /// A whole body, no longer than a message may be.
    pub(super) async fn read<B>(&self, body: B) -> Result<Bytes, BodyError>
    where
        B: Body<Data = Bytes, Error = hyper::Error>,
    {
        let (bytes_max, time) = (self.limits.message_bytes_max, self.limits.request);
        let reading = Box::pin(Limited::new(body, bytes_max).collect());
        match timeout(time, reading).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLong(bytes_max)),
            Ok(Err(_)) => Err(BodyError::Broken),
            Err(_) => Err(BodyError::Late(time.as_secs())),
        }
    }
}

/// The bytes as a vector, without a copy where they are not shared.
pub(super) fn vector(bytes: Bytes) -> Vec<u8> {
    bytes.try_into_mut().unwrap_or_else(|shared| BytesMut::from(shared.as_ref())).into()
}
