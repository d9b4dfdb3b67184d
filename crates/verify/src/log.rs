//! Checks a whole log directory: checkpoint, tree, segments.

use crate::files::{LogDir, why_unreadable};
use crate::note::{Checkpoint, PinnedKey, hex};
use crate::report::{At, Report};
use crate::tiles::TilePass;
use crate::{segments, tiles};

/// Bytes a checkpoint may have: 64 signatures, of which post-quantum ones reach 5 kB.
pub(crate) const CHECKPOINT_BYTES: u64 = 1 << 19;

/// Checks the log in `log` against the pinned key and, if given, against a checkpoint that was
/// taken from it earlier (its bytes).
pub(crate) fn verify(log: &LogDir, key: &PinnedKey, older: Option<&[u8]>) -> Report {
    let mut report = Report::default();
    let mut bytes = Vec::new();
    if let Err(error) = log.read("checkpoint", CHECKPOINT_BYTES, &mut bytes) {
        let meaning = format!("{}: nothing vouches for this log", why_unreadable(&error));
        report.fault("checkpoint", At::File, meaning);
        return report;
    }
    let Some(checkpoint) = read_checkpoint("checkpoint", &bytes, key, &mut report) else {
        return report;
    };
    let older =
        older.and_then(|bytes| read_checkpoint("older checkpoint", bytes, key, &mut report));
    let older_size = older.as_ref().map(|older| older.size);
    let pass = tiles::check(log, checkpoint.size, older_size, &mut report);
    compare_roots(&checkpoint, &pass, &mut report);
    if let Some(older) = &older {
        compare_older(&checkpoint, older, &pass, &mut report);
    }
    segments::check(log, checkpoint.size, &mut report);
    report.origin = Some(checkpoint.origin);
    report.size = checkpoint.size;
    report.root = hex(&checkpoint.root);
    report
}

/// A checkpoint that can be read but that the key does not vouch for is a fault, and is still used:
/// the rest of the report then says what else was changed.
fn read_checkpoint(
    name: &str,
    bytes: &[u8],
    key: &PinnedKey,
    report: &mut Report,
) -> Option<Checkpoint> {
    match Checkpoint::parse(bytes, key) {
        Ok(checkpoint) => {
            if let Err(error) = &checkpoint.vouched {
                report.fault(name, At::File, format!("{error:#}"));
            }
            Some(checkpoint)
        }
        Err(error) => {
            report.fault(name, At::File, format!("is not a checkpoint: {error:#}"));
            None
        }
    }
}

fn compare_roots(checkpoint: &Checkpoint, pass: &TilePass, report: &mut Report) {
    let root = pass.tree.root();
    if pass.tree.size() == checkpoint.size && root != checkpoint.root {
        let meaning = format!(
            "vouches for root {}, but the entries give {}",
            hex(&checkpoint.root),
            hex(&root)
        );
        report.fault("checkpoint", At::File, meaning);
    }
}

fn compare_older(
    checkpoint: &Checkpoint,
    older: &Checkpoint,
    pass: &TilePass,
    report: &mut Report,
) {
    let name = "older checkpoint";
    if older.size > checkpoint.size {
        let meaning = format!(
            "vouches for {} entries, the log now for {}: {} were taken away",
            older.size,
            checkpoint.size,
            older.size - checkpoint.size
        );
        return report.fault(name, At::File, meaning);
    }
    match pass.older_root {
        Some(root) if root == older.root => report.extends = Some(older.size),
        Some(root) => {
            let meaning = format!(
                "vouches for root {}, but the first {} entries now give {}: history was rewritten",
                hex(&older.root),
                older.size,
                hex(&root)
            );
            report.fault(name, At::File, meaning);
        }
        None => report.fault(name, At::File, "cannot be compared: the log cannot be read so far"),
    }
}
