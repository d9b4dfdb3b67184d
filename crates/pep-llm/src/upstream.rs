//! The providers: where they are, whose key they get, how much may be under way.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use pathwarden_lens_llm::Provider;
use pathwarden_outbound::Client;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::{Limits, headers};

/// One provider. Clones share its limits.
#[derive(Clone)]
pub struct Upstream {
    inner: Arc<Inner>,
}

struct Inner {
    provider: Provider,
    base: String,
    key: Option<HeaderValue>,
    answer: Duration,
    most: usize,
    room: Arc<Semaphore>,
}

/// Why a provider cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// Not an http or https URL, or one with credentials, a query or a fragment: it is not shown, since a
    /// password may be in it.
    #[error("the address is not a plain http or https URL; write it as `https://host:port`")]
    NotAUrl,
    /// A key that no header can carry.
    #[error("the key for a provider has characters that no header can carry")]
    Key,
}

/// Why a provider did not answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum SendError {
    /// What was asked for makes no address.
    #[error("the path makes no address")]
    Address,
    /// It was not reached: nothing was shown to it.
    #[error("the provider could not be reached")]
    NotReached,
    /// It was reached, and the connection broke.
    #[error("the provider broke the connection off before it answered")]
    Broken,
    /// It did not answer in time.
    #[error("the provider did not begin to answer within {0} s")]
    Late(u64),
}

impl Upstream {
    /// The provider whose API is at `url`, called with `key`; without one the agent's own key is passed on.
    /// An answer begins within `answer`, and `concurrent_max` calls are under way at once.
    ///
    /// # Errors
    ///
    /// [`UpstreamError`] says what is wrong with the URL or the key.
    pub fn new(
        provider: Provider,
        url: &str,
        key: Option<&str>,
        answer: Duration,
        concurrent_max: usize,
    ) -> Result<Self, UpstreamError> {
        let wrong = || UpstreamError::NotAUrl;
        let base = url.trim_end_matches('/');
        let parsed: Uri = base.parse().map_err(|_| wrong())?;
        let is_plain = !base.contains(['@', '?', '#'])
            && matches!(parsed.scheme_str(), Some("http" | "https"))
            && parsed.authority().is_some();
        if !is_plain {
            return Err(wrong());
        }
        let key =
            key.map(|key| headers::key(provider, key).ok_or(UpstreamError::Key)).transpose()?;
        let room = Arc::new(Semaphore::new(concurrent_max.min(Semaphore::MAX_PERMITS)));
        let inner =
            Inner { provider, base: base.to_owned(), key, answer, most: concurrent_max, room };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(crate) fn provider(&self) -> Provider {
        self.inner.provider
    }

    /// The value of the header that carries the key.
    pub(crate) fn key(&self) -> Option<&HeaderValue> {
        self.inner.key.as_ref()
    }

    /// A place for a call, given back when it is dropped; else how many there are.
    pub(crate) fn enter(&self) -> Result<OwnedSemaphorePermit, usize> {
        Arc::clone(&self.inner.room).try_acquire_owned().map_err(|_| self.inner.most)
    }
}

/// The one way out.
pub(crate) struct Sender {
    client: Client<Full<Bytes>>,
}

impl Sender {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { client: pathwarden_outbound::client(limits.connect) }
    }

    /// Sends a request to a provider. A window is in the body only of what was let through.
    pub(crate) async fn send(
        &self,
        to: &Upstream,
        (method, path): (Method, &str),
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, SendError> {
        let address = format!("{}{path}", to.inner.base);
        let address: Uri = address.parse().map_err(|_| SendError::Address)?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = address;
        *request.headers_mut() = headers;
        match timeout(to.inner.answer, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() => Err(SendError::NotReached),
            Ok(Err(_)) => Err(SendError::Broken),
            Err(_) => Err(SendError::Late(to.inner.answer.as_secs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pathwarden_lens_llm::Provider;

    use super::{Upstream, UpstreamError};

    fn at(url: &str, key: Option<&str>) -> Result<(), UpstreamError> {
        Upstream::new(Provider::OpenAi, url, key, Duration::from_secs(1), 1).map(drop)
    }

    #[test]
    fn only_plain_addresses_and_keys_are_taken() {
        for url in ["http://127.0.0.1:9", "https://api.example/", "https://api.example/proxy"] {
            assert_eq!(at(url, Some("sk-1")), Ok(()), "{url}");
        }
        for url in ["", "api.example", "ftp://x", "http://u:p@x", "https://x?y", "https://x#y"] {
            assert!(matches!(at(url, None), Err(UpstreamError::NotAUrl)), "{url}");
        }
        assert_eq!(at("https://api.example", Some("a\nb")), Err(UpstreamError::Key));
    }
}
