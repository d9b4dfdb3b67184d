//! The nodes of a tree, looked up in its tiles.

use std::collections::BTreeMap;

use pathwarden_types::Digest;

use super::{TILE_HEIGHT, TileError, TileKind, TilePath};
use crate::tree::{Frontier, node_hash};

/// Looks nodes up in the tiles of a log of a fixed size. Each tile is read once.
pub struct TileHashes<F> {
    size: u64,
    read: F,
    tiles: BTreeMap<TilePath, Vec<Digest>>,
}

impl<F> TileHashes<F> {
    /// A look-up in the log of `size` entries, whose tiles `read` gives (see
    /// [`decode_hashes`](super::decode_hashes)).
    pub const fn new(size: u64, read: F) -> Self {
        Self { size, read, tiles: BTreeMap::new() }
    }

    /// The node at `(level, index)`, for the functions of [`tree`](crate::tree).
    ///
    /// # Errors
    /// When the log has no such node, or its tile cannot be read.
    pub fn node<E: From<TileError>>(&mut self, level: u32, index: u64) -> Result<Digest, E>
    where
        F: FnMut(&TilePath) -> Result<Vec<Digest>, E>,
    {
        let height = level % TILE_HEIGHT;
        let missing = || TileError::Path { text: format!("node {index} at level {level}") };
        let tile_level = u8::try_from(level / TILE_HEIGHT).map_err(|_| missing())?;
        // The hashes of the tile's level below this node are `first..first + count`.
        let first = index.checked_mul(1 << height).ok_or_else(missing)?;
        let path = TilePath::in_log(TileKind::Hashes(tile_level), first / 256, self.size)
            .ok_or_else(missing)?;
        let start = usize::try_from(first % 256).map_err(|_| missing())?;
        let hashes = self.tile(path)?;
        let below = hashes.get(start..start + (1 << height)).ok_or(TileError::Width { path })?;
        Ok(perfect_root(below))
    }

    fn tile<E>(&mut self, path: TilePath) -> Result<&[Digest], E>
    where
        F: FnMut(&TilePath) -> Result<Vec<Digest>, E>,
    {
        use std::collections::btree_map::Entry;
        match self.tiles.entry(path) {
            Entry::Occupied(tile) => Ok(tile.into_mut()),
            Entry::Vacant(place) => Ok(place.insert((self.read)(&path)?)),
        }
    }
}

/// The root over hashes that are a power of two in number.
pub(super) fn perfect_root(hashes: &[Digest]) -> Digest {
    match hashes {
        [left, right] => node_hash(left, right),
        hashes => {
            let mut frontier = Frontier::new();
            hashes.iter().for_each(|hash| frontier.push(*hash));
            frontier.root()
        }
    }
}
