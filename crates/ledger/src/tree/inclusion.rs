//! Proofs that a leaf is in a tree: RFC 6962 section 2.1.1, verified as in RFC 9162 section 2.1.3.2.

use pathwarden_types::Digest;

use super::{PROOF_HASHES_MAX, node_hash, range_root, split};

/// The audit path of leaf `index` in the tree of `size` leaves, from the leaf's sibling up. Empty when
/// there is no such leaf.
///
/// # Errors
/// Whatever `node` gives.
pub fn prove_inclusion<E>(
    index: u64,
    size: u64,
    mut node: impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    let mut path = Vec::new();
    if index >= size {
        return Ok(path);
    }
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range_root(middle, end, &mut node)?);
            end = middle;
        } else {
            path.push(range_root(start, middle, &mut node)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// Whether `path` proves that `leaf` stands at `index` in the tree of `size` leaves with this `root`.
#[must_use]
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    path: &[Digest],
    root: &Digest,
) -> bool {
    if index >= size || path.len() > PROOF_HASHES_MAX {
        return false;
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            // On the right edge, levels without a sibling are skipped.
            let skip = if at == 0 { 0 } else { at.trailing_zeros() };
            at >>= skip;
            last >>= skip;
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}
