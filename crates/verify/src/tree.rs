//! The Merkle tree of RFC 6962, section 2.1, kept as one row of hashes per tile level.
//!
//! Level `l` holds the hashes of complete subtrees of `256^l` leaves that do not yet fill a tile.
//! When a level has 256 hashes they are folded into one hash of the level above, so memory is
//! 8 KiB per level however long the log is, and each node is hashed exactly once.

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// How many hashes one tile holds (c2sp.org/tlog-tiles: tiles have height 8).
pub(crate) const TILE_WIDTH: u64 = 256;

/// `SHA-256(0x00 || entry)`.
pub(crate) fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0x00]).chain_update(entry).finalize().into()
}

/// `SHA-256(0x01 || left || right)`.
pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([0x01]).chain_update(left).chain_update(right).finalize().into()
}

/// Plain SHA-256 of some bytes, as used for the digest of a payload.
pub(crate) fn content_hash(content: &[u8]) -> Hash {
    Sha256::digest(content).into()
}

/// What a growing tree tells its owner when a tile becomes full.
pub(crate) trait TileSink {
    /// The tile `index` of `level` is complete and holds exactly these 256 hashes.
    fn full_tile(&mut self, level: usize, index: u64, hashes: &[Hash]);
}

/// A tree that grows leaf by leaf and knows its root at every size.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    levels: Vec<Level>,
    size: u64,
}

#[derive(Debug, Default)]
struct Level {
    full_tiles: u64,
    pending: Vec<Hash>,
}

impl Tree {
    /// How many leaves were pushed.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds one leaf hash; every tile that this completes is handed to `sink`, lowest level first.
    pub(crate) fn push(&mut self, leaf: Hash, sink: &mut impl TileSink) {
        self.size += 1;
        let mut carried = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Level::default());
            }
            let Some(row) = self.levels.get_mut(level) else { return };
            row.pending.push(carried);
            if (row.pending.len() as u64) < TILE_WIDTH {
                return;
            }
            sink.full_tile(level, row.full_tiles, &row.pending);
            carried = complete_root(&row.pending);
            row.pending.clear();
            row.full_tiles += 1;
        }
    }

    /// The root hash at the present size. The empty tree's root is the hash of nothing.
    pub(crate) fn root(&self) -> Hash {
        let mut right: Option<Hash> = None;
        for level in &self.levels {
            for peak in peaks(&level.pending).iter().rev() {
                right = Some(right.map_or(*peak, |hash| node_hash(peak, &hash)));
            }
        }
        right.unwrap_or_else(|| content_hash(&[]))
    }

    /// The rightmost, incomplete tiles: level, tile index, hashes. Levels without one are left out.
    pub(crate) fn partial_tiles(&self) -> impl Iterator<Item = (usize, u64, &[Hash])> {
        let rows = self.levels.iter().enumerate();
        rows.filter(|(_, row)| !row.pending.is_empty())
            .map(|(level, row)| (level, row.full_tiles, row.pending.as_slice()))
    }
}

/// Root of a complete subtree; `hashes` is a power of two long.
fn complete_root(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied().unwrap_or_else(|| content_hash(&[]))
}

/// Splits a row into its complete subtrees, largest first, as the binary digits of its length say.
fn peaks(mut hashes: &[Hash]) -> Vec<Hash> {
    let mut peaks = Vec::new();
    while !hashes.is_empty() {
        let largest = 1_usize << hashes.len().ilog2();
        let (subtree, rest) = hashes.split_at(largest);
        peaks.push(complete_root(subtree));
        hashes = rest;
    }
    peaks
}

/// The root that an inclusion proof leads to, or `None` when the proof has the wrong length for
/// this index and size (RFC 9162, section 2.1.3.2, restated: going up, a node is a right child
/// when its position is odd, and has no sibling when it is the last of an even position).
pub(crate) fn root_from_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    siblings: &[Hash],
) -> Option<Hash> {
    let mut last = size.checked_sub(1).filter(|last| index <= *last)?;
    let (mut position, mut hash) = (index, leaf);
    let mut siblings = siblings.iter();
    while last > 0 {
        if position % 2 == 1 {
            hash = node_hash(siblings.next()?, &hash);
        } else if position < last {
            hash = node_hash(&hash, siblings.next()?);
        }
        position /= 2;
        last /= 2;
    }
    siblings.next().is_none().then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl TileSink for Nobody {
        fn full_tile(&mut self, _level: usize, _index: u64, _hashes: &[Hash]) {}
    }

    /// RFC 6962, section 2.1, written as the recursion in its text.
    fn recursive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => content_hash(&[]),
            [one] => *one,
            more => {
                let split = 1_usize << (more.len() - 1).ilog2();
                let (left, right) = more.split_at(split);
                node_hash(&recursive_root(left), &recursive_root(right))
            }
        }
    }

    fn recursive_proof(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() <= 1 {
            return Vec::new();
        }
        let split = 1_usize << (leaves.len() - 1).ilog2();
        let (left, right) = leaves.split_at(split);
        let (mut proof, sibling) = if index < split {
            (recursive_proof(index, left), recursive_root(right))
        } else {
            (recursive_proof(index - split, right), recursive_root(left))
        };
        proof.push(sibling);
        proof
    }

    fn leaves(count: u32) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    #[test]
    fn the_root_at_every_size_is_the_one_of_the_recursive_definition() {
        let leaves = leaves(600);
        let mut tree = Tree::default();
        assert_eq!(tree.root(), recursive_root(&[]));
        for (size, leaf) in leaves.iter().enumerate() {
            tree.push(*leaf, &mut Nobody);
            assert_eq!(Some(tree.root()), leaves.get(..=size).map(recursive_root));
        }
    }

    #[test]
    fn a_tree_past_two_levels_of_tiles_has_the_recursive_root() {
        let leaves = leaves(66_000);
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.push(*leaf, &mut Nobody));
        assert_eq!(tree.root(), recursive_root(&leaves));
        assert_eq!(tree.partial_tiles().count(), 3);
    }

    #[test]
    fn every_inclusion_proof_leads_to_the_root_and_no_altered_one_does() {
        for size in 1..40_u32 {
            let leaves = leaves(size);
            let root = recursive_root(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let mut proof = recursive_proof(index, &leaves);
                let at = index as u64;
                let lead = |proof: &[Hash], at| root_from_inclusion(*leaf, at, size.into(), proof);
                assert_eq!(lead(&proof, at), Some(root));
                assert_ne!(lead(&proof, at + 1), Some(root), "wrong index {at} of {size}");
                proof.push(root);
                assert_eq!(lead(&proof, at), None, "one hash too many");
                proof.truncate(proof.len().saturating_sub(2));
                assert_ne!(lead(&proof, at), Some(root).filter(|_| size > 1), "too short");
            }
        }
    }
}
