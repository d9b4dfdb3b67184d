//! Bodies of the API about what servers offer, and about what was found out of order.

use pathwarden_types::{Digest, Finding, Item, Millis, Name, Ruling, SessionId, Trust};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One item with its pin.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct PinRow {
    /// The item.
    pub item: Item,
    /// Where it stands.
    pub trust: Trust,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// The form that is trusted, if one is.
    pub accepted: Option<Digest>,
    /// The form that the server showed last.
    pub current: Digest,
    /// When it was first seen.
    pub first_seen: Millis,
    /// When it was last recorded.
    pub touched: Millis,
    /// Who ruled on it last, if anybody did.
    pub ruled_by: Option<Name>,
}

/// What servers offer, and what is switched off.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct Pins {
    /// Every item, in order.
    pub items: Vec<PinRow>,
    /// Every tool that is switched off.
    pub disabled: Vec<SwitchRow>,
}

/// A tool that is switched off.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct SwitchRow {
    /// The tool's server.
    pub server: Name,
    /// The tool.
    pub tool: String,
    /// For this agent; for all when absent.
    pub agent: Option<Name>,
    /// Who switched it off.
    pub by: Name,
}

/// An item with the forms that a person compares.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct PinShown {
    /// The pin.
    pub pin: PinRow,
    /// The trusted form, in canonical JSON.
    pub accepted: Option<String>,
    /// The form that the server showed last, in canonical JSON.
    pub current: Option<String>,
}

/// What a person says of an item.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RulePin {
    /// The item.
    pub item: Item,
    /// The form that they saw, so that nobody accepts what they did not see.
    pub content: Digest,
    /// What they say.
    pub ruling: Ruling,
    /// Who.
    pub by: Name,
    /// Why.
    #[serde(default)]
    pub note: String,
}

/// A request to switch a tool off or on.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchTool {
    /// The tool's server.
    pub server: Name,
    /// The tool.
    pub tool: String,
    /// For this agent; for all when absent.
    #[serde(default)]
    pub agent: Option<Name>,
    /// Whether it is to be off.
    pub disabled: bool,
    /// Who.
    pub by: Name,
}

/// Something out of order, with when and where.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct FindingRow {
    /// When.
    pub at: Millis,
    /// In which session, if in any.
    pub session: Option<SessionId>,
    /// What.
    pub finding: Finding,
}
