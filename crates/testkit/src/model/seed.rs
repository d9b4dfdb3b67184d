//! Ids that follow from what they are for: the same request gets the same ids again.

use std::hash::{DefaultHasher, Hash, Hasher};

const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Letters taken from one hash: 62 to the tenth is less than two to the 64th.
const LETTERS_OF_A_HASH: usize = 10;

/// What ids are made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(u64);

impl Seed {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(hash(&bytes))
    }

    /// `length` letters and digits for `purpose`.
    pub(super) fn letters(self, purpose: &str, length: usize) -> String {
        let mut text = String::with_capacity(length);
        for round in 0..=length / LETTERS_OF_A_HASH {
            let mut rest = hash(&(self.0, purpose, round));
            for _ in 0..LETTERS_OF_A_HASH.min(length - text.len()) {
                let place = usize::try_from(rest % 62).unwrap_or(0);
                text.push(char::from(LETTERS.get(place).copied().unwrap_or(b'a')));
                rest /= 62;
            }
        }
        text
    }

    /// An id as vendors write them: a prefix and `length` letters, for the thing of this number.
    pub(super) fn id(self, prefix: &str, place: usize, length: usize) -> String {
        format!("{prefix}{}", self.letters(&format!("{prefix}{place}"), length))
    }
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
