//! What must hold at the end: no checkpoint ever went back, and replay gives the same decisions.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use pathwarden_ledger::tree::Frontier;
use pathwarden_ledger::{Checkpoint, VerifierKey};
use pathwarden_wire::Replay;

use super::view::View;
use crate::node::Home;

/// How many of the kept checkpoints the verifier is asked about, one by one.
const AGAINST: usize = 5;

/// The checkpoints that were published while the node lived and died.
#[derive(Default)]
pub(crate) struct Kept {
    texts: Vec<String>,
}

/// What was looked at.
pub(crate) struct Found {
    pub(crate) checkpoints: usize,
    pub(crate) against: usize,
    pub(crate) replay: Replay,
}

impl Kept {
    /// Keeps the checkpoint that stands in the log now.
    pub(crate) fn keep(&mut self, home: &Home) -> Result<()> {
        let text =
            fs::read_to_string(home.path("ledger/checkpoint")).context("read a checkpoint")?;
        if self.texts.last() != Some(&text) {
            self.texts.push(text);
        }
        Ok(())
    }
}

/// Looks back from a running node.
pub(crate) fn look_back(home: &Home, kept: &Kept, view: &View) -> Result<Found> {
    prefixes(home, kept, view)?;
    let against = against(home, kept)?;
    let replay = replay(home)?;
    Ok(Found { checkpoints: kept.texts.len(), against, replay })
}

/// Every kept checkpoint is signed, none is smaller than the one before, and each names the root of
/// the first entries as they stand in the segments now.
fn prefixes(home: &Home, kept: &Kept, view: &View) -> Result<()> {
    let key = fs::read_to_string(home.path("keys/ledger.vkey")).context("read the key")?;
    let key: VerifierKey = key.trim().parse()?;
    let mut tree = Frontier::new();
    let mut leaves = view.leaves.iter();
    for text in &kept.texts {
        let checkpoint = Checkpoint::verify(text, &key)?;
        let size = checkpoint.size();
        ensure!(tree.size() <= size, "a checkpoint of {size} entries came after a larger one");
        while tree.size() < size {
            tree.push(*leaves.next().context("a checkpoint is larger than the log")?);
        }
        ensure!(tree.root() == checkpoint.root(), "the first {size} entries were changed");
    }
    Ok(())
}

/// The same from the verifier, which shares no code with any of this, for some of them.
fn against(home: &Home, kept: &Kept) -> Result<usize> {
    let every = kept.texts.len().div_ceil(AGAINST).max(1);
    let file = tempfile::NamedTempFile::new().context("make a file")?;
    let path = file.path().to_str().context("a path that is text")?;
    let mut shown = 0;
    for text in kept.texts.iter().step_by(every) {
        fs::write(path, text).context("write a checkpoint")?;
        home.verify(&["--against", path])?.success().context("compare with a checkpoint")?;
        shown += 1;
    }
    Ok(shown)
}

fn replay(home: &Home) -> Result<Replay> {
    let said = home.pathwarden(&["--json", "replay"])?.success().context("replay")?;
    let replay: Replay = serde_json::from_str(&said).context("read what replay found")?;
    ensure!(replay.differences.is_empty(), "replay differs: {:?}", replay.differences);
    let same = replay.identical == replay.decisions && replay.decisions > 0;
    ensure!(same, "replay could not decide everything again: {said}");
    Ok(replay)
}
