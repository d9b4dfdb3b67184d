//! What a crash leaves behind, and what it never does.

use std::fs;

use pathwarden_ledger::frame::frame_bytes;
use proptest::prelude::*;

use super::{Home, ORIGIN, assert_holds, entry, fill, key, options, signer};
use crate::{OpenError, Signer, Store, VerifierKey};

/// Where the frames of the entry `index` end in the only segment of a test log.
fn end_of(index: u64) -> u64 {
    64 + (0..=index).map(|at| frame_bytes(entry(at).len()) as u64).sum::<u64>()
}

/// How many entries lie wholly before `offset`.
fn whole_before(offset: u64, size: u64) -> u64 {
    (0..size).take_while(|index| end_of(*index) <= offset).count() as u64
}

const PUBLISHED: u64 = 5;
const MORE: u64 = 12;

/// An offset in the part of the log that no checkpoint covers.
fn unpublished_offset() -> impl Strategy<Value = u64> {
    end_of(PUBLISHED - 1)..end_of(PUBLISHED + MORE - 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_cut_tail_leaves_exactly_the_whole_entries(offset in unpublished_offset()) {
        let home = Home::with(PUBLISHED, MORE);
        let file = fs::File::options().write(true).open(home.segment(0)).unwrap();
        file.set_len(offset).unwrap();
        let whole = whole_before(offset, PUBLISHED + MORE);
        let (store, recovered) = home.recover().unwrap();
        prop_assert_eq!(recovered.entries, whole);
        fill(&store, whole..whole + 3);
        assert_holds(&store, whole + 3);
        drop(store);
        assert_holds(&home.open(), whole + 3);
    }

    /// The write reached the disk in parts: from `offset` on there is garbage, or zeros with garbage
    /// after them.
    #[test]
    fn a_garbled_tail_leaves_exactly_the_whole_entries(
        offset in unpublished_offset(), zeros in 0_usize..64, garbage in any::<[u8; 32]>(),
    ) {
        let home = Home::with(PUBLISHED, MORE);
        let mut bytes = fs::read(home.segment(0)).unwrap();
        let at = usize::try_from(offset).unwrap();
        bytes[at] ^= 1 | garbage[0];
        let rest = &mut bytes[at + 1..];
        rest[..zeros].fill(0);
        let garbled = garbage.iter().cycle().zip(rest[zeros..].iter_mut().take(5_000));
        garbled.for_each(|(from, to)| *to ^= *from);
        fs::write(home.segment(0), bytes).unwrap();
        let whole = whole_before(offset, PUBLISHED + MORE);
        let (store, recovered) = home.recover().unwrap();
        prop_assert_eq!(recovered.entries, whole);
        fill(&store, whole..whole + 3);
        drop(store);
        let (store, recovered) = home.recover().unwrap();
        prop_assert_eq!(recovered.truncated_bytes, 0);
        assert_holds(&store, whole + 3);
    }

    #[test]
    fn a_cut_into_what_was_published_refuses(offset in 0..end_of(PUBLISHED - 1)) {
        let home = Home::with(PUBLISHED, MORE);
        let file = fs::File::options().write(true).open(home.segment(0)).unwrap();
        file.set_len(offset).unwrap();
        let error = home.refusal();
        let named = matches!(&error,
            OpenError::Damaged { path, .. } if *path == home.segment(0));
        prop_assert!(named || matches!(error, OpenError::Shorter { .. }), "{error}");
        prop_assert_eq!(fs::metadata(home.segment(0)).unwrap().len(), offset, "it was changed");
    }
}

#[test]
fn what_was_cut_off_is_reported() {
    let home = Home::with(2, 1);
    let mut bytes = fs::read(home.segment(0)).unwrap();
    let end = usize::try_from(end_of(2)).unwrap();
    bytes[end..end + 100].fill(0xaa);
    fs::write(home.segment(0), bytes).unwrap();
    let (_, recovered) = home.recover().unwrap();
    assert_eq!((recovered.entries, recovered.truncated_bytes), (3, 100));
}

#[test]
fn payloads_without_their_entry_are_cut_off() {
    let home = Home::with(2, 0);
    let mut bytes = fs::read(home.segment(0)).unwrap();
    bytes.truncate(usize::try_from(end_of(1)).unwrap());
    let content = b"whole, but its entry never came";
    let digest = pathwarden_types::Digest::of(content);
    pathwarden_ledger::frame::push_payload(&mut bytes, 2, &digest, content).unwrap();
    fs::write(home.segment(0), bytes).unwrap();
    let (store, recovered) = home.recover().unwrap();
    assert_eq!(recovered.entries, 2);
    assert!(recovered.truncated_bytes > 0);
    assert_eq!(store.reader().payload(&digest).unwrap(), None);
    fill(&store, 2..4);
    assert_holds(&store, 4);
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let home = Home::new();
    let first = home.open();
    assert!(matches!(home.refusal(), OpenError::Locked { .. }));
    first.close().unwrap();
    let second = home.open();
    assert!(matches!(home.refusal(), OpenError::Locked { .. }));
    drop(second);
    drop(home.open());
    drop(first);
}

#[test]
fn nothing_is_created_where_there_is_no_log() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("typo");
    let outcome = Store::open(&path, &key(), signer(), options());
    assert!(matches!(outcome.err(), Some(OpenError::Missing { dir }) if dir == path));
    assert!(!path.exists());
}

