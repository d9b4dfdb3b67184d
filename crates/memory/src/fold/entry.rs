//! One entry with its versions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pathwarden_types::{ActionId, Digest, Integrity, Millis, SessionId};

use super::Memories;
use pathwarden_types::{VersionRef, WriteMode};

/// One entry, as far as it is remembered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    versions: BTreeMap<u64, Version>,
    consumers: VecDeque<Consumer>,
    rolled_back_to: Option<u64>,
    last: u64,
    forgotten: u64,
    /// The least trust in what its store holds and is forgotten here.
    floor: Integrity,
    /// Texts of forgotten versions that are held back.
    ghosts: BTreeSet<Digest>,
    /// The number of the event that wrote it last.
    pub(super) touched: u64,
}

/// One version of an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// Which one.
    pub number: u64,
    /// The text that was written, a payload.
    pub content: Digest,
    /// Length of the text.
    pub bytes: u64,
    /// Whether it took the place of what was before, or stands beside it.
    pub mode: WriteMode,
    /// When.
    pub at: Millis,
    /// The session that wrote it.
    pub session: Option<SessionId>,
    /// The action that wrote it.
    pub by: ActionId,
    /// Who may have shaped the text itself, as recorded, or worse where ancestors were forgotten. What
    /// follows from its lineage is [`Memories::trust_of`].
    pub trust: Integrity,
    /// Versions that it was made from.
    pub derived_from: BTreeSet<VersionRef>,
    /// Other contents that it was traced to.
    pub sources: Vec<Digest>,
    pub(super) life: Life,
    pub(super) hold: Option<Hold>,
}

/// Where a version stands.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Standing {
    /// Its store holds it.
    Current,
    /// A later version took its place.
    Superseded,
    /// An agent removed it.
    Removed,
    /// A person went back behind it: it is not shown.
    RolledBack,
    /// It is not shown.
    Quarantined,
}

/// One read of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Consumer {
    /// When.
    pub at: Millis,
    /// The session that was shown it.
    pub session: Option<SessionId>,
    /// The action that read it.
    pub by: ActionId,
    /// The version that was shown.
    pub number: u64,
    /// The result in which it stood, a payload.
    pub content: Digest,
}

/// What the store did with a version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Life {
    Current,
    Superseded,
    Removed,
}

/// Why a version is held back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hold {
    Quarantined,
    RolledBack,
}

impl Version {
    /// Where it stands.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match (self.hold, self.life) {
            (Some(Hold::Quarantined), _) => Standing::Quarantined,
            (Some(Hold::RolledBack), _) => Standing::RolledBack,
            (None, Life::Current) => Standing::Current,
            (None, Life::Superseded) => Standing::Superseded,
            (None, Life::Removed) => Standing::Removed,
        }
    }

    /// Whether it is never to be shown.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    /// Its trust without its ancestors.
    pub(super) fn own_trust(&self) -> Integrity {
        if self.is_held() { Integrity::Untrusted } else { self.trust }
    }
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            versions: BTreeMap::new(),
            consumers: VecDeque::new(),
            rolled_back_to: None,
            last: 0,
            forgotten: 0,
            floor: Integrity::Trusted,
            ghosts: BTreeSet::new(),
            touched: 0,
        }
    }
}

impl Entry {
    pub(super) fn push(&mut self, version: Version) {
        self.last = version.number;
        self.versions.insert(version.number, version);
    }

    pub(super) fn supersede(&mut self) {
        self.floor = Integrity::Trusted;
        self.end(Life::Superseded, |_| true);
    }

    pub(super) fn remove(&mut self, content: Option<Digest>) {
        self.end(Life::Removed, |version| content.is_none_or(|only| only == version.content));
    }

    fn end(&mut self, life: Life, fits: impl Fn(&Version) -> bool) {
        let all = self.versions.values_mut();
        for version in all.filter(|version| version.life == Life::Current && fits(version)) {
            version.life = life;
        }
    }

    pub(super) fn quarantine(&mut self, from: u64) {
        for (_, version) in self.versions.range_mut(from..) {
            version.hold = Some(Hold::Quarantined);
        }
    }

