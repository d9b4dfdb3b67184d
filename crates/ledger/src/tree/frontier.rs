//! The right edge of a growing tree.

use pathwarden_types::Digest;

use super::{fold_right, leaf_hash, node_hash};

/// All that is needed to append: the roots of the perfect subtrees a tree consists of, largest first.
/// At most 64 hashes, whatever the size.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Frontier {
    size: u64,
    perfect: Vec<Digest>,
}

impl Frontier {
    /// The tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, perfect: Vec::new() }
    }

    /// The frontier of the tree with `size` leaves, its nodes looked up with `node`.
    ///
    /// # Errors
    /// Whatever `node` gives.
    pub fn load<E>(
        size: u64,
        mut node: impl FnMut(u32, u64) -> Result<Digest, E>,
    ) -> Result<Self, E> {
        let mut perfect = Vec::new();
        let mut start = 0_u64;
        while start < size {
            let level = (size - start).ilog2();
            perfect.push(node(level, start >> level)?);
            start += 1 << level;
        }
        Ok(Self { size, perfect })
    }

    /// Appends the leaf with the bytes `entry`.
    pub fn push_entry(&mut self, entry: &[u8]) {
        self.push(leaf_hash(entry));
    }

    /// Appends a leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.perfect.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.perfect.push(node);
        self.size += 1;
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Digest {
        fold_right(&self.perfect)
    }
}
