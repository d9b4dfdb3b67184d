//! Proofs that one entry is in a log (c2sp.org/tlog-proof), checked with nothing but the file.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::note::{Checkpoint, PinnedKey, hex, parse_decimal, parse_hash};
use crate::tree::{Hash, leaf_hash, root_from_inclusion};

/// Bytes a proof file may have: an entry of 64 KiB in base64, 64 hashes, a checkpoint.
pub(crate) const PROOF_BYTES: u64 = (1 << 17) + super::log::CHECKPOINT_BYTES;

/// A tree of `2^64` leaves is 64 levels deep.
const MAX_HASHES: usize = 64;

/// What a proof that holds shows.
#[derive(Debug)]
pub(crate) struct Proven {
    /// The log.
    pub(crate) origin: String,
    /// The entry's index, counted from 0.
    pub(crate) index: u64,
    /// How many entries the log had.
    pub(crate) size: u64,
    /// The entry itself.
    pub(crate) entry: Vec<u8>,
    /// The entry's leaf hash.
    pub(crate) leaf: Hash,
    /// The proof carries other extra data than the entry that was checked.
    pub(crate) other_extra: bool,
}

/// Checks a proof. `entry` is the exact entry; without it the proof must carry the entry itself as
/// its extra data, which nothing vouches for until the proof has led from it to the signed root.
pub(crate) fn verify(bytes: &[u8], entry: Option<Vec<u8>>, key: &PinnedKey) -> Result<Proven> {
    let text = std::str::from_utf8(bytes).context("the proof is not UTF-8")?;
    let proof = Proof::parse(text)?;
    let other_extra = entry.is_some() && proof.extra.is_some() && entry != proof.extra;
    let entry = entry.or(proof.extra).context(
        "the proof does not carry its entry: give the entry's bytes with `--entry FILE`",
    )?;
    let checkpoint = Checkpoint::parse(proof.checkpoint.as_bytes(), key)
        .context("the proof's checkpoint cannot be used")?;
    checkpoint.vouched.context("the proof's checkpoint is not vouched for")?;
    let (index, size) = (proof.index, checkpoint.size);
    ensure!(index < size, "the proof is for entry {index}, but the log has only {size}");
    let leaf = leaf_hash(&entry);
    let root = root_from_inclusion(leaf, index, size, &proof.hashes).with_context(|| {
        format!("{} hashes are not a path for entry {index} of {size}", proof.hashes.len())
    })?;
    ensure!(
        root == checkpoint.root,
        "the proof leads to root {}, but the checkpoint vouches for {}: this entry is not entry \
         {index} of the log, or the proof was changed",
        hex(&root),
        hex(&checkpoint.root)
    );
    Ok(Proven { origin: checkpoint.origin, index, size, entry, leaf, other_extra })
}

/// The parts of a proof file.
#[derive(Debug)]
struct Proof<'a> {
    extra: Option<Vec<u8>>,
    index: u64,
    hashes: Vec<Hash>,
    checkpoint: &'a str,
}

impl<'a> Proof<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        let rest = text
            .strip_prefix("c2sp.org/tlog-proof@v1\n")
            .context("not a proof: it does not begin with `c2sp.org/tlog-proof@v1`")?;
        let (extra, rest) = match rest.strip_prefix("extra ") {
            Some(rest) => {
                let (extra, rest) = split_line(rest)?;
                (Some(STANDARD.decode(extra).context("the extra data is not base64")?), rest)
            }
            None => (None, rest),
        };
        let (index, rest) = split_line(rest)?;
        let index = index
            .strip_prefix("index ")
            .and_then(parse_decimal)
            .context("the line `index N` is missing or not a plain decimal number")?;
        let (hashes, checkpoint) = split_hashes(rest)?;
        Ok(Self { extra, index, hashes, checkpoint })
    }
}

fn split_hashes(mut rest: &str) -> Result<(Vec<Hash>, &str)> {
    let mut hashes = Vec::new();
    loop {
        let (line, after) = split_line(rest)?;
        rest = after;
        if line.is_empty() {
            return Ok((hashes, rest));
        }
        ensure!(hashes.len() < MAX_HASHES, "the proof has more than {MAX_HASHES} hashes");
        let place = hashes.len() + 1;
        hashes.push(
            parse_hash(line)
                .with_context(|| format!("hash {place} of the proof is not base64 of 32 bytes"))?,
        );
    }
}

fn split_line(text: &str) -> Result<(&str, &str)> {
    text.split_once('\n').context("the proof is cut short")
}
