//! Finding entries by key and payloads by digest. The index follows the segments, can be thrown away,
//! and is never believed without a look at the segment.

mod table;

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;

use pathwarden_ledger::frame::{FrameKind, split_payload};
use pathwarden_ledger::tree::leaf_hash;
use pathwarden_types::Digest;

use crate::cursor::Chunk;
use crate::reader::Walk;
use crate::shared::{Shared, write};
use crate::{IndexKey, ReadError};

pub(crate) use table::{Batch, Index, IndexError};

/// The most entries that go into the index in one commit.
const BATCH_ENTRIES_MAX: u64 = 4_096;

/// How a round of catching up ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CatchUp {
    /// The index had everything.
    Done,
    /// It took some in, and has everything that was durable then.
    Some,
    /// There is more to take in.
    More,
    /// It cannot be written; look-ups read the segments.
    Failed,
}

/// Opens the index of a log, or a new one in its place when it is missing, damaged, of another log,
/// or ahead of this one. Says whether it had to be rebuilt. `leaf_of` gives the leaf hash at an index.
pub(crate) fn open(
    path: &Path,
    origin: &str,
    size: u64,
    leaf_of: impl Fn(u64) -> Option<Digest>,
) -> (Option<Index>, bool) {
    match Index::open(path, origin) {
        Ok(index) if index.fits(size, leaf_of) => return (Some(index), false),
        Ok(_) => tracing::warn!("the index is of another log or ahead of this one; it is rebuilt"),
        Err(IndexError::Missing) if size == 0 => {}
        Err(error) => tracing::warn!(%error, "the index cannot be used; it is rebuilt"),
    }
    (recreate(path, origin), size > 0)
}

/// Throws the index away and begins a new one, which catches up in the background.
pub(crate) fn rebuild(shared: &Shared) {
    *write(&shared.index) = None;
    let index = recreate(&shared.layout.index(), shared.key.name());
    *write(&shared.index) = index.map(Arc::new);
}

fn recreate(path: &Path, origin: &str) -> Option<Index> {
    match Index::create(path, origin) {
        Ok(index) => Some(index),
        Err(error) => {
            tracing::warn!(%error, "there is no index; look-ups read the segments");
            None
        }
    }
}

/// Takes the next entries into the index.
pub(crate) fn catch_up(shared: &Arc<Shared>) -> CatchUp {
    let Some(index) = shared.index() else { return CatchUp::Failed };
    let (from, size) = (index.next(), shared.size());
    if from >= size {
        return CatchUp::Done;
    }
    let to = size.min(from + BATCH_ENTRIES_MAX);
    let added = gather(shared, from, to).map_err(IndexError::Read).and_then(|b| index.add(&b));
    match added {
        Ok(()) => {
            write(&shared.log).forget_recent(to);
            if to < size { CatchUp::More } else { CatchUp::Some }
        }
        Err(error) => {
            tracing::warn!(%error, "the index cannot be written; look-ups read the segments");
            *write(&shared.index) = None;
            CatchUp::Failed
        }
    }
}

/// What the entries `from..to` put into the index.
fn gather(shared: &Arc<Shared>, from: u64, to: u64) -> Result<Batch, ReadError> {
    let mut batch = Batch { next: to, leaf: None, keys: Vec::new(), payloads: Vec::new() };
    let mut walk = Walk::before(shared, from, Chunk::Scan)?;
    loop {
        let (segment, frame) = walk.next()?;
        if frame.seq < from {
            continue;
        }
        match frame.kind {
            FrameKind::Payload => {
                let digest = split_payload(frame.body).map(|(digest, _)| digest);
                batch.payloads.extend(digest.map(|digest| (digest, segment, frame.offset)));
            }
            FrameKind::Entry => {
                let keys = (shared.options.keys_of)(frame.body);
                batch.keys.extend(keys.into_iter().map(|key| (key, frame.seq)));
                if frame.seq + 1 == to {
                    batch.leaf = Some(leaf_hash(frame.body));
                    return Ok(batch);
                }
            }
        }
    }
}

/// Runs `f`, and turns a panic of the database library over a damaged file into an error: a file that
/// can be thrown away must not take the process with it.
fn guarded<T>(f: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, IndexError> {
    match panic::catch_unwind(AssertUnwindSafe(f)) {
        Ok(outcome) => outcome.map_err(IndexError::from),
        Err(_) => Err(IndexError::Damaged),
    }
}

/// A key with an entry's index, in the order in which the table keeps them.
pub(crate) fn key_bytes(key: IndexKey, index: u64) -> [u8; 25] {
    let mut bytes = [0; 25];
    let (kind, id): (u8, &[u8]) = match &key {
        IndexKey::Session(id) => (1, id),
        IndexKey::Action(id) => (2, id),
    };
    let parts = [kind].into_iter().chain(id.iter().copied());
    bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    let tail = bytes.iter_mut().skip(17).zip(index.to_be_bytes());
    tail.for_each(|(to, from)| *to = from);
    bytes
}
