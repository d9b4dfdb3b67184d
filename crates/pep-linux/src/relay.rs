//! The way from inside the box to the node: enforcement points of tool servers ask through it. It adds
//! the token, which nothing inside the box holds, and what the kernel saw of each action.

use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use pathwarden_client::Client;
use pathwarden_types::{ActionId, FindingKind, Name};
use pathwarden_wire::{AnswerBody, Ask, Enter, Fault, FaultKind, Found, Report};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::point::Point;
use crate::tools::Tools;
use crate::watch::Watch;

/// The most connections from inside the box at a time; one more waits.
const CONNECTIONS_MAX: usize = 256;

/// How soon whoever connects must say something.
const SPEAK_WITHIN: Duration = Duration::from_secs(5);

/// The longest body, in bytes: what the node takes, with room for its encoding.
const BODY_BYTES_MAX: usize = 24 << 20;

/// What an enforcement point of a tool server may ask of the node.
const PASSED: [&str; 7] = [
    "/v1/join",
    "/v1/actions",
    "/v1/effects",
    "/v1/observations",
    "/v1/catalogues",
    "/v1/findings/new",
    "/v1/changes",
];

/// The way from inside the box to the node.
pub(crate) struct Relay {
    pub(crate) node: Client,
    pub(crate) tools: Arc<Tools>,
    pub(crate) watch: Option<Arc<Watch>>,
    pub(crate) point: Arc<Point>,
}

