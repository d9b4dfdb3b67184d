//! Look-ups by key and by digest: the index says where to look, the segment says what is there, and
//! whatever the index does not speak for is read from the segments.

use std::collections::BTreeSet;
use std::sync::Arc;

use pathwarden_ledger::frame::{FrameKind, split_payload};
use pathwarden_types::Digest;

use super::{Entries, Reader, Walk};
use crate::cursor::{Chunk, Place};
use crate::shared::{Shared, read};
use crate::{IndexKey, ReadError};

pub(super) fn indexes_of(shared: &Arc<Shared>, key: IndexKey) -> Result<Vec<u64>, ReadError> {
    // The recent entries first: what leaves them afterwards is in the index by then.
    let (recent_start, recent) = read(&shared.log).recent_indexes(key);
    let (indexed, found) = indexed(shared, key)?;
    let mut all: BTreeSet<u64> = found.into_iter().chain(recent).collect();
    for item in Entries::new(Arc::clone(shared), indexed..recent_start) {
        let (index, entry) = item?;
        if (shared.options.keys_of)(&entry).contains(&key) {
            all.insert(index);
        }
    }
    Ok(all.into_iter().collect())
}

/// What the index says, once every entry it names was seen to have the key; and how many entries it
/// speaks for.
fn indexed(shared: &Arc<Shared>, key: IndexKey) -> Result<(u64, Vec<u64>), ReadError> {
    let Some(index) = shared.index() else { return Ok((0, Vec::new())) };
    let reader = Reader::new(Arc::clone(shared));
    match index.indexes_of(key) {
        Ok((next, found)) => {
            for at in &found {
                let keys = reader.entry(*at)?.map(|entry| (shared.options.keys_of)(&entry));
                if !keys.is_some_and(|keys| keys.contains(&key)) {
                    distrust(shared, "it names an entry that does not have the key");
                    return Ok((0, Vec::new()));
                }
            }
            Ok((next, found))
        }
        Err(error) => {
            distrust(shared, &error.to_string());
            Ok((0, Vec::new()))
        }
    }
}

/// Whether the log has a payload and the place is known without reading the log: it was appended a
/// moment ago, or reads back from where the index says.
pub(crate) fn has_payload(shared: &Arc<Shared>, digest: &Digest) -> bool {
    if read(&shared.log).recent_payload(digest).is_some() {
        return true;
    }
    let place = shared.index().and_then(|index| index.payload(digest).ok()?.1);
    place.is_some_and(|place| matches!(at(shared, place, digest), Ok(Some(_))))
}

pub(super) fn payload(shared: &Arc<Shared>, digest: &Digest) -> Result<Option<Vec<u8>>, ReadError> {
    let (size, recent_start, recent) = {
        let log = read(&shared.log);
        (log.frontier.size(), log.recent_start(), log.recent_payload(digest))
    };
    if let Some(place) = recent {
        return at(shared, place, digest);
    }
    let Some(index) = shared.index() else { return scan(shared, 0, size, digest) };
    match index.payload(digest) {
        Ok((_, Some(place))) => {
            if let Ok(Some(content)) = at(shared, place, digest) {
                return Ok(Some(content));
            }
            // Either the index is wrong or the segment is damaged: reading it all tells which.
            let found = scan(shared, 0, size, digest)?;
            distrust(shared, "it names a place where the payload is not");
            Ok(found)
        }
        Ok((next, None)) => scan(shared, next, recent_start, digest),
        Err(error) => {
            distrust(shared, &error.to_string());
            scan(shared, 0, size, digest)
        }
    }
}

/// The payload at a place; `None` when another frame is there.
fn at(shared: &Arc<Shared>, place: Place, digest: &Digest) -> Result<Option<Vec<u8>>, ReadError> {
    let mut walk = Walk::at(shared, place, Chunk::Lookup)?;
    let (_, frame) = walk.next()?;
    let found = split_payload(frame.body)
        .filter(|(found, _)| frame.kind == FrameKind::Payload && found == digest);
    found.map(|(_, content)| verified(shared, place, digest, content)).transpose()
}

/// Looks for a payload among those of the entries `from..to`.
fn scan(
    shared: &Arc<Shared>,
    from: u64,
    to: u64,
    digest: &Digest,
) -> Result<Option<Vec<u8>>, ReadError> {
    if from >= to {
        return Ok(None);
    }
    let mut walk = Walk::before(shared, from, Chunk::Scan)?;
    loop {
        let (segment, frame) = walk.next()?;
        let place = Place { segment, offset: frame.offset };
        match (frame.kind, split_payload(frame.body)) {
            (FrameKind::Payload, Some((found, content))) if found == *digest => {
                return verified(shared, place, digest, content).map(Some);
            }
            (FrameKind::Entry, _) if frame.seq + 1 >= to => return Ok(None),
            _ => {}
        }
    }
}

fn verified(
    shared: &Shared,
    place: Place,
    digest: &Digest,
    content: &[u8],
) -> Result<Vec<u8>, ReadError> {
    if Digest::of(content) == *digest {
        return Ok(content.to_vec());
    }
    let (path, offset) = (shared.layout.segment(place.segment), place.offset);
    let what = "the payload does not have the digest it is kept under".to_owned();
    Err(ReadError::Damaged { path, offset, what })
}

fn distrust(shared: &Shared, why: &str) {
    tracing::warn!(why, "the index is wrong; it is rebuilt");
    shared.signals.rebuild();
}