#[test]
fn wrong_keys_are_refused() {
    let home = Home::with(3, 0);
    let other = || Signer::from_seed(ORIGIN, &[8; 32]).unwrap();
    let other_key = other().verifier_key().clone();
    let open = |key: &VerifierKey, signer| Store::open(&home.log(), key, signer, options()).err();
    assert!(matches!(open(&other_key, other()), Some(OpenError::Checkpoint { .. })));
    assert!(matches!(open(&key(), other()), Some(OpenError::Keys { .. })));
    assert!(matches!(open(&other_key, signer()), Some(OpenError::Keys { .. })));
    let renamed = Signer::from_seed("another.name/log", &[7; 32]).unwrap();
    let renamed_key = renamed.verifier_key().clone();
    assert!(matches!(open(&renamed_key, renamed), Some(OpenError::Checkpoint { .. })));
    assert_holds(&home.open(), 3);
}

/// Rolled back to an older copy of its segments: the checkpoint knows better.
#[test]
fn a_log_shorter_than_its_checkpoint_is_refused() {
    let home = Home::with(3, 0);
    let old = fs::read(home.segment(0)).unwrap();
    let store = home.open();
    fill(&store, 3..6);
    store.close().unwrap();
    drop(store);
    fs::write(home.segment(0), old).unwrap();
    assert!(matches!(home.refusal(), OpenError::Shorter { found: 3, published: 6 }));
}

#[test]
fn a_missing_segment_is_named() {
    let home = Home::new();
    let small = crate::Options { segment_bytes: 512, ..options() };
    let store = home.open_on(std::sync::Arc::new(crate::disk::OsDisk), small);
    fill(&store, 0..60);
    store.close().unwrap();
    drop(store);
    let kept = fs::read(home.segment(1)).unwrap();
    fs::remove_file(home.segment(1)).unwrap();
    assert!(matches!(home.refusal(), OpenError::Io { path, .. } if path == home.segment(1)));
    fs::write(home.segment(1), kept).unwrap();
    assert_holds(&home.open(), 60);
}

/// A sealed segment was whole and durable before the next began, so what is wrong in it is never the
/// trace of an unfinished write, checkpoint or not.
#[test]
fn damage_in_a_sealed_segment_is_never_cut_off() {
    let home = Home::new();
    let small = crate::Options { segment_bytes: 512, ..options() };
    let store = home.open_on(std::sync::Arc::new(crate::disk::OsDisk), small);
    fill(&store, 0..60);
    drop(store);
    super::flip(&home.segment(1), 8 * 200);
    assert!(matches!(home.refusal(), OpenError::Damaged { path, .. } if path == home.segment(1)));
}

#[test]
fn an_unfinished_new_segment_does_not_matter() {
    let home = Home::with(3, 2);
    fs::write(home.path("segments/00000000000000000001.seg.tmp"), b"half a hea").unwrap();
    fs::write(home.path("tile/0/000.tmp"), b"half a tile").unwrap();
    fs::write(home.path("checkpoint.tmp"), b"half a checkpoint").unwrap();
    let store = home.open();
    fill(&store, 5..9);
    assert_holds(&store, 9);
}
