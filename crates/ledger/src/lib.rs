//! The Merkle log as pure functions: tree, tiles, checkpoints, proofs, frames.
//!
//! **What it is for.** Everything about the ledger that is arithmetic: RFC 6962 hashing, the C2SP
//! formats (tlog-tiles, signed-note, tlog-checkpoint, tlog-proof) and the codec of the segment
//! files. `pathwarden-store` carries the bytes to and from the disk.
//!
//! **What it never does.** No files, clock or randomness. No decoder trusts its input: arbitrary
//! bytes give an error, never a panic and never an allocation that the input merely announces.
//!
//! **Where to start.** [`tree::Frontier`] grows a log, [`Checkpoint`] states its size and root under
//! a signature, [`TlogProof`] shows that one entry is in it.

pub mod checkpoint;
pub mod frame;
pub mod note;
pub mod tile;
pub mod tlog_proof;
pub mod tree;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use note::{KeyError, NoteError, Signer, VerifierKey};
pub use tlog_proof::{ProofError, TlogProof};

#[cfg(test)]
mod tests;
