//! Signed notes (<https://c2sp.org/signed-note>) with Ed25519 keys.

mod key;
mod signer;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use key::{KeyError, VerifierKey};
pub use signer::Signer;

/// The largest note that is read, in bytes: a checkpoint with sixteen post-quantum cosignatures fits.
pub const NOTE_BYTES_MAX: usize = 128 * 1024;

/// The most signature lines that are read. The specification asks for at least 16.
pub const SIGNATURES_MAX: usize = 64;

/// The signature type byte of plain Ed25519 signatures.
const ED25519: u8 = 0x01;

/// What separates the text of a note from its signatures, and starts each signature line.
const SIGNATURES_START: &str = "\n\n\u{2014} ";
const SIGNATURE_LINE_START: &str = "\u{2014} ";

/// Why a note is not believed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Larger than [`NOTE_BYTES_MAX`].
    #[error("the note is {bytes} bytes long, more than the {NOTE_BYTES_MAX} that are read")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not the shape of a signed note.
    #[error("not a signed note: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// No signature line names the pinned key.
    #[error("the note is not signed by the key `{key}`; check that the right key file is used")]
    NotSigned {
        /// Name and id of the pinned key.
        key: String,
    },
    /// A signature line names the pinned key and its signature is wrong.
    #[error("the signature by the key `{key}` does not match the text of the note")]
    BadSignature {
        /// Name and id of the pinned key.
        key: String,
    },
}

/// One signature line, not yet verified.
struct Signature<'a> {
    name: &'a str,
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// The text of `note` (with its final newline), once a signature by `key` was verified. Signatures by
/// other keys are ignored; a wrong one by `key` refuses the note even beside a right one.
///
/// # Errors
/// When the note is malformed, not signed by `key`, or wrongly signed by it.
pub fn verify<'a>(note: &'a str, key: &VerifierKey) -> Result<&'a str, NoteError> {
    let (text, signatures) = parse(note)?;
    let mut ours = 0_usize;
    for signature in &signatures {
        if signature.name == key.name() && signature.id == key.id() {
            if !key.verify(text.as_bytes(), &signature.bytes) {
                return Err(NoteError::BadSignature { key: key.label() });
            }
            ours += 1;
        }
    }
    if ours == 0 { Err(NoteError::NotSigned { key: key.label() }) } else { Ok(text) }
}

fn parse(note: &str) -> Result<(&str, Vec<Signature<'_>>), NoteError> {
    let malformed = |what| NoteError::Malformed { what };
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong { bytes: note.len() });
    }
    if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(malformed("it holds a control character"));
    }
    let at = note.rfind(SIGNATURES_START).ok_or(malformed("it has no signatures"))?;
    let (text, rest) = note.split_at_checked(at + 1).ok_or(malformed("it has no signatures"))?;
    let lines = rest
        .strip_prefix('\n')
        .and_then(|lines| lines.strip_suffix('\n'))
        .ok_or(malformed("its last line does not end"))?;
    if lines.split('\n').count() > SIGNATURES_MAX {
        return Err(malformed("it has too many signatures"));
    }
    let signatures = lines
        .split('\n')
        .map(|line| parse_signature(line).ok_or(malformed("a signature line is wrong")))
        .collect::<Result<_, _>>()?;
    Ok((text, signatures))
}

fn parse_signature(line: &str) -> Option<Signature<'_>> {
    let (name, encoded) = line.strip_prefix(SIGNATURE_LINE_START)?.split_once(' ')?;
    if !key::is_name(name) {
        return None;
    }
    let bytes = STANDARD.decode(encoded).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    Some(Signature { name, id: *id, bytes: signature.to_vec() })
}
