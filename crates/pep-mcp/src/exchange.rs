//! What both transports have in common: what is done with each message, in which order.
//!
//! A transport sends to the server only what it holds as [`Cleared`], and only this module makes one:
//! from a permit, or from a message that the lens says acts on nothing.

mod client;
mod report;
mod server;

use std::sync::Arc;
use std::time::Instant;

pub(crate) use client::{Attempt, Decision, FromClient, Refused};
use pathwarden_decide::Permit;
use pathwarden_lens_mcp::Id;
use pathwarden_types::{ActionId, Name, ObservationKind, SessionId};
use pathwarden_wire::{Fault, FaultKind, Join, Pdp};
pub(crate) use server::FromServer;
use tokio::time::timeout;

use crate::Limits;

/// One client's exchange with one server, in one session.
pub(crate) struct Exchange {
    pdp: Arc<dyn Pdp>,
    session: SessionId,
    server: Name,
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
        let request_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let action = permit.into_release().action;
        let open = Open { action, request_bytes, released: Instant::now() };
        (Self { bytes }, open)
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
    pub(crate) const fn action(&self) -> ActionId {
        self.action
    }
}

/// What is done with the response to a request before the client sees it.
#[derive(Debug)]
#[must_use = "what is expected of a response must be done"]
pub(crate) enum Expect {
    /// It closes a permit.
    Decided(Open),
    /// It is observed as this.
    Seen(ObservationKind),
    /// Nothing.
    Plain,
}

/// A decided action on its way: what goes to the server, and what must happen to the answer.
#[derive(Debug)]
pub(crate) struct Released {
    pub(crate) cleared: Cleared,
    pub(crate) id: Id,
    pub(crate) open: Open,
}

impl Exchange {
    /// Joins the session that the enforcement points of one client share.
    pub(crate) async fn join(
        pdp: Arc<dyn Pdp>,
        server: Name,
        join_key: String,
        limits: Limits,
    ) -> Result<Self, Fault> {
        let joined = in_time(&limits, pdp.join(Join { join_key })).await?;
        Ok(Self { pdp, session: joined.session, server, limits })
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
}

/// What the decision point answers, or a fault when it takes longer than [`Limits::pdp`].
async fn in_time<T>(
    limits: &Limits,
    asking: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    timeout(limits.pdp, asking).await.unwrap_or_else(|_| {
        Err(Fault::new(
            FaultKind::Unreachable,
            "the node did not answer in time",
            "try again; an operator can look with `pathwarden doctor`",
        ))
    })
}
