//! Proofs of inclusion, from the published tiles.

use std::fs;
use std::io;

use pathwarden_ledger::TlogProof;
use pathwarden_ledger::tile::{TileError, TileHashes, TilePath, decode_hashes};
use pathwarden_ledger::tree::{leaf_hash, prove_inclusion};
use pathwarden_types::Digest;

use super::{ProveError, ReadError, Reader};
use crate::shared::Shared;

pub(super) fn proof(reader: &Reader, shared: &Shared, index: u64) -> Result<String, ProveError> {
    let size = reader.size();
    let entry = reader.entry(index).map_err(|source| ProveError::Read { source })?;
    let entry = entry.ok_or(ProveError::NoEntry { index, size })?;
    let leaf = leaf_hash(&entry);
    let mut checkpoint = reader.checkpoint();
    if index >= checkpoint.size() {
        checkpoint = shared.signals.publish().map_err(|source| ProveError::Publish { source })?;
    }
    let mut hashes = TileHashes::new(checkpoint.size(), |path: &TilePath| tile(shared, path));
    let path = prove_inclusion(index, checkpoint.size(), |level, at| hashes.node(level, at));
    let path = path.map_err(|Missing(source)| ProveError::Read { source })?;
    let proof = TlogProof::new(index, path, &checkpoint).carrying(entry);
    match proof.verify(&leaf, &shared.key) {
        Ok(_) => Ok(proof.to_string()),
        Err(error) => {
            let path = shared.layout.dir().join("tile");
            let source = ReadError::Damaged { path, offset: 0, what: error.to_string() };
            Err(ProveError::Read { source })
        }
    }
}

/// A tile that could not be read.
struct Missing(ReadError);

impl From<TileError> for Missing {
    fn from(error: TileError) -> Self {
        let path = match &error {
            TileError::Width { path } => path.to_string().into(),
            _ => "tile".into(),
        };
        Self(ReadError::Damaged { path, offset: 0, what: error.to_string() })
    }
}

/// The hashes of a tile; of a partial one that was removed since, from the full one in its place.
fn tile(shared: &Shared, path: &TilePath) -> Result<Vec<Digest>, Missing> {
    let file = shared.layout.tile(path);
    match fs::read(&file) {
        Ok(bytes) => Ok(decode_hashes(path, &bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_full() => {
            let mut hashes = tile(shared, &TilePath::full(path.kind(), path.index()))?;
            hashes.truncate(usize::from(path.width()));
            Ok(hashes)
        }
        Err(source) => Err(Missing(ReadError::Io { path: file, source })),
    }
}
