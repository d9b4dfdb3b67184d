//! The load: the same for every way to the model.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use regex::bytes::Regex;

use super::conversation::Conversation;
use super::provider::{EVENTS, Model};
use crate::measure::Samples;
use crate::node::Node;
use crate::serving::connect;

/// No two conversations of a run are the same.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

fn number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Case {
    /// An agent's steps, one after the other.
    Steps(Steps),
    /// Long streams, one after the other.
    Streams,
    /// Calls that are not streamed, by so many clients, each an agent of its own.
    Calls {
        /// How many.
        clients: usize,
    },
}

/// An agent's steps: a call, the results of what it emitted, the next call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub(super) model: Model,
    /// What counts of a call.
    pub(super) until: Until,
    /// The window from which on calls count, in bytes.
    pub(super) window_bytes: usize,
    /// Results of the calls that count, in bytes.
    pub(super) result_bytes: usize,
    /// Calls of a conversation that count.
    pub(super) steps: usize,
    /// Conversations of a session.
    pub(super) conversations: usize,
}

/// The part of a call that counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    /// Until the first event with words in it.
    FirstToken,
    /// All of it.
    End,
}

/// Results of the calls that make a window long.
const LONG_RESULT_BYTES: usize = 3_000;

/// The key for whoever wants one; LiteLLM does not start without a long one.
pub(super) const KEY: &str = "sk-bench-5d1f0c9e7a3b48269be4d07c51f83a62";

/// Where calls go to.
pub(super) struct Target<'a> {
    pub(super) address: SocketAddr,
    pub(super) path: &'static str,
    /// The node that wants a token of its own instead of the key.
    pub(super) node: Option<&'a Node>,
}

/// How long a turn is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// In calls of an agent's steps.
    pub(super) steps: usize,
    /// In time, for everything else.
    pub(super) time: Duration,
}

/// One turn of a case.
pub(super) async fn run(case: Case, target: &Target<'_>, turn: Turn) -> Result<Samples> {
    match case {
        Case::Steps(steps) => steps.run(target, turn.steps).await,
        Case::Streams => streams(target, turn.time).await,
        Case::Calls { clients } => calls(target, clients, turn.time).await,
    }
}

impl Steps {
    async fn run(self, target: &Target<'_>, most: usize) -> Result<Samples> {
        let mut samples = Samples::default();
        let mut line = target.line().await?;
        let mut left = most;
        for conversation in 0.. {
            if left == 0 {
                break;
            }
            if conversation > 0 && conversation % self.conversations == 0 {
                line = target.line().await?;
            }
            let count = left.min(self.steps);
            self.converse(&mut line, count, &mut samples).await?;
            left -= count;
        }
        Ok(samples)
    }

    async fn converse(self, line: &mut Line, count: usize, samples: &mut Samples) -> Result<()> {
        let mut conversation = Conversation::begin(self.model, number());
        while conversation.bytes() < self.window_bytes {
            let answer = line.ask(&conversation).await?;
            conversation.go_on(&answer.calls(), LONG_RESULT_BYTES)?;
        }
        for _ in 0..count {
            let answer = line.ask(&conversation).await?;
            samples.call(match self.until {
                Until::FirstToken => answer.first.context("no first token")?,
                Until::End => answer.whole,
            });
            samples.did(1, answer.whole);
            conversation.go_on(&answer.calls(), self.result_bytes)?;
        }
        Ok(())
    }
}

async fn streams(target: &Target<'_>, time: Duration) -> Result<Samples> {
    let mut samples = Samples::default();
    let mut line = target.line().await?;
    let until = Instant::now() + time;
    while Instant::now() < until {
        let answer = line.ask(&Conversation::question(Model::Text, number())).await?;
        samples.call(answer.whole);
        samples.did(u64::try_from(EVENTS)?, answer.whole);
    }
    Ok(samples)
}

async fn calls(target: &Target<'_>, clients: usize, time: Duration) -> Result<Samples> {
    let mut lines = Vec::new();
    for _ in 0..clients {
        lines.push(target.line().await?);
    }
    let began = Instant::now();
    let until = began + time;
    let tasks: Vec<_> =
        lines.into_iter().map(|line| tokio::spawn(one_client(line, until))).collect();
    let mut samples = Samples::default();
    for task in tasks {
        samples.join(task.await??);
    }
    samples.did(samples.calls(), began.elapsed());
    Ok(samples)
}

async fn one_client(mut line: Line, until: Instant) -> Result<Samples> {
    let mut samples = Samples::default();
    while Instant::now() < until {
        samples.call(line.ask(&Conversation::question(Model::Short, number())).await?.whole);
    }
    Ok(samples)
}

impl Target<'_> {
    /// A connection of its own, for a new session.
    async fn line(&self) -> Result<Line> {
        let token = match self.node {
            Some(node) => node.session()?,
            None => KEY.to_owned(),
        };
        let sender = connect(self.address).await?;
        let host = self.address.to_string();
        Ok(Line { sender, host, path: self.path, token: format!("Bearer {token}") })
    }
}

/// One kept-alive connection.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    path: &'static str,
    token: String,
}

impl Line {
    async fn ask(&mut self, conversation: &Conversation) -> Result<Answer> {
        let request = Request::post(self.path)
            .header("host", &self.host)
            .header("authorization", &self.token)
            .header("content-type", "application/json")
            .body(Full::new(conversation.body()))?;
        let start = Instant::now();
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let mut body = response.into_body();
        let mut answer = Answer::default();
        while let Some(frame) = body.frame().await {
            if let Ok(piece) = frame?.into_data() {
                answer.body.extend_from_slice(&piece);
                if answer.first.is_none() && answer.words() > 0 {
                    answer.first = Some(start.elapsed());
                }
            }
        }
        answer.whole = start.elapsed();
        let (words, calls) = (conversation.model().words(), conversation.model().calls());
        ensure!(
            status.is_success() && answer.words() == words && answer.calls().len() == calls,
            "answered with {status}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        Ok(answer)
    }
}

/// What came back.
#[derive(Default)]
struct Answer {
    first: Option<Duration>,
    whole: Duration,
    body: Vec<u8>,
}

impl Answer {
    fn words(&self) -> usize {
        static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("word-").ok());
        WORD.as_ref().map_or(0, |word| word.find_iter(&self.body).count())
    }

    /// The ids of the calls that may be made.
    fn calls(&self) -> Vec<String> {
        static ID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""call_[0-9]+""#).ok());
        let Some(id) = ID.as_ref() else { return Vec::new() };
        let found = id.find_iter(&self.body).map(|id| String::from_utf8_lossy(id.as_bytes()));
        let mut ids: Vec<_> = found.map(|id| id.trim_matches('"').to_owned()).collect();
        ids.dedup();
        ids
    }
}
