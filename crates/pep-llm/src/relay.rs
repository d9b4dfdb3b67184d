//! What comes back from a provider: whole, or event by event.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use pathwarden_lens_llm::{Ending, Response as Whole, Step, Stream, StreamFault};
use pathwarden_pep::{Answer, only};
use pathwarden_types::Outcome;
use tokio::time::timeout;

use crate::call::Call;
use crate::coding::{Coding, Unpacking, unpack};
use crate::emit::Emitting;
use crate::headers;
use crate::reply::{GONE, Reply, whole};
use crate::visit::{Visit, awaited};

/// How much of a compressed stream may come out of one piece of it.
const UNPACKED_PIECE_BYTES_MAX: usize = 16 << 20;

/// Reads about models: no window is in it, and no model answers.
pub(crate) async fn about(visit: &Visit, method: Method) -> Response<Answer> {
    let headers = visit.to_provider();
    let sent = visit.shared.sender.send(
        &visit.upstream,
        (method, visit.path.as_str()),
        headers,
        Bytes::new(),
    );
    let response = match sent.await {
        Ok(response) => response,
        Err(error) => {
            let words = format!("Pathwarden: {error}");
            return visit.refused(StatusCode::BAD_GATEWAY, "unreachable", &words);
        }
    };
    let limits = visit.shared.gateway.limits;
    let (head, mut body) = response.into_parts();
    let mut headers = headers::to_client(&head.headers, None);
    let passes_packed = head.headers.get(header::CONTENT_ENCODING).cloned();
    passes_packed.map(|coding| headers.insert(header::CONTENT_ENCODING, coding));
    awaited(visit.provider(), |mut reply| {
        tokio::spawn(async move {
            reply.begin(head.status, headers);
            while let Ok(Some(piece)) = next(&mut body, limits.silence).await {
                if !reply.piece(piece).await {
                    break;
                }
            }
        })
    })
    .await
}

/// Why a body ended before its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
enum Lost {
    #[error("the provider broke off")]
    Broken,
    #[error("the provider was silent for {0} s")]
    Silent(u64),
}

/// The next bytes of a body; `None` at its end.
async fn next(body: &mut Incoming, silence: Duration) -> Result<Option<Bytes>, Lost> {
    loop {
        match timeout(silence, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                // Trailers say nothing that a client of these APIs looks at.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Ok(Some(Err(_))) => return Err(Lost::Broken),
            Ok(None) => return Ok(None),
            Err(_) => return Err(Lost::Silent(silence.as_secs())),
        }
    }
}

/// Relays the answer of a provider to one model call.
pub(crate) async fn answer(call: &Call, response: Response<Incoming>, reply: Reply) {
    let (head, body) = response.into_parts();
    let is_error = head.status.is_client_error() || head.status.is_server_error();
    if !head.status.is_success() && !is_error {
        // It leads elsewhere, or wants to speak another protocol.
        let words = format!("the provider answered with the status {}", head.status);
        return give_up(call, reply, 0, &words).await;
    }
    let coding = match Coding::of(&head.headers) {
        Ok(coding) => coding,
        Err(fault) => {
            let words = format!("of the answer: {fault}");
            return give_up(call, reply, 0, &words).await;
        }
    };
    let kind = only(&head.headers, &header::CONTENT_TYPE).unwrap_or_default();
    let is_stream = kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream");
    let headers = call.headers(&head.headers);
    if head.status.is_success() && is_stream {
        let mut relay = Relay::new(call, coding, reply);
        relay.reply.begin(head.status, headers);
        relay.run(body).await;
    } else {
        whole_answer(call, (head.status, headers), coding, body, reply).await;
    }
}

/// An answer that cannot be passed on.
async fn give_up(call: &Call, reply: Reply, bytes: usize, words: &str) {
    call.broken(words).await;
    call.close(Outcome::Unknown, bytes, words.to_owned()).await;
    let words = format!("Pathwarden cannot pass the answer on: {words}");
    reply.response(call.visit.refused(StatusCode::BAD_GATEWAY, "unreadable_answer", &words));
}

async fn whole_answer(
    call: &Call,
    (status, headers): (StatusCode, HeaderMap),
    coding: Coding,
    body: Incoming,
    mut reply: Reply,
) {
    let limits = call.visit.shared.gateway.limits;
    let max = if status.is_success() { limits.answer_bytes_max } else { limits.error_bytes_max };
    let collected = tokio::select! {
        collected = collect(body, max, limits.silence) => collected,
        () = reply.gone() => return call.close(Outcome::Unknown, 0, GONE.to_owned()).await,
    };
    let bytes = match collected {
        Ok(bytes) => bytes,
        Err(words) => return give_up(call, reply, 0, &words).await,
    };
    let bytes = match unpack(coding, bytes, max) {
        Ok(bytes) => bytes,
        Err(fault) => return give_up(call, reply, 0, &format!("of the answer: {fault}")).await,
    };
    let length = bytes.len();
    if !status.is_success() {
        // The provider's own refusal is for the client to read, and perhaps to try again.
        call.close(Outcome::Failed, length, format!("the provider answered {status}")).await;
        return reply.response(whole(status, headers, Answer::whole(bytes)));
    }
    if call.wanted.is_count {
        call.close(Outcome::Done, length, String::new()).await;
        return reply.response(whole(status, headers, Answer::whole(bytes)));
    }
    let answer = match Whole::parse(call.wanted.api, bytes) {
        Ok(answer) => answer,
        Err((_, fault)) => return give_up(call, reply, length, &fault.to_string()).await,
    };
    let mut emitting = Emitting::new(&call.visit, call.action, call.calls_before.clone());
    let output = answer.output();
    let rulings = emitting.rule(&output.calls, output.confidence, &mut reply).await;
    let ruled = match answer.rule(&rulings) {
        Ok(ruled) => ruled,
        Err(fault) => return give_up(call, reply, length, &fault.to_string()).await,
    };
    if let Err(fault) = call.said(output, &emitting.actions).await {
        call.close(Outcome::Unknown, length, "the answer is not on record".to_owned()).await;
        return reply.response(call.visit.fault(&fault));
    }
    call.close(Outcome::Done, length, String::new()).await;
    reply.response(whole(status, headers, Answer::whole(ruled)));
}

