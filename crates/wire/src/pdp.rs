//! The decision point as an enforcement point sees it.

use std::future::Future;
use std::pin::Pin;

use pathwarden_decide::{Permit, Release};
use pathwarden_types::{
    ActionId, Agent, ApprovalId, Digest, Effect, Millis, Observation, Operation, SessionId,
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
    fn report(&self, report: Report) -> Asking<'_, ()>;

    /// Records something that was seen.
    fn observe(&self, observe: Observe) -> Asking<'_, ()>;
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
