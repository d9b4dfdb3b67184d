//! A client of the gateway, and the gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client as Pool, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use pathwarden_lens_llm::{Output, Provider as Kind};
use pathwarden_pep::Patience;
use pathwarden_types::{Name, Outcome};
use pathwarden_wire::{Fault, FaultKind, ModelPdp, Report};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::apis::Case;
use super::provider::Provider;
use crate::fake::Fake;
use crate::{Gateway, Limits, Upstream, serve};

/// What the agent shows to the gateway.
pub(super) const TOKEN: &str = "agent-token";

/// What the gateway shows to providers.
pub(super) const KEY: &str = "key-of-the-operator";

/// How long a test waits.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) const LIMITS: Limits = Limits {
    request_bytes_max: 16 << 10,
    answer_bytes_max: 64 << 10,
    error_bytes_max: 1 << 10,
    patience: Patience {
        pdp: Duration::from_secs(20),
        wait: Duration::from_secs(20),
        hold: Duration::from_secs(60),
        sign: Duration::from_millis(20),
    },
    connect: Duration::from_secs(5),
    request: Duration::from_secs(20),
    silence: Duration::from_secs(20),
    grace: Duration::from_secs(20),
    connections_max: 16,
};

pub(super) struct Client {
    pub(super) fake: Arc<Fake>,
    pub(super) provider: Arc<Provider>,
    pool: Pool<HttpConnector, Full<Bytes>>,
    host: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Client {
    pub(super) async fn start() -> Self {
        Self::with(LIMITS).await
    }

    pub(super) async fn with(limits: Limits) -> Self {
        let fake = Arc::new(Fake::default());
        let (provider, url) = Provider::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let gateway = gateway(&fake, upstreams(&url).await, limits);
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(listener, gateway, async {
            let _ = stopped.await;
        }));
        let pool = Pool::builder(TokioExecutor::new()).build_http();
        Self { fake, provider, pool, host, stop, serving }
    }

    /// The same client with HTTP/2, which it knows the gateway to speak.
    pub(super) fn by_http2(mut self) -> Self {
        self.pool = Pool::builder(TokioExecutor::new()).http2_only(true).build_http();
        self
    }

    /// Sends what a case asks for a stream.
    pub(super) async fn stream(&self, case: &Case, model: &str) -> Answer {
        self.post(&case.path(true, model), case.request(true, model, "hello").as_bytes()).await
    }

    /// Sends what a case asks for a whole answer.
    pub(super) async fn whole(&self, case: &Case, model: &str) -> Answer {
        self.post(&case.path(false, model), case.request(false, model, "hello").as_bytes()).await
    }

    /// Sends with the token where every provider's SDK could put it.
    pub(super) async fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.send(Method::POST, path, &[BEARER], body).await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request = Request::new(Full::new(body.to_vec().into()));
        *request.method_mut() = method;
        *request.uri_mut() = format!("http://{}{path}", self.host).parse().unwrap();
        for (name, value) in [("content-type", "application/json")].iter().chain(headers) {
            let name: HeaderName = name.parse().unwrap();
            let value = HeaderValue::from_str(value).unwrap();
            if name == "content-type" || name == "host" {
                request.headers_mut().insert(name, value);
            } else {
                request.headers_mut().append(name, value);
            }
        }
        let response = timeout(PATIENCE, self.pool.request(request)).await;
        let (head, body) = response.expect("an answer in time").unwrap().into_parts();
        let (status, version, headers) = (head.status, head.version, head.headers);
        Answer { status, version, headers, body, read: Vec::new() }
    }

    /// Lets the gateway end, so that nothing is under way any more, and gives all that was reported.
    pub(super) async fn reports(self) -> Vec<Report> {
        let Self { fake, pool, stop, serving, .. } = self;
        drop(pool);
        stop.send(()).unwrap();
        timeout(PATIENCE, serving).await.expect("the gateway ends").unwrap();
        fake.reports.send_replace(Vec::new())
    }

    /// Lets the gateway end, and shows that one model call was closed, once and so.
    pub(super) async fn closed(self, outcome: Outcome) {
        let fake = Arc::clone(&self.fake);
        let reports = self.reports().await;
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!(reports[0].effect.outcome, outcome, "{reports:?}");
        assert_eq!(Some(reports[0].action), fake.asks.borrow()[0].minted);
    }
}

