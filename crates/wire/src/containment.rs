//! Taking something from a live agent, and giving it back.

use pathwarden_types::{
    Digest, Millis, Name, PointStanding, Restriction, SessionId, StandingRestriction, Verb,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Asking, Pdp};

/// A request to take something from a session, an agent or a tool server.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Contain {
    /// From whom: the id of a session, or the name of an agent or of a server. `agent:NAME` and
    /// `server:NAME` say which, where both have the name.
    pub target: String,
    /// What.
    pub verbs: Vec<Verb>,
    /// The tool, for `disable_tool`.
    #[serde(default)]
    pub tool: String,
    /// For how long, in ms.
    pub ttl_ms: u64,
    /// Who orders it.
    pub by: Name,
    /// Why.
    pub reason: String,
}

impl Contain {
    /// The longest that anything is taken for, in ms: 30 days.
    pub const TTL_MS_MAX: u64 = 30 * 24 * 3_600 * 1_000;
}

/// A request to give something back before its time.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// To whom, as in [`Contain::target`].
    pub target: String,
    /// What; everything when empty.
    #[serde(default)]
    pub verbs: Vec<Verb>,
    /// The tool, for `disable_tool`; any when empty.
    #[serde(default)]
    pub tool: String,
    /// Who gives it back.
    pub by: Name,
}

/// What is taken from whom, and which enforcement points have applied it.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct Containments {
    /// Counts every change of what is taken and of the policy.
    pub epoch: u64,
    /// What is in force.
    pub standing: Vec<StandingRestriction>,
    /// The enforcement points that know of it or should.
    pub points: Vec<PointRow>,
}

/// One enforcement point.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct PointRow {
    /// Its name.
    pub point: String,
    /// The session that it governs; `None` for the node itself.
    pub session: Option<SessionId>,
    /// The epoch up to which it has applied everything.
    pub epoch: u64,
    /// Whether it has applied all that is in force.
    pub applied: bool,
    /// What it could not apply, in words.
    pub failed: Vec<String>,
    /// How long it took to apply the latest epoch, from the order to the acknowledgement, in µs.
    pub after_us: Option<u64>,
    /// When it was last heard of.
    pub seen: Millis,
    /// How it stands, as it said last.
    pub standing: Option<PointStanding>,
}

/// What an enforcement point says while it waits for orders.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AwaitOrders {
    /// The session that it governs.
    pub session: SessionId,
    /// Its name.
    pub point: String,
    /// The epoch up to which it has applied everything; 0 before the first.
    pub applied: u64,
    /// What it could not apply, in words.
    #[serde(default)]
    pub failed: Vec<String>,
    /// How it stands, where that is news.
    #[serde(default)]
    pub standing: Option<PointStanding>,
    /// The longest to wait for another epoch, in ms.
    pub up_to_ms: u64,
}

/// All that an enforcement point must have applied.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Orders {
    /// Counts every change.
    pub epoch: u64,
    /// The policy in force: what was decided by another must be decided again.
    pub policy: Digest,
    /// What is taken from the session, its agent, or any server.
    pub standing: Vec<StandingRestriction>,
}

impl Orders {
    /// What is taken, without reasons.
    pub fn restrictions(&self) -> impl Iterator<Item = &Restriction> {
        self.standing.iter().map(|standing| &standing.restriction)
    }
}

/// A request, from inside a governed session, for a place of its own for a tool server: it and what it
/// starts are told from the agent's other processes by it.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Enter {
    /// The server, as the operator named it.
    pub server: Name,
}

impl Enter {
    /// Where `pathwarden run` takes it.
    pub const PATH: &str = "/v1/run/enter";
}

/// The decision point, as an enforcement point sees it that can contain.
pub trait PointPdp: Pdp {
    /// Says how the point stands, and waits until another epoch than the one applied is in force.
    fn orders(&self, await_orders: AwaitOrders) -> Asking<'_, Orders>;
}
