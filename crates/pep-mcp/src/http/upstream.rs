//! The servers behind the gateway: where they are, what they may be asked at once, how they are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Uri;
use http::header::{self, HeaderMap, HeaderValue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// One server behind the gateway. Clones share its health and its limits.
#[derive(Clone)]
pub struct Upstream {
    inner: Arc<Inner>,
}

struct Inner {
    url: Uri,
    token: Option<HeaderValue>,
    calls: Calls,
    tools: BTreeMap<String, Calls>,
    health: Mutex<Health>,
}

/// How many calls may be under way, and how long each may take to begin its answer.
struct Calls {
    answer: Duration,
    most: usize,
    room: Arc<Semaphore>,
}

/// Limits of calls, as the operator states them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CallLimits {
    /// How long the server may take to begin its answer.
    pub answer: Duration,
    /// How many calls may be under way at once; one more is refused.
    pub concurrent_max: usize,
}

/// What is known of whether a server can be reached.
#[derive(Debug, Default)]
struct Health {
    failures: u32,
    next_try: Option<Instant>,
}

/// After the first failure to reach a server; doubled with each.
const BACKOFF: Duration = Duration::from_millis(250);

/// The longest that a server is left alone.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Why a URL cannot be an upstream.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// Not a URL.
    #[error("`{0}` is not a URL; write it as `https://host:port/path`")]
    NotAUrl(String),
    /// Neither http nor https.
    #[error("`{0}` is not an http or https URL")]
    Scheme(String),
    /// Credentials in the URL would end up in logs.
    #[error(
        "an upstream URL may not hold a user name or password; use a token from the environment"
    )]
    Credentials,
    /// A token that no header can carry.
    #[error("the token for an upstream has characters that no header can carry")]
    Token,
}

/// Too many calls are under way.
pub(super) struct Full {
    pub(super) most: usize,
}

