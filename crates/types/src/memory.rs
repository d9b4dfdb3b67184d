//! What is recorded of agents' memory.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ActionId, Digest, Integrity, Name, escape_invisible};

/// One thing that is remembered: an entity of a graph, a file, the value of a key.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
pub struct EntryId {
    /// Where it is kept: the name of a server, or the pattern of files.
    pub store: String,
    /// Its name there.
    pub key: String,
}

/// One version of an entry.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
pub struct VersionRef {
    /// Of what.
    #[serde(flatten)]
    pub entry: EntryId,
    /// Which one, counted from 1 in the order of the ledger. Numbers are never used again.
    pub number: u64,
}

/// What a write does with what the entry held before.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum WriteMode {
    /// It is gone.
    Replace,
    /// It stays, and this stands beside it: one more observation, an edit within a file.
    Add,
}

/// What happened to memory. Texts are payloads, referred to by digest.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(tag = "memory", rename_all = "snake_case")]
pub enum MemoryEvent {
    /// An agent wrote a version of an entry.
    Written {
        /// Of what.
        entry: EntryId,
        /// The text that was written, a payload.
        content: Digest,
        /// Length of the text.
        bytes: u64,
        /// What becomes of the text before it.
        mode: WriteMode,
        /// The action that wrote it.
        by: ActionId,
        /// Who may have shaped the text.
        trust: Integrity,
        /// Versions that it was made from.
        derived_from: Vec<VersionRef>,
        /// Other contents that it was traced to.
        sources: Vec<Digest>,
    },
    /// An agent was shown versions.
    Consumed {
        /// Which.
        versions: Vec<VersionRef>,
        /// The action that read them.
        by: ActionId,
        /// The result in which they stood, a payload.
        content: Digest,
    },
    /// An agent removed an entry.
    Removed {
        /// Which.
        entry: EntryId,
        /// Only what has this content; the whole entry when `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<Digest>,
        /// The action that removed it.
        by: ActionId,
    },
    /// A person wants this version, and every later one that there is, never to be shown.
    Quarantined {
        /// Of what.
        entry: EntryId,
        /// The first version that is held back.
        from_version: u64,
        /// Who.
        by: Name,
        /// Why.
        note: String,
    },
    /// A person lets an entry be shown as its store holds it: whatever held it back is over.
    Released {
        /// Which.
        entry: EntryId,
        /// Who.
        by: Name,
        /// Why.
        note: String,
    },
    /// A person wants an entry to be shown as it was at an earlier version.
    RolledBack {
        /// Of what.
        entry: EntryId,
        /// The version that counts.
        to_version: u64,
        /// Who.
        by: Name,
        /// Why.
        note: String,
    },
}

impl EntryId {
    /// The longest key and the longest name of a store that are kept, in bytes.
    pub const TEXT_BYTES_MAX: usize = 1 << 10;

    /// The entry of this key in this store.
    #[must_use]
    pub fn new(store: impl Into<String>, key: impl Into<String>) -> Self {
        Self { store: store.into(), key: key.into() }
    }

    /// An id to look it up by.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::of_parts(&[self.store.as_bytes(), &[0], self.key.as_bytes()])
    }

    /// Its version of this number.
    #[must_use]
    pub fn version(&self, number: u64) -> VersionRef {
        VersionRef { entry: self.clone(), number }
    }
}

impl MemoryEvent {
    /// The entry that it is about; `None` for what was read, which may be many.
    #[must_use]
    pub const fn entry(&self) -> Option<&EntryId> {
        match self {
            Self::Written { entry, .. }
            | Self::Removed { entry, .. }
            | Self::Quarantined { entry, .. }
            | Self::Released { entry, .. }
            | Self::RolledBack { entry, .. } => Some(entry),
            Self::Consumed { .. } => None,
        }
    }
}

/// For people: keys are an agent's words and may hold anything.
impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{} in {}", self.key, self.store);
        f.write_str(&escape_invisible(&text).replace('\n', " "))
    }
}

impl fmt::Display for VersionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {} of {}", self.number, self.entry)
    }
}

#[cfg(test)]
mod tests {
    use super::{EntryId, MemoryEvent, WriteMode};
    use crate::{ActionId, Digest, Event, Integrity};

    #[test]
    fn an_event_fits_into_a_record_and_comes_back() {
        let entry = EntryId::new("notes", "alice");
        let written = MemoryEvent::Written {
            derived_from: vec![entry.version(u64::MAX)],
            entry,
            content: Digest::of(b"x"),
            bytes: 1,
            mode: WriteMode::Add,
            by: ActionId::of(&Digest::of(b"a")),
            trust: Integrity::Untrusted,
            sources: Vec::new(),
        };
        let outer = Event::Memory { event: written };
        let text = serde_json::to_string(&outer).unwrap();
        assert!(text.starts_with(r#"{"type":"memory","memory":"written","entry":{"#), "{text}");
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), outer);
    }

    #[test]
    fn a_key_cannot_break_the_line_that_a_person_reads() {
        let entry = EntryId::new("notes", "a\nb\u{202e}c");
        assert_eq!(entry.version(2).to_string(), "version 2 of a b\\u202ec in notes");
    }
}
