//! Finding entries and payloads again.

pub(crate) mod find;
mod prove;
mod walk;

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use pathwarden_ledger::Checkpoint;
use pathwarden_ledger::frame::{FrameError, FrameKind};
use pathwarden_types::Digest;

use crate::cursor::Chunk;
use crate::shared::Shared;
use crate::{IndexKey, PublishError};

pub(crate) use walk::Walk;

/// Why something could not be read. A damaged file is named; nothing damaged is ever returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system said no.
    #[error("`{}` could not be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What is there is not what was written.
    #[error("`{}` is damaged at byte {offset}: {what}; verify the log before relying on it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: String,
    },
}

impl ReadError {
    pub(crate) fn damaged(path: PathBuf, offset: u64, error: &FrameError) -> Self {
        Self::Damaged { path, offset, what: error.to_string() }
    }
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The log is shorter.
    #[error("the log has {size} entries; there is none at `{index}`")]
    NoEntry {
        /// The index asked for.
        index: u64,
        /// Entries in the log.
        size: u64,
    },
    /// A checkpoint that covers the entry could not be published.
    #[error("no checkpoint that covers the entry could be published")]
    Publish {
        /// Why not.
        #[source]
        source: PublishError,
    },
    /// The entry or a tile could not be read, or is damaged.
    #[error("the proof could not be built")]
    Read {
        /// Why not.
        #[source]
        source: ReadError,
    },
}

/// Reads a log while it grows. Cheap to clone, usable from every thread; every call may block on the
/// disk. It keeps reading after the [`Store`](crate::Store) is closed.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

impl Reader {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The number of durable entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared.size()
    }

    /// The last published checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        self.shared.checkpoint()
    }

    /// The entry at `index`, or `None` past the end.
    ///
    /// # Errors
    /// When its segment cannot be read or is damaged.
    pub fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, ReadError> {
        if index >= self.shared.size() {
            return Ok(None);
        }
        let mut walk = Walk::before(&self.shared, index, Chunk::Lookup)?;
        Ok(Some(walk.seek(index, FrameKind::Entry)?.body.to_vec()))
    }

    /// The entries of a range (cut at the present end), in order.
    #[must_use]
    pub fn entries(&self, range: Range<u64>) -> Entries {
        let end = range.end.min(self.shared.size());
        Entries::new(Arc::clone(&self.shared), range.start..end)
    }

    /// The payload with this SHA-256, or `None` when no append brought it. Hashed on every read.
    ///
    /// # Errors
    /// When its segment cannot be read or is damaged.
    pub fn payload(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ReadError> {
        find::payload(&self.shared, digest)
    }

    /// The indexes of all durable entries with this key, ascending.
    ///
    /// # Errors
    /// When a segment cannot be read or is damaged. A damaged index is not an error: it is passed
    /// over, and rebuilt.
    pub fn indexes_of(&self, key: IndexKey) -> Result<Vec<u64>, ReadError> {
        find::indexes_of(&self.shared, key)
    }

    /// A `.tlog-proof` that the entry at `index` is in the log, against the last published
    /// checkpoint; publishes first when that does not cover the entry. It was verified before it is
    /// returned.
    ///
    /// # Errors
    /// When there is no such entry, or it cannot be proved.
    pub fn proof(&self, index: u64) -> Result<String, ProveError> {
        prove::proof(self, &self.shared, index)
    }
}

/// Entries in order with their indexes: see [`Reader::entries`]. Ends after the first error.
pub struct Entries {
    shared: Arc<Shared>,
    range: Range<u64>,
    walk: Option<Walk>,
}

impl Entries {
    /// The entries of a range, all of which must be durable.
    pub(crate) const fn new(shared: Arc<Shared>, range: Range<u64>) -> Self {
        Self { shared, range, walk: None }
    }

    fn read(&mut self, index: u64) -> Result<(u64, Vec<u8>), ReadError> {
        let walk = match &mut self.walk {
            Some(walk) => walk,
            none => none.insert(Walk::before(&self.shared, index, Chunk::Scan)?),
        };
        Ok((index, walk.seek(index, FrameKind::Entry)?.body.to_vec()))
    }
}

impl Iterator for Entries {
    type Item = Result<(u64, Vec<u8>), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.range.next()?;
        let item = self.read(index);
        if item.is_err() {
            self.range = 0..0;
        }
        Some(item)
    }
}
