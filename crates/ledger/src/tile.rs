//! Tiles and entry bundles (<https://c2sp.org/tlog-tiles>): the log as files that never change.

mod builder;
mod hashes;
mod path;

use pathwarden_types::Digest;

pub use builder::{Builder, TileFile};
pub use hashes::TileHashes;
pub use path::{TileKind, TilePath};

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// Tree levels that one tile spans.
const TILE_HEIGHT: u32 = 8;

/// The largest entry, in bytes: a bundle writes lengths in 16 bits.
pub const ENTRY_BYTES_MAX: usize = u16::MAX as usize;

/// Why a tile or bundle cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TileError {
    /// The path is not one that a log has.
    #[error("`{text}` is not the path of a tile")]
    Path {
        /// The path.
        text: String,
    },
    /// The number of hashes or entries is not the width in the path.
    #[error("the tile `{path}` does not hold what its path says")]
    Width {
        /// Its path.
        path: TilePath,
    },
    /// An entry is longer than a bundle can hold.
    #[error(
        "an entry of {bytes} bytes does not fit into a bundle, which holds up to {ENTRY_BYTES_MAX}"
    )]
    Entry {
        /// Its length.
        bytes: usize,
    },
}

/// The bytes of a tile of `hashes`.
#[must_use]
pub fn encode_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The hashes of the tile at `path`.
///
/// # Errors
/// When `bytes` does not hold exactly as many hashes as the path says.
pub fn decode_hashes(path: &TilePath, bytes: &[u8]) -> Result<Vec<Digest>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<{ Digest::BYTES }>();
    if !rest.is_empty() || hashes.len() != usize::from(path.width()) {
        return Err(TileError::Width { path: *path });
    }
    Ok(hashes.iter().map(|hash| Digest::from_bytes(*hash)).collect())
}

/// Appends one entry to the bytes of a bundle.
///
/// # Errors
/// When the entry is too long.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(entry.len()).map_err(|_| TileError::Entry { bytes: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of the bundle at `path`.
///
/// # Errors
/// When `bytes` does not hold exactly as many entries as the path says.
pub fn decode_entries<'a>(path: &TilePath, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, TileError> {
    let wrong = || TileError::Width { path: *path };
    let mut entries = Vec::with_capacity(usize::from(path.width()));
    let mut rest = bytes;
    for _ in 0..path.width() {
        let (length, after) = rest.split_first_chunk::<2>().ok_or_else(wrong)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or_else(wrong)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(wrong()) }
}
