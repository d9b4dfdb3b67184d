//! Connections of callers: how many, and how long each may keep its place.
//!
//! Whoever can reach the port can open connections, with a token or without one. So their number is
//! bounded, apart for each listener, and a connection on which nothing is worked on for some time
//! loses its place.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pathwarden_wire::{Fault, FaultKind};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep, timeout};

use crate::exchange::Reply;

/// The most connections over TCP at once. With those of the socket and of the gateway they stay below
/// 1,024, the open files that a process commonly may have, so that the ledger can always be written.
pub const TCP_CONNECTIONS_MAX: usize = 128;

/// The most connections over the Unix socket at once; its own, so that whoever fills the port does not
/// shut out the operator.
pub const SOCKET_CONNECTIONS_MAX: usize = 128;

/// After a failure to accept, such as too many open files, before the next attempt.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Every bound of the connections of one listener.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// The most at once; more wait until one ends.
    pub(crate) connections_max: usize,
    /// How long the head of the first request may take.
    pub(crate) first: Duration,
    /// How long sending an answer and waiting for the head of the next request may take.
    pub(crate) idle: Duration,
    /// How long a request may be worked on, its body included.
    pub(crate) request: Duration,
    /// How long open requests may go on when the server stops.
    pub(crate) grace: Duration,
}

impl Limits {
    pub(crate) const fn of(connections_max: usize) -> Self {
        Self {
            connections_max,
            first: Duration::from_secs(10),
            // Longer than our clients keep an idle connection (90 s), so that none is closed just
            // when it is used again.
            idle: Duration::from_secs(100),
            // Longer than the long poll of a held action (60 s), and than a long ledger's replay.
            request: Duration::from_mins(10),
            grace: Duration::from_secs(5),
        }
    }
}

/// Where connections come from.
pub(crate) trait Accept {
    /// One connection.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// The next connection.
    async fn next(&mut self) -> io::Result<Self::Stream>;
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn next(&mut self) -> io::Result<TcpStream> {
        let (stream, _) = self.accept().await?;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection without TCP_NODELAY");
        }
        Ok(stream)
    }
}

impl Accept for UnixListener {
    type Stream = UnixStream;

    async fn next(&mut self) -> io::Result<UnixStream> {
        self.accept().await.map(|(stream, _)| stream)
    }
}

/// Accepts connections until `shutdown` is done; then lets those that are open finish what they do, for
/// at most the time of grace.
pub(crate) async fn serve(
    mut listener: impl Accept,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let mut shutdown = pin!(shutdown);
    let room = Arc::new(Semaphore::new(limits.connections_max));
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await.ok();
            let accepted = listener.next().await;
            if let Err(error) = &accepted {
                tracing::warn!(%error, "accepting a connection");
                sleep(ACCEPT_PAUSE).await;
            }
            (place, accepted)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        while connections.try_join_next().is_some() {}
        if let Ok(stream) = accepted {
            let connection = connection(stream, router.clone(), limits, stopping.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
        }
    }
    drop(listener);
    stop.send_replace(true);
    let ending = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(limits.grace, ending).await;
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let router = TowerToHyperService::new(router);
    let (working, work) = watch::channel(false);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let at_work = AtWork::begin(&working);
        let answer = router.call(request);
        async move {
            let _at_work = at_work;
            timeout(limits.request, answer).await.unwrap_or_else(|_| Ok(late()))
        }
    });
    let mut connection = pin!(
        // Without a timer of its own: `quiet` bounds the head of a request, and more.
        http1::Builder::new().serve_connection(TokioIo::new(stream), service)
    );
    let mut quiet = pin!(quiet(work, limits));
    tokio::select! {
        ended = &mut connection => return log(ended),
        () = &mut quiet => return tracing::debug!("a connection was quiet for too long"),
        // An error says that the server has stopped already.
        _ = stopping.wait_for(|stopping| *stopping) => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        ended = &mut connection => log(ended),
        () = &mut quiet => {}
    }
}

fn log(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

fn late() -> Response {
    let fault = Fault::new(FaultKind::Unreachable, "this took too long", "ask for less at once");
    Reply::<()>(Err(fault)).into_response()
}

/// A request is worked on for as long as this lives.
struct AtWork(watch::Sender<bool>);

impl AtWork {
    fn begin(working: &watch::Sender<bool>) -> Self {
        working.send_replace(true);
        Self(working.clone())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

/// Until no request was worked on for too long: the head of one did not come, or the caller does not
/// read its answer.
async fn quiet(mut work: watch::Receiver<bool>, limits: Limits) {
    let mut most = limits.first;
    loop {
        // Only borrowed: a request that came and was answered before this looked is a change too.
        let at_work = *work.borrow();
        let changed = work.changed();
        let goes_on = if at_work { Ok(changed.await) } else { timeout(most, changed).await };
        if !matches!(goes_on, Ok(Ok(()))) {
            return;
        }
        most = limits.idle;
    }
}

#[cfg(test)]
mod tests;
