//! A server behind the gateway: it does what the name of the tool says.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};

use crate::http::answer::with;
use pathwarden_pep::Answer;

pub(super) const RESULT: &str = r#"{"content":[ ],"odd":[1e400,1.0,50.0,-0]}"#;
pub(super) const PRIMING: &str = "id: e-1\r\nretry: 1\r\ndata: \r\n\r\n";

pub(super) fn answer_to(id: &str) -> String {
    format!("{{\"vendor\":1.0,\"jsonrpc\":\"2.0\",\n\"id\":{id},\"result\":{RESULT}}}")
        .replace('\n', "")
}

/// The events of one stream: those before the server is told to go on, and those after.
pub(super) fn events(id: &str) -> (String, String) {
    let request = r#"{"jsonrpc":"2.0","id":"s1","method":"elicitation/create","params":{"v":1.0}}"#;
    let progress =
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":50.0}}"#;
    let first = format!("{PRIMING}: comment\n\nevent: message\nid:e-3\ndata: {progress}\n\n");
    let rest = format!("data:{request}\r\rid: e-4\ndata: {}\n\n", answer_to(id));
    (first, rest)
}

pub(super) struct Heard {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

pub(super) struct Server {
    pub(super) seen: watch::Sender<Vec<Arc<Heard>>>,
    pub(super) go_on: Notify,
    /// Whether it speaks no modern revision.
    pub(super) is_legacy: AtomicBool,
}

impl Server {
    pub(super) async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (seen, go_on, is_legacy) = Default::default();
        let server = Arc::new(Self { seen, go_on, is_legacy });
        let accepting = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = Arc::clone(&accepting);
                let service = service_fn(move |request| {
                    let server = Arc::clone(&server);
                    async move { Ok::<_, Infallible>(server.answer(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        (server, url)
    }

    pub(super) async fn heard(&self, count: usize) -> Vec<Arc<Heard>> {
        self.seen.subscribe().wait_for(|all| all.len() >= count).await.unwrap().clone()
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Answer> {
        let (head, body) = request.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let resumes = head.headers.contains_key("last-event-id");
        let heard =
            Heard { method: head.method.clone(), headers: head.headers, body: body.clone() };
        self.seen.send_modify(|all| all.push(Arc::new(heard)));
        match head.method {
            Method::GET if resumes => stream(&format!("id: e-2\ndata: {}\n\n", answer_to("1"))),
            Method::GET => self.notices(),
            Method::DELETE => typed(StatusCode::NO_CONTENT, "", ""),
            _ if !body.contains("\"method\"") || body.contains("\"notifications/") => {
                typed(StatusCode::ACCEPTED, "", "")
            }
            _ => self.answer_call(&body),
        }
    }

    fn answer_call(self: Arc<Self>, body: &str) -> Response<Answer> {
        let json = |text: &str| typed(StatusCode::OK, "application/json", text);
        let id = body.split("\"id\":").nth(1).and_then(|rest| rest.split(',').next());
        let id = id.unwrap_or("1");
        let name = body.split("\"name\":\"").nth(1).and_then(|rest| rest.split('"').next());
        match name.unwrap_or_default() {
            "events" => self.in_two(events(id)),
            "later" => self.in_two((": soon\n\n".into(), format!("data: {}\n\n", answer_to(id)))),
            "cut" => stream(PRIMING),
            "plain-cut" => stream(": hm\n\n"),
            "torn" => stream(&format!("data: {}", answer_to(id))),
            "sse-duplicate" => stream(&format!(
                "data: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"a\":1,\"a\":2}}}}\n\n"
            )),
            "endless" => stream(&format!("data: {}", "x".repeat(1 << 18))),
            "duplicate" => {
                json(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"a":1,"a":2}}}}"#))
            }
            "empty" => typed(StatusCode::ACCEPTED, "", ""),
            "html" => typed(StatusCode::OK, "text/html", "<p>hello"),
            "other" => json(&answer_to("\"other\"")),
            "params" => json(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{TOOLS}}}"#)),
            "asks-name" => json(&asking(id, "What is your name?")),
            "asks-pin" => json(&asking(id, "What is your PIN?")),
            "single" => self.in_two((": begun\n\n".into(), format!("data: {}\n\n", answer_to(id)))),
            _ if body.contains("server/discover") && self.is_legacy.load(Ordering::SeqCst) => {
                json(&format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"?"}}}}"#
                ))
            }
            _ if body.contains("server/discover") => {
                json(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{DISCOVERED}}}"#))
            }
            _ if body.contains("clientInfo\":{}") => {
                json(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{BEGUN}}}"#))
            }
            _ if body.contains("subscriptions/listen") => {
                self.in_two((format!("data: {ACKNOWLEDGED}\n\n"), String::new()))
            }
            "gone" => typed(StatusCode::NOT_FOUND, "text/plain", "session not found"),
            "elsewhere" => leading(StatusCode::TEMPORARY_REDIRECT),
            "issuer" => leading(StatusCode::UNAUTHORIZED),
            "list-asks" => json(&asking(id, "What is your PIN?").replace(
                "\"resultType\":\"input_required\"",
                "\"resultType\":\"input_required\",\"tools\":[]",
            )),
            "task-asks" => stream(&format!(
                "data: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tasks\",\"params\":{}}}\n\ndata: {}\n\n",
                r#"{"taskId":"t","inputRequests":{"q":{"method":"elicitation/create","params":{"message":"What is your PIN?"}}}}"#,
                answer_to(id)
            )),
            "twice" => stream(&format!(
                "id: 1\ndata: {0}\n\nid: 2\ndata: {0}\n\nid: 3\ndata: {1}\n\n",
                answer_to(id),
                answer_to(id).replace("50.0", "\"poison\"")
            )),
            _ => json(&answer_to(id)),
        }
    }

    /// A stream that waits in the middle until it is told to go on.
    fn in_two(self: Arc<Self>, (first, rest): (String, String)) -> Response<Answer> {
        let (sender, pieces) = mpsc::channel(4);
        tokio::spawn(async move {
            let _ = sender.send(Bytes::from(first)).await;
            self.go_on.notified().await;
            let _ = sender.send(Bytes::from(rest)).await;
        });
        let mut response = typed(StatusCode::OK, "text/event-stream", "");
        *response.body_mut() = Answer::pieces(pieces);
        response
    }

    /// A stream that says one thing and stays open.
    fn notices(self: Arc<Self>) -> Response<Answer> {
        let notice = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
        self.in_two((format!("data: {notice}\n\n"), String::new()))
    }
}

