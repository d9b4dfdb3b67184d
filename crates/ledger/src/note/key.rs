//! The public half: who must have signed.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pathwarden_types::Digest;

/// The longest key name, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 255;

/// Why a text is not a verifier key, or bytes are not a signing key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The name cannot stand on a signature line.
    #[error(
        "`{name}` is not a key name: 1 to {NAME_BYTES_MAX} bytes without spaces, `+` or control characters"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Not `<name>+<8 hex digits>+<base64>`.
    #[error("not a verifier key line: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The private key bytes are no Ed25519 key in PKCS#8.
    #[error("the signing key is not an Ed25519 private key in PKCS#8")]
    Private,
}

/// A public key with its name. `Display` prints the verifier-key line `<name>+<8 hex>+<base64>`, which
/// [`FromStr`] reads back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
    id: [u8; 4],
}

impl VerifierKey {
    /// The key `public` under `name`.
    ///
    /// # Errors
    /// When the name cannot stand on a signature line.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name { name: name.chars().take(NAME_BYTES_MAX).collect() });
        }
        let hash = Digest::of_parts(&[name.as_bytes(), b"\n", &[super::ED25519], &public]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        Ok(Self { name: name.to_owned(), public, id: [a, b, c, d] })
    }

    /// The key name, which is the origin line of the log's checkpoints.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The four bytes that name the key on a signature line.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The 32 bytes of the Ed25519 public key.
    #[must_use]
    pub const fn public_bytes(&self) -> &[u8; 32] {
        &self.public
    }

    pub(super) fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public).verify(text, signature).is_ok()
    }

    /// Name and id, as an error shows them.
    pub(super) fn label(&self) -> String {
        format!("{}+{:08x}", self.name, u32::from_be_bytes(self.id))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut encoded = vec![super::ED25519];
        encoded.extend_from_slice(&self.public);
        write!(f, "{}+{}", self.label(), STANDARD.encode(encoded))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = |what| KeyError::Malformed { what };
        let shape = || malformed("it is not `<name>+<8 hex digits>+<base64>`");
        // The base64 alphabet holds `+`, so the split is from the left; a name holds none.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(shape());
        };
        let bytes =
            STANDARD.decode(encoded).map_err(|_| malformed("its last part is not base64"))?;
        let public = match bytes.split_first() {
            Some((&super::ED25519, public)) => public,
            Some(_) => return Err(malformed("its type is not Ed25519 (0x01)")),
            None => return Err(shape()),
        };
        let public = public.try_into().map_err(|_| malformed("its key is not 32 bytes long"))?;
        let key = Self::new(name, public)?;
        if key.to_string() == text {
            Ok(key)
        } else {
            Err(malformed("its key hash does not belong to its name and key"))
        }
    }
}

/// Whether `name` can stand on a signature line.
pub(super) fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}
