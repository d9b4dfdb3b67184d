//! One turned bit, in each class of file, in turn.

use std::fs;

use pathwarden_ledger::frame::{SEGMENT_HEADER_BYTES, push_entry, push_payload};
use pathwarden_types::Digest;

use super::{Home, assert_holds, entry, fill, flip};
use crate::{Append, OpenError, ReadError};

const SIZE: u64 = 300;

/// A closed, fully published log whose first entry came with a payload.
fn home() -> Home {
    let home = Home::new();
    let store = home.open();
    let first = Append { entry: entry(0), payloads: vec![vec![8; 3_000]] };
    let _ = store.append(first).unwrap().wait().unwrap();
    fill(&store, 1..SIZE);
    store.close().unwrap();
    home
}

/// Flips bits of a file one at a time, and asserts that opening refuses each for the same reason.
fn refused(
    home: &Home,
    file: &str,
    bits: impl Iterator<Item = u64>,
    reason: fn(&OpenError) -> bool,
) {
    let path = home.path(file);
    for bit in bits {
        flip(&path, bit);
        let error = home.refusal();
        assert!(reason(&error), "bit {bit} of {file}: {error}");
        flip(&path, bit);
    }
    assert_holds(&home.open(), SIZE);
}

#[test]
fn a_bit_of_the_checkpoint() {
    let home = home();
    let bits = fs::metadata(home.path("checkpoint")).unwrap().len() * 8;
    // A bit can also make the text no text at all.
    refused(&home, "checkpoint", (0..bits).step_by(7), |error| {
        matches!(error, OpenError::Checkpoint { .. } | OpenError::Io { .. })
    });
}

#[test]
fn a_bit_of_a_tile() {
    for file in ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"] {
        refused(&home(), file, (0..256).step_by(31), |error| {
            matches!(error, OpenError::Tile { .. })
        });
    }
}

#[test]
fn a_bit_of_an_entry_bundle() {
    for file in ["tile/entries/000", "tile/entries/001.p/44"] {
        refused(&home(), file, (0..300).step_by(31), |error| {
            matches!(error, OpenError::Tile { .. })
        });
    }
}

#[test]
fn a_missing_tile_or_bundle() {
    for file in ["tile/0/000", "tile/0/001.p/44", "tile/entries/000", "tile/1/000.p/1"] {
        let home = home();
        fs::remove_file(home.path(file)).unwrap();
        let error = home.refusal();
        assert!(matches!(error, OpenError::Tile { path, .. } if path == home.path(file)));
    }
}

#[test]
fn a_bit_of_a_segment_header_payload_or_entry_frame() {
    let written = crate::recover::written_after(&home().segment(0), 0).unwrap();
    let header = (0..SEGMENT_HEADER_BYTES as u64 * 8).step_by(61);
    let payload = (512..3_100 * 8).step_by(1_001);
    let entries = (3_200 * 8..written * 8).step_by(5_003);
    refused(
        &home(),
        "segments/00000000000000000000.seg",
        header.chain(payload).chain(entries),
        |error| matches!(error, OpenError::Damaged { .. }),
    );
}

/// Someone who can also compute checksums changes an entry.
#[test]
fn an_entry_changed_with_its_checksum() {
    let home = Home::with(5, 0);
    let mut bytes = fs::read(home.segment(0)).unwrap();
    let mut forged = Vec::new();
    let other = vec![9; entry(0).len()];
    push_entry(&mut forged, 0, &other).unwrap();
    bytes[SEGMENT_HEADER_BYTES..][..forged.len()].copy_from_slice(&forged);
    fs::write(home.segment(0), bytes).unwrap();
    assert!(matches!(home.refusal(), OpenError::Inconsistent { published: 5 }));
}

/// Someone who can also compute checksums changes a payload: its digest, which an entry vouches for,
/// does not match.
#[test]
fn a_payload_changed_with_its_checksum() {
    let home = home();
    let mut bytes = fs::read(home.segment(0)).unwrap();
    let (content, other) = (vec![8; 3_000], vec![9; 3_000]);
    let mut forged = Vec::new();
    push_payload(&mut forged, 0, &Digest::of(&content), &other).unwrap();
    bytes[SEGMENT_HEADER_BYTES..][..forged.len()].copy_from_slice(&forged);
    fs::write(home.segment(0), bytes).unwrap();
    let read = home.open().reader().payload(&Digest::of(&content));
    assert!(matches!(read, Err(ReadError::Damaged { .. })), "{read:?}");
}

/// Damage that comes while the log is open is found by the read or the proof that meets it.
#[test]
fn damage_under_an_open_log_is_never_returned() {
    let home = Home::with(40, 0);
    let store = home.open();
    let reader = store.reader();
    let entry_20 = fs::read(home.segment(0)).unwrap().windows(8).position(|at| at == b"entry 20");
    flip_in_place(&home.segment(0), entry_20.unwrap());
    assert!(matches!(reader.entry(20), Err(ReadError::Damaged { .. })));
    assert!(reader.proof(20).is_err());
    assert!(reader.entries(0..40).any(|item| item.is_err()));
    assert_eq!(reader.entry(21).unwrap(), Some(entry(21)));
    flip_in_place(&home.path("tile/0/000.p/40"), 100);
    assert!(reader.proof(0).is_err());
}

/// Writes into the file that is there, as a rotten disk would: not a new one in its place.
fn flip_in_place(path: &std::path::Path, at: usize) {
    use std::os::unix::fs::FileExt as _;
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at as u64).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at as u64).unwrap();
}