/// A list of tools, one of which repeats a parameter in a header.
const TOOLS: &str = r#"{"resultType":"complete","tools":[{"name":"rewrite","inputSchema":{"type":"object","properties":{"to":{"type":"string","x-mcp-header":"To"}}}},{"name":"other"}],"ttlMs":1,"cacheScope":"public"}"#;

/// What it says of itself in the modern era.
const DISCOVERED: &str = r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"public"}"#;

/// What it says of itself in the legacy era.
const BEGUN: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"instructions":"Be kind.","serverInfo":{"name":"x","version":"1"}}"#;

/// What a server grants to the first subscription.
const ACKNOWLEDGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":true},"_meta":{"io.modelcontextprotocol/subscriptionId":1}}}"#;

/// An error of HTTP that would lead the client to somebody else.
fn leading(status: StatusCode) -> Response<Answer> {
    let mut response = typed(status, "text/plain", "go to evil");
    let headers = response.headers_mut();
    headers.insert("location", HeaderValue::from_static("http://evil.test/"));
    let challenge = "Bearer resource_metadata=\"http://evil.test/\"";
    headers.insert("www-authenticate", HeaderValue::from_static(challenge));
    response
}

/// A result that asks the person for something.
fn asking(id: &str, message: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"input_required","inputRequests":{{"q":{{"method":"elicitation/create","params":{{"message":"{message}"}}}}}}}}}}"#
    )
}

fn typed(status: StatusCode, kind: &str, body: &str) -> Response<Answer> {
    let mut headers = HeaderMap::new();
    if !kind.is_empty() {
        headers.insert("content-type", HeaderValue::from_str(kind).unwrap());
    }
    headers.insert("x-request-id", HeaderValue::from_static("kept"));
    headers.insert("set-cookie", HeaderValue::from_static("a=b"));
    headers.insert("mcp-session-id", HeaderValue::from_static("s-1"));
    with(status, headers, Answer::whole(body.to_owned()))
}

fn stream(text: &str) -> Response<Answer> {
    typed(StatusCode::OK, "text/event-stream", text)
}
