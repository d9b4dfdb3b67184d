//! Roots and proofs against an independent implementation, and what must not verify.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof};
use pathwarden_types::Digest;
use proptest::prelude::*;
use sha2::Sha256;

use super::{entry, leaves, nodes, root};
use crate::tree::{
    Frontier, empty_root, leaf_hash, prove_consistency, prove_inclusion, verify_consistency,
    verify_inclusion,
};

const SIZE_MAX: u64 = 300;

fn oracle(size: u64) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    (0..size).for_each(|index| tree.push(entry(index)));
    tree
}

fn bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

fn inclusion(index: u64, size: u64) -> Vec<Digest> {
    let Ok(path) = prove_inclusion(index, size, nodes(&leaves(size)));
    path
}

fn consistency(old: u64, new: u64) -> Vec<Digest> {
    let Ok(path) = prove_consistency(old, new, nodes(&leaves(new)));
    path
}

/// A proof with one bit of one hash turned.
fn flipped(path: &[Digest], bit: usize) -> Vec<Digest> {
    let mut bytes = bytes(path);
    let at = bit / 8 % bytes.len();
    bytes[at] ^= 1 << (bit % 8);
    bytes.chunks(32).map(|hash| Digest::from_bytes(hash.try_into().unwrap())).collect()
}

#[test]
fn the_empty_root_is_the_hash_of_nothing() {
    assert_eq!(Frontier::new().root(), empty_root());
    assert_eq!(
        empty_root().to_string(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn roots_agree_with_the_oracle_at_every_size() {
    let mut tree = oracle(0);
    let mut frontier = Frontier::new();
    for index in 0..SIZE_MAX {
        tree.push(entry(index));
        frontier.push_entry(&entry(index));
        assert_eq!(frontier.root().as_bytes()[..], tree.root().as_bytes()[..], "size {index}");
    }
}

#[test]
fn a_frontier_loaded_from_nodes_is_the_one_that_grew() {
    for size in 0..130 {
        let leaves = leaves(size);
        let mut grown = Frontier::new();
        leaves.iter().for_each(|leaf| grown.push(*leaf));
        assert_eq!(Frontier::load(size, nodes(&leaves)), Ok(grown));
    }
}

#[test]
fn inclusion_proofs_agree_with_the_oracle_and_verify() {
    for size in 1..70 {
        let (tree, leaves) = (oracle(size), leaves(size));
        let root = root(&leaves);
        for index in 0..size {
            let path = inclusion(index, size);
            let theirs = tree.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(bytes(&path), theirs.as_bytes(), "{index} of {size}");
            assert!(verify_inclusion(&leaf_hash(&entry(index)), index, size, &path, &root));
        }
    }
}

#[test]
fn consistency_proofs_agree_with_the_oracle_and_verify() {
    for new in 1..70 {
        let tree = oracle(new);
        for old in 1..new {
            let path = consistency(old, new);
            let theirs = tree.prove_consistency(usize::try_from(new - old).unwrap());
            assert_eq!(bytes(&path), theirs.as_bytes(), "{old} to {new}");
            let roots = (root(&leaves(old)), root(&leaves(new)));
            assert!(verify_consistency(old, &roots.0, new, &roots.1, &path));
        }
    }
}

#[test]
fn the_oracle_verifies_our_proofs() {
    let tree = oracle(77);
    let ours = InclusionProof::<Sha256>::try_from_bytes(bytes(&inclusion(40, 77))).unwrap();
    tree.root().verify_inclusion(&entry(40), 40, &ours).unwrap();
    let ours = ConsistencyProof::<Sha256>::try_from_bytes(bytes(&consistency(50, 77))).unwrap();
    tree.root().verify_consistency(&oracle(50).root(), &ours).unwrap();
}

/// The scenario of CVE-2022-36111 in another log: a history that was rewritten *below* the size a
/// client has seen, and grown past it, shown with a proof that is right in the part it covers.
#[test]
fn a_rewritten_history_is_not_consistent_with_what_was_seen() {
    for (old, new) in [(1, 2), (4, 9), (8, 16), (13, 40)] {
        let seen = root(&leaves(old));
        for rewritten in 0..old {
            let mut forged = leaves(new);
            forged[usize::try_from(rewritten).unwrap()] = leaf_hash(b"never happened");
            let Ok(path) = prove_consistency(old, new, nodes(&forged));
            assert!(!verify_consistency(old, &seen, new, &root(&forged), &path));
        }
    }
}

#[test]
fn equal_sizes_are_consistent_only_with_equal_roots() {
    let (one, other) = (root(&leaves(5)), root(&leaves(6)));
    assert!(verify_consistency(5, &one, 5, &one, &[]));
    assert!(!verify_consistency(5, &one, 5, &other, &[]));
    assert!(!verify_consistency(5, &one, 5, &one, &[one]));
    assert!(!verify_consistency(6, &other, 5, &one, &[]));
    assert!(verify_consistency(0, &empty_root(), 5, &one, &[]));
    assert!(!verify_consistency(0, &other, 5, &one, &[]));
}

#[test]
fn a_proof_of_absurd_length_or_size_is_refused() {
    let leaf = leaf_hash(b"x");
    assert!(!verify_inclusion(&leaf, 0, u64::MAX, &[leaf; 65], &leaf));
    assert!(!verify_inclusion(&leaf, u64::MAX, u64::MAX, &[leaf; 64], &leaf));
    assert!(!verify_inclusion(&leaf, 0, 0, &[], &leaf));
    assert!(!verify_consistency(1, &leaf, u64::MAX, &leaf, &[leaf; 65]));
    assert!(!verify_consistency(u64::MAX - 1, &leaf, u64::MAX, &leaf, &[leaf; 64]));
}

proptest! {
    #[test]
    fn any_flipped_bit_fails_inclusion(size in 2..SIZE_MAX, at: u64, bit: usize) {
        let index = at % size;
        let leaf = leaf_hash(&entry(index));
        let root = root(&leaves(size));
        let path = flipped(&inclusion(index, size), bit);
        prop_assert!(!verify_inclusion(&leaf, index, size, &path, &root));
    }

    #[test]
    fn an_inclusion_proof_fits_one_leaf_at_one_index(
        size in 2..SIZE_MAX, at: u64, other in 0..SIZE_MAX,
    ) {
        let index = at % size;
        prop_assume!(other != index);
        let (path, root) = (inclusion(index, size), root(&leaves(size)));
        let (leaf, wrong) = (leaf_hash(&entry(index)), leaf_hash(&entry(other)));
        prop_assert!(!verify_inclusion(&wrong, index, size, &path, &root));
        prop_assert!(!verify_inclusion(&leaf, other, size, &path, &root));
        prop_assert!(!verify_inclusion(&leaf, index, size, &path[1..], &root));
    }

    #[test]
    fn any_flipped_bit_fails_consistency(new in 3..SIZE_MAX, at: u64, bit: usize) {
        let old = at % (new - 1) + 1;
        let (before, after) = (root(&leaves(old)), root(&leaves(new)));
        let path = flipped(&consistency(old, new), bit);
        prop_assert!(!verify_consistency(old, &before, new, &after, &path));
    }

    #[test]
    fn arbitrary_proofs_never_panic(
        index: u64, size: u64, new: u64, hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let path: Vec<Digest> = hashes.into_iter().map(Digest::from_bytes).collect();
        let leaf = empty_root();
        prop_assert!(!verify_inclusion(&leaf, index, size, &path, &leaf) || path.is_empty());
        let _ = verify_consistency(size, &leaf, new, &leaf, &path);
    }
}
