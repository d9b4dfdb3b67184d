//! Bodies about what stands beside the rules: contracts, lists of threats, baselines.

use pathwarden_behaviour::Baseline;
use pathwarden_types::{Digest, Millis, Name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands beside the rules of a policy.
#[derive(Clone, Debug, Default, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct KnowledgeStatus {
    /// The contracts, by name.
    pub contracts: Vec<String>,
    /// The digest of everything that the lists of threats list; `None` when they list nothing.
    pub intel: Option<Digest>,
    /// The lists of threats.
    pub feeds: Vec<FeedRow>,
    /// What agents usually do.
    pub baselines: Vec<BaselineRow>,
}

/// One list of threats.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct FeedRow {
    /// Its name: the file, below the folder of lists.
    pub name: Name,
    /// The format that its content has.
    pub format: String,
    /// Entries that are looked up.
    pub entries: u64,
    /// Entries that cannot be matched, and so protect nobody.
    pub unmatched: u64,
    /// The first of these, with the reason.
    pub examples: Vec<String>,
}

/// One baseline.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct BaselineRow {
    /// The agent.
    pub agent: String,
    /// The type of task: the agent's purpose.
    pub task: String,
    /// Its version.
    pub version: u64,
    /// Sessions that it was learned from.
    pub sessions: u64,
}

/// A baseline, and what it was learned from: the content of a profile's file.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What was learned.
    #[schemars(with = "serde_json::Value")]
    pub baseline: Baseline,
    /// How far learning came; `None` when that is not known, and then every session is new to it.
    #[serde(default)]
    pub learned: Option<Learned>,
}

/// How far learning came in a ledger.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// The node whose ledger it was.
    pub node: String,
    /// The records that it had.
    pub records: u64,
    /// When.
    pub at: Millis,
}

/// A request to learn the next version of an agent's profile.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LearnProfile {
    /// The agent.
    pub agent: Name,
    /// The version to go on from.
    #[serde(default)]
    pub from: Option<Profile>,
}

/// What was learned. Nothing is in use yet.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct LearnedProfile {
    /// The next version; `None` when no session had anything to teach.
    pub profile: Option<Profile>,
    /// What became of the sessions that earlier versions had not seen.
    pub sessions: Lessons,
    /// What changed since the version before, in words; empty for a first version.
    pub drift: Vec<String>,
}

/// What sessions taught, counted.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Lessons {
    /// Sessions that taught something.
    pub clean: u64,
    /// A call was refused, or held and not approved: nothing is learned.
    pub refused: u64,
    /// Content of outsiders was read, or a payload is gone: nothing is learned.
    pub tainted: u64,
    /// Nothing was done.
    pub empty: u64,
    /// Still at work: for a later version.
    pub unfinished: u64,
}
