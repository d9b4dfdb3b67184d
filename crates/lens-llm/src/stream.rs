//! An answer that comes as server-sent events, without I/O.
//!
//! Bytes go in with [`Stream::push`] and come out of [`Stream::step`], event by event and unchanged. Only
//! a call of a tool is held back, from its first fragment until it is complete and ruled on.

mod chat;
mod event;
mod gemini;
mod messages;
mod responses;

use std::fmt;
use std::mem;

use pathwarden_json::JsonFault;

use crate::Api;
use crate::answer::{Call, Output, Ruling};
use crate::response::said::Said;
use crate::response::shape::{Shape, fit, quoted};
use crate::sse::{Reader, TooLong, compose};

use event::Event;

/// The longest single event: an answer's last event repeats all of it, with images as text in it.
pub const EVENT_BYTES_MAX: usize = 8 << 20;

/// The most that is held back for calls at a time: two of the longest events.
pub const HELD_BYTES_MAX: usize = 16 << 20;

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// These bytes go to the client as they are.
    Pass(Vec<u8>),
    /// These calls are complete and wait for a ruling each, in this order: see [`Stream::rule`]. Until
    /// then there is no further step.
    Calls(Vec<Call>),
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// As the protocol wants it.
    Whole,
    /// The event that ends it never came.
    Early,
}

/// Why a stream cannot go on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamFault {
    /// One event.
    #[error("an event is longer than {max} bytes")]
    TooLong {
        /// [`EVENT_BYTES_MAX`].
        max: usize,
    },
    /// The fragments of calls that are not complete, or bytes that came while rulings were waited for.
    #[error("more than {max} bytes wait for a call to be complete or ruled on")]
    HeldTooLong {
        /// [`HELD_BYTES_MAX`].
        max: usize,
    },
    /// Two clients could read the event differently.
    #[error("the data of an event is not JSON")]
    NotJson {
        /// Where.
        source: JsonFault,
    },
    /// The event, or its place among the others, is none that the protocol knows.
    #[error("the answer is not in the form of its protocol: expected {expected}")]
    Shape {
        /// What.
        expected: &'static str,
    },
    /// It ended in the middle of an event, or with a call that is not complete.
    #[error("the answer ended in the middle of an event or of a call")]
    Cut,
    /// Rulings came that do not fit the calls: another number of them, arguments that are no object, or
    /// nothing waits. Also, the stream was ended before its calls were ruled on.
    #[error("there is not one ruling for each call that waits")]
    Rulings,
}

impl From<Shape> for StreamFault {
    fn from(Shape(expected): Shape) -> Self {
        Self::Shape { expected }
    }
}

/// One answer on its way to the client.
#[derive(Debug)]
pub struct Stream {
    api: Api,
    reader: Reader,
    lens: Box<dyn Lens>,
    said: Said,
    ready: Vec<u8>,
    held: Vec<Event>,
    held_bytes: usize,
    events: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Open,
    /// [`Step::Calls`] is the next step.
    Asking(Vec<Call>),
    /// It was the last step.
    Waiting(Vec<Call>),
    Closed(StreamFault),
}

/// What becomes of an event.
#[derive(Debug)]
enum Turn {
    /// It goes on, unless others are held before it.
    Pass,
    /// It is held.
    Hold,
    /// It is held, and with it these calls are complete.
    Complete(Vec<Call>),
    /// It goes on, and what was held before it is dropped: the provider gave up.
    Abandon,
}

/// What one API's events mean.
trait Lens: fmt::Debug + Send + Sync {
    /// Takes an event in.
    fn read(&mut self, event: &Event, said: &mut Said) -> Result<Turn, Shape>;
    /// The bytes of an event that is not part of a call that waits, given the rulings so far.
    fn pass(&self, event: &Event) -> Vec<u8>;
    /// The bytes of the events that were held for the calls of the last [`Turn::Complete`].
    fn rule(&mut self, held: &[Event], rulings: &[Ruling]) -> Vec<u8>;
    /// Has the event come that ends the answer?
    fn is_whole(&self) -> bool;
    /// The name and the data of an event that tells of our stop.
    fn stop(&self, words: &str) -> (&'static str, String);
}

impl Stream {
    /// An answer of this API that has not begun.
    #[must_use]
    pub fn new(api: Api) -> Self {
        let lens: Box<dyn Lens> = match api {
            Api::ChatCompletions => Box::<chat::Chat>::default(),
            Api::Responses => Box::<responses::Responses>::default(),
            Api::Messages => Box::<messages::Messages>::default(),
            Api::GenerateContent => Box::<gemini::Gemini>::default(),
        };
        Self {
            api,
            reader: Reader::new(EVENT_BYTES_MAX),
            lens,
            said: Said::default(),
            ready: Vec::new(),
            held: Vec::new(),
            held_bytes: 0,
            events: 0,
            state: State::Open,
        }
    }