/// The credential that all providers know.
pub(super) const BEARER: (&str, &str) = ("authorization", "Bearer agent-token");

/// One upstream for each provider, and some that are odd.
async fn upstreams(url: &str) -> BTreeMap<Name, Upstream> {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let upstream = |kind, url: &str, key, concurrent_max| {
        Upstream::new(kind, url, key, LIMITS.silence, concurrent_max).unwrap()
    };
    let hasty = Duration::from_millis(100);
    let base = format!("{url}/base/");
    BTreeMap::from([
        ("openai", upstream(Kind::OpenAi, &base, Some(KEY), 8)),
        ("anthropic", upstream(Kind::Anthropic, &base, Some(KEY), 8)),
        ("gemini", upstream(Kind::Gemini, &base, Some(KEY), 8)),
        ("keyless", upstream(Kind::OpenAi, &base, None, 8)),
        ("keyless-gemini", upstream(Kind::Gemini, &base, None, 8)),
        ("narrow", upstream(Kind::OpenAi, &base, Some(KEY), 1)),
        ("late", Upstream::new(Kind::OpenAi, &base, Some(KEY), hasty, 8).unwrap()),
        ("nobody", upstream(Kind::OpenAi, &format!("http://{closed}"), Some(KEY), 8)),
    ])
    .into_iter()
    .map(|(name, upstream)| (name.parse().unwrap(), upstream))
    .collect()
}

fn gateway(fake: &Arc<Fake>, upstreams: BTreeMap<Name, Upstream>, limits: Limits) -> Gateway {
    let pdp: Arc<dyn ModelPdp> = Arc::<Fake>::clone(fake);
    let intruded = Arc::clone(fake);
    Gateway {
        upstreams,
        admit: Arc::new(move |token, _| {
            let admitted = match token {
                Some(TOKEN) => Ok(Arc::clone(&pdp)),
                _ => Err(Fault::new(FaultKind::Unauthenticated, "unknown token", "ask for one")),
            };
            Box::pin(async { admitted })
        }),
        intrusion: Arc::new(move |finding| {
            intruded.findings.send_modify(|all| all.push(finding));
        }),
        limits,
        allowed_hosts: BTreeSet::new(),
        allowed_origins: BTreeSet::new(),
    }
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    body: Incoming,
    read: Vec<u8>,
}

impl Answer {
    /// Reads a piece more; says whether there was one.
    pub(super) async fn more(&mut self) -> bool {
        let frame = timeout(PATIENCE, self.body.frame()).await.expect("a frame in time");
        let Some(frame) = frame else { return false };
        self.read.extend_from_slice(&frame.expect("an unbroken answer").into_data().unwrap());
        true
    }

    /// What was read so far.
    pub(super) fn so_far(&self) -> &str {
        std::str::from_utf8(&self.read).unwrap()
    }

    /// Reads until `text` was there.
    pub(super) async fn read_until(&mut self, text: &str) {
        while !self.so_far().contains(text) {
            assert!(self.more().await, "{text} did not come: {}", self.so_far());
        }
    }

    /// The whole body.
    pub(super) async fn bytes(mut self) -> Vec<u8> {
        while self.more().await {}
        self.read
    }

    pub(super) async fn text(self) -> String {
        String::from_utf8(self.bytes().await).unwrap()
    }

    /// The body as JSON.
    pub(super) async fn json(self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes().await).unwrap()
    }

    /// What an SDK would read of an answer that is a stream, or is none.
    pub(super) async fn output(self, case: &Case) -> Output {
        let is_stream = self.headers["content-type"].to_str().unwrap().contains("event-stream");
        let text = self.text().await;
        case.output(is_stream, &text)
    }
}
