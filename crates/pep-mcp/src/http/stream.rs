//! A stream of events from the server, passed on event by event.

use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use pathwarden_lens_mcp::{Acknowledged, Era, Id, Message, compose};
use pathwarden_types::{Digest, ObservationKind, Outcome};
use tokio::time::{Instant, sleep_until};

use super::answer::Reply;
use super::call::Call;
use super::left::{Answered, Key, Slot, Ticket};
use super::sse::{EVENT_OVERHEAD_BYTES, Event, Parser};
use crate::exchange::{Exchange, Expect, FromServer};
use crate::refusal;
use pathwarden_pep::Gone;

/// The request that a stream should answer.
pub(super) enum Pending {
    /// None: it was opened by `GET`, or what it belongs to is answered.
    None,
    /// It cannot be answered elsewhere.
    Here(Id, Expect),
    /// The stream can be resumed, so its answer may show up on another one.
    Anywhere(Id, Key, Ticket),
}

/// Passes a stream on until it ends.
pub(super) async fn relay(call: &Call, body: Incoming, pending: Pending, reply: Reply, gone: Gone) {
    let parser = Parser::new(call.shared.limits.message_bytes_max + EVENT_OVERHEAD_BYTES);
    let hears = match pending {
        // The stream that a legacy client opens for what concerns no request.
        Pending::None => Hears::Unasked,
        Pending::Here(..) | Pending::Anywhere(..) => Hears::Nothing,
    };
    let mut stream = Stream { call, pending, reply, resumable: false, hears };
    let why = stream.run(body, parser, gone).await;
    stream.end(&why).await;
}

/// Waits for a change of what the agent may see; where it stood, and where it stands.
pub(super) async fn next_change(exchange: &Exchange, since: u64) -> (u64, u64) {
    loop {
        match exchange.changes(since).await {
            Ok(now) if now != since => return (since, now),
            Ok(_) => {}
            // Nothing can be told without the node; the list itself is fresh whenever it is asked for.
            Err(_) => sleep_until(Instant::now() + exchange.limits().patience.sign).await,
        }
    }
}

struct Stream<'a> {
    call: &'a Call,
    pending: Pending,
    reply: Reply,
    resumable: bool,
    hears: Hears,
}

/// Whether the client of a stream is told that lists have changed for it.
enum Hears {
    /// It is not.
    Nothing,
    /// It opened the stream for such news.
    Unasked,
    /// It has subscribed to changes of the list of tools under this id (2026-07-28).
    Subscribed(Id),
}

impl Hears {
    /// The news for it; `None` when it wants none.
    fn tools_changed(&self) -> Option<Vec<u8>> {
        let changed = |id| Some(compose::list_changed("notifications/tools/list_changed", id));
        match self {
            Self::Nothing => None,
            Self::Unasked => changed(None),
            Self::Subscribed(id) => changed(Some(id)),
        }
    }
}

