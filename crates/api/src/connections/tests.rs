use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::{Accept, Limits, serve};

/// Bytes that are on their way in a connection; more than a head, less than a long answer.
const PIPE_BYTES: usize = 1024;

const CONNECTIONS_MAX: usize = 2;

/// A listener that yields what the test gives it.
struct Script(mpsc::UnboundedReceiver<io::Result<DuplexStream>>);

impl Accept for Script {
    type Stream = DuplexStream;

    async fn next(&mut self) -> io::Result<DuplexStream> {
        match self.0.recv().await {
            Some(next) => next,
            None => std::future::pending().await,
        }
    }
}

struct Server {
    connections: mpsc::UnboundedSender<io::Result<DuplexStream>>,
    stop: oneshot::Sender<Infallible>,
    serving: JoinHandle<()>,
}

impl Server {
    fn start() -> Self {
        let (connections, script) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/long", get(|| async { "x".repeat(1 << 20) }))
            .route("/poll", get(|| after(Duration::from_secs(60))))
            .route("/ever", get(|| after(Duration::from_hours(24))));
        let serving =
            tokio::spawn(serve(Script(script), router, Limits::of(CONNECTIONS_MAX), async move {
                let _ = stopped.await;
            }));
        Self { connections, stop, serving }
    }

    fn connect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        self.connections.send(Ok(theirs)).unwrap();
        ours
    }

    /// What comes back of a request on a new connection.
    async fn ask(&self, path: &str) -> String {
        let mut stream = self.connect();
        send(&mut stream, path).await;
        read(&mut stream).await
    }
}

async fn after(time: Duration) -> &'static str {
    tokio::time::sleep(time).await;
    "waited"
}

async fn send(stream: &mut DuplexStream, path: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
}

async fn read(stream: &mut DuplexStream) -> String {
    let mut text = String::new();
    timeout(Duration::from_hours(1), stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

#[tokio::test(start_paused = true)]
async fn connections_that_say_nothing_lose_their_places() {
    let server = Server::start();
    let idle: Vec<_> = (0..50 * CONNECTIONS_MAX).map(|_| server.connect()).collect();
    let answer = server.ask("/").await;
    assert!(answer.ends_with("here"), "{answer}");
    drop(idle);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_loses_its_place() {
    let server = Server::start();
    let mut slow = server.connect();
    let began = Instant::now();
    let dripping = async {
        while slow.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(Duration::from_hours(1), dripping).await.unwrap();
    let first = Limits::of(1).first;
    assert!(began.elapsed() >= first && began.elapsed() < 2 * first, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn callers_that_do_not_read_their_answers_lose_their_places() {
    let server = Server::start();
    let mut deaf = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        let mut stream = server.connect();
        send(&mut stream, "/long").await;
        deaf.push(stream);
    }
    assert!(server.ask("/").await.ends_with("here"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_used_again_and_again_is_kept() {
    let server = Server::start();
    let mut stream = server.connect();
    let mut answer = [0; 4];
    let began = Instant::now();
    while began.elapsed() < 3 * Limits::of(1).idle {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        while &answer != b"here" {
            answer.rotate_left(1);
            answer[3] = stream.read_u8().await.unwrap();
        }
        answer = [0; 4];
        tokio::time::sleep(Limits::of(1).idle / 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_long_poll_of_a_held_action_has_room() {
    let answer = Server::start().ask("/poll").await;
    assert!(answer.ends_with("waited"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn work_without_end_is_answered_as_a_fault() {
    let answer = Server::start().ask("/ever").await;
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("took too long"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn failures_to_accept_neither_end_the_server_nor_spin() {
    const FAILURES: u32 = 100;
    let server = Server::start();
    for _ in 0..FAILURES {
        // EMFILE
        server.connections.send(Err(io::Error::from_raw_os_error(24))).unwrap();
    }
    let began = Instant::now();
    assert!(server.ask("/").await.ends_with("here"));
    assert!(began.elapsed() >= super::ACCEPT_PAUSE * FAILURES);
}

#[tokio::test(start_paused = true)]
async fn a_full_listener_does_not_shut_out_the_other() {
    let (full, other) = (Server::start(), Server::start());
    let began = Instant::now();
    let idle: Vec<_> = (0..CONNECTIONS_MAX).map(|_| full.connect()).collect();
    assert!(other.ask("/").await.ends_with("here"));
    assert!(began.elapsed() < Limits::of(1).first);
    drop(idle);
}

#[tokio::test(start_paused = true)]
async fn a_stop_answers_what_is_worked_on_and_waits_for_nobody_idle() {
    let server = Server::start();
    let mut answered = server.connect();
    send(&mut answered, "/").await;
    let mut idle = server.connect();
    let answer = read(&mut answered).await;
    let began = Instant::now();
    drop(server.stop);
    server.serving.await.unwrap();
    assert!(answer.ends_with("here"), "{answer}");
    assert!(began.elapsed() <= Limits::of(1).grace);
    assert_eq!(read(&mut idle).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_a_fault() {
    struct Never;
    impl hyper::body::Body for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
            std::task::Poll::Pending
        }
    }
    let request = axum::extract::Request::new(axum::body::Body::new(Never));
    let fault = crate::exchange::body::<()>(request).await.unwrap_err();
    assert!(fault.message.contains("30 s"), "{fault:?}");
}
