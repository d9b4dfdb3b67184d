//! What was made from what.

use std::collections::BTreeSet;

use pathwarden_types::Integrity;

use super::{Entry, Memories, Version};
use pathwarden_types::{EntryId, VersionRef};

impl Memories {
    /// Every version that was made from this one, over any number of steps, in order. The version
    /// itself is not among them, even where references go in a circle.
    #[must_use]
    pub fn descendants(&self, version: &VersionRef) -> Vec<VersionRef> {
        let mut found = BTreeSet::new();
        let mut open = vec![version];
        while let Some(at) = open.pop() {
            for child in self.derived.get(at).into_iter().flatten() {
                if child != version && found.insert(child) {
                    open.push(child);
                }
            }
        }
        found.into_iter().cloned().collect()
    }

    /// Everything to quarantine with an entry: its versions, what was made from them over any number of
    /// steps, and whatever a quarantine from there on catches too, in order.
    #[must_use]
    pub fn quarantine_set(&self, id: &EntryId) -> Vec<VersionRef> {
        self.quarantine_set_from(&id.version(0))
    }

    /// As [`Memories::quarantine_set`], beginning with this version of the entry. The set is closed: a
    /// [`Quarantined`](pathwarden_types::MemoryEvent::Quarantined) for each entry in it, from its lowest version
    /// on, holds back the set and nothing else.
    #[must_use]
    pub fn quarantine_set_from(&self, first: &VersionRef) -> Vec<VersionRef> {
        let mut found = BTreeSet::new();
        let mut open = vec![first.clone()];
        while let Some(at) = open.pop() {
            // Children of versions that are not remembered are children all the same.
            let edges = self.derived.range(&at..).take_while(|(of, _)| of.entry == at.entry);
            let made = edges.flat_map(|(_, children)| children);
            let later = self.entries.get(&at.entry).into_iter().flat_map(Entry::numbers);
            let is_new = later
                .filter(|later| *later >= at.number)
                .fold(false, |is_new, number| found.insert(at.entry.version(number)) | is_new);
            if is_new || at == *first {
                open.extend(made.cloned());
            }
        }
        found.into_iter().collect()
    }

    /// The least trust in a version and in everything that it was made from. What is not known, what
    /// was forgotten and what is held back has none.
    #[must_use]
    pub fn trust_of(&self, version: &VersionRef) -> Integrity {
        let mut worst = Integrity::Trusted;
        let mut seen = BTreeSet::from([version]);
        let mut open = vec![version];
        while let Some(at) = open.pop() {
            let Some(found) = self.find(at) else { return Integrity::Untrusted };
            worst = worst.max(found.own_trust());
            open.extend(found.derived_from.iter().filter(|parent| seen.insert(*parent)));
        }
        worst
    }

    /// The least trust in what the store holds of an entry; none when that is not known.
    #[must_use]
    pub fn trust_of_entry(&self, id: &EntryId) -> Integrity {
        let Some(entry) = self.entries.get(id) else { return Integrity::Untrusted };
        let all = entry.held_by_store().map(|version| self.trust_of(&id.version(version.number)));
        all.max().unwrap_or(Integrity::Untrusted).max(entry.floor())
    }

    pub(super) fn is_held(&self, version: &VersionRef) -> bool {
        self.find(version).is_some_and(Version::is_held)
    }
}
