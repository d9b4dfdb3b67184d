//! Bodies of the HTTP API about what agents remember.

use pathwarden_types::{
    ActionId, Digest, EntryId, Integrity, Millis, Name, Operation, SessionId, Verdict, VersionRef,
    WriteMode,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry in a list.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct MemoryRow {
    /// Which.
    pub entry: EntryId,
    /// The number of its latest version; 0 when nothing is known of it.
    pub latest: u64,
    /// Who may have shaped what its store holds, over everything that it was made from.
    pub trust: Integrity,
    /// Where it stands, in a word: `current`, `removed`, `quarantined`, `rolled_back`.
    pub standing: String,
    /// When it was written last.
    pub touched: Millis,
    /// How often it was read.
    pub reads: u64,
}

/// Everything about one entry.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct MemoryShown {
    /// The entry as in a list.
    pub row: MemoryRow,
    /// Its versions, oldest first.
    pub versions: Vec<VersionShown>,
    /// Versions of other entries that were made from it, over any number of steps.
    pub descendants: Vec<VersionRef>,
    /// What was decided after it was read, in the sessions that read it.
    pub decisions: Vec<ConsumedBy>,
}

/// One version.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct VersionShown {
    /// Its number.
    pub number: u64,
    /// When.
    pub at: Millis,
    /// The session that wrote it.
    pub session: Option<SessionId>,
    /// The action that wrote it.
    pub by: ActionId,
    /// Whether it took the place of what was before.
    pub mode: WriteMode,
    /// Where it stands.
    pub standing: String,
    /// Who may have shaped it, over everything that it was made from.
    pub trust: Integrity,
    /// Versions that it was made from.
    pub derived_from: Vec<VersionRef>,
    /// Other contents that it was traced to.
    pub sources: Vec<Digest>,
    /// Its text; `None` when the payload is gone.
    pub text: Option<String>,
}

/// A decision in a session that had read an entry.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct ConsumedBy {
    /// The session.
    pub session: SessionId,
    /// The action.
    pub action: ActionId,
    /// What it attempted.
    pub operation: Operation,
    /// The answer.
    pub verdict: Verdict,
    /// Whether one of its arguments was taken from the result that held the entry; else it was only in
    /// context.
    pub is_matched: bool,
}

/// What a person wants done with an entry.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleMemory {
    /// Which.
    pub entry: EntryId,
    /// What.
    pub wish: MemoryWish,
    /// Who.
    pub by: Name,
    /// Why.
    pub note: String,
}

/// What a person wants done with an entry of memory.
#[derive(Clone, Copy, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryWish {
    /// That no agent sees it from this version on, nor what was made from it.
    Quarantine {
        /// The first version that is meant.
        from: u64,
    },
    /// That it is shown as its store holds it.
    Release,
    /// That it is shown as it was at this version.
    RollBack {
        /// The version that counts.
        to: u64,
    },
}

/// What a person's wish came to.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct RuledMemory {
    /// Every entry that it concerns, the one that was named first.
    pub entries: Vec<MemoryRow>,
}
