//! What opening a log does: every frame is read, the tree is computed again, and the published log is
//! compared with it, before anything new is written.

mod scan;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use pathwarden_ledger::{Checkpoint, CheckpointError, VerifierKey};
use rustix::fs::FlockOperation;

use crate::ReadError;
use crate::layout::{Layout, segment_number};

pub(crate) use scan::{Found, scan};

/// Why a log was not opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is none.
    #[error("there is no ledger in `{}`; check the path, or create one with `pathwarden init`", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// Another process writes to it.
    #[error("`{}` is locked: another process writes to this ledger", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The checkpoint is not signed by the pinned key, or is damaged.
    #[error("the checkpoint `{}` is not believed", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: CheckpointError,
    },
    /// The signing key does not belong to the pinned key.
    #[error("the signing key `{signer}` does not belong to the verifier key `{key}`")]
    Keys {
        /// Name of the signing key.
        signer: String,
        /// Name of the verifier key.
        key: String,
    },
    /// A frame or header is damaged that cannot be the trace of an unfinished write.
    #[error("the segment `{}` is damaged at byte {offset}: {what}; restore it from a copy", path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// A published tile or bundle is missing or does not hold the entries' hashes.
    #[error("the published file `{}` {what}; restore it from a copy", path.display())]
    Tile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// Entries are missing that were published.
    #[error(
        "the ledger holds {found} entries, and {published} were published; restore it from a copy"
    )]
    Shorter {
        /// Entries on disk.
        found: u64,
        /// Entries in the checkpoint.
        published: u64,
    },
    /// The entries are not those that were published.
    #[error(
        "the first {published} entries are not those that were published; restore the ledger from a copy"
    )]
    Inconsistent {
        /// Entries in the checkpoint.
        published: u64,
    },
    /// The system said no.
    #[error("`{}` could not be opened", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io { path, source } => Self::Io { path, source },
            ReadError::Damaged { path, offset, what } => Self::Damaged { path, offset, what },
        }
    }
}

/// What opening found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Recovered {
    /// Durable entries.
    pub entries: u64,
    /// Bytes of an unfinished write that were cut off the last segment.
    pub truncated_bytes: u64,
    /// Whether the index was missing or wrong and had to be rebuilt.
    pub index_rebuilt: bool,
}

/// Takes the lock that only one writer can have; it is held as long as the file is open.
pub(crate) fn lock(layout: &Layout) -> Result<File, OpenError> {
    if !layout.checkpoint().exists() {
        return Err(OpenError::Missing { dir: layout.dir().to_owned() });
    }
    let path = layout.lock();
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|source| OpenError::Io { path: path.clone(), source })?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::Locked { path }),
        Err(error) => Err(OpenError::Io { path, source: error.into() }),
    }
}

/// The checkpoint on disk, once its signature by the pinned key was verified.
pub(crate) fn checkpoint(layout: &Layout, key: &VerifierKey) -> Result<Checkpoint, OpenError> {
    let path = layout.checkpoint();
    let text =
        fs::read_to_string(&path).map_err(|source| OpenError::Io { path: path.clone(), source })?;
    Checkpoint::verify(&text, key).map_err(|source| OpenError::Checkpoint { path, source })
}

/// The number of the last segment; those before it must all be there.
pub(crate) fn last_segment(layout: &Layout) -> Result<u64, OpenError> {
    let dir = layout.segments();
    let failed = |source| OpenError::Io { path: dir.clone(), source };
    let mut last = None;
    let mut count = 0;
    for item in fs::read_dir(&dir).map_err(failed)? {
        let name = item.map_err(failed)?.file_name();
        if let Some(number) = name.to_str().and_then(segment_number) {
            last = last.max(Some(number));
            count += 1;
        }
    }
    let last = last.unwrap_or(0);
    if count == last + 1 { Ok(last) } else { Err(first_missing(layout, last)) }
}

fn first_missing(layout: &Layout, last: u64) -> OpenError {
    let mut paths = (0..=last).map(|number| layout.segment(number));
    let path = paths.find(|path| !path.exists()).unwrap_or_else(|| layout.segments());
    OpenError::Io { path, source: io::ErrorKind::NotFound.into() }
}

/// Bytes that are not zero after `offset`, up to the last of them: what an unfinished write left.
pub(crate) fn written_after(path: &Path, offset: u64) -> io::Result<u64> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut buffer = vec![0; 256 * 1024];
    let zeros = buffer.clone();
    let (mut at, mut last) = (0_u64, 0_u64);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(last);
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        // Nearly all of a preallocated segment is zeros: those are compared at the speed of memory.
        if !zeros.starts_with(bytes) {
            let nonzero = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
            last = at + nonzero as u64 + 1;
        }
        at += read as u64;
    }
}
