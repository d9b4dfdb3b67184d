//! Checkpoints (<https://c2sp.org/tlog-checkpoint>): size and root of a log, under its signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pathwarden_types::Digest;

use crate::note::{self, NoteError, Signer, VerifierKey};

/// Why a text is not a checkpoint of this log.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note around it is not believed.
    #[error("the checkpoint is refused")]
    Note {
        /// Why not.
        #[source]
        source: NoteError,
    },
    /// The signed text is not origin, size and root.
    #[error("the signed text is not a checkpoint: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// It speaks of another log.
    #[error("the checkpoint is of the log `{found}`, not of `{expected}`")]
    Origin {
        /// The origin line.
        found: String,
        /// The pinned key's name.
        expected: String,
    },
}

/// A checkpoint whose signature was made here or verified: there is no other way to get one.
///
/// ```compile_fail,E0451
/// # use pathwarden_ledger::{Checkpoint, tree::empty_root};
/// let believed = Checkpoint { size: 9, root: empty_root(), text: String::new() };
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    size: u64,
    root: Digest,
    text: String,
}

impl Checkpoint {
    /// Signs size and root. The origin is the signer's name.
    ///
    /// Signing two checkpoints of which neither tree extends the other breaks the log's promise; the
    /// caller sees to it that this cannot happen.
    #[must_use]
    pub fn sign(signer: &Signer, size: u64, root: Digest) -> Self {
        let origin = signer.verifier_key().name();
        let body = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.as_bytes()));
        Self { size, root, text: signer.sign(&body) }
    }

    /// Reads `text`, which must be signed by `key` and have its name as origin.
    ///
    /// # Errors
    /// When the signature is missing or wrong, the text is no checkpoint, or is of another log.
    pub fn verify(text: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let body = note::verify(text, key).map_err(|source| CheckpointError::Note { source })?;
        let (origin, size, root) = parse(body)?;
        if origin != key.name() {
            return Err(CheckpointError::Origin {
                found: origin.to_owned(),
                expected: key.name().to_owned(),
            });
        }
        Ok(Self { size, root, text: text.to_owned() })
    }

    /// The first line: which log this is.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.text.split('\n').next().unwrap_or_default()
    }

    /// The number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree of that size.
    #[must_use]
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// The signed note, as it stands in the file `checkpoint`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Origin, size and root. Extension lines are refused: this log never writes any, and an auditor
/// cannot see what they mean.
fn parse(body: &str) -> Result<(&str, u64, Digest), CheckpointError> {
    let malformed = |what| CheckpointError::Malformed { what };
    let mut lines = body.strip_suffix('\n').unwrap_or(body).split('\n');
    let (Some(origin), Some(size), Some(root), None) =
        (lines.next(), lines.next(), lines.next(), lines.next())
    else {
        return Err(malformed("it does not have exactly three lines"));
    };
    if origin.is_empty() {
        return Err(malformed("its origin is empty"));
    }
    let size = decimal(size).ok_or(malformed("its size is not a decimal number"))?;
    let root = hash(root).ok_or(malformed("its root is not a base64 SHA-256 digest"))?;
    Ok((origin, size, root))
}

/// A decimal number in its only spelling: no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A digest in base64.
pub(crate) fn hash(text: &str) -> Option<Digest> {
    Some(Digest::from_bytes(STANDARD.decode(text).ok()?.try_into().ok()?))
}
