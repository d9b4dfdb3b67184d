//! The decision point as an enforcement point sees it.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use pathwarden_decide::{Permit, Release};
use pathwarden_types::{
    ActionId, Agent, ApprovalId, Digest, Effect, Finding, ItemKind, Millis, Name, Observation,
    ObservationKind, Operation, SessionId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Fault;

/// A question under way.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// The decision point, as one authenticated caller reaches it: in the same process, or over the API.
///
/// Dropping a future of [`Pdp::ask`] or [`Pdp::wait`] is safe: the node closes what it opened.
pub trait Pdp: Send + Sync {
    /// The session to act in: the one that the caller's token is bound to, or one shared by all
    /// enforcement points with the same `join_key`.
    fn join(&self, join: Join) -> Asking<'_, Joined>;

    /// Decides one action. Comes back once the decision is recorded.
    fn ask(&self, ask: Ask) -> Asking<'_, Answer>;

    /// Waits for the person's answer to a held action, at most `up_to_ms`; answers
    /// [`Answer::Held`] again when it has not come by then.
    fn wait(&self, action: ActionId, asked: Digest, up_to_ms: u64) -> Asking<'_, Answer>;

    /// Closes a permit with what was measured, and observes the result before the agent sees it.
    fn report(&self, report: Report) -> Asking<'_, Reported>;

    /// Records something that was seen.
    fn observe(&self, observe: Observe) -> Asking<'_, ()>;

    /// Records what a server offers, and says what of it is not to be shown to the agent.
    fn catalogue(&self, catalogue: Catalogue) -> Asking<'_, Withheld>;

    /// Records that something is out of order.
    fn found(&self, found: Found) -> Asking<'_, ()>;

    /// Waits until what agents may see has changed since `since`, at most `up_to_ms`; answers where it
    /// stands then. A first call with 0 answers at once.
    fn changes(&self, since: u64, up_to_ms: u64) -> Asking<'_, u64>;
}

/// A request for a session to act in.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// What the enforcement points of one run of a client have in common, for example the client's
    /// process.
    pub join_key: String,
}

/// The session to act in.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Joined {
    /// The session.
    pub session: SessionId,
    /// Who acts in it.
    pub agent: Agent,
    /// How long an enforcement point keeps a client waiting for a person, in ms.
    pub hold_ms: u64,
}

/// One action to be decided.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The session.
    pub session: SessionId,
    /// What it attempts.
    pub operation: Operation,
    /// The arguments: JSON text of an object, as the agent sent it.
    pub arguments: String,
    /// Digest of the arguments in canonical form.
    pub canonical: Digest,
    /// The action that caused it, from the agent's `traceparent`, where there is one.
    pub parent: Option<ActionId>,
    /// Whether the client can put a question to the person behind it and come back with the answer.
    #[serde(default)]
    pub near_person: bool,
    /// The answer of that person, when the client comes back with one.
    #[serde(default)]
    pub resume: Option<Comeback>,
    /// The id that the node gave it before, when it saw a window or a tool call that a model emitted.
    #[serde(default)]
    pub minted: Option<ActionId>,
}

/// A held action that comes back with the answer of the person behind the client.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Comeback {
    /// The state that came with the question. Whoever sends it may have made it up.
    pub state: String,
    /// Whether the person approves; `None` when they said nothing.
    pub approve: Option<bool>,
}

impl Ask {
    /// The longest arguments that are decided, in bytes.
    pub const ARGUMENTS_BYTES_MAX: usize = 1 << 20;
}

/// The answer to one action.
#[derive(Debug)]
#[must_use = "an answer that is not enforced is a hole"]
pub enum Answer {
    /// It may happen, obligations fulfilled.
    Release(Permit),
    /// It may not.
    Refuse(Refusal),
    /// A person is asked; see [`Pdp::wait`].
    Held(Held),
}

/// An [`Answer`] on the wire.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum AnswerBody {
    /// It may happen.
    Release(Release),
    /// It may not.
    Refuse(Refusal),
    /// A person is asked.
    Held(Held),
}

/// What an agent is told of a refusal: little.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Refusal {
    /// The refused action.
    pub action: ActionId,
    /// Stable code: the name of the rule or engine check that refused.
    pub code: String,
    /// What to do instead.
    pub advice: String,
}

/// A question to a person that stands.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Held {
    /// The action that waits.
    pub action: ActionId,
    /// The question.
    pub approval: ApprovalId,
    /// When it lapses.
    pub expires: Millis,
    /// How the person behind the client may be asked, if the operator lets them answer.
    #[serde(default)]
    pub near: Option<NearQuestion>,
}

/// A question for the person behind a client.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct NearQuestion {
    /// What they are asked.
    pub words: String,
    /// What must come back with their answer: it binds the answer to this very action, once.
    pub state: String,
}

/// A wait for a person's answer.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Digest of the canonical arguments that were asked about.
    pub asked: Digest,
    /// The longest to wait, in ms.
    pub up_to_ms: u64,
}

impl From<Answer> for AnswerBody {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Release(permit) => Self::Release(permit.into_release()),
            Answer::Refuse(refusal) => Self::Refuse(refusal),
            Answer::Held(held) => Self::Held(held),
        }
    }
}

/// What an action did.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The session.
    pub session: SessionId,
    /// The action whose permit is closed.
    pub action: ActionId,
    /// What was measured.
    pub effect: Effect,
    /// The result as the server sent it, when there is one.
    pub result: Option<String>,
}

/// What became of a result that was reported.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Reported {
    /// What the agent is to see in place of the result, where that is not what the server sent.
    #[serde(default)]
    pub instead: Option<String>,
}

/// Something that was seen.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Observe {
    /// The session.
    pub session: SessionId,
    /// What kind of thing.
    pub observation: Observation,
    /// Its content.
    pub content: String,
}

impl Observe {
    /// The longest content that is kept, in bytes; an enforcement point that sees more observes the
    /// first part and refuses to pass the rest on.
    pub const CONTENT_BYTES_MAX: usize = 8 << 20;
}

/// What a server offers: a list, what it says of itself, or the program that it is.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The session that asked for it.
    pub session: SessionId,
    /// The server.
    pub server: Name,
    /// What it is observed as.
    pub kind: ObservationKind,
    /// The whole content, as the server sent it.
    pub content: String,
    /// What it offers, each with its place in the content.
    pub items: Vec<CatalogueItem>,
}

impl Catalogue {
    /// The most items that one catalogue has.
    pub const ITEMS_MAX: usize = 8_192;
}

/// One thing that a server offers.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueItem {
    /// What kind of thing.
    pub kind: ItemKind,
    /// Its name; empty where a server has only one.
    pub name: String,
    /// Where its JSON text begins in the content, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// What of a catalogue is not to be shown to the agent, by name.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[must_use = "what is withheld must not be shown"]
pub struct Withheld {
    /// The names; for what a server has only one of, the empty one.
    pub names: BTreeSet<String>,
}

/// Something that an enforcement point found out of order.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The session.
    pub session: SessionId,
    /// What.
    pub finding: Finding,
}

/// A wait for a change of what agents may see.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AwaitChange {
    /// Where it stood.
    pub since: u64,
    /// The longest to wait, in ms.
    pub up_to_ms: u64,
}