    /// Takes the next bytes. After a fault the stream is closed: nothing more comes out.
    ///
    /// # Errors
    ///
    /// [`StreamFault`]; the same one again once the stream is closed.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), StreamFault> {
        let room = HELD_BYTES_MAX.saturating_sub(self.reader.pending());
        match &self.state {
            State::Closed(fault) => return Err(fault.clone()),
            State::Asking(_) | State::Waiting(_) if bytes.len() > room => {
                return self.close(StreamFault::HeldTooLong { max: HELD_BYTES_MAX });
            }
            State::Open | State::Asking(_) | State::Waiting(_) => self.reader.push(bytes),
        }
        self.advance()
    }

    /// The next thing to do, if there is one.
    pub fn step(&mut self) -> Option<Step> {
        if !self.ready.is_empty() {
            return Some(Step::Pass(mem::take(&mut self.ready)));
        }
        match mem::replace(&mut self.state, State::Open) {
            State::Asking(calls) => {
                self.state = State::Waiting(calls.clone());
                Some(Step::Calls(calls))
            }
            state => {
                self.state = state;
                None
            }
        }
    }

    /// Says what becomes of the calls of the last [`Step::Calls`], one ruling for each.
    ///
    /// # Errors
    ///
    /// [`StreamFault::Rulings`], or what is wrong with bytes that came while the rulings were waited
    /// for. The stream is closed then, and the calls are not released.
    #[expect(clippy::needless_pass_by_value, reason = "a ruling is used once")]
    pub fn rule(&mut self, rulings: Vec<Ruling>) -> Result<(), StreamFault> {
        match &self.state {
            State::Closed(fault) => return Err(fault.clone()),
            State::Waiting(calls) if fit(calls, &rulings) => {}
            State::Open | State::Asking(_) | State::Waiting(_) => {
                return self.close(StreamFault::Rulings);
            }
        }
        self.state = State::Open;
        self.held_bytes = 0;
        let held = mem::take(&mut self.held);
        self.ready.extend(self.lens.rule(&held, &rulings));
        self.advance()
    }

    /// The provider has closed the stream. To be called when [`Stream::step`] gives nothing more.
    ///
    /// # Errors
    ///
    /// [`StreamFault::Cut`] when an event or a call is not complete: what is there of it is never
    /// released. [`StreamFault::Rulings`] when calls still wait.
    pub fn end(&mut self) -> Result<Ending, StreamFault> {
        match &self.state {
            State::Closed(fault) => Err(fault.clone()),
            State::Asking(_) | State::Waiting(_) => self.close(StreamFault::Rulings),
            State::Open if self.reader.pending() > 0 || !self.held.is_empty() => {
                self.close(StreamFault::Cut)
            }
            State::Open if self.lens.is_whole() => Ok(Ending::Whole),
            State::Open => Ok(Ending::Early),
        }
    }

    /// What was said so far; refused calls are in it as they were emitted.
    #[must_use]
    pub const fn output(&self) -> &Output {
        &self.said.output
    }

    /// An event that tells the client, in the provider's form, that the stream is stopped by us.
    #[must_use]
    pub fn stop(&self, words: &str) -> Vec<u8> {
        let (name, data) = self.lens.stop(words);
        compose(name, &data)
    }

    /// The API whose answer this is.
    #[must_use]
    pub const fn api(&self) -> Api {
        self.api
    }

    /// Reads events until calls wait for a ruling, or no event is complete.
    fn advance(&mut self) -> Result<(), StreamFault> {
        while matches!(self.state, State::Open) {
            let taken = match self.reader.next() {
                Ok(None) => return Ok(()),
                Ok(Some(frame)) => Event::of(frame, self.events).and_then(|event| self.take(event)),
                Err(TooLong) => Err(StreamFault::TooLong { max: EVENT_BYTES_MAX }),
            };
            if let Err(fault) = taken {
                return self.close(fault);
            }
            self.events += 1;
        }
        Ok(())
    }

    fn take(&mut self, event: Event) -> Result<(), StreamFault> {
        match self.lens.read(&event, &mut self.said)? {
            Turn::Pass if self.held.is_empty() => self.ready.extend(self.lens.pass(&event)),
            Turn::Pass | Turn::Hold => self.hold(event)?,
            Turn::Complete(calls) => {
                self.hold(event)?;
                self.said.output.calls.extend(calls.iter().cloned());
                self.state = State::Asking(calls);
            }
            Turn::Abandon => {
                self.held.clear();
                self.held_bytes = 0;
                self.ready.extend(self.lens.pass(&event));
            }
        }
        Ok(())
    }

    fn hold(&mut self, event: Event) -> Result<(), StreamFault> {
        self.held_bytes += event.raw().len();
        if self.held_bytes > HELD_BYTES_MAX {
            return Err(StreamFault::HeldTooLong { max: HELD_BYTES_MAX });
        }
        self.held.push(event);
        Ok(())
    }

    fn close<T>(&mut self, fault: StreamFault) -> Result<T, StreamFault> {
        self.ready.clear();
        self.held.clear();
        self.state = State::Closed(fault.clone());
        Err(fault)
    }
}

/// The error object that OpenAI's clients raise when it comes in a stream.
fn openai_error(words: &str) -> String {
    let words = quoted(words);
    format!(
        "{{\"message\":{words},\"type\":\"permission_error\",\"param\":null,\
         \"code\":\"stopped_by_pathwarden\"}}"
    )
}

#[cfg(test)]
mod tests;