    /// Versions up to `to` that an earlier rollback held back are free again; quarantine stays.
    pub(super) fn roll_back(&mut self, to: u64) {
        self.rolled_back_to = Some(to);
        for version in self.versions.values_mut() {
            if version.number > to {
                version.hold = Some(Hold::RolledBack);
            } else if version.hold == Some(Hold::RolledBack) {
                version.hold = None;
            }
        }
    }

    pub(super) fn release(&mut self) {
        self.rolled_back_to = None;
        self.ghosts.clear();
        for version in self.versions.values_mut() {
            version.hold = None;
        }
    }

    /// Remembers a read; says whether an older one had to go.
    pub(super) fn consume(&mut self, consumer: Consumer) -> bool {
        let is_same = |one: &Consumer| {
            (one.session, one.by, one.number) == (consumer.session, consumer.by, consumer.number)
        };
        if self.consumers.iter().any(is_same) {
            return false;
        }
        self.consumers.push_back(consumer);
        let is_over = self.consumers.len() > Memories::CONSUMERS_MAX;
        if is_over {
            self.consumers.pop_front();
        }
        is_over
    }

    /// Forgets a version, and how much it was trusted only if its store does not hold it any more.
    pub(super) fn forget(&mut self, number: u64, trust: Integrity) -> Option<Version> {
        let gone = self.versions.remove(&number)?;
        self.forgotten = self.forgotten.saturating_add(1);
        if gone.life == Life::Current {
            self.floor = self.floor.max(trust);
        }
        Some(gone)
    }

    /// Remembers a text that is held back without its version; says whether there was room.
    pub(super) fn hold_back(&mut self, content: Digest) -> bool {
        let has_room = self.ghosts.len() < Memories::GHOSTS_MAX || self.ghosts.contains(&content);
        if has_room {
            self.ghosts.insert(content);
        }
        has_room
    }

    pub(super) fn ghosts(&self) -> impl Iterator<Item = Digest> + '_ {
        self.ghosts.iter().copied()
    }

    /// The least trust in what its store holds and is forgotten here.
    #[must_use]
    pub const fn floor(&self) -> Integrity {
        self.floor
    }

    pub(super) fn version_mut(&mut self, number: u64) -> Option<&mut Version> {
        self.versions.get_mut(&number)
    }

    /// The version to forget next: an old one, what its store still holds only after the others, and
    /// what is held back or shown instead last. Never the newest.
    pub(super) fn least_needed(&self) -> Option<u64> {
        let older = self.versions.values().filter(|version| version.number != self.last);
        let need = |version: &&Version| {
            let is_kept = version.is_held() || Some(version.number) == self.rolled_back_to;
            (is_kept, version.life == Life::Current, version.number)
        };
        older.min_by_key(need).map(|version| version.number)
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.versions.keys().copied()
    }

    pub(super) fn holds_back(&self, content: Digest) -> bool {
        self.ghosts.contains(&content)
            || self.versions.values().any(|version| version.is_held() && version.content == content)
    }

    pub(super) fn is_restrained(&self) -> bool {
        !self.ghosts.is_empty() || self.versions.values().any(Version::is_held)
    }

    pub(super) const fn last_number(&self) -> u64 {
        self.last
    }

    /// The versions that are remembered, oldest first.
    #[must_use]
    pub fn versions(&self) -> impl ExactSizeIterator<Item = &Version> + DoubleEndedIterator {
        self.versions.values()
    }

    /// A version by its number.
    #[must_use]
    pub fn version(&self, number: u64) -> Option<&Version> {
        self.versions.get(&number)
    }

    /// What its store holds, whether or not it may be shown. All versions when that is nothing: what
    /// was removed may come back in an answer that was already under way.
    pub fn held_by_store(&self) -> impl Iterator<Item = &Version> {
        let is_gone = self.versions.values().all(|version| version.life != Life::Current);
        self.versions.values().filter(move |version| is_gone || version.life == Life::Current)
    }

    /// The reads that are remembered, oldest first.
    pub fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        self.consumers.iter()
    }

    /// The version that a person went back to, if any.
    #[must_use]
    pub const fn rolled_back_to(&self) -> Option<u64> {
        self.rolled_back_to
    }

    /// How many versions were forgotten because there were too many.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}
