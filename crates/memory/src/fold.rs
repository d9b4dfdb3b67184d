//! Memory as state: a fold over what was recorded of it.

mod entry;
mod lineage;
mod shown;

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_types::{ActionId, Digest, Integrity, Millis, SessionId};

use pathwarden_types::{EntryId, MemoryEvent, VersionRef, WriteMode};

pub use entry::{Consumer, Entry, Standing, Version};
pub use shown::{Held, Shown};

use entry::Hold;

/// Every entry that is remembered, with its versions, what was derived from what, and what people
/// ruled. Equal events give equal memories.
///
/// Where a limit is reached the oldest is forgotten, and [said so](Memories::is_forgetful). What is
/// held back is forgotten last. A version that is forgotten leaves its trust and its ancestry to what
/// was derived from it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Memories {
    entries: BTreeMap<EntryId, Entry>,
    /// What was derived from each version without a step between.
    derived: BTreeMap<VersionRef, BTreeSet<VersionRef>>,
    /// Entries of which something that is held back was forgotten, so that its text cannot be cut.
    lost: BTreeSet<EntryId>,
    /// The highest number of an entry that was forgotten; new entries count from there, so that no
    /// reference ever means two versions.
    floor: u64,
    is_forgetful: bool,
    version: u64,
}

impl Memories {
    /// The most entries that are remembered.
    pub const ENTRIES_MAX: usize = 4_096;
    /// The most versions of one entry; an entity with so many observations is rare.
    pub const VERSIONS_MAX: usize = 64;
    /// The most reads of one entry.
    pub const CONSUMERS_MAX: usize = 256;
    /// The most versions that one version is known to be made from. One with more is not trusted.
    pub const DERIVED_FROM_MAX: usize = 32;
    /// The most other contents that one version is known to be made from.
    pub const SOURCES_MAX: usize = 32;
    /// The most texts of one entry that are known to be held back beside its versions.
    pub const GHOSTS_MAX: usize = 4_096;

    /// Takes a record into account.
    pub fn apply(&mut self, at: Millis, session: Option<SessionId>, event: &MemoryEvent) {
        self.version = self.version.saturating_add(1);
        match event {
            MemoryEvent::Written {
                entry,
                content,
                bytes,
                mode,
                by,
                trust,
                derived_from,
                sources,
            } => {
                let version = Version {
                    number: 0,
                    content: *content,
                    bytes: *bytes,
                    mode: *mode,
                    at,
                    session,
                    by: *by,
                    trust: *trust,
                    derived_from: derived_from.iter().cloned().collect(),
                    sources: sources.clone(),
                    life: entry::Life::Current,
                    hold: None,
                };
                self.written(entry, version);
            }
            MemoryEvent::Consumed { versions, by, content } => {
                self.consumed(at, session, versions, *by, *content);
            }
            MemoryEvent::Removed { entry, content, by: _ } => {
                if let Some(found) = self.entries.get_mut(entry) {
                    found.remove(*content);
                }
            }
            MemoryEvent::Quarantined { entry, from_version, .. } => {
                self.quarantined(entry, *from_version);
            }
            MemoryEvent::Released { entry, .. } => self.released(entry),
            MemoryEvent::RolledBack { entry, to_version, .. } => {
                self.rolled_back(entry, *to_version);
            }
        }
    }

