//! One request of a client that has been let in.

use pathwarden_pep::only;
use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use pathwarden_json::Json;
use pathwarden_lens_mcp::mount::Mounts;
use pathwarden_lens_mcp::{Era, Id, Message, compose, headers as mirrored};
use pathwarden_types::Outcome;
use tokio::time::sleep;

use super::Shared;
use super::headers::{self, MCP_SESSION_ID};
use super::left::{Key, Slot, Ticket};
use super::upstream::Upstream;
use crate::exchange::{Cleared, Exchange, Expect};

/// One request of a client that has been let in: whose it is and where it goes.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) shared: Arc<Shared>,
    pub(super) exchange: Arc<Exchange>,
    pub(super) upstream: Upstream,
    /// As the client sent them, but for what obligations change.
    pub(super) headers: HeaderMap,
    /// The era of the message that it brings.
    pub(super) era: Era,
    /// Whether the client sees the server as one of several: see [`Mounts`].
    pub(super) is_mounted: bool,
}

impl Call {
    /// What tells this request from others wherever its response shows up.
    pub(super) fn key(&self, id: &Id) -> Key {
        let transport = only(&self.headers, &MCP_SESSION_ID).unwrap_or_default();
        Key {
            session: self.exchange.session(),
            server: self.exchange.server_name().clone(),
            transport: transport.to_owned(),
            id: id.key().to_owned(),
        }
    }

    /// The headers that go to the server with this message. Where the client sent headers that repeat the
    /// body, they are made from what the body says now: whoever goes by them gets what was decided, and
    /// nothing that was taken out of the body leaves in a header.
    pub(super) fn to_server(&self, body: &[u8]) -> HeaderMap {
        let mut headers = headers::to_server(&self.headers);
        if !self.headers.keys().any(|name| mirrored::repeats(name.as_str())) {
            return headers;
        }
        let limit = self.shared.limits.message_bytes_max;
        let Ok(message) = Message::parse(body.to_vec(), limit) else { return headers };
        let tool = message.param("name").and_then(Json::string).unwrap_or_default();
        let params = self.exchange.params().of(self.exchange.server_name(), &tool);
        for (name, value) in mirrored::repeated(&message, &params) {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value))
                && self.headers.contains_key(&name)
            {
                headers.insert(name, value);
            }
        }
        headers
    }

    /// A message of the server as the client is to see it.
    pub(super) fn outward(&self, bytes: Vec<u8>) -> Vec<u8> {
        if !self.is_mounted {
            return bytes;
        }
        match Message::parse(bytes, self.shared.limits.message_bytes_max) {
            Ok(message) => Mounts::outward(self.exchange.server_name(), &message),
            Err(fault) => {
                let words = format!("the answer of the server is {fault}");
                compose::error(fault.id.as_ref(), compose::SERVER_BROKEN, &words)
            }
        }
    }

    /// The headers of a server's answer that go to the client.
    pub(super) fn to_client(&self, headers: &HeaderMap) -> HeaderMap {
        let mut headers = headers::to_client(headers);
        if self.is_mounted {
            headers.remove(MCP_SESSION_ID);
        }
        headers
    }

    /// Closes what expects a response that will not come.
    pub(super) async fn close(&self, expect: Expect, outcome: Outcome, why: &str) {
        self.exchange.close_all(expect, outcome, why).await;
    }

    /// Leaves a request for whichever stream its response shows up on.
    pub(super) async fn leave(&self, key: Key, slot: Slot) -> Ticket {
        let (ticket, evicted) = self.shared.left.put(key, slot);
        for slot in evicted {
            close_slot(slot, "forgotten for newer requests before it was answered").await;
        }
        ticket
    }

    /// Gives a request that was left some time to be answered; then nobody knows what it did.
    pub(super) fn expire(&self, key: Key, ticket: Ticket) {
        let (shared, time) = (Arc::downgrade(&self.shared), self.shared.limits.resume);
        tokio::spawn(async move {
            sleep(time).await;
            let Some(shared) = shared.upgrade() else { return };
            if let Some(slot) = shared.left.take_stay(&key, ticket) {
                close_slot(slot, "its stream was not resumed").await;
            }
        });
    }

    /// Sends a message of ours, or an answer on the client's behalf, to the server.
    pub(super) fn send_aside(&self, message: Cleared) {
        let call = self.clone();
        tokio::spawn(async move {
            let headers = call.to_server(message.bytes());
            let answer = call.upstream.answer(None);
            let sent = call.shared.sender.post(&call.upstream, headers, message, answer).await;
            if let Err(error) = sent {
                tracing::warn!(%error, "answering the server");
            }
        });
    }
}

/// Closes what was left and will not be answered.
pub(super) async fn close_slot(slot: Slot, why: &str) {
    if let Slot::Open(exchange, expect) = slot {
        exchange.close_all(expect, Outcome::Unknown, why).await;
    }
}
