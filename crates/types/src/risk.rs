//! The contextual inputs of a decision, and how they add up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Ratio;

/// One of the ten contextual inputs.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// Who acts.
    Identity,
    /// What they may do.
    Permissions,
    /// What they were asked to do.
    PromptContext,
    /// What the tool can do.
    Tool,
    /// Whom or what it reaches.
    Destination,
    /// What they did before.
    Behaviour,
    /// What the content is.
    DataClassification,
    /// What others know of the destination.
    ThreatIntelligence,
    /// What people answered before.
    ApprovalHistory,
    /// How sure the model was.
    Confidence,
}

/// One contextual input: how worrying it is, how sure we are, and why.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Signal {
    /// Which of the ten.
    pub kind: SignalKind,
    /// 0 is harmless, 1 is alarming.
    pub value: Ratio,
    /// 0 is not measured, 1 is certain.
    pub confidence: Ratio,
    /// Why, in words.
    pub words: String,
}

/// One signal with the weight it had.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Term {
    /// The signal.
    #[serde(flatten)]
    pub signal: Signal,
    /// Its weight in the sum.
    pub weight: Ratio,
}

/// The fused score, its terms, and the impact it was scaled by.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Risk {
    /// Likelihood times impact.
    pub score: Ratio,
    /// `1 - prod(1 - weight * value * confidence)` over the terms.
    pub likelihood: Ratio,
    /// How much harm this class of action can do.
    pub impact: Ratio,
    /// Where the score lies, with what the session did before taken into account.
    pub band: Band,
    /// Every term, in the order of [`SignalKind`].
    pub terms: Vec<Term>,
}

/// A range of scores, ordered by what it calls for.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Allow.
    Low,
    /// Allow and watch.
    Guarded,
    /// Constrain.
    Elevated,
    /// Ask a person.
    High,
    /// Refuse.
    Severe,
}

impl Band {
    /// As policies spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Guarded => "guarded",
            Self::Elevated => "elevated",
            Self::High => "high",
            Self::Severe => "severe",
        }
    }
}

impl Risk {
    /// No risk, from no evidence.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            score: Ratio::ZERO,
            likelihood: Ratio::ZERO,
            impact: Ratio::ZERO,
            band: Band::Low,
            terms: Vec::new(),
        }
    }
}
