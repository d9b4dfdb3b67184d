//! What benchmarks over HTTP have in common: servers in threads of their own, the byte proxy, and
//! connections.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

/// Threads for what waits for others.
pub(crate) fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("a runtime")
}

/// Serves on a port of its own, in threads of its own.
pub(crate) fn served<F: Future<Output = ()> + Send + 'static>(
    serve: impl FnOnce(tokio::net::TcpListener) -> F,
) -> Result<(SocketAddr, Runtime)> {
    let runtime = runtime()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(serve(listener));
    Ok((address, runtime))
}

/// Serves on a port of its own, in one thread: it wakes no others for what it does by itself.
pub(crate) fn served_by_one<F: Future<Output = ()> + Send + 'static>(
    serve: impl FnOnce(tokio::net::TcpListener) -> F + Send + 'static,
) -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = one_thread()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            if let Ok(listener) = TcpListener::from_std(listener) {
                serve(listener).await;
            }
        });
    });
    Ok(address)
}

/// The calling thread, for what waits for others.
pub(crate) fn one_thread() -> Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("a runtime")
}

/// An open connection.
pub(crate) async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.context("connect")?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// The least that a proxy on hyper can do: heads and bodies pass as they come, over pooled
/// connections.
pub(crate) async fn byte_proxy(listener: TcpListener, to: SocketAddr) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let client = client.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| pass(client.clone(), to, request));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn pass(
    client: Client<HttpConnector, Incoming>,
    to: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Either<Incoming, Full<Bytes>>>, Infallible> {
    let path = request.uri().path();
    let answered = match format!("http://{to}{path}").parse() {
        Ok(uri) => {
            *request.uri_mut() = uri;
            client.request(request).await.ok()
        }
        Err(_) => None,
    };
    Ok(match answered {
        Some(response) => response.map(Either::Left),
        None => {
            let mut response = Response::new(Either::Right(Full::default()));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    })
}
