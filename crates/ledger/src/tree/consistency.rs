//! Proofs that a tree extends an older one: RFC 6962 section 2.1.2, verified as in RFC 9162 section
//! 2.1.4.2.

use pathwarden_types::Digest;

use super::{PROOF_HASHES_MAX, empty_root, node_hash, range_root, split};

/// The proof that the tree of `new` leaves extends its first `old` leaves. Empty when `old` is 0 or
/// `new`, and when there is nothing to prove because `old` is larger.
///
/// # Errors
/// Whatever `node` gives.
pub fn prove_consistency<E>(
    old: u64,
    new: u64,
    mut node: impl FnMut(u32, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    let mut path = Vec::new();
    if old == 0 || old >= new {
        return Ok(path);
    }
    let (mut start, mut end) = (0, new);
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range_root(middle, end, &mut node)?);
            end = middle;
        } else {
            path.push(range_root(start, middle, &mut node)?);
            start = middle;
        }
    }
    // The verifier knows the old root already when it is this subtree.
    if start != 0 {
        path.push(range_root(start, end, &mut node)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether `path` proves that the tree `(new, new_root)` extends the tree `(old, old_root)`.
#[must_use]
pub fn verify_consistency(
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
    path: &[Digest],
) -> bool {
    if old > new || path.len() > PROOF_HASHES_MAX {
        return false;
    }
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return path.is_empty() && *old_root == empty_root();
    }
    let (first, rest) = if old.is_power_of_two() {
        (old_root, path)
    } else {
        match path.split_first() {
            Some(parts) => parts,
            None => return false,
        }
    };
    let skip = (old - 1).trailing_ones();
    climb((old - 1) >> skip, (new - 1) >> skip, first, rest)
        .is_some_and(|(old_found, new_found)| old_found == *old_root && new_found == *new_root)
}

/// Both roots, computed upwards from the subtree `first` that they share.
fn climb(at: u64, last: u64, first: &Digest, rest: &[Digest]) -> Option<(Digest, Digest)> {
    let (mut at, mut last) = (at, last);
    let (mut old, mut new) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            let skip = if at == 0 { 0 } else { at.trailing_zeros() };
            at >>= skip;
            last >>= skip;
        } else {
            new = node_hash(&new, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((old, new))
}