async fn collect(mut body: Incoming, max: usize, silence: Duration) -> Result<Vec<u8>, String> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let too_long = || format!("it is longer than {max} bytes");
    if announced > max {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(announced);
    while let Some(piece) = next(&mut body, silence).await.map_err(|lost| lost.to_string())? {
        if bytes.len().saturating_add(piece.len()) > max {
            return Err(too_long());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// An answer that comes event by event.
struct Relay<'a> {
    call: &'a Call,
    stream: Stream,
    unpacking: Unpacking,
    emitting: Emitting<'a>,
    reply: Reply,
    bytes: usize,
}

/// Why a stream is not passed on to its end.
enum Stopped {
    /// The client has gone.
    Gone,
    /// Something is wrong with it.
    Wrong(String),
}

impl From<StreamFault> for Stopped {
    fn from(fault: StreamFault) -> Self {
        let cause = std::error::Error::source(&fault).map(|source| format!(": {source}"));
        Self::Wrong(format!("{fault}{}", cause.unwrap_or_default()))
    }
}

impl<'a> Relay<'a> {
    fn new(call: &'a Call, coding: Coding, reply: Reply) -> Self {
        Self {
            call,
            stream: Stream::new(call.wanted.api),
            unpacking: Unpacking::new(coding, UNPACKED_PIECE_BYTES_MAX),
            emitting: Emitting::new(&call.visit, call.action, call.calls_before.clone()),
            reply,
            bytes: 0,
        }
    }

    async fn run(mut self, body: Incoming) {
        let passed = self.pass(body).await;
        let recorded = self.call.said(self.stream.output(), &self.emitting.actions).await;
        let (outcome, detail) = match passed {
            Ok(None) => (Outcome::Done, String::new()),
            Ok(Some(words)) => {
                self.call.broken(words).await;
                (Outcome::Unknown, words.to_owned())
            }
            Err(Stopped::Gone) => (Outcome::Unknown, GONE.to_owned()),
            Err(Stopped::Wrong(words)) => {
                self.call.broken(&words).await;
                self.tell(&format!("Pathwarden stopped this answer: {words}")).await;
                (Outcome::Unknown, words)
            }
        };
        if let Err(fault) = recorded {
            tracing::error!(%fault, advice = fault.advice, "an answer is not on record");
            self.tell("Pathwarden could not record this answer").await;
        }
        self.call.close(outcome, self.bytes, detail).await;
    }

    async fn tell(&mut self, words: &str) {
        let event = self.stream.stop(words);
        self.reply.piece(event).await;
    }

    /// Passes a stream on; gives what is odd about its end.
    async fn pass(&mut self, mut body: Incoming) -> Result<Option<&'static str>, Stopped> {
        let silence = self.call.visit.shared.gateway.limits.silence;
        loop {
            let piece = tokio::select! {
                piece = next(&mut body, silence) => piece,
                () = self.reply.gone() => {
                    // Some clients hang up as soon as they have read the last event.
                    let is_whole = matches!(self.stream.end(), Ok(Ending::Whole));
                    return if is_whole { Ok(None) } else { Err(Stopped::Gone) };
                }
            };
            let piece = match piece {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(lost) => return Err(Stopped::Wrong(lost.to_string())),
            };
            self.bytes = self.bytes.saturating_add(piece.len());
            let unpacked = self.unpacking.push(&piece);
            let unpacked =
                unpacked.map_err(|fault| Stopped::Wrong(format!("of the answer: {fault}")))?;
            self.stream.push(&unpacked)?;
            self.steps().await?;
        }
        self.unpacking.end().map_err(|fault| Stopped::Wrong(format!("of the answer: {fault}")))?;
        let ending = self.stream.end()?;
        self.steps().await?;
        Ok(match ending {
            Ending::Whole => None,
            Ending::Early => Some("the answer ended before the event that ends it"),
        })
    }

    async fn steps(&mut self) -> Result<(), Stopped> {
        while let Some(step) = self.stream.step() {
            match step {
                Step::Pass(bytes) => {
                    if !self.reply.piece(bytes).await {
                        return Err(Stopped::Gone);
                    }
                }
                Step::Calls(calls) => {
                    let confidence = self.stream.output().confidence;
                    let rulings = self.emitting.rule(&calls, confidence, &mut self.reply).await;
                    self.stream.rule(rulings)?;
                }
            }
        }
        Ok(())
    }
}
