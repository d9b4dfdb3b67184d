//! Policy and settings as one value with one version.

use std::sync::Arc;

use pathwarden_policy::{Bundle, CompileFault, Source};
use pathwarden_types::Digest;
use serde::{Deserialize, Serialize};

use crate::Settings;
use crate::knowledge::{Files, Knowledge, KnowledgeError};

/// Everything that decisions rest on besides the session: swapped whole, never changed.
#[derive(Clone)]
pub struct Snapshot {
    version: Digest,
    bytes: Arc<[u8]>,
    settings: Arc<Settings>,
    knowledge: Arc<Knowledge>,
    bundle: Bundle,
}

/// The payload that a policy version is the digest of.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    settings: Settings,
    sources: Vec<StoredSource>,
    #[serde(default)]
    files: Files,
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
    /// Contracts, lists of threats or baselines cannot be used.
    #[error("what stands beside the policy cannot be used")]
    Knowledge(#[source] KnowledgeError),
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
        Self::build_with(settings, sources, Files::default())
    }

    /// Compiles policy sources, and what an operator brings besides.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Policy`] with every fault; [`SnapshotError::Knowledge`] for the rest.
    pub fn build_with(
        settings: Settings,
        sources: Vec<Source>,
        files: Files,
    ) -> Result<Self, SnapshotError> {
        let stored = Stored {
            settings,
            sources: sources
                .into_iter()
                .map(|source| StoredSource { path: source.path, text: source.text })
                .collect(),
            files,
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
        let knowledge = Knowledge::of(stored.files).map_err(SnapshotError::Knowledge)?;
        let version = Digest::of(&bytes);
        let (settings, knowledge) = (Arc::new(stored.settings), Arc::new(knowledge));
        Ok(Self { version, bytes, settings, knowledge, bundle })
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

    /// What the operator brought besides rules.
    #[must_use]
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }

    /// The compiled policy.
    #[must_use]
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }
}
