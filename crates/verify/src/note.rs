//! Signed notes (c2sp.org/signed-note) and the checkpoints in them (c2sp.org/tlog-checkpoint).

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::tree::Hash;

/// Signature type byte of a plain Ed25519 note signature.
const ED25519: u8 = 0x01;

/// Signatures read from one note; the specification asks for at least 16.
const MAX_SIGNATURES: usize = 64;

/// What every signature line begins with: em dash, space.
const SIGNATURE_MARK: &str = "\u{2014} ";

/// The one key whose signature counts: pinned by the person who verifies.
#[derive(Debug)]
pub(crate) struct PinnedKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl PinnedKey {
    /// Reads `<name>+<8 hex digits>+<base64 of 0x01 and the public key>`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            bail!(
                "a verifier key reads `name+12345678+base64`, this one has fewer than three parts"
            );
        };
        ensure!(is_key_name(name), "the key name is empty or holds a space");
        let bytes = STANDARD.decode(encoded).context("the key's last part is not base64")?;
        let Some((&ED25519, public)) = bytes.split_first() else {
            bail!("not an Ed25519 key (signature type 0x01)");
        };
        let public = public.try_into().context("an Ed25519 public key has 32 bytes")?;
        let key = VerifyingKey::from_bytes(public).context("not a point on the curve")?;
        let computed = key_id(name, public);
        ensure!(
            u32::from_str_radix(id, 16).ok().filter(|_| id.len() == 8)
                == Some(u32::from_be_bytes(computed)),
            "the key hash `{id}` does not belong to this name and key: a typing error, or a forgery"
        );
        Ok(Self { name: name.to_owned(), id: computed, key })
    }

    /// Holds when the note carries a valid signature by this key, and none by it that is invalid.
    fn verify(&self, note: &Note<'_>) -> Result<()> {
        let mut valid = false;
        for line in &note.signatures {
            if line.name == self.name && line.id == self.id {
                let signature = Signature::from_slice(&line.signature)
                    .context("the signature by the pinned key is not 64 bytes long")?;
                self.key
                    .verify_strict(note.text.as_bytes(), &signature)
                    .ok()
                    .context("the signature does not fit the text: one of the two was changed")?;
                valid = true;
            }
        }
        ensure!(valid, "{}", self.absent_signature(note));
        Ok(())
    }

    fn absent_signature(&self, note: &Note<'_>) -> String {
        let signers: Vec<_> = note
            .signatures
            .iter()
            .map(|line| format!("`{}` {}", line.name, hex(&line.id)))
            .collect();
        format!(
            "not signed by the pinned key `{}` {}, but by {}",
            self.name,
            hex(&self.id),
            signers.join(", ")
        )
    }
}

/// A note taken apart, nothing in it verified yet.
#[derive(Debug)]
struct Note<'a> {
    text: &'a str,
    signatures: Vec<SignatureLine<'a>>,
}

#[derive(Debug)]
struct SignatureLine<'a> {
    name: &'a str,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl<'a> Note<'a> {
    fn parse(note: &'a str) -> Result<Self> {
        ensure!(
            !note.bytes().any(|byte| byte < b' ' && byte != b'\n'),
            "holds a control character"
        );
        let split = note.rfind("\n\n").context("has no blank line before its signatures")?;
        let (text, rest) = note.split_at_checked(split + 1).context("is cut short")?;
        let body = rest.strip_prefix('\n').unwrap_or_default();
        let lines = body.strip_suffix('\n').context("does not end with a line break")?.split('\n');
        let signatures: Vec<_> =
            lines.take(MAX_SIGNATURES + 1).map(SignatureLine::parse).collect::<Result<_>>()?;
        ensure!(signatures.len() <= MAX_SIGNATURES, "has more than {MAX_SIGNATURES} signatures");
        Ok(Self { text, signatures })
    }
}

impl<'a> SignatureLine<'a> {
    fn parse(line: &'a str) -> Result<Self> {
        let rest = line.strip_prefix(SIGNATURE_MARK).context("a signature line lacks its dash")?;
        let (name, encoded) =
            rest.split_once(' ').context("a signature line lacks its key name")?;
        ensure!(is_key_name(name), "a signature line has an invalid key name");
        let bytes = STANDARD.decode(encoded).context("a signature is not base64")?;
        let (id, signature) = bytes.split_first_chunk().context("a signature is cut short")?;
        Ok(Self { name, id: *id, signature: signature.to_vec() })
    }
}

/// A checkpoint as its text says it; whether its signature holds is a separate answer, so that a
/// badly signed log can still be searched for the place where it was changed.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// Which log this is.
    pub(crate) origin: String,
    /// How many entries the log had.
    pub(crate) size: u64,
    /// The Merkle root over them.
    pub(crate) root: Hash,
    /// Whether the pinned key vouches for the three fields above, and if not, why.
    pub(crate) vouched: Result<()>,
}

impl Checkpoint {
    /// Reads a checkpoint and checks its signature and origin against the pinned key.
    pub(crate) fn parse(bytes: &[u8], key: &PinnedKey) -> Result<Self> {
        let note = Note::parse(std::str::from_utf8(bytes).context("is not UTF-8")?)?;
        let mut lines = note.text.split_terminator('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            bail!("has fewer than three lines");
        };
        ensure!(!origin.is_empty(), "has an empty origin line");
        ensure!(lines.all(|line| !line.is_empty()), "has an empty extension line");
        let size = parse_decimal(size).context("the size is not a plain decimal number")?;
        let root = parse_hash(root).context("the root is not the base64 of 32 bytes")?;
        let vouched = key.verify(&note).and_then(|()| {
            ensure!(
                origin == key.name,
                "the origin is `{origin}`, but the pinned key is for `{}`",
                key.name
            );
            Ok(())
        });
        Ok(Self { origin: origin.to_owned(), size, root, vouched })
    }
}

/// A decimal number without sign or leading zeros.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// 32 bytes in base64.
pub(crate) fn parse_hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let digest: Hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', ED25519])
        .chain_update(public)
        .finalize()
        .into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the specification of the Go checksum database's note package.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const QUOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn verify(key: &str, note: &str) -> Result<()> {
        PinnedKey::parse(key)?.verify(&Note::parse(note)?)
    }

    #[test]
    fn a_published_note_verifies_with_its_published_key() {
        assert!(verify(PETER, QUOTE).is_ok());
    }

    #[test]
    fn altered_notes_and_keys_are_refused() {
        let cases = [
            (PETER.to_owned(), QUOTE.replace("answer", "Answer")),
            (PETER.to_owned(), QUOTE.replace("x08go/ZJ", "x08go/ZK")),
            (PETER.to_owned(), QUOTE.replace("\u{2014} Peter", "\u{2014} Petra")),
            (PETER.to_owned(), QUOTE.replace("\n\n", "\n")),
            (PETER.to_owned(), QUOTE.replace("think", "think\t")),
            (PETER.to_owned(), QUOTE.trim_end().to_owned()),
            (PETER.replace("c74f20a3", "c74f20a4"), QUOTE.to_owned()),
            (PETER.replace("+c74f20a3+", "+"), QUOTE.to_owned()),
            (PETER.replace("ARpc", "Ahpc"), QUOTE.to_owned()),
        ];
        for (key, note) in cases {
            assert!(verify(&key, &note).is_err(), "{key}\n{note}");
        }
    }

    #[test]
    fn decimals_have_one_spelling() {
        assert_eq!(
            ["0", "17", "00", "017", "+1", "-1", "", "18446744073709551616"].map(parse_decimal),
            [Some(0), Some(17), None, None, None, None, None, None]
        );
    }
}
