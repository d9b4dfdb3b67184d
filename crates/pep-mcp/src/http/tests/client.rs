//! A client of the gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client as Pool, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use pathwarden_pep::Patience;
use pathwarden_wire::{Fault, FaultKind, Found, Pdp};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::server::Server;
use crate::Limits;
use crate::fake::Fake;
use crate::http::{CallLimits, Gateway, Resource, Upstream, serve};

pub(super) const TOKEN: &str = "agent-token";

pub(super) const LIMITS: Limits = Limits {
    message_bytes_max: 4096,
    open_max: 4,
    patience: Patience {
        pdp: Duration::from_secs(20),
        wait: Duration::from_secs(20),
        hold: Duration::from_secs(60),
        sign: Duration::from_millis(20),
    },
    grace: Duration::from_secs(10),
    connect: Duration::from_secs(5),
    request: Duration::from_secs(20),
    resume: Duration::from_secs(20),
    connections_max: 16,
    resumable_max: 4,
};

/// How long a test waits.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Client {
    pub(super) fake: Arc<Fake>,
    pub(super) server: Arc<Server>,
    pub(super) stop: Option<oneshot::Sender<()>>,
    pub(super) serving: JoinHandle<()>,
    pool: Pool<HttpConnector, Full<Bytes>>,
    host: String,
}

impl Client {
    pub(super) async fn start() -> Self {
        Self::with(LIMITS).await
    }

    pub(super) async fn with(limits: Limits) -> Self {
        let fake = Arc::new(Fake::new());
        let (server, url) = Server::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let gateway = gateway(&fake, &url, limits);
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(listener, gateway, async {
            let _ = stopped.await;
        }));
        let pool = Pool::builder(TokioExecutor::new()).build_http();
        Self { fake, server, stop: Some(stop), serving, pool, host }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) async fn post(&self, body: &str) -> Answer {
        self.request(Method::POST, "/mcp/files", &[], body).await
    }

    pub(super) async fn post_bytes(&self, body: &[u8]) -> Answer {
        self.send(Method::POST, "/mcp/files", &[], body.to_vec().into()).await
    }

    pub(super) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.send(method, path, headers, body.to_owned().into()).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = format!("http://{}{path}", self.host).parse().unwrap();
        let defaults = [
            ("authorization", "Bearer agent-token"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2025-11-25"),
        ];
        for (name, value) in defaults.iter().chain(headers) {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        let response = timeout(PATIENCE, self.pool.request(request)).await;
        let (head, body) = response.expect("an answer in time").unwrap().into_parts();
        Answer { status: head.status, headers: head.headers, body, read: String::new() }
    }
}

fn gateway(fake: &Arc<Fake>, url: &str, limits: Limits) -> Gateway {
    let pdp: Arc<dyn Pdp> = Arc::<Fake>::clone(fake);
    let calls = CallLimits { answer: PATIENCE, concurrent_max: 8 };
    let one = CallLimits { concurrent_max: 1, ..calls };
    let tools = BTreeMap::from([("single".to_owned(), one)]);
    let upstream = |url: &str| Upstream::new(url, Some("own"), calls, tools.clone()).unwrap();
    let intruded = Arc::clone(fake);
    Gateway {
        upstreams: BTreeMap::from([
            ("files".parse().unwrap(), upstream(url)),
            ("mail".parse().unwrap(), upstream(url)),
            // Nobody listens on the discard port.
            ("nobody".parse().unwrap(), upstream("http://127.0.0.1:9/mcp")),
        ]),
        endpoints: BTreeMap::from([(
            "all".parse().unwrap(),
            ["files", "mail", "nobody"].map(|name| name.parse().unwrap()).to_vec(),
        )]),
        admit: Arc::new(move |token, _| {
            let admitted = match token {
                Some(TOKEN) => Ok(Arc::clone(&pdp)),
                Some("auditor") => {
                    Err(Fault::new(FaultKind::Forbidden, "no agent", "use its token"))
                }
                _ => Err(Fault::new(FaultKind::Unauthenticated, "unknown token", "ask for one")),
            };
            Box::pin(async { admitted })
        }),
        intrusion: Arc::new(move |finding| {
            let session = crate::fake::SESSION.parse().unwrap();
            intruded.findings.send_modify(|all| all.push(Found { session, finding }));
        }),
        resource: Some(Resource {
            base: "https://gate.example".to_owned(),
            issuer: "https://login.example".to_owned(),
            scopes: vec!["mcp".to_owned()],
        }),
        limits,
        allowed_hosts: BTreeSet::new(),
        allowed_origins: BTreeSet::new(),
    }
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Incoming,
    read: String,
}

impl Answer {
    async fn more(&mut self) -> bool {
        let frame = timeout(PATIENCE, self.body.frame()).await.expect("a frame in time");
        let Some(Ok(frame)) = frame else { return false };
        self.read.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
        true
    }

    /// Reads until `text` was there; what comes after it is read next.
    pub(super) async fn read_until(&mut self, text: &str) {
        loop {
            if let Some((_, after)) = self.read.split_once(text) {
                self.read = after.to_owned();
                return;
            }
            assert!(self.more().await, "{text} did not come; {}", self.read);
        }
    }

    /// What is left of the body.
    pub(super) async fn text(mut self) -> String {
        while self.more().await {}
        self.read
    }
}
