//! The server: reads a request, finds its turn, answers.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::answer::Answer;
use super::conversation::{Api, Conversation};
use super::deliver::Delivery;
use super::gemini::Framing;
use super::log::{Entry, Log, now_ms};
use super::route::{Generate, Route};
use super::scenario::{Reply, Scenario};
use super::seed::Seed;
use super::{chat, error, gemini, messages, responses};

/// The largest request that is read: harnesses send long prompts and pictures.
const MAX_REQUEST_BYTES: usize = 64 << 20;

const JSON: &str = "application/json";
const SSE: &str = "text/event-stream; charset=utf-8";

/// Serves a scenario until the process ends. Prints `http://ADDRESS` with the port that was bound,
/// as the first line.
///
/// # Errors
///
/// When the address cannot be bound.
pub async fn serve(address: SocketAddr, scenario: Scenario, log: Log) -> Result<()> {
    let listener = TcpListener::bind(address).await.context("bind the address of `--http`")?;
    let mut out = std::io::stdout();
    writeln!(out, "http://{}", listener.local_addr()?)?;
    out.flush().context("print the bound address")?;
    let model = Arc::new(Model::new(scenario, log));
    let router = Router::new().fallback(answer).with_state(model);
    axum::serve(listener, router).await.context("serve over HTTP")
}

/// A scenario at work.
#[derive(Debug)]
pub(super) struct Model {
    scenario: Scenario,
    /// How often each turn has answered.
    used: Vec<AtomicUsize>,
    log: Log,
}

/// An answer before it is sent, and what the log says of it.
pub(super) struct Outcome {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) frames: Vec<Vec<u8>>,
    pub(super) turn: Option<usize>,
    pub(super) fault: String,
}

impl Model {
    pub(super) fn new(scenario: Scenario, log: Log) -> Self {
        let used = scenario.turns.iter().map(|_| AtomicUsize::new(0)).collect();
        Self { scenario, used, log }
    }

    /// The first turn that matches and is not used up.
    fn turn(&self, asked: &Conversation) -> Option<usize> {
        let turns = self.scenario.turns.iter().zip(&self.used).enumerate();
        let mut matching = turns.filter(|(_, (turn, _))| turn.when.matches(asked));
        let (place, _) = matching.find(|(_, (turn, used))| {
            let before = used.fetch_add(1, Ordering::Relaxed);
            turn.times.is_none_or(|times| before < times)
        })?;
        Some(place)
    }

    /// What is answered to a body that was sent to this route.
    pub(super) fn outcome(&self, route: &Route, body: &[u8]) -> Outcome {
        match route {
            Route::Generate(how) => self.generate(how, body),
            Route::Count(api) => Outcome::json(200, &count(*api, body)),
            Route::Models(api) => Outcome::json(200, &self.models(*api)),
            Route::Root => Outcome::json(200, &json!({ "status": "ok" })),
            Route::Unknown => {
                let message = json!("there is nothing at this path");
                Outcome::fault(Api::Chat, 404, &message, Seed::of(body))
            }
        }
    }

    fn generate(&self, how: &Generate, body: &[u8]) -> Outcome {
        let seed = Seed::of(body);
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Outcome::fault(how.api(), 400, &json!("the body is not JSON"), seed);
        };
        let asked = asked(how, body);
        if let Some(fault) = error::fault(&asked) {
            return Outcome::fault(asked.api, 400, &json!(fault), seed);
        }
        let place = self.turn(&asked);
        let turn = place.and_then(|place| self.scenario.turns.get(place));
        let default = Reply::default();
        let reply = turn.map_or(&default, |turn| &turn.reply);
        let said = speak(how, reply, &asked, seed);
        let mut outcome = said.unwrap_or_else(|problem| {
            let message = json!(format!("the scenario does not fit: {problem:#}"));
            Outcome::fault(asked.api, 400, &message, seed)
        });
        outcome.turn = place;
        outcome
    }

    fn models(&self, api: Api) -> Value {
        let models = &self.scenario.models;
        if api == Api::Gemini {
            let model = |name: &String| json!({ "name": format!("models/{name}") });
            return json!({ "models": models.iter().map(model).collect::<Vec<_>>() });
        }
        let model = |name: &String| {
            json!({
                "id": name,
                "type": "model",
                "object": "model",
                "display_name": name,
                "created": 1_760_000_000,
                "created_at": "2025-10-09T00:00:00Z",
                "owned_by": "testkit",
            })
        };
        json!({
            "object": "list",
            "data": models.iter().map(model).collect::<Vec<_>>(),
            "has_more": false,
            "first_id": models.first(),
            "last_id": models.last(),
        })
    }

    /// The reply of the turn that answered.
    fn reply(&self, outcome: &Outcome) -> Option<&Reply> {
        outcome.turn.and_then(|place| self.scenario.turns.get(place)).map(|turn| &turn.reply)
    }
}

impl Outcome {
    fn json(status: u16, body: &Value) -> Self {
        let frames = vec![body.to_string().into_bytes()];
        Self { status, content_type: JSON, frames, turn: None, fault: String::new() }
    }

