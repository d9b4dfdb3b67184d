//! Laws and attacks, per module.

mod formats;
mod frames;
mod proofs;
mod tiles;

use std::convert::Infallible;

use pathwarden_types::Digest;

use crate::Signer;
use crate::tree::{Frontier, leaf_hash};

const ORIGIN: &str = "pathwarden.local/0badcafe";

/// The entry that stands at `index` in every test log.
fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn leaves(size: u64) -> Vec<Digest> {
    (0..size).map(|index| leaf_hash(&entry(index))).collect()
}

fn root(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::new();
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    frontier.root()
}

/// A node look-up that knows all leaves.
fn nodes(leaves: &[Digest]) -> impl FnMut(u32, u64) -> Result<Digest, Infallible> {
    |level, index| {
        let start = usize::try_from(index << level).unwrap();
        Ok(root(&leaves[start..start + (1 << level)]))
    }
}

fn signer(seed: u8) -> Signer {
    Signer::from_seed(ORIGIN, &[seed; 32]).unwrap()
}
