//! The private half.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{KeyError, VerifierKey};

/// A signing key with its name. It has no `Debug` and never leaves the process.
pub struct Signer {
    key: VerifierKey,
    pair: Ed25519KeyPair,
}

impl Signer {
    /// The key in the PKCS#8 document `der`, under `name`.
    ///
    /// # Errors
    /// When the name cannot stand on a signature line, or `der` is no Ed25519 private key.
    pub fn from_pkcs8(name: &str, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_pair(name, Ed25519KeyPair::from_pkcs8(der).map_err(|_| KeyError::Private)?)
    }

    /// The key that `seed` (32 random bytes) stands for, under `name`.
    ///
    /// # Errors
    /// When the name cannot stand on a signature line.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::Private)?;
        Self::from_pair(name, pair)
    }

    /// The private key as a PKCS#8 document, to be kept in a file that only its owner can read.
    ///
    /// # Errors
    /// When the key cannot be encoded.
    pub fn to_pkcs8(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.pair.to_pkcs8v1().map_err(|_| KeyError::Private)?.as_ref().to_vec())
    }

    /// The public half.
    #[must_use]
    pub const fn verifier_key(&self) -> &VerifierKey {
        &self.key
    }

    /// `text` with the signature block by this key. `text` must end in a newline, which the caller in
    /// this crate sees to.
    pub(crate) fn sign(&self, text: &str) -> String {
        let mut bytes = self.key.id().to_vec();
        bytes.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", self.key.name(), STANDARD.encode(bytes))
    }

    fn from_pair(name: &str, pair: Ed25519KeyPair) -> Result<Self, KeyError> {
        let public = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Private)?;
        Ok(Self { key: VerifierKey::new(name, public)?, pair })
    }
}