    fn fault(api: Api, status: u16, message: &Value, seed: Seed) -> Self {
        let body = error::body(api, status, message, seed);
        let fault = error::message(&body).to_owned();
        Self { fault, ..Self::json(status, &body) }
    }

    fn stream(content_type: &'static str, frames: Vec<String>) -> Self {
        let frames = frames.into_iter().map(String::into_bytes).collect();
        Self { status: 200, content_type, frames, turn: None, fault: String::new() }
    }
}

fn asked(how: &Generate, body: Value) -> Conversation {
    let mut asked = Conversation::read(how.api(), body);
    if let Generate::Gemini { model, stream } = how {
        asked.model.clone_from(model);
        asked.stream = stream.is_some();
    }
    asked
}

fn speak(how: &Generate, reply: &Reply, asked: &Conversation, seed: Seed) -> Result<Outcome> {
    if let Some(status) = reply.status.filter(|status| *status >= 400) {
        let error = reply.error.clone().unwrap_or_else(|| json!("refused, as the script says"));
        return Ok(Outcome::json(status, &error::body(asked.api, status, &error, seed)));
    }
    if let Some(bytes) = raw(reply)? {
        let pieces = bytes.chunks(reply.chunks.unwrap_or(usize::MAX).max(1));
        let frames = pieces.map(<[u8]>::to_vec).collect();
        let content_type = if asked.stream { SSE } else { JSON };
        return Ok(Outcome { frames, ..Outcome::stream(content_type, Vec::new()) });
    }
    let answer = Answer::new(reply, asked, seed, now_ms() / 1000)?;
    Ok(match (how, asked.stream) {
        (Generate::Chat, false) => Outcome::json(200, &chat::whole(&answer)),
        (Generate::Chat, true) => Outcome::stream(SSE, chat::stream(&answer, asked)),
        (Generate::Responses, false) => Outcome::json(200, &responses::whole(&answer, asked)),
        (Generate::Responses, true) => Outcome::stream(SSE, responses::stream(&answer, asked)),
        (Generate::Messages, false) => Outcome::json(200, &messages::whole(&answer)),
        (Generate::Messages, true) => Outcome::stream(SSE, messages::stream(&answer)),
        (Generate::Gemini { stream: None, .. }, _) => Outcome::json(200, &gemini::whole(&answer)),
        (Generate::Gemini { stream: Some(framing), .. }, _) => {
            let content_type = if *framing == Framing::Sse { SSE } else { JSON };
            Outcome::stream(content_type, gemini::stream(&answer, *framing))
        }
    })
}

fn raw(reply: &Reply) -> Result<Option<Vec<u8>>> {
    match (&reply.raw, &reply.raw_base64) {
        (Some(text), _) => Ok(Some(text.clone().into_bytes())),
        (None, Some(text)) => STANDARD.decode(text).map(Some).context("read `raw_base64`"),
        (None, None) => Ok(None),
    }
}

fn count(api: Api, body: &[u8]) -> Value {
    let tokens = body.len() / 4 + 1;
    match api {
        Api::Gemini => json!({
            "totalTokens": tokens,
            "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": tokens }],
        }),
        Api::Chat | Api::Responses | Api::Messages => json!({ "input_tokens": tokens }),
    }
}

async fn answer(State(model): State<Arc<Model>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MAX_REQUEST_BYTES).await.unwrap_or_else(|_| Bytes::new());
    let query = head.uri.query().unwrap_or_default();
    let route = Route::of(head.method.as_str(), head.uri.path(), query);
    let outcome = model.outcome(&route, &body);
    model.log.write(&Entry {
        method: head.method.as_str(),
        path: head.uri.path_and_query().map_or("/", |path| path.as_str()),
        headers: &head.headers,
        body: &body,
        turn: outcome.turn,
        status: outcome.status,
        fault: &outcome.fault,
    });
    let default = Reply::default();
    let reply = model.reply(&outcome).unwrap_or(&default);
    send(outcome, reply, Seed::of(&body), &head.headers)
        .unwrap_or_else(|error| plain(&format!("{error:#}")))
}

fn send(outcome: Outcome, reply: &Reply, seed: Seed, asked: &HeaderMap) -> Result<Response> {
    let frames = outcome.frames;
    let is_plain = frames.len() == 1 && reply.cut_after.is_none() && !reply.gzip;
    let body = if is_plain {
        Body::from(frames.into_iter().next().unwrap_or_default())
    } else {
        Body::new(Delivery::new(frames, reply)?.start())
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(outcome.status)?;
    let headers = response.headers_mut();
    let is_anthropic = asked.contains_key("anthropic-version");
    let request_id = if is_anthropic { "request-id" } else { "x-request-id" };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(outcome.content_type));
    headers.insert(request_id, HeaderValue::from_str(&seed.id("req_01", 0, 22))?);
    if reply.gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, value) in &reply.headers {
        headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    Ok(response)
}

fn plain(problem: &str) -> Response {
    let mut response = Response::new(Body::from(problem.to_owned()));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
