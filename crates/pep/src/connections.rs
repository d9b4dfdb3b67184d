//! Connections of clients.

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep, timeout};

/// After a failure to accept, such as too many open files, before the next attempt.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How connections are let in.
#[derive(Clone, Copy, Debug)]
pub struct Doors {
    /// The most connections at once; one more waits.
    pub connections_max: usize,
    /// How long a client may take to send the head of a request.
    pub head: Duration,
    /// How long what is under way may take to end once the doors close.
    pub grace: Duration,
}

/// Accepts connections (HTTP/1.1, and HTTP/2 with prior knowledge) until `shutdown` is done, and answers
/// their requests with `handle`; then says so by `stop`, and lets those that are open finish what they do,
/// for at most the time of grace.
pub async fn serve<H, F, B>(
    listener: TcpListener,
    doors: Doors,
    stop: &watch::Sender<bool>,
    shutdown: impl Future<Output = ()>,
    handle: H,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Error = Infallible> + Send + 'static,
    B::Data: Send,
{
    let mut shutdown = pin!(shutdown);
    let room = Arc::new(Semaphore::new(doors.connections_max));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let connection = connection(stream, doors, stop.subscribe(), handle.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop((listener, handle));
    stop.send_replace(true);
    let ending = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(doors.grace, ending).await;
}

async fn connection<H, F, B>(
    stream: TcpStream,
    doors: Doors,
    mut stop: watch::Receiver<bool>,
    handle: H,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Error = Infallible> + Send + 'static,
    B::Data: Send,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection without TCP_NODELAY");
    }
    let service = service_fn(move |request| {
        let answer = handle(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(doors.head);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS_MAX);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let stopping = async {
        // An error says that the doors have closed already.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let ended: Result<(), Box<dyn Error + Send + Sync>> = tokio::select! {
        ended = &mut connection => ended,
        () = stopping => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// The most requests under way on one connection of HTTP/2.
const STREAMS_MAX: u32 = 256;
