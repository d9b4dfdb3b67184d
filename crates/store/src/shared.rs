//! What the threads of one log know together.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use pathwarden_ledger::tree::Frontier;
use pathwarden_ledger::{Checkpoint, VerifierKey};
use pathwarden_types::Digest;

use crate::cursor::Place;
use crate::files::Files;
use crate::follower::Signals;
use crate::index::Index;
use crate::layout::Layout;
use crate::queue::Queue;
use crate::{IndexKey, Options};

/// The place of every so many entries is kept in memory: half a byte per entry, and a look-up steps
/// over 31 frames at most.
pub(crate) const STRIDE: u64 = 32;

/// The most entries whose keys are kept in memory until the index has them. Beyond that, a look-up
/// reads the segments for the gap.
const RECENT_MAX: usize = 65_536;

/// The state of an open log.
pub(crate) struct Shared {
    pub(crate) layout: Layout,
    pub(crate) options: Options,
    pub(crate) key: VerifierKey,
    pub(crate) files: Files,
    pub(crate) queue: Queue,
    pub(crate) signals: Signals,
    pub(crate) log: RwLock<Log>,
    pub(crate) checkpoint: RwLock<Checkpoint>,
    pub(crate) index: RwLock<Option<Arc<Index>>>,
    stopped: AtomicBool,
}

/// What is durable.
#[derive(Clone, Default)]
pub(crate) struct Log {
    pub(crate) frontier: Frontier,
    places: Vec<Place>,
    recent: Recent,
}

/// The entries that the index may not have yet.
#[derive(Clone, Default)]
struct Recent {
    start: u64,
    keys: VecDeque<(Vec<IndexKey>, Vec<Digest>)>,
    payloads: HashMap<Digest, Place>,
}

/// One entry that has become durable.
pub(crate) struct Grown {
    pub(crate) leaf: Digest,
    pub(crate) place: Place,
    pub(crate) keys: Vec<IndexKey>,
    pub(crate) payloads: Vec<(Digest, Place)>,
}

impl Log {
    /// Takes in an entry found on disk at open, which the index will hold.
    pub(crate) fn load(&mut self, leaf: Digest, place: Place) {
        self.note_place(place);
        self.frontier.push(leaf);
        self.recent.start = self.frontier.size();
    }

    /// Takes in an entry that was just made durable.
    pub(crate) fn grow(&mut self, grown: Grown) {
        self.note_place(grown.place);
        self.frontier.push(grown.leaf);
        self.recent.push(grown.keys, grown.payloads);
    }

    /// The nearest place at or before the entry `index`, and that entry's index.
    pub(crate) fn place_before(&self, index: u64) -> Option<Place> {
        self.places.get(usize::try_from(index / STRIDE).ok()?).copied()
    }

    /// The indexes of recent entries with `key`, and the first index they speak for.
    pub(crate) fn recent_indexes(&self, key: IndexKey) -> (u64, Vec<u64>) {
        let entries = self.recent.keys.iter().zip(self.recent.start..);
        let found = entries.filter(|((keys, _), _)| keys.contains(&key)).map(|(_, index)| index);
        (self.recent.start, found.collect())
    }

    /// Where a recent payload is.
    pub(crate) fn recent_payload(&self, digest: &Digest) -> Option<Place> {
        self.recent.payloads.get(digest).copied()
    }

    /// The first entry that `recent_indexes` speaks for.
    pub(crate) const fn recent_start(&self) -> u64 {
        self.recent.start
    }

    /// Forgets the keys of entries before `index`, which the index has now.
    pub(crate) fn forget_recent(&mut self, index: u64) {
        while self.recent.start < index && self.recent.pop() {}
    }

    fn note_place(&mut self, place: Place) {
        if self.frontier.size().is_multiple_of(STRIDE) {
            self.places.push(place);
        }
    }
}

impl Recent {
    fn push(&mut self, keys: Vec<IndexKey>, payloads: Vec<(Digest, Place)>) {
        if self.keys.len() >= RECENT_MAX {
            self.pop();
        }
        self.keys.push_back((keys, payloads.iter().map(|(digest, _)| *digest).collect()));
        self.payloads.extend(payloads);
    }

    fn pop(&mut self) -> bool {
        let Some((_, payloads)) = self.keys.pop_front() else { return false };
        for digest in payloads {
            self.payloads.remove(&digest);
        }
        self.start += 1;
        true
    }
}

impl Shared {
    pub(crate) fn new(
        layout: Layout,
        key: VerifierKey,
        options: Options,
        log: Log,
        checkpoint: Checkpoint,
    ) -> Self {
        Self {
            files: Files::new(layout.clone()),
            layout,
            key,
            queue: Queue::new(&options),
            options,
            signals: Signals::default(),
            log: RwLock::new(log),
            checkpoint: RwLock::new(checkpoint),
            index: RwLock::new(None),
            stopped: AtomicBool::new(false),
        }
    }

    /// The number of durable entries.
    pub(crate) fn size(&self) -> u64 {
        read(&self.log).frontier.size()
    }

    /// Size and root of what is durable.
    pub(crate) fn frontier(&self) -> Frontier {
        read(&self.log).frontier.clone()
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        read(&self.checkpoint).clone()
    }

    pub(crate) fn index(&self) -> Option<Arc<Index>> {
        read(&self.index).clone()
    }

    /// Stops the log for good: what is on disk is not what it should be, or another writes to it.
    pub(crate) fn stop(&self, why: &str) {
        if !self.stopped.swap(true, Ordering::SeqCst) {
            tracing::error!(log = %self.layout.dir().display(), why, "the ledger stops itself");
        }
        self.queue.stop();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

/// Reads through a lock. A thread that panicked while it held the lock leaves data behind that was
/// changed whole or not at all: every change here is one assignment or push.
pub(crate) fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Writes through a lock; see [`read`].
pub(crate) fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// Holds a mutex; see [`read`].
pub(crate) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
