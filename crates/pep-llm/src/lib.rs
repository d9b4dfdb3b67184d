//! The enforcement point before models: a reverse proxy for the APIs of OpenAI, Anthropic and Google.
//!
//! **What it is for.** Agents point their base URL at it. What stands in the window is recorded and decided
//! before a provider sees it, the keys of providers stay here, and a tool call that a model emits gets its
//! identity, and where nobody else will its decision, before the agent sees it. What nobody changes passes
//! byte for byte, event by event.
//!
//! **What it never does.** It decides nothing. It sends no window to a provider, and releases no call of a
//! tool that it answers for, without a [`pathwarden_decide::Permit`]. It passes no token of ours on to a
//! provider, and no key of a provider's to an agent.
//!
//! **Where to start.** [`serve`]; then `visit.rs`, the order of checks of one request, `call.rs`, the way of
//! one model call, `shown.rs`, what of it the model sees, and `emit.rs`, what is done with the calls that it emits.

mod call;
mod coding;
mod emit;
#[cfg(test)]
mod fake;
mod headers;
mod limits;
mod memo;
mod outcome;
mod relay;
mod reply;
mod shown;
#[cfg(test)]
mod tests;
mod unread;
mod upstream;
mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use pathwarden_pep::Doors;
use pathwarden_types::{Finding, Name};
use pathwarden_wire::{Fault, ModelPdp};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

pub use limits::Limits;
pub use upstream::{Upstream, UpstreamError};

use memo::Memo;
use upstream::Sender;

/// Who is behind a token, or behind none: the decision point as that caller reaches it, or why not.
pub type Admit = Arc<dyn Fn(Option<&str>, &str) -> Admitting + Send + Sync>;

/// An answer of [`Admit`] under way.
pub type Admitting = Pin<Box<dyn Future<Output = Result<Arc<dyn ModelPdp>, Fault>> + Send>>;

/// Takes a finding that belongs to no session.
pub type Intrusion = Arc<dyn Fn(Finding) + Send + Sync>;

/// What [`serve`] stands in front of, and for whom.
pub struct Gateway {
    /// The providers, by the name in the path.
    pub upstreams: BTreeMap<Name, Upstream>,
    /// Who may come in.
    pub admit: Admit,
    /// Where it is told that somebody tried to come in who may not.
    pub intrusion: Intrusion,
    /// Every bound.
    pub limits: Limits,
    /// Values of `Host` that are ours, beside those of the loopback; with or without port.
    pub allowed_hosts: BTreeSet<String>,
    /// Values of `Origin` that may call, beside those of the loopback.
    pub allowed_origins: BTreeSet<String>,
}

/// What the enforcement points of one agent have in common over HTTP.
const JOIN_KEY: &str = "http";

/// What all requests share.
struct Shared {
    gateway: Gateway,
    sender: Sender,
    memo: Memo,
    /// Dropped with the last of all that still has a permit to close.
    _working: mpsc::Sender<()>,
}

/// Serves until `shutdown` is done, and then until what is under way has ended or
/// [`Limits::grace`] is over.
pub async fn serve(listener: TcpListener, gateway: Gateway, shutdown: impl Future<Output = ()>) {
    let limits = gateway.limits;
    let (working, mut worked) = mpsc::channel(1);
    let (stopper, _stop) = watch::channel(false);
    let (sender, memo) = (Sender::new(limits), Memo::default());
    let shared = Arc::new(Shared { gateway, sender, memo, _working: working });
    let doors = Doors {
        connections_max: limits.connections_max,
        head: limits.request,
        grace: limits.grace,
    };
    let answering = Arc::clone(&shared);
    let answer = move |request| visit::answer(Arc::clone(&answering), request);
    pathwarden_pep::serve(listener, doors, &stopper, shutdown, answer).await;
    drop(shared);
    // Nothing is ever sent: it ends when all that shares it has ended.
    let _ = timeout(limits.grace, worked.recv()).await;
}
