//! Requests to the servers behind the gateway.

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::Limits;
use crate::exchange::Cleared;

/// One server behind the gateway.
#[derive(Clone, Debug)]
pub struct Upstream {
    url: Uri,
}

/// Why a URL cannot be an upstream.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// Not a URL.
    #[error("`{0}` is not a URL; write it as `http://host:port/path`")]
    NotAUrl(String),
    /// Not plain HTTP.
    #[error(
        "`{0}` is not an http URL; this version reaches upstreams by plain http only, so put a \
         proxy that speaks TLS in between"
    )]
    Scheme(String),
    /// Credentials in the URL would end up in logs.
    #[error("an upstream URL may not hold a user name or password")]
    Credentials,
}

impl Upstream {
    /// The server at `url`.
    ///
    /// # Errors
    ///
    /// [`UpstreamError`] says what is wrong with the URL.
    pub fn new(url: &str) -> Result<Self, UpstreamError> {
        let wrong = || UpstreamError::NotAUrl(url.to_owned());
        let parsed: Uri = url.parse().map_err(|_| wrong())?;
        let authority = parsed.authority().ok_or_else(wrong)?;
        if authority.as_str().contains('@') {
            return Err(UpstreamError::Credentials);
        }
        match parsed.scheme_str() {
            Some("http") => Ok(Self { url: parsed }),
            Some(_) => Err(UpstreamError::Scheme(url.to_owned())),
            None => Err(wrong()),
        }
    }
}

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
    client: Client<HttpConnector, Full<Bytes>>,
    limits: Limits,
}

impl Sender {
    pub(super) fn new(limits: Limits) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(limits.connect));
        Self { client: Client::builder(TokioExecutor::new()).build(connector), limits }
    }

    /// Sends a message that was let through. There is no other way to send one.
    pub(super) async fn post(
        &self,
        to: &Upstream,
        headers: HeaderMap,
        message: Cleared,
    ) -> Result<Response<Incoming>, SendError> {
        let mut headers = headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.send(to, Method::POST, headers, message.into_bytes().into()).await
    }

    /// Opens a stream (`GET`) or ends a session (`DELETE`): requests without a message.
    pub(super) async fn without_message(
        &self,
        to: &Upstream,
        method: Method,
        headers: HeaderMap,
    ) -> Result<Response<Incoming>, SendError> {
        self.send(to, method, headers, Bytes::new()).await
    }

    async fn send(
        &self,
        to: &Upstream,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, SendError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = to.url.clone();
        *request.headers_mut() = headers;
        match timeout(self.limits.answer, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() => Err(SendError::NotReached),
            Ok(Err(_)) => Err(SendError::Broken),
            Err(_) => Err(SendError::Late(self.limits.answer.as_secs())),
        }
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

#[cfg(test)]
mod tests {
    use super::{Upstream, UpstreamError};

    #[test]
    fn only_plain_http_urls_without_credentials_are_upstreams() {
        assert!(Upstream::new("http://127.0.0.1:3000/mcp?x=1").is_ok());
        for url in ["https://server.example/mcp", "ftp://server.example/"] {
            assert_eq!(Upstream::new(url).err(), Some(UpstreamError::Scheme(url.into())), "{url}");
        }
        for url in ["", "/mcp", "server", "http://"] {
            assert_eq!(Upstream::new(url).err(), Some(UpstreamError::NotAUrl(url.into())), "{url}");
        }
        assert_eq!(Upstream::new("http://u:p@h/").err(), Some(UpstreamError::Credentials));
    }
}