    /// Counts what was applied, so that whoever waits for a change can tell.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Every entry, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&EntryId, &Entry)> {
        self.entries.iter()
    }

    /// An entry.
    #[must_use]
    pub fn entry(&self, id: &EntryId) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// The entry itself and, where it is a directory, the entries below it.
    pub fn covered<'a>(&'a self, id: &'a EntryId) -> impl Iterator<Item = &'a EntryId> {
        let of_store = self.entries.range(id..).take_while(|(at, _)| at.store == id.store);
        let keys = of_store.map(|(at, _)| at).take_while(|at| at.key.starts_with(&id.key));
        keys.filter(|at| {
            let rest = at.key.get(id.key.len()..).unwrap_or_default();
            rest.is_empty() || rest.starts_with('/') || id.key.ends_with('/')
        })
    }

    /// A version, if it is remembered.
    #[must_use]
    pub fn find(&self, version: &VersionRef) -> Option<&Version> {
        self.entries.get(&version.entry)?.version(version.number)
    }

    /// The version that the next write to an entry makes.
    #[must_use]
    pub fn next(&self, id: &EntryId) -> VersionRef {
        let last = self.entries.get(id).map_or(self.floor, Entry::last_number);
        id.version(last.saturating_add(1))
    }

    /// Who was shown the entry, in which session; reads outside of sessions are left to
    /// [`Entry::consumers`].
    #[must_use]
    pub fn consumers(&self, id: &EntryId) -> Vec<(SessionId, ActionId)> {
        let all = self.entries.get(id).into_iter().flat_map(Entry::consumers);
        let known: BTreeSet<_> = all.filter_map(|one| Some((one.session?, one.by))).collect();
        known.into_iter().collect()
    }

    /// Whether anything was forgotten because a limit was reached.
    #[must_use]
    pub const fn is_forgetful(&self) -> bool {
        self.is_forgetful
    }

    /// Whether something of this store that is held back was forgotten, so that nobody can cut it any
    /// more: what the store answers is to be withheld until the entry is released.
    #[must_use]
    pub fn has_lost(&self, store: &str) -> bool {
        self.lost.len() > Self::ENTRIES_MAX || self.lost.iter().any(|id| id.store == store)
    }

    fn written(&mut self, id: &EntryId, mut version: Version) {
        let is_born_held = version.derived_from.iter().any(|parent| self.is_held(parent));
        if !self.entries.contains_key(id) && self.entries.len() >= Self::ENTRIES_MAX {
            self.forget_oldest_entry();
        }
        let reference = self.next(id);
        version.number = reference.number;
        self.bound(&mut version);
        for parent in &version.derived_from {
            self.derived.entry(parent.clone()).or_default().insert(reference.clone());
        }
        let entry = self.entries.entry(id.clone()).or_default();
        entry.touched = self.version;
        // What was held back does not come back by being written once more, nor what was made of it.
        if is_born_held || entry.holds_back(version.content) {
            version.hold = Some(Hold::Quarantined);
        }
        if version.mode == WriteMode::Replace {
            entry.supersede();
        }
        entry.push(version);
        if entry.versions().len() > Self::VERSIONS_MAX {
            self.forget_oldest_version(id);
        }
    }

    fn bound(&mut self, version: &mut Version) {
        while version.derived_from.len() > Self::DERIVED_FROM_MAX {
            version.derived_from.pop_last();
            version.trust = Integrity::Untrusted;
            self.is_forgetful = true;
        }
        if version.sources.len() > Self::SOURCES_MAX {
            version.sources.truncate(Self::SOURCES_MAX);
            self.is_forgetful = true;
        }
    }

    fn consumed(
        &mut self,
        at: Millis,
        session: Option<SessionId>,
        versions: &[VersionRef],
        by: ActionId,
        content: Digest,
    ) {
        for VersionRef { entry, number } in versions {
            let Some(found) = self.entries.get_mut(entry) else { continue };
            self.is_forgetful |=
                found.consume(Consumer { at, session, by, number: *number, content });
        }
    }

    fn quarantined(&mut self, id: &EntryId, from: u64) {
        match self.entries.get_mut(id) {
            Some(entry) => entry.quarantine(from),
            None => self.lose(id),
        }
    }

    fn rolled_back(&mut self, id: &EntryId, to: u64) {
        match self.entries.get_mut(id) {
            Some(entry) => entry.roll_back(to),
            None => self.lose(id),
        }
    }

    fn released(&mut self, id: &EntryId) {
        self.lost.remove(id);
        if let Some(entry) = self.entries.get_mut(id) {
            entry.release();
        }
    }

    /// One more than the most is kept: it says that there were more.
    fn lose(&mut self, id: &EntryId) {
        if self.lost.len() <= Self::ENTRIES_MAX {
            self.lost.insert(id.clone());
        }
    }

    fn forget_oldest_entry(&mut self) {
        self.is_forgetful = true;
        // Whoever fills a store pushes out what is in it, and nothing of the others.
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for id in self.entries.keys() {
            *sizes.entry(&id.store).or_default() += 1;
        }
        let largest = sizes.into_iter().max_by_key(|(_, size)| *size).map(|(store, _)| store);
        let of_largest = self.entries.iter().filter(|(id, _)| Some(id.store.as_str()) == largest);
        let oldest = of_largest.min_by_key(|(_, one)| (one.is_restrained(), one.touched));
        let Some(id) = oldest.map(|(id, _)| id.clone()) else { return };
        let entry = self.entries.get(&id);
        let numbers: Vec<u64> = entry.into_iter().flat_map(Entry::numbers).collect();
        self.floor = self.floor.max(entry.map_or(0, Entry::last_number));
        for number in numbers {
            self.forget(&id.version(number));
        }
        self.entries.remove(&id);
    }

    fn forget_oldest_version(&mut self, id: &EntryId) {
        self.is_forgetful = true;
        let Some(number) = self.entries.get(id).and_then(Entry::least_needed) else { return };
        self.forget(&id.version(number));
    }

    /// Forgets a version, and ties what was derived from it to what it was derived from.
    fn forget(&mut self, reference: &VersionRef) {
        let trust = self.trust_of(reference);
        let Some(entry) = self.entries.get_mut(&reference.entry) else { return };
        let Some(gone) = entry.forget(reference.number, trust) else { return };
        let is_known_to_be_held = gone.is_held() && entry.hold_back(gone.content);
        for parent in &gone.derived_from {
            self.untie(parent, reference);
        }
        if gone.is_held() && !is_known_to_be_held {
            self.lose(&reference.entry);
        }
        for child in self.derived.remove(reference).unwrap_or_default() {
            self.inherit(&child, reference, &gone);
        }
    }

    fn untie(&mut self, parent: &VersionRef, child: &VersionRef) {
        if let Some(children) = self.derived.get_mut(parent) {
            children.remove(child);
            if children.is_empty() {
                self.derived.remove(parent);
            }
        }
    }

    fn inherit(&mut self, child: &VersionRef, reference: &VersionRef, gone: &Version) {
        let Some(version) =
            self.entries.get_mut(&child.entry).and_then(|entry| entry.version_mut(child.number))
        else {
            return;
        };
        version.trust = version.trust.max(gone.own_trust());
        version.derived_from.remove(reference);
        for parent in gone.derived_from.iter().filter(|parent| *parent != reference) {
            if version.derived_from.contains(parent) {
                continue;
            }
            if version.derived_from.len() >= Self::DERIVED_FROM_MAX {
                version.trust = Integrity::Untrusted;
                self.is_forgetful = true;
                break;
            }
            version.derived_from.insert(parent.clone());
            self.derived.entry(parent.clone()).or_default().insert(child.clone());
        }
    }
}

#[cfg(test)]
mod tests;