impl Stream<'_> {
    /// Passes events on; says why it ended.
    async fn run(&mut self, mut body: Incoming, mut parser: Parser, mut gone: Gone) -> String {
        let mut left_at = None;
        let mut stopping = std::pin::pin!(self.call.shared.stopping());
        let exchange = Arc::clone(&self.call.exchange);
        let mut news = std::pin::pin!(next_change(&exchange, 0));
        loop {
            let time_is_up = sleep_until(left_at.unwrap_or_else(Instant::now));
            let frame = tokio::select! {
                frame = body.frame() => frame,
                _ = &mut gone, if left_at.is_none() => {
                    self.reply = Reply::Gone;
                    // The server keeps the answer of a stream that can be resumed; otherwise what the
                    // action did can only be learnt here. In the modern era going away cancels.
                    if !matches!(self.pending, Pending::Here(..)) || self.call.era == Era::Modern {
                        return "the client has gone".to_owned();
                    }
                    left_at = Some(Instant::now() + self.call.shared.limits.resume);
                    continue;
                }
                () = &mut stopping, if matches!(self.pending, Pending::None) => {
                    return "the gateway stops".to_owned();
                }
                () = time_is_up, if left_at.is_some() => return "the client has gone".to_owned(),
                (before, now) = &mut news, if !matches!(self.hears, Hears::Nothing) => {
                    if before != 0 && let Some(changed) = self.hears.tools_changed() {
                        self.reply.piece(super::sse::event(&changed)).await;
                    }
                    news.set(next_change(&exchange, now));
                    continue;
                }
            };
            let data = match frame {
                None => return "the server ended the stream before it answered".to_owned(),
                Some(Err(_)) => return "the server broke the stream off".to_owned(),
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            };
            let events = match parser.feed(&data) {
                Ok(events) => events,
                Err(error) => return error.to_string(),
            };
            for event in events {
                self.event(event).await;
            }
            if left_at.is_some() && matches!(self.pending, Pending::None) {
                return "the client has gone".to_owned();
            }
        }
    }

    async fn event(&mut self, event: Event) {
        if event.has_id && !self.resumable && self.call.era == Era::Legacy {
            self.resumable = true;
            self.make_findable().await;
        }
        let Some(data) = &event.data else {
            return self.reply.piece(event.raw).await;
        };
        match self.call.exchange.read_server(data.clone()).await {
            FromServer::Acknowledged(granted, _) => {
                self.reply.piece(event.raw).await;
                self.subscribed(granted).await;
            }
            FromServer::Pass(_) | FromServer::Request(..) if !self.call.is_mounted => {
                self.reply.piece(event.raw).await;
            }
            FromServer::Pass(bytes) | FromServer::Request(_, bytes) => {
                self.reply.piece(event.with_data(&self.call.outward(bytes))).await;
            }
            FromServer::Response(id, response) => self.response(&event, id, response).await,
            FromServer::Answer(cleared) => self.call.send_aside(cleared),
            FromServer::Broken(id, why) => self.broken(&event, id, &why).await,
        }
    }

    /// A subscription stands: what it reads is done, and the client hears of our own changes too.
    async fn subscribed(&mut self, granted: Acknowledged) {
        let Pending::Here(id, expect) = &mut self.pending else { return };
        if granted.subscription.key() != id.key() {
            return;
        }
        if granted.tools_changed {
            self.hears = Hears::Subscribed(id.clone());
        }
        let expect = std::mem::replace(expect, Expect::Plain);
        self.call.exchange.close_all(expect, Outcome::Done, "").await;
    }

    /// From now on, the answer may show up on another stream.
    async fn make_findable(&mut self) {
        if let Pending::Here(id, expect) = std::mem::replace(&mut self.pending, Pending::None) {
            let key = self.call.key(&id);
            let slot = Slot::Open(Arc::clone(&self.call.exchange), expect);
            let ticket = self.call.leave(key.clone(), slot).await;
            self.pending = Pending::Anywhere(id, key, ticket);
        }
    }

    /// Takes the request that a response answers, here or left by another stream.
    fn take(&mut self, id: &Id) -> Option<Slot> {
        match std::mem::replace(&mut self.pending, Pending::None) {
            Pending::Here(own, expect) if own.key() == id.key() => {
                Some(Slot::Open(Arc::clone(&self.call.exchange), expect))
            }
            Pending::Anywhere(own, key, ticket) if own.key() == id.key() => {
                self.call.shared.left.take_stay(&key, ticket)
            }
            other => {
                self.pending = other;
                self.call.shared.left.take(&self.call.key(id))
            }
        }
    }

    async fn response(&mut self, event: &Event, id: Id, response: Message) {
        let before = response.text().len();
        let message = match self.take(&id) {
            Some(Slot::Open(exchange, expect)) => {
                let (action, came) = (expect.action(), Digest::of(response.text().as_bytes()));
                let settled = exchange.settle(expect, response).await;
                let shown = (Digest::of(&settled) == came).then_some(came);
                self.remember(&id, Answered { action, shown }).await;
                self.call.outward(settled)
            }
            Some(Slot::Answered(before)) => self.again(&id, before, response).await,
            None => {
                self.call.exchange.observe_unasked(&response).await;
                let words = "an answer to a request that is not open";
                compose::error(Some(&id), compose::SERVER_BROKEN, words)
            }
        };
        self.pass(event, before, message).await;
    }

    /// A response that was recorded before, for a client that lost it: the same, or none.
    async fn again(&mut self, id: &Id, before: Answered, response: Message) -> Vec<u8> {
        self.remember(id, before).await;
        if before.shown != Some(Digest::of(response.text().as_bytes())) {
            self.call.exchange.observe_unasked(&response).await;
            let words = "another answer to a request that was answered";
            return compose::error(Some(id), compose::SERVER_BROKEN, words);
        }
        let text = response.text().to_owned();
        match self.call.exchange.observe(ObservationKind::Result, before.action, text).await {
            Ok(()) => self.call.outward(response.into_bytes()),
            Err(fault) => refusal::withheld(Some(id), &fault),
        }
    }

    async fn remember(&self, id: &Id, answered: Answered) {
        if self.resumable {
            self.call.leave(self.call.key(id), Slot::Answered(answered)).await;
        }
    }

    /// Passes the event on, byte for byte if the message is what the server sent.
    async fn pass(&mut self, event: &Event, before: usize, message: Vec<u8>) {
        let unchanged = message.len() == before && event.data.as_ref() == Some(&message);
        let bytes = if unchanged { event.raw.clone() } else { event.with_data(&message) };
        self.reply.piece(bytes).await;
    }

    async fn broken(&mut self, event: &Event, id: Option<Id>, why: &str) {
        let Some(id) = id else { return };
        let Some(Slot::Open(exchange, expect)) = self.take(&id) else { return };
        exchange.close_all(expect, Outcome::Unknown, why).await;
        let error = compose::error(Some(&id), compose::SERVER_BROKEN, why);
        self.reply.piece(event.with_data(&error)).await;
    }

    /// Closes or leaves what the stream did not answer.
    async fn end(self, why: &str) {
        match self.pending {
            Pending::None => {}
            Pending::Here(id, expect) => {
                self.call.close(expect, Outcome::Unknown, why).await;
                self.reply.error(&id, why).await;
            }
            Pending::Anywhere(_, key, ticket) => self.call.expire(key, ticket),
        }
    }
}
