//! The Merkle tree of RFC 6962, section 2.1, with SHA-256.
//!
//! A *node* `(level, index)` is the root of the perfect subtree over the leaves
//! `index << level .. (index + 1) << level`. Proofs are built from nodes that a function looks up, so
//! that they work on tiles, on memory, or on anything else that knows the nodes of a log.

mod consistency;
mod frontier;
mod inclusion;

use pathwarden_types::Digest;

pub use consistency::{prove_consistency, verify_consistency};
pub use frontier::Frontier;
pub use inclusion::{prove_inclusion, verify_inclusion};

/// The most hashes in any proof: a tree of fewer than 2^64 leaves is no higher.
pub const PROOF_HASHES_MAX: usize = 64;

const LEAF: &[u8] = &[0];
const NODE: &[u8] = &[1];

/// The hash of a leaf with the bytes `entry`.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[LEAF, entry])
}

/// The hash of an inner node.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[NODE, left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// The root over the leaves `start..end`, where `start` is where a subtree of that size may start.
fn range_root<E>(
    start: u64,
    end: u64,
    node: &mut impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Digest, E> {
    let mut start = start;
    let mut perfect = Vec::new();
    while start < end {
        let level = (end - start).ilog2();
        perfect.push(node(level, start >> level)?);
        start += 1 << level;
    }
    Ok(fold_right(&perfect))
}

/// Joins the roots of perfect subtrees, which stand from the largest to the smallest.
fn fold_right(perfect: &[Digest]) -> Digest {
    let mut roots = perfect.iter().rev();
    let Some(last) = roots.next() else { return empty_root() };
    roots.fold(*last, |right, left| node_hash(left, &right))
}

/// Where a tree over `count` leaves splits: the largest power of two smaller than `count`, which must
/// be at least 2.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}
