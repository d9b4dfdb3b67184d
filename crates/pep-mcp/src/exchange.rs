//! What both transports have in common: what is done with each message, in which order.
//!
//! A transport sends to the server only what it holds as [`Cleared`], and only this module makes one:
//! from a permit, or from a message that the lens says acts on nothing.

mod client;
mod reply;
mod report;
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use client::{Attempt, Decision, FromClient, Refused, Told};
use pathwarden_decide::Permit;
use pathwarden_lens_mcp::{Id, Listing};
use pathwarden_pep::in_time;
use pathwarden_types::{ActionId, Finding, FindingKind, Name, ObservationKind, SessionId};
use pathwarden_wire::{Fault, Found, Join, Pdp};
pub(crate) use reply::Reply;
pub(crate) use server::FromServer;

use crate::Limits;
use crate::params::Params;

/// One client's exchange with one server, in one session.
pub(crate) struct Exchange {
    pdp: Arc<dyn Pdp>,
    session: SessionId,
    server: Name,
    params: Arc<Params>,
    limits: Limits,
}

/// Bytes that may go to the server.
#[derive(Debug)]
#[must_use = "what was let through must be sent, or its permit be closed"]
pub(crate) struct Cleared {
    bytes: Vec<u8>,
}

impl Cleared {
    /// A decided action: the permit is spent on these bytes.
    fn by(permit: Permit, bytes: Vec<u8>) -> (Self, Open) {
        let open = Open::of(permit, bytes.len());
        (Self { bytes }, open)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A permit that is spent and not closed yet.
#[derive(Debug)]
#[must_use = "an open permit must be closed by what was measured"]
pub(crate) struct Open {
    action: ActionId,
    request_bytes: u64,
    released: Instant,
}

impl Open {
    fn of(permit: Permit, request_bytes: usize) -> Self {
        let request_bytes = u64::try_from(request_bytes).unwrap_or(u64::MAX);
        let action = permit.into_release().action;
        Self { action, request_bytes, released: Instant::now() }
    }

    pub(crate) const fn action(&self) -> ActionId {
        self.action
    }
}

/// What is done with the response to a request before the client sees it.
#[derive(Debug)]
#[must_use = "what is expected of a response must be done"]
pub(crate) enum Expect {
    /// It closes permits: of what was called, and of what went with it.
    Decided(Open, Vec<Open>),
    /// It is observed as this.
    Seen(ObservationKind),
    /// It says what the server offers, and is observed as this.
    Listed(Listing, ObservationKind),
    /// Nothing.
    Plain,
}

impl Expect {
    /// The action that it closes.
    pub(crate) const fn action(&self) -> Option<ActionId> {
        match self {
            Self::Decided(open, _) => Some(open.action()),
            Self::Seen(_) | Self::Listed(..) | Self::Plain => None,
        }
    }
}

/// A decided action on its way: what goes to the server, and what must happen to the answer.
#[derive(Debug)]
pub(crate) struct Released {
    pub(crate) cleared: Cleared,
    pub(crate) id: Id,
    pub(crate) expect: Expect,
}

impl Exchange {
    /// Joins the session that the enforcement points of one client share.
    pub(crate) async fn join(
        pdp: Arc<dyn Pdp>,
        server: Name,
        join_key: String,
        params: Arc<Params>,
        limits: Limits,
    ) -> Result<Self, Fault> {
        let joined = in_time(&limits.patience, pdp.join(Join { join_key })).await?;
        let mut limits = limits;
        let hold = limits.patience.hold.min(Duration::from_millis(joined.hold_ms));
        limits.patience.hold = hold;
        Ok(Self { pdp, session: joined.session, server, params, limits })
    }

    pub(crate) const fn session(&self) -> SessionId {
        self.session
    }

    pub(crate) const fn server_name(&self) -> &Name {
        &self.server
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn params(&self) -> &Params {
        &self.params
    }

    /// Waits until what agents may see has changed; says where it stands then.
    pub(crate) async fn changes(&self, since: u64) -> Result<u64, Fault> {
        let up_to_ms = u64::try_from(self.limits.patience.wait.as_millis()).unwrap_or(u64::MAX);
        self.pdp.changes(since, up_to_ms).await
    }

    /// Records that something is out of order. What it is about is refused either way, so a fault is
    /// only logged.
    pub(crate) async fn found(&self, kind: FindingKind, subject: &str, detail: String) {
        let server = Some(self.server.clone());
        let finding =
            Finding { kind, server, subject: subject.to_owned(), detail, action: None }.bounded();
        let found = Found { session: self.session, finding };
        if let Err(fault) = in_time(&self.limits.patience, self.pdp.found(found)).await {
            tracing::error!(%fault, advice = fault.advice, "a finding is not recorded");
        }
    }
}
