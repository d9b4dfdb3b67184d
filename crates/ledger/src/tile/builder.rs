//! From entries to the files of a published log.

use std::mem;

use pathwarden_types::Digest;

use super::{TILE_WIDTH, TileError, TileKind, TilePath, encode_hashes, push_entry};
use crate::tree::Frontier;

/// One file of a published log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TileFile {
    /// Where it goes, below the log directory.
    pub path: TilePath,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Turns a log's entries, in order, into its tiles and entry bundles. Holds at most 255 hashes per
/// level and 255 entries.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    frontier: Frontier,
    bundle: Vec<u8>,
    levels: Vec<Vec<Digest>>,
}

impl Builder {
    /// The builder of a log without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Size and root of what was pushed.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Takes in the next entry; every 256th fills files, which are added to `full`.
    ///
    /// # Errors
    /// When the entry is too long; nothing was taken in then.
    pub fn push(
        &mut self,
        entry: &[u8],
        leaf: Digest,
        full: &mut Vec<TileFile>,
    ) -> Result<(), TileError> {
        push_entry(&mut self.bundle, entry)?;
        self.frontier.push(leaf);
        if self.frontier.size().is_multiple_of(u64::from(TILE_WIDTH)) {
            let path = TilePath::full(TileKind::Entries, self.frontier.size() / 256 - 1);
            full.push(TileFile { path, bytes: mem::take(&mut self.bundle) });
        }
        self.push_hash(leaf, full);
        Ok(())
    }

    /// The partial tiles and the partial bundle of the log as it stands.
    #[must_use]
    pub fn partial(&self) -> Vec<TileFile> {
        let size = self.frontier.size();
        let tiles = self.levels.iter().zip(0_u8..).filter_map(|(hashes, level)| {
            let path = partial_path(TileKind::Hashes(level), size)?;
            Some(TileFile { path, bytes: encode_hashes(hashes) })
        });
        let bundle = partial_path(TileKind::Entries, size)
            .map(|path| TileFile { path, bytes: self.bundle.clone() });
        tiles.chain(bundle).collect()
    }

    /// Adds a hash to level 0, and the root of each tile that it fills to the level above.
    fn push_hash(&mut self, leaf: Digest, full: &mut Vec<TileFile>) {
        let mut hash = leaf;
        let mut level = 0_u8;
        loop {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::with_capacity(usize::from(TILE_WIDTH)));
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else { return };
            hashes.push(hash);
            if hashes.len() < usize::from(TILE_WIDTH) {
                return;
            }
            let count = self.frontier.size() >> (u32::from(level) * super::TILE_HEIGHT);
            let path = TilePath::full(TileKind::Hashes(level), count / 256 - 1);
            full.push(TileFile { path, bytes: encode_hashes(hashes) });
            hash = super::hashes::perfect_root(hashes);
            hashes.clear();
            level += 1;
        }
    }
}

/// The path of the last tile of a kind, when it is partial.
fn partial_path(kind: TileKind, size: u64) -> Option<TilePath> {
    let level = match kind {
        TileKind::Hashes(level) => u32::from(level),
        TileKind::Entries => 0,
    };
    let count = size >> (level * super::TILE_HEIGHT);
    TilePath::in_log(kind, count / u64::from(TILE_WIDTH), size)
}
