//! What may be shown of an entry.

use pathwarden_types::Digest;

use super::{Entry, Memories, Version};
use pathwarden_types::{EntryId, VersionRef, WriteMode};

/// What an agent is shown of an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "an entry that is held back and shown all the same is a hole"]
pub enum Shown {
    /// What its store holds.
    AsIs,
    /// The entry as it was at this version: the texts of [`Memories::pieces`].
    Instead(VersionRef),
    /// Nothing of what is held back.
    Cut,
}

/// A version whose text is to be cut wherever it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// Which; of number 0 when it is forgotten, and its text is known all the same.
    pub version: VersionRef,
    /// Its text, a payload.
    pub content: Digest,
    /// The version whose text takes its place; a notice does when `None`.
    pub instead: Option<VersionRef>,
}

impl Memories {
    /// What an agent is shown of an entry. An entry that nobody has written is not held back.
    pub fn shown(&self, id: &EntryId) -> Shown {
        if self.lost.contains(id) {
            return Shown::Cut;
        }
        let Some(entry) = self.entries.get(id) else { return Shown::AsIs };
        if !entry.held_by_store().any(Version::is_held) {
            return Shown::AsIs;
        }
        target(entry).map_or(Shown::Cut, |number| Shown::Instead(id.version(number)))
    }

    /// The versions whose texts together are the entry as it was at this version, oldest first, without
    /// what is held back.
    #[must_use]
    pub fn pieces(&self, version: &VersionRef) -> Vec<VersionRef> {
        let Some(entry) = self.entries.get(&version.entry) else { return Vec::new() };
        let mut found = Vec::new();
        for one in entry.versions().rev().filter(|one| one.number <= version.number) {
            if !one.is_held() {
                found.push(version.entry.version(one.number));
            }
            if one.mode == WriteMode::Replace {
                break;
            }
        }
        found.reverse();
        found
    }

    /// Every version of a store that is held back, in order: also what was replaced since, because a
    /// store may answer with its past.
    #[must_use]
    pub fn held(&self, store: &str) -> Vec<Held> {
        let first = EntryId::new(store, "");
        let entries = self.entries.range(first..).take_while(|(id, _)| id.store == store);
        let each = entries.flat_map(|(id, entry)| {
            let versions = entry.versions().filter(|version| version.is_held());
            let ghosts = entry.ghosts().map(|content| Held {
                version: id.version(0),
                content,
                instead: None,
            });
            versions.map(move |version| held(id, entry, version)).chain(ghosts)
        });
        each.collect()
    }
}

fn held(id: &EntryId, entry: &Entry, version: &Version) -> Held {
    // What was added stands beside the earlier text, which must not be there twice.
    let instead = match version.mode {
        WriteMode::Replace => target(entry).filter(|to| *to < version.number),
        WriteMode::Add => None,
    };
    Held {
        version: id.version(version.number),
        content: version.content,
        instead: instead.map(|number| id.version(number)),
    }
}

/// The version that a person went back to, unless it is held back or forgotten itself.
fn target(entry: &Entry) -> Option<u64> {
    let number = entry.rolled_back_to()?;
    entry.version(number).filter(|version| !version.is_held()).map(|version| version.number)
}