impl Upstream {
    /// The server at `url`, sent `token` as bearer token, with limits for tools that have none of their
    /// own and for those that have.
    ///
    /// # Errors
    ///
    /// [`UpstreamError`] says what is wrong with the URL or the token.
    pub fn new(
        url: &str,
        token: Option<&str>,
        calls: CallLimits,
        tools: BTreeMap<String, CallLimits>,
    ) -> Result<Self, UpstreamError> {
        let wrong = || UpstreamError::NotAUrl(url.to_owned());
        let parsed: Uri = url.parse().map_err(|_| wrong())?;
        let authority = parsed.authority().ok_or_else(wrong)?;
        if authority.as_str().contains('@') {
            return Err(UpstreamError::Credentials);
        }
        match parsed.scheme_str() {
            Some("http" | "https") => {}
            Some(_) => return Err(UpstreamError::Scheme(url.to_owned())),
            None => return Err(wrong()),
        }
        let inner = Inner {
            url: parsed,
            token: token.map(bearer).transpose()?,
            calls: Calls::new(calls),
            tools: tools.into_iter().map(|(tool, limits)| (tool, Calls::new(limits))).collect(),
            health: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(super) fn url(&self) -> &Uri {
        &self.inner.url
    }

    /// Puts the gateway's own credential for this server among the headers.
    pub(super) fn authorize(&self, headers: &mut HeaderMap) {
        if let Some(token) = &self.inner.token {
            headers.insert(header::AUTHORIZATION, token.clone());
        }
    }

    fn calls(&self, tool: Option<&str>) -> &Calls {
        tool.and_then(|tool| self.inner.tools.get(tool)).unwrap_or(&self.inner.calls)
    }

    /// How long a call of this tool may take to begin its answer.
    pub(super) fn answer(&self, tool: Option<&str>) -> Duration {
        self.calls(tool).answer
    }

    /// A place for a call of this tool, given back when it is dropped.
    pub(super) fn enter(&self, tool: Option<&str>) -> Result<OwnedSemaphorePermit, Full> {
        let calls = self.calls(tool);
        Arc::clone(&calls.room).try_acquire_owned().map_err(|_| Full { most: calls.most })
    }

    /// Whether it makes sense to try to reach the server now.
    pub(super) fn is_worth_a_try(&self) -> bool {
        let health = self.health();
        health.next_try.is_none_or(|next| next <= Instant::now())
    }

    /// The server was reached, or not: then it is left alone for a while, longer each time.
    pub(super) fn note(&self, reached: bool) {
        let mut health = self.health();
        let host = self.inner.url.authority().map_or("", http::uri::Authority::as_str);
        if reached {
            if health.failures > 0 {
                tracing::info!(host, "an upstream can be reached again");
            }
            *health = Health::default();
            return;
        }
        if health.failures == 0 {
            tracing::warn!(host, "an upstream cannot be reached");
        }
        health.next_try = Some(Instant::now() + backoff(health.failures));
        health.failures = health.failures.saturating_add(1);
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.inner.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a server is left alone after so many failures before this one.
fn backoff(failures: u32) -> Duration {
    BACKOFF.saturating_mul(1 << failures.min(16)).min(BACKOFF_MAX)
}

impl Calls {
    fn new(limits: CallLimits) -> Self {
        let CallLimits { answer, concurrent_max: most } = limits;
        Self { answer, most, room: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))) }
    }
}

fn bearer(token: &str) -> Result<HeaderValue, UpstreamError> {
    let text = format!("Bearer {}", token.trim());
    let mut value = HeaderValue::from_str(&text).map_err(|_| UpstreamError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use http::HeaderMap;

    use super::{BACKOFF, BACKOFF_MAX, CallLimits, Upstream, UpstreamError, backoff};

    const LIMITS: CallLimits = CallLimits { answer: Duration::from_secs(1), concurrent_max: 2 };

    fn upstream(url: &str, token: Option<&str>) -> Result<Upstream, UpstreamError> {
        let one = CallLimits { concurrent_max: 1, ..LIMITS };
        Upstream::new(url, token, LIMITS, BTreeMap::from([("slow".to_owned(), one)]))
    }

    #[test]
    fn only_urls_of_http_without_credentials_are_upstreams() {
        for url in ["http://127.0.0.1:3000/mcp?x=1", "https://server.example/mcp"] {
            assert!(upstream(url, None).is_ok(), "{url}");
        }
        let fault = |url| upstream(url, None).err();
        assert_eq!(
            fault("ftp://server.example/"),
            Some(UpstreamError::Scheme("ftp://server.example/".into()))
        );
        for url in ["", "/mcp", "server", "http://"] {
            assert_eq!(fault(url), Some(UpstreamError::NotAUrl(url.into())), "{url}");
        }
        assert_eq!(fault("http://u:p@h/"), Some(UpstreamError::Credentials));
        assert_eq!(upstream("http://h/", Some("a\nb")).err(), Some(UpstreamError::Token));
    }

    #[test]
    fn the_token_is_sent_and_does_not_show() {
        let mut headers = HeaderMap::new();
        upstream("http://h/", Some("secret\n")).unwrap().authorize(&mut headers);
        assert_eq!(headers["authorization"], "Bearer secret");
        assert!(!format!("{headers:?}").contains("secret"));
    }

    #[test]
    fn calls_have_places_of_their_tool_or_of_the_rest() {
        let upstream = upstream("http://h/", None).unwrap();
        let slow = upstream.enter(Some("slow")).ok();
        assert!(slow.is_some() && upstream.enter(Some("slow")).is_err());
        let others = [upstream.enter(Some("a")).ok(), upstream.enter(None).ok()];
        assert!(others.iter().all(Option::is_some) && upstream.enter(Some("b")).is_err());
        drop((slow, others));
        assert!(upstream.enter(Some("slow")).is_ok() && upstream.enter(Some("b")).is_ok());
    }

    #[test]
    fn a_server_that_is_not_reached_is_left_alone_longer_each_time() {
        let waits: Vec<Duration> = (0..40).map(backoff).collect();
        assert!(waits.is_sorted() && waits[0] == BACKOFF && waits[39] == BACKOFF_MAX, "{waits:?}");
        let upstream = upstream("http://h/", None).unwrap();
        assert!(upstream.is_worth_a_try());
        upstream.note(false);
        assert!(!upstream.is_worth_a_try());
        upstream.note(true);
        assert!(upstream.is_worth_a_try());
    }
}
