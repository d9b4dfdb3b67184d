//! Policy and settings as one value with one version.

use std::sync::Arc;

use pathwarden_policy::{Bundle, CompileFault, Source};
use pathwarden_types::Digest;
use serde::{Deserialize, Serialize};

use crate::Settings;

/// Everything that decisions rest on besides the session: swapped whole, never changed.
#[derive(Clone)]
pub struct Snapshot {
    version: Digest,
    bytes: Arc<[u8]>,
    settings: Arc<Settings>,
    bundle: Bundle,
}

/// The payload that a policy version is the digest of.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    settings: Settings,
    sources: Vec<StoredSource>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StoredSource {
    path: String,
    text: String,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The policy does not compile; every fault, in the order of files.
    #[error("the policy does not compile ({} faults)", .0.len())]
    Policy(Vec<CompileFault>),
    /// The payload is not one that this version reads.
    #[error("the recorded policy cannot be read")]
    Payload(#[source] serde_json::Error),
}

impl Snapshot {
    /// Compiles policy sources.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Policy`] with every fault.
    pub fn build(settings: Settings, sources: Vec<Source>) -> Result<Self, SnapshotError> {
        let stored = Stored {
            settings,
            sources: sources
                .into_iter()
                .map(|source| StoredSource { path: source.path, text: source.text })
                .collect(),
        };
        let bytes = serde_json::to_vec(&stored).map_err(SnapshotError::Payload)?;
        Self::compile(stored, bytes.into())
    }

    /// Reads what [`Snapshot::to_bytes`] gave, as recorded in the ledger.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when it is damaged, or this engine no longer compiles it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let stored = serde_json::from_slice(bytes).map_err(SnapshotError::Payload)?;
        Self::compile(stored, bytes.into())
    }

    fn compile(stored: Stored, bytes: Arc<[u8]>) -> Result<Self, SnapshotError> {
        let sources = stored
            .sources
            .into_iter()
            .map(|source| Source { path: source.path, text: source.text })
            .collect();
        let bundle = Bundle::compile(sources).map_err(SnapshotError::Policy)?;
        let version = Digest::of(&bytes);
        Ok(Self { version, bytes, settings: Arc::new(stored.settings), bundle })
    }

    /// The version that decisions name: the digest of [`Snapshot::to_bytes`].
    #[must_use]
    pub const fn version(&self) -> Digest {
        self.version
    }

    /// The payload from which the snapshot can be made again.
    #[must_use]
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The operator's facts.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The compiled policy.
    #[must_use]
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }
}
