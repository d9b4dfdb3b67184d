//! Proof that an action was allowed and recorded.

use pathwarden_types::{ActionId, Digest, Obligation, Receipt, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Proof that an action was allowed *and* recorded. Only a [`Gate`](crate::Gate) makes one, and every
/// function that touches the world on an agent's behalf takes one by value.
///
/// ```compile_fail,E0451
/// fn forge(release: pathwarden_decide::Release) -> pathwarden_decide::Permit {
///     pathwarden_decide::Permit { release }
/// }
/// ```
#[derive(Debug)]
#[must_use = "a permit that is not used must be reported as such"]
pub struct Permit {
    release: Release,
}

/// What a permit says, for the way from a node to an enforcement point in another process.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Release {
    /// The action that is let through.
    pub action: ActionId,
    /// Digest of the canonical arguments that were decided.
    pub canonical: Digest,
    /// `allow` or `constrain`.
    pub verdict: Verdict,
    /// What must be done to the arguments first.
    pub obligations: Vec<Obligation>,
    /// Where the decision is recorded.
    pub receipt: Receipt,
}

/// Why what came from the node is not a permit for what was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PermitError {
    /// It is for other arguments.
    #[error("the permit is for other arguments than those asked about")]
    OtherArguments,
    /// Its verdict does not let anything through.
    #[error("the verdict `{0}` lets nothing through")]
    Restrained(Verdict),
}

impl Permit {
    pub(crate) fn new(release: Release) -> Self {
        Self { release }
    }

    /// The permit for what an enforcement point asked, as it came from its node over an
    /// authenticated channel. Nothing else may call this.
    ///
    /// # Errors
    ///
    /// [`PermitError`] when it is not for these arguments, or lets nothing through.
    pub fn received(release: Release, asked: &Digest) -> Result<Self, PermitError> {
        if release.canonical != *asked {
            Err(PermitError::OtherArguments)
        } else if !release.verdict.lets_through() {
            Err(PermitError::Restrained(release.verdict))
        } else {
            Ok(Self { release })
        }
    }

    /// The action that may happen.
    #[must_use]
    pub const fn action(&self) -> ActionId {
        self.release.action
    }

    /// What must be done to the arguments first.
    #[must_use]
    pub fn obligations(&self) -> &[Obligation] {
        &self.release.obligations
    }

    /// What it says, for the way to another process.
    #[must_use]
    pub fn into_release(self) -> Release {
        self.release
    }
}
