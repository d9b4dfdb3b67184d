//! The thread that follows what is durable: it publishes and indexes, behind the writers.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pathwarden_ledger::Checkpoint;

use crate::PublishError;
use crate::index::{self, CatchUp};
use crate::publisher::Publisher;
use crate::shared::{Shared, hold};

/// How long new entries wait for the index at least, so that one commit takes in many.
const INDEX_EVERY_MS: u64 = 50;

type Published = Result<Checkpoint, PublishError>;

/// How other threads reach the follower.
#[derive(Default)]
pub(crate) struct Signals {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    grown: bool,
    rebuild: bool,
    requests: Vec<Sender<Published>>,
    closing: bool,
    closed: bool,
    /// Whether the follower sleeps until something grows.
    idle: bool,
}

impl Signals {
    /// There are new durable entries.
    pub(crate) fn grown(&self) {
        let mut state = hold(&self.state);
        state.grown = true;
        if state.idle {
            self.wake.notify_one();
        }
    }

    /// The index was caught in a lie.
    pub(crate) fn rebuild(&self) {
        hold(&self.state).rebuild = true;
        self.wake.notify_one();
    }

    /// Asks for a publication.
    pub(crate) fn publish(&self) -> Published {
        self.request().recv().unwrap_or(Err(PublishError::Stopped))
    }

    fn request(&self) -> Receiver<Published> {
        let (sender, receiver) = mpsc::channel();
        let mut state = hold(&self.state);
        // Once closed, the sender is dropped here, and the receiver hears of it.
        if !state.closed {
            state.requests.push(sender);
            self.wake.notify_one();
        }
        receiver
    }

    /// Asks the follower to end.
    pub(crate) fn close(&self) {
        hold(&self.state).closing = true;
        self.wake.notify_one();
    }

    /// Waits until there is something to do: for `pause` if given, else until something grows; less
    /// when asked.
    fn wait(&self, pause: Option<Duration>) -> Wake {
        let until = pause.map(|pause| Instant::now() + pause);
        let mut state = hold(&self.state);
        loop {
            let asked = state.closing || state.rebuild || !state.requests.is_empty();
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if asked || left == Some(Duration::ZERO) || (left.is_none() && state.grown) {
                break;
            }
            state.idle = left.is_none();
            state = match left {
                Some(left) => {
                    self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.idle = false;
        }
        state.grown = false;
        Wake {
            rebuild: std::mem::take(&mut state.rebuild),
            requests: std::mem::take(&mut state.requests),
            closing: state.closing,
        }
    }

    /// Refuses all requests from now on.
    pub(crate) fn refuse(&self) {
        let mut state = hold(&self.state);
        state.closed = true;
        state.requests.clear();
    }
}

struct Wake {
    rebuild: bool,
    requests: Vec<Sender<Published>>,
    closing: bool,
}

pub(crate) struct Follower {
    shared: Arc<Shared>,
    publisher: Publisher,
    published: Instant,
}

impl Follower {
    pub(crate) fn new(shared: Arc<Shared>, publisher: Publisher) -> Self {
        Self { shared, publisher, published: Instant::now() }
    }

    /// Runs until asked to end.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut pause = None;
        loop {
            let wake = shared.signals.wait(pause);
            if wake.rebuild {
                index::rebuild(&shared);
            }
            self.publish(wake.requests);
            let caught_up = index::catch_up(&shared);
            if wake.closing {
                break;
            }
            pause = self.pause(caught_up);
        }
        shared.signals.refuse();
        if let Some(index) = shared.index() {
            index.flush();
        }
    }

    /// Publishes when somebody asked or when it is time.
    fn publish(&mut self, requests: Vec<Sender<Published>>) {
        if requests.is_empty() && (!self.has_news() || self.until_due() > Duration::ZERO) {
            return;
        }
        self.published = Instant::now();
        let outcome = self.publisher.publish();
        if let Err(error) = &outcome {
            tracing::warn!(error = %chain(error), "no checkpoint was published");
        }
        for request in requests {
            // Whoever asked may have gone.
            let _ = request.send(outcome.clone());
        }
    }

    fn has_news(&self) -> bool {
        !self.shared.is_stopped() && self.shared.checkpoint().size() < self.shared.size()
    }

    fn until_due(&self) -> Duration {
        let every = Duration::from_millis(self.shared.options.publish_every_ms);
        every.saturating_sub(self.published.elapsed())
    }

    /// How long to sleep; `None` until something grows.
    fn pause(&self, caught_up: CatchUp) -> Option<Duration> {
        let index = match caught_up {
            CatchUp::Done | CatchUp::Failed => None,
            CatchUp::More => Some(Duration::ZERO),
            CatchUp::Some => Some(Duration::from_millis(INDEX_EVERY_MS)),
        };
        let publish = self.has_news().then(|| self.until_due());
        [index, publish].into_iter().flatten().min()
    }
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
