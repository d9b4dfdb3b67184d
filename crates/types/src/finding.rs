//! What was found out of order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionId, Name};

/// Something out of order that a person should know of.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The server it concerns, if any.
    pub server: Option<Name>,
    /// What exactly: a tool, a header, an origin.
    pub subject: String,
    /// What was seen, in words.
    pub detail: String,
    /// The action it belongs to, where there is one.
    pub action: Option<ActionId>,
}

/// Kinds of finding.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// What a server offers is other than what is pinned (a rug pull, until somebody looks).
    ItemChanged,
    /// A tool has the name of another server's tool, or one that looks like it.
    ItemShadows,
    /// What a server offers speaks to the model, hides text or points at secrets.
    ItemSteers,
    /// The headers of a request say something else than its body.
    HeaderMismatch,
    /// A request state that claims to be ours is not, or is for another action, or is too old.
    ForgedRequestState,
    /// An approval was presented once more.
    ReplayedApproval,
    /// A page of a foreign origin, or by a foreign name of this machine, called (DNS rebinding).
    ForeignOrigin,
    /// A server asked the client, or the person behind it, for something that it may not have.
    ServerAsk,
    /// A call was carried out that no model emitted.
    CallOrphan,
    /// A call was carried out with other arguments than a model emitted.
    CallAltered,
    /// An agent's model, system prompt or set of tools is not what it was in earlier sessions.
    MarkShifted,
    /// An answer of a model could not be read, or broke off.
    AnswerBroken,
    /// An entry of memory was read that outsiders may have shaped.
    MemoryTainted,
    /// An entry of memory was read that a person has quarantined; it was cut out.
    MemoryCut,
    /// Something was done on the machine while no permit was open that it could belong to.
    EffectOrphan,
    /// A tool did on the machine what its effect contract does not say.
    EffectDeviation,
    /// The kernel could not hand over every event, so that what was measured is not all.
    EventsLost,
    /// A program was started with other arguments than were decided; it was killed before it ran.
    ExecAltered,
    /// An enforcement point let through what it must refuse, so it is not ready.
    CanaryPassed,
    /// Something was seen that the enforcement point has not decided.
    Ungoverned,
}

impl FindingKind {
    /// As people and records spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ItemChanged => "item_changed",
            Self::ItemShadows => "item_shadows",
            Self::ItemSteers => "item_steers",
            Self::HeaderMismatch => "header_mismatch",
            Self::ForgedRequestState => "forged_request_state",
            Self::ReplayedApproval => "replayed_approval",
            Self::ForeignOrigin => "foreign_origin",
            Self::ServerAsk => "server_ask",
            Self::CallOrphan => "call_orphan",
            Self::CallAltered => "call_altered",
            Self::MarkShifted => "mark_shifted",
            Self::AnswerBroken => "answer_broken",
            Self::MemoryTainted => "memory_tainted",
            Self::MemoryCut => "memory_cut",
            Self::EffectOrphan => "effect_orphan",
            Self::EffectDeviation => "effect_deviation",
            Self::EventsLost => "events_lost",
            Self::ExecAltered => "exec_altered",
            Self::CanaryPassed => "canary_passed",
            Self::Ungoverned => "ungoverned",
        }
    }
}

impl Finding {
    /// The longest subject and the longest detail that are kept, in bytes.
    pub const TEXT_BYTES_MAX: usize = 1 << 10;

    /// The same with texts of bounded length.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        for text in [&mut self.subject, &mut self.detail] {
            text.truncate(text.floor_char_boundary(Self::TEXT_BYTES_MAX));
        }
        self
    }
}
