//! The MCP server that is called.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;

/// A small and fast MCP server: every call has the same result of 1 KB.
pub(super) async fn upstream(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let service =
                service_fn(|request| async { Ok::<_, Infallible>(answer(request).await) });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// What is needed of a message.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: &'a str,
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Ok(body) = request.into_body().collect().await else {
        return plain(StatusCode::BAD_REQUEST);
    };
    let body = body.to_bytes();
    let Ok(message) = serde_json::from_slice::<Message<'_>>(&body) else {
        return plain(StatusCode::BAD_REQUEST);
    };
    let Some(id) = message.id else { return plain(StatusCode::ACCEPTED) };
    let result = match message.method {
        "tools/call" => called(),
        "tools/list" => TOOLS.to_owned(),
        _ => r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"bench","version":"1"}}"#.to_owned(),
    };
    let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
    let mut response = Response::new(Full::new(Bytes::from(text)));
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}

/// What it lists, for a proxy that wants to know.
const TOOLS: &str = r#"{"tools":[{"name":"read_text_file","description":"Reads.","inputSchema":{"type":"object"}},{"name":"write_file","description":"Writes.","inputSchema":{"type":"object"}}]}"#;

fn called() -> String {
    let text = "Larkspur asks for the form W-9 of this year. ".repeat(22);
    format!(r#"{{"content":[{{"type":"text","text":"{text}"}}],"isError":false}}"#)
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