impl Relay {
    /// Listens until the task is dropped.
    pub(crate) fn listen(
        self: Arc<Self>,
        socket: &Path,
    ) -> io::Result<tokio::task::JoinHandle<()>> {
        let listener = UnixListener::bind(socket)?;
        rustix::net::sockopt::set_socket_passcred(&listener, true)?;
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o666))?;
        Ok(tokio::spawn(async move {
            let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
            loop {
                let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
                let Ok((stream, _)) = listener.accept().await else { continue };
                if rustix::net::sockopt::set_socket_passcred(&stream, true).is_err() {
                    continue;
                }
                let relay = Arc::clone(&self);
                tokio::spawn(async move {
                    relay.serve(stream).await;
                    drop(place);
                });
            }
        }))
    }

    async fn serve(self: Arc<Self>, stream: UnixStream) {
        // Connecting was carried out by ourselves, so the kernel's word on who connected says nothing.
        let speaking = timeout(SPEAK_WITHIN, speaker(&stream)).await;
        let Ok(Some(peer)) = speaking else { return };
        // Only an enforcement point of ours says what a server was let do, and which place is whose.
        if !is_ours(peer) {
            tracing::warn!(
                peer,
                "a process inside the box speaks as an enforcement point; refused"
            );
            return;
        }
        let service = service_fn(move |request| {
            let relay = Arc::clone(&self);
            async move { Ok::<_, std::convert::Infallible>(relay.answer(peer, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection from inside the box");
        }
    }

    async fn answer(&self, peer: u32, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let body = match Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return refuse(&too_long()),
        };
        // A process may have become another program since it connected.
        if method != Method::POST || !is_ours(peer) {
            return refuse(&no_route());
        }
        match self.route(peer, &path, body).await {
            Ok((status, body)) => respond(status, body),
            Err(fault) => refuse(&fault),
        }
    }

    async fn route(
        &self,
        peer: u32,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Fault> {
        match path {
            Enter::PATH => self.enter(peer, &body),
            "/v1/actions" => self.ask(peer, body).await,
            "/v1/effects" => self.report(body).await,
            "/v1/findings/new" if is_about_host(&body) => Err(no_route()),
            path if path.ends_with("/wait") => self.wait(peer, path, body).await,
            path if PASSED.contains(&path) => self.node.forward(Method::POST, path, body).await,
            _ => Err(no_route()),
        }
    }

    /// Gives a tool server a place of its own among the session's processes, before it is started.
    fn enter(&self, peer: u32, body: &[u8]) -> Result<(StatusCode, Bytes), Fault> {
        let Enter { server } = serde_json::from_slice(body).map_err(|_| unreadable())?;
        let no_place = |error: String| {
            let advice = "end some of the session's tool servers";
            Fault::new(FaultKind::Internal, format!("no place for the server: {error}"), advice)
        };
        self.tools.enter(&server, peer).map_err(|error| no_place(error.to_string()))?;
        self.point.bring_under(&server).map_err(no_place)?;
        Ok((StatusCode::OK, Bytes::from_static(b"null")))
    }

    async fn ask(&self, peer: u32, body: Bytes) -> Result<(StatusCode, Bytes), Fault> {
        let ask: Ask = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        // Whoever speaks from inside the box says what a server is asked to do, never what the kernel saw.
        if ask.operation.kind.is_on_host() {
            return Err(no_route());
        }
        let server = self.tools.of_process(peer);
        let answer = self.node.forward(Method::POST, "/v1/actions", body).await?;
        if let Some(server) = server {
            tokio::task::block_in_place(|| self.begin(&server, &ask.operation.name, &answer.1));
        }
        Ok(answer)
    }

    async fn wait(&self, peer: u32, path: &str, body: Bytes) -> Result<(StatusCode, Bytes), Fault> {
        let action = path.strip_prefix("/v1/actions/").and_then(|rest| rest.strip_suffix("/wait"));
        let action: ActionId =
            action.and_then(|action| action.parse().ok()).ok_or_else(no_route)?;
        let answer = self.node.forward(Method::POST, path, body).await?;
        let tool = self.watch.as_ref().and_then(|watch| watch.held(action));
        if let (Some(server), Some(tool)) = (self.tools.of_process(peer), tool) {
            tokio::task::block_in_place(|| self.begin(&server, &tool, &answer.1));
        }
        Ok(answer)
    }

    /// From here on until it is reported, what the server's processes do belongs to the action.
    fn begin(&self, server: &Name, tool: &str, answer: &[u8]) {
        let Some(watch) = &self.watch else { return };
        match serde_json::from_slice::<AnswerBody>(answer) {
            Ok(AnswerBody::Release(release)) => watch.open(server, tool, release.action),
            Ok(AnswerBody::Held(held)) => watch.hold(held.action, tool),
            Ok(AnswerBody::Refuse(_)) | Err(_) => {}
        }
    }

    /// A report with what the kernel saw.
    async fn report(&self, body: Bytes) -> Result<(StatusCode, Bytes), Fault> {
        let mut report: Report = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        report.effect.measured = tokio::task::block_in_place(|| {
            self.watch.as_ref().and_then(|watch| watch.close(report.action))
        });
        let body = serde_json::to_vec(&report).map_err(|_| unreadable())?;
        self.node.forward(Method::POST, "/v1/effects", body.into()).await
    }
}

/// The process that wrote the first bytes, by the kernel's word; they stay to be read.
async fn speaker(stream: &UnixStream) -> Option<u32> {
    loop {
        stream.readable().await.ok()?;
        let looked = stream.try_io(tokio::io::Interest::READABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut byte = [0];
            let mut into = [std::io::IoSliceMut::new(&mut byte)];
            recvmsg(stream, &mut into, &mut control, RecvFlags::PEEK)?;
            Ok(control.drain().find_map(|message| match message {
                RecvAncillaryMessage::ScmCredentials(who) => Some(who.pid.as_raw_nonzero().get()),
                _ => None,
            }))
        });
        match looked {
            Ok(process) => return process.and_then(|process| u32::try_from(process).ok()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}

/// Whether a finding is of a kind that only we make: or it is none.
fn is_about_host(body: &[u8]) -> bool {
    use FindingKind::{
        CanaryPassed, EffectDeviation, EffectOrphan, EventsLost, ExecAltered, Ungoverned,
    };
    let ours = [EffectOrphan, EffectDeviation, EventsLost, ExecAltered, CanaryPassed, Ungoverned];
    serde_json::from_slice::<Found>(body).map_or(true, |found| ours.contains(&found.finding.kind))
}

/// Whether a process runs the program that we are.
fn is_ours(process: u32) -> bool {
    let of = |process: &str| {
        let about = std::fs::metadata(format!("/proc/{process}/exe")).ok()?;
        Some((about.dev(), about.ino()))
    };
    of("self").is_some_and(|own| of(&process.to_string()) == Some(own))
}

fn respond(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}

fn refuse(fault: &Fault) -> Response<Full<Bytes>> {
    let status =
        StatusCode::from_u16(fault.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(status, serde_json::to_vec(fault).unwrap_or_default().into())
}

fn no_route() -> Fault {
    let advice = "agents reach the node through `pathwarden mcp` and its gateways";
    Fault::new(FaultKind::NotFound, "nothing of that kind is passed on from inside the box", advice)
}

fn unreadable() -> Fault {
    let advice = "check that `pathwarden mcp` and `pathwarden run` are of the same version";
    Fault::new(FaultKind::Malformed, "the body could not be read", advice)
}

fn too_long() -> Fault {
    let message = format!("a body of more than {BODY_BYTES_MAX} bytes");
    Fault::new(FaultKind::TooMuch, message, "pass less at a time")
}
