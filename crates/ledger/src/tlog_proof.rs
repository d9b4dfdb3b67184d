//! Proofs that can be handed out (<https://c2sp.org/tlog-proof>): one text file that shows, with the
//! log's public key alone, that an entry is in the log.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pathwarden_types::Digest;

use crate::checkpoint::{Checkpoint, CheckpointError, decimal, hash};
use crate::note::{NOTE_BYTES_MAX, VerifierKey};
use crate::tree::{PROOF_HASHES_MAX, verify_inclusion};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// The largest proof that is read, in bytes.
pub const PROOF_BYTES_MAX: usize = 2 * NOTE_BYTES_MAX + 128 * 1024;

/// Why a text is not a proof, or does not prove anything.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Not the format.
    #[error("not a tlog-proof: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// Its checkpoint is not believed.
    #[error("the checkpoint in the proof is not believed")]
    Checkpoint {
        /// Why not.
        #[source]
        source: CheckpointError,
    },
    /// The hashes do not lead from the entry to the root.
    #[error("the entry is not in the log at index {index}")]
    NotIncluded {
        /// The index in the proof.
        index: u64,
    },
}

/// The parts of a `.tlog-proof`, read but not verified. `Display` prints exactly what parses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlogProof {
    index: u64,
    hashes: Vec<Digest>,
    extra: Option<Vec<u8>>,
    checkpoint: String,
}

impl TlogProof {
    /// The proof that `hashes` lead from the entry at `index` to the root in `checkpoint`.
    #[must_use]
    pub fn new(index: u64, hashes: Vec<Digest>, checkpoint: &Checkpoint) -> Self {
        Self { index, hashes, extra: None, checkpoint: checkpoint.text().to_owned() }
    }

    /// The same proof with the entry itself as extra bytes, so that one file shows what was logged
    /// and that it was.
    #[must_use]
    pub fn carrying(self, entry: Vec<u8>) -> Self {
        Self { extra: Some(entry), ..self }
    }

    /// The index of the entry, as the proof claims it.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Extra bytes that came along. Nothing vouches for them.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Checks that the leaf is in the log that `key` signs for, and gives the checkpoint that says so.
    ///
    /// # Errors
    /// When the checkpoint is not signed by `key`, or the leaf is not under its root.
    pub fn verify(&self, leaf: &Digest, key: &VerifierKey) -> Result<Checkpoint, ProofError> {
        let checkpoint = Checkpoint::verify(&self.checkpoint, key)
            .map_err(|source| ProofError::Checkpoint { source })?;
        let (size, root) = (checkpoint.size(), checkpoint.root());
        if verify_inclusion(leaf, self.index, size, &self.hashes, &root) {
            Ok(checkpoint)
        } else {
            Err(ProofError::NotIncluded { index: self.index })
        }
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = |what| ProofError::Malformed { what };
        if text.len() > PROOF_BYTES_MAX {
            return Err(malformed("it is too long"));
        }
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(malformed("it has no checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed("its first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let extra = lines
            .next_if(|line| line.starts_with("extra "))
            .and_then(|line| line.strip_prefix("extra "))
            .map(|line| STANDARD.decode(line).map_err(|_| malformed("`extra` is not base64")))
            .transpose()?;
        let index = lines
            .next()
            .and_then(|line| decimal(line.strip_prefix("index ")?))
            .ok_or(malformed("it has no line `index N`"))?;
        let hashes: Vec<Digest> = lines
            .take(PROOF_HASHES_MAX + 1)
            .map(|line| hash(line).ok_or(malformed("a line is not a base64 SHA-256 digest")))
            .collect::<Result<_, _>>()?;
        if hashes.len() > PROOF_HASHES_MAX {
            return Err(malformed("it has too many hashes"));
        }
        Ok(Self { index, hashes, extra, checkpoint: checkpoint.to_owned() })
    }
}
