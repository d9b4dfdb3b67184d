//! A model behind OpenAI's Chat Completions that costs next to nothing: fixed bytes, but for the ids
//! of calls.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::vec;

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use regex::bytes::Regex;
use tokio::net::TcpListener;

/// What is answered, by the name of the model asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Model {
    /// A long text, word by word.
    Text,
    /// Some words and a call, as an agent's model answers.
    Step,
    /// Three calls.
    Tools,
    /// Some words in one piece.
    Short,
}

/// Text events of the long text.
pub(super) const EVENTS: usize = 2_000;

/// No two calls of a run have the same id.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

static LONG: LazyLock<Vec<Bytes>> =
    LazyLock::new(|| (0..EVENTS).map(|word| Model::Text.word(word)).collect());

impl Model {
    pub(super) const ALL: [Self; 4] = [Self::Text, Self::Step, Self::Tools, Self::Short];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "bench-text",
            Self::Step => "bench-step",
            Self::Tools => "bench-tools",
            Self::Short => "bench-short",
        }
    }

    /// How many words it says.
    pub(super) const fn words(self) -> usize {
        match self {
            Self::Text => EVENTS,
            Self::Step => 20,
            Self::Tools => 0,
            Self::Short => 60,
        }
    }

    /// How many calls it emits.
    pub(super) const fn calls(self) -> usize {
        match self {
            Self::Text | Self::Short => 0,
            Self::Step => 1,
            Self::Tools => 3,
        }
    }

    /// The model that a request asks for; the name stands nowhere else in it.
    fn asked(body: &[u8]) -> Option<Self> {
        static NAME: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r#""(bench-[a-z]+)""#).ok());
        let name = NAME.as_ref()?.captures(body)?.get(1)?.as_bytes();
        Self::ALL.into_iter().find(|model| model.name().as_bytes() == name)
    }

    fn word(self, number: usize) -> Bytes {
        self.event(&format!(r#"{{"content":"word-{number} "}}"#), "null")
    }

    /// An event as OpenAI sends it.
    fn event(self, delta: &str, finish: &str) -> Bytes {
        let name = self.name();
        let text = format!(
            r#"data: {{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1800000000,"model":"{name}","service_tier":"default","system_fingerprint":"fp_bench","choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}],"usage":null,"obfuscation":"Kq7vBz"}}"#
        );
        Bytes::from(text + "\n\n")
    }

    fn events(self) -> Vec<Bytes> {
        let mut events = vec![self.event(r#"{"role":"assistant","content":""}"#, "null")];
        match self {
            Self::Text => events.extend(LONG.iter().cloned()),
            Self::Step | Self::Tools | Self::Short => {
                events.extend((0..self.words()).map(|word| self.word(word)));
            }
        }
        for place in 0..self.calls() {
            let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
            let call = |rest: &str| {
                self.event(&format!(r#"{{"tool_calls":[{{"index":{place},{rest}}}]}}"#), "null")
            };
            let id = call_id(number);
            let path = path(&id).replace('"', r#"\""#);
            events.push(call(&format!(
                r#""id":"{id}","type":"function","function":{{"name":"read_file","arguments":""}}"#
            )));
            events.push(call(r#""function":{"arguments":"{\"path\":"}"#));
            events.push(call(&format!(r#""function":{{"arguments":"{path}}}"}}"#)));
        }
        let finish = if self.calls() > 0 { r#""tool_calls""# } else { r#""stop""# };
        events.push(self.event("{}", finish));
        events.push(Bytes::from_static(b"data: [DONE]\n\n"));
        events
    }

    fn whole(self) -> Bytes {
        let text: String = (0..self.words()).map(|word| format!("word-{word} ")).collect();
        let name = self.name();
        Bytes::from(format!(
            r#"{{"id":"chatcmpl-bench","object":"chat.completion","created":1800000000,"model":"{name}","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":200,"completion_tokens":60,"total_tokens":260}},"service_tier":"default","system_fingerprint":"fp_bench"}}"#
        ))
    }
}

fn call_id(number: u64) -> String {
    format!("call_{number:08}")
}

/// The path that the call with this id reads, in JSON.
pub(super) fn path(id: &str) -> String {
    format!(r#""notes/{id}.txt""#)
}

/// Events that leave one by one, as those of a model do: after each, the connection is flushed.
struct Events {
    events: vec::IntoIter<Bytes>,
    rests: bool,
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.rests = !self.rests;
        if self.rests {
            return Poll::Ready(self.events.next().map(|event| Ok(Frame::data(event))));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let service =
                service_fn(|request| async { Ok::<_, Infallible>(answer(request).await) });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Response<Either<Events, Full<Bytes>>> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let Some(model) = Model::asked(&body) else {
        let mut response = Response::new(Either::Right(Full::default()));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let (kind, body) = match model {
        Model::Short => ("application/json", Either::Right(Full::new(model.whole()))),
        Model::Text | Model::Step | Model::Tools => {
            let events = Events { events: model.events().into_iter(), rests: false };
            ("text/event-stream; charset=utf-8", Either::Left(events))
        }
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::Model;

    #[test]
    fn a_model_is_found_by_its_name_and_events_are_json() {
        for model in Model::ALL {
            let body = format!(r#"{{"messages":[], "model": "{}"}}"#, model.name());
            assert_eq!(Model::asked(body.as_bytes()), Some(model));
            for event in model.events() {
                let text = String::from_utf8(event.to_vec()).unwrap();
                let data = text.strip_prefix("data: ").unwrap().trim_end();
                if data != "[DONE]" {
                    serde_json::from_str::<serde_json::Value>(data).unwrap();
                }
            }
            serde_json::from_slice::<serde_json::Value>(&model.whole()).unwrap();
        }
        assert_eq!(Model::asked(b"{}"), None);
    }
}
