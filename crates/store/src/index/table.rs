//! The tables of the index, in redb.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use pathwarden_types::Digest;
use redb::{Database, Durability, ReadableDatabase as _, TableDefinition, WriteTransaction};

use super::{guarded, key_bytes};
use crate::cursor::Place;
use crate::{IndexKey, ReadError};

/// Key and leaf index, see [`key_bytes`].
const KEYS: TableDefinition<&[u8; 25], ()> = TableDefinition::new("keys");

/// Digest of a payload to segment and offset of its frame.
const PAYLOADS: TableDefinition<&[u8; 32], (u64, u64)> = TableDefinition::new("payloads");

/// The log's origin to: how many entries are indexed, and the leaf hash of the last of them.
const STATE: TableDefinition<&str, (u64, &[u8; 32])> = TableDefinition::new("state-1");

/// Memory for database pages, in bytes.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Every so many commits one is made durable. Until then the file holds an older state, from which it
/// catches up after a crash.
const DURABLE_EVERY: u64 = 64;

/// Why the index cannot be used. It is then rebuilt or done without.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    #[error("there is none")]
    Missing,
    #[error("its file is damaged")]
    Damaged,
    #[error("its database: {0}")]
    Database(Box<redb::Error>),
    #[error("its file: {0}")]
    Io(#[from] io::Error),
    #[error("the segments: {0}")]
    Read(ReadError),
}

impl From<redb::Error> for IndexError {
    fn from(error: redb::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

/// What a range of entries puts into the index.
pub(crate) struct Batch {
    pub(crate) next: u64,
    pub(crate) leaf: Option<Digest>,
    pub(crate) keys: Vec<(IndexKey, u64)>,
    pub(crate) payloads: Vec<(Digest, u64, u64)>,
}

/// An open index.
pub(crate) struct Index {
    database: Database,
    origin: String,
    next: AtomicU64,
    leaf: Option<Digest>,
    commits: AtomicU64,
}

impl Index {
    /// Opens the index at `path`, every page of it checked.
    pub(crate) fn open(path: &Path, origin: &str) -> Result<Self, IndexError> {
        if !path.exists() {
            return Err(IndexError::Missing);
        }
        let database = guarded(|| open_checked(path))?.ok_or(IndexError::Damaged)?;
        let state = guarded(|| read_state(&database, origin))?;
        let (next, leaf) = state.ok_or(IndexError::Missing)?;
        Ok(Self::new(database, origin, next, Some(leaf)))
    }

    /// An empty index in the place of whatever is at `path`.
    pub(crate) fn create(path: &Path, origin: &str) -> Result<Self, IndexError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let database =
            guarded(|| Ok(redb::Builder::new().set_cache_size(CACHE_BYTES).create(path)?))?;
        let index = Self::new(database, origin, 0, None);
        index.add(&Batch { next: 0, leaf: None, keys: Vec::new(), payloads: Vec::new() })?;
        Ok(index)
    }

    fn new(database: Database, origin: &str, next: u64, leaf: Option<Digest>) -> Self {
        let (next, commits) = (AtomicU64::new(next), AtomicU64::new(0));
        Self { database, origin: origin.to_owned(), next, leaf, commits }
    }

    /// Whether it can be an index of the log of `size` entries with these leaf hashes.
    pub(crate) fn fits(&self, size: u64, leaf_of: impl Fn(u64) -> Option<Digest>) -> bool {
        let next = self.next();
        next == 0 || next <= size && self.leaf.is_some() && leaf_of(next - 1) == self.leaf
    }

    /// The number of entries it has taken in.
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// Takes in the entries that follow those it has.
    pub(crate) fn add(&self, batch: &Batch) -> Result<(), IndexError> {
        guarded(|| {
            let mut write = self.database.begin_write()?;
            if !self.commits.fetch_add(1, Ordering::Relaxed).is_multiple_of(DURABLE_EVERY) {
                write.set_durability(Durability::None)?;
            }
            self.fill(&write, batch)?;
            write.commit()?;
            self.next.store(batch.next, Ordering::Release);
            Ok(())
        })
    }

    /// Makes everything durable. A failure costs catching up at the next start.
    pub(crate) fn flush(&self) {
        let flushed = guarded(|| Ok(self.database.begin_write()?.commit()?));
        if let Err(error) = flushed {
            tracing::warn!(%error, "the index was not made durable; it catches up at the next start");
        }
    }

    /// The indexes of entries with `key`, and how many entries the answer speaks for.
    pub(crate) fn indexes_of(&self, key: IndexKey) -> Result<(u64, Vec<u64>), IndexError> {
        guarded(|| {
            // In this order: what is added in between is in the answer, though not spoken for.
            let next = self.next();
            let read = self.database.begin_read()?;
            let keys = read.open_table(KEYS)?;
            let mut found = Vec::new();
            for item in keys.range::<&[u8; 25]>(&key_bytes(key, 0)..=&key_bytes(key, u64::MAX))? {
                let bytes = *item?.0.value();
                found.extend(bytes.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes)));
            }
            Ok((next, found))
        })
    }

    /// Where the payload is, and how many entries the answer speaks for.
    pub(crate) fn payload(&self, digest: &Digest) -> Result<(u64, Option<Place>), IndexError> {
        guarded(|| {
            let next = self.next();
            let read = self.database.begin_read()?;
            let found = read.open_table(PAYLOADS)?.get(digest.as_bytes())?;
            let place = found.map(|found| {
                let (segment, offset) = found.value();
                Place { segment, offset }
            });
            Ok((next, place))
        })
    }

    fn fill(&self, write: &WriteTransaction, batch: &Batch) -> Result<(), redb::Error> {
        let mut keys = write.open_table(KEYS)?;
        let mut sorted: Vec<_> =
            batch.keys.iter().map(|(key, index)| key_bytes(*key, *index)).collect();
        sorted.sort_unstable();
        for key in &sorted {
            keys.insert(key, ())?;
        }
        let mut payloads = write.open_table(PAYLOADS)?;
        for (digest, segment, offset) in &batch.payloads {
            payloads.insert(digest.as_bytes(), (*segment, *offset))?;
        }
        let leaf = batch.leaf.map_or([0; 32], |leaf| *leaf.as_bytes());
        write.open_table(STATE)?.insert(self.origin.as_str(), (batch.next, &leaf))?;
        Ok(())
    }
}

/// The database, unless a page of it is damaged.
fn open_checked(path: &Path) -> Result<Option<Database>, redb::Error> {
    let mut database = redb::Builder::new().set_cache_size(CACHE_BYTES).open(path)?;
    Ok(database.check_integrity()?.then_some(database))
}

/// How many entries of this log are in it, and the leaf hash of the last.
fn read_state(database: &Database, origin: &str) -> Result<Option<(u64, Digest)>, redb::Error> {
    let read = database.begin_read()?;
    let state = read.open_table(STATE)?.get(origin)?;
    Ok(state.map(|state| {
        let (next, leaf) = state.value();
        (next, Digest::from_bytes(*leaf))
    }))
}
