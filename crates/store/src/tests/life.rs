//! A log in good health.

use std::sync::Arc;
use std::thread;

use pathwarden_types::{Digest, Mode};
use proptest::prelude::*;

use super::{Home, ORIGIN, append, assert_holds, entry, fill, keys_of, options, signer};
use crate::{Append, AppendError, CreateError, IndexKey, Options, PublishError, create};

#[test]
fn what_is_appended_is_read_and_proved_now_and_after_a_restart() {
    let home = Home::new();
    let store = home.open();
    let receipts = fill(&store, 0..600);
    for (index, receipt) in (0..).zip(receipts) {
        assert_eq!((receipt.index, receipt.mode), (Some(index), Mode::Strict));
        assert_eq!(receipt.leaf, pathwarden_types::Receipt::leaf_of(&entry(index)));
    }
    assert_holds(&store, 600);
    assert_eq!(store.close().unwrap().size(), 600);
    drop(store);
    let (store, recovered) = home.recover().unwrap();
    assert_eq!((recovered.entries, recovered.truncated_bytes), (600, 0));
    assert!(!recovered.index_rebuilt);
    fill(&store, 600..700);
    assert_holds(&store, 700);
}

#[test]
fn waiting_inside_a_runtime_does_not_run_out_of_its_budget() {
    let home = Home::new();
    let store = home.open();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // More than the budget of a task, which is 128.
    let receipts = runtime.block_on(async { fill(&store, 0..300) });
    assert_eq!(receipts.len(), 300);
    assert_holds(&store, 300);
}

#[test]
fn entries_read_back_across_many_small_segments() {
    let home = Home::new();
    let small = Options { segment_bytes: 512, ..options() };
    let store = home.open_on(Arc::new(crate::disk::OsDisk), small);
    fill(&store, 0..200);
    assert_holds(&store, 200);
    drop(store);
    assert!(home.segment(10).exists());
    assert_holds(&home.open(), 200);
}

#[test]
fn an_append_larger_than_a_segment_gets_one_of_its_own() {
    let home = Home::new();
    let small = Options { segment_bytes: 512, ..options() };
    let store = home.open_on(Arc::new(crate::disk::OsDisk), small);
    let content = vec![3; 100_000];
    fill(&store, 0..3);
    let large = Append { entry: entry(3), payloads: vec![content.clone()] };
    assert_eq!(store.append(large).unwrap().wait().unwrap().index, Some(3));
    fill(&store, 4..8);
    assert_eq!(store.reader().payload(&Digest::of(&content)).unwrap(), Some(content));
    assert_holds(&store, 8);
    drop(store);
    assert_holds(&home.open(), 8);
}

#[test]
fn payloads_are_kept_once_and_found_by_digest() {
    let home = Home::new();
    let store = home.open();
    let (one, other) = (vec![1; 5_000], vec![2; 70_000]);
    let with = |payloads: Vec<Vec<u8>>| Append { entry: vec![9; 10], payloads };
    let _ =
        store.append(with(vec![one.clone(), other.clone(), one.clone()])).unwrap().wait().unwrap();
    let written = || crate::recover::written_after(&home.segment(0), 0).unwrap();
    let after_first = written();
    let _ = store.append(with(vec![one.clone(), other.clone()])).unwrap().wait().unwrap();
    assert!(written() - after_first < 100, "the payloads were written again");
    drop(store);
    let store = home.open();
    let _ = store.append(with(vec![other.clone()])).unwrap().wait().unwrap();
    assert!(written() - after_first < 200, "a payload was written again after a restart");
    for content in [one, other] {
        assert_eq!(store.reader().payload(&Digest::of(&content)).unwrap(), Some(content));
    }
    assert_eq!(store.reader().payload(&Digest::of(b"never seen")).unwrap(), None);
}

#[test]
fn entries_are_found_by_their_keys_at_once() {
    let home = Home::new();
    let store = home.open();
    for size in 1..120 {
        fill(&store, size - 1..size);
        let found = store.reader().indexes_of(IndexKey::Session([1; 16])).unwrap();
        let want: Vec<u64> = (0..size)
            .filter(|index| keys_of(&entry(*index)).contains(&IndexKey::Session([1; 16])))
            .collect();
        assert_eq!(found, want, "at size {size}");
    }
    assert_eq!(store.reader().indexes_of(IndexKey::Action([77; 8])).unwrap(), [77]);
    assert!(store.reader().indexes_of(IndexKey::Action([200; 8])).unwrap().is_empty());
    // The same bytes as a session are another key.
    assert!(store.reader().indexes_of(IndexKey::Session([77; 16])).unwrap().is_empty());
}

#[test]
fn writers_side_by_side_each_keep_their_order() {
    let home = Home::new();
    let store = home.open();
    thread::scope(|scope| {
        for writer in 0_u8..8 {
            let store = &store;
            scope.spawn(move || {
                let many: Vec<_> = (0_u8..100)
                    .map(|n| store.append(Append { entry: vec![writer, n], payloads: vec![] }))
                    .map(|pending| pending.unwrap())
                    .collect();
                let indexes: Vec<_> =
                    many.into_iter().map(|pending| pending.wait().unwrap().index).collect();
                assert!(indexes.is_sorted());
            });
        }
    });
    let mut last = [None; 8];
    for item in store.reader().entries(0..u64::MAX) {
        let (_, entry) = item.unwrap();
        let last = &mut last[usize::from(entry[0])];
        assert!(*last < Some(entry[1]));
        *last = Some(entry[1]);
    }
    assert_eq!(last, [Some(99); 8]);
}

#[test]
fn a_batched_append_is_durable_by_the_next_strict_one() {
    let home = Home::new();
    let store = home.open();
    for index in 0..10 {
        let receipt = store.append_batched(append(index)).unwrap();
        assert_eq!((receipt.index, receipt.mode), (None, Mode::Batched));
        assert_eq!(receipt.leaf, pathwarden_types::Receipt::leaf_of(&entry(index)));
    }
    fill(&store, 10..11);
    assert_holds(&store, 11);
}

#[test]
fn closing_commits_what_was_accepted() {
    let home = Home::new();
    let slow = Options { batch_window_ms: super::NEVER_MS, ..options() };
    let store = home.open_on(Arc::new(crate::disk::OsDisk), slow);
    for index in 0..10 {
        let _ = store.append_batched(append(index)).unwrap();
    }
    assert_eq!(store.close().unwrap().size(), 10);
    assert!(matches!(store.append(append(10)), Err(AppendError::Stopped)));
    assert!(matches!(store.publish(), Err(PublishError::Stopped)));
    assert_eq!(store.close().unwrap().size(), 10);
    assert_eq!(store.reader().entry(9).unwrap(), Some(entry(9)));
    drop(store);
    assert_holds(&home.open(), 10);
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let home = Home::new();
    let store = home.open();
    let entry = |bytes| Append { entry: vec![1; bytes], payloads: Vec::new() };
    let payload = |bytes| Append { entry: vec![1], payloads: vec![vec![0; bytes]] };
    assert!(store.append(entry(crate::ENTRY_BYTES_MAX)).unwrap().wait().is_ok());
    assert!(store.append(payload(crate::PAYLOAD_BYTES_MAX)).unwrap().wait().is_ok());
    let five = vec![vec![0; crate::PAYLOAD_BYTES_MAX]; 5];
    for wrong in [
        entry(0),
        entry(crate::ENTRY_BYTES_MAX + 1),
        payload(crate::PAYLOAD_BYTES_MAX + 1),
        Append { entry: vec![1], payloads: five },
    ] {
        assert!(matches!(store.append(wrong.clone()), Err(AppendError::Size { .. })));
        assert!(matches!(store.append_batched(wrong), Err(AppendError::Size { .. })));
    }
    store.publish().unwrap();
    drop(store);
    assert_eq!(home.open().reader().size(), 2);
}

#[test]
fn a_log_is_never_created_twice() {
    let home = Home::new();
    fill(&home.open(), 0..3);
    let again = create(&home.log(), ORIGIN, &signer());
    assert!(matches!(again, Err(CreateError::Exists { .. })));
    assert_holds(&home.open(), 3);
    let named = create(&home.dir.path().join("other"), "another name", &signer());
    assert!(matches!(named, Err(CreateError::Origin { .. })));
    assert!(!home.dir.path().join("other").exists());
}

#[test]
fn a_store_and_its_readers_go_to_any_thread() {
    fn anywhere<T: Send + Sync>() {}
    anywhere::<crate::Store>();
    anywhere::<crate::Reader>();
}

/// Awaiting works with any executor.
#[test]
fn a_pending_append_is_a_future() {
    let home = Home::new();
    let store = home.open();
    let pending = store.append(append(0)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(pending).unwrap().index, Some(0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever is put in, in whatever sizes and modes, over whatever restarts: the log holds it.
    #[test]
    fn a_log_holds_what_was_put_in(
        runs in prop::collection::vec(
            prop::collection::vec((1_usize..3_000, prop::option::of(0_usize..5_000)), 0..40), 1..4,
        ),
        segment_bytes in 256_u64..20_000,
    ) {
        let home = Home::new();
        let options = Options { segment_bytes, ..options() };
        let mut held: Vec<(Vec<u8>, Vec<Vec<u8>>)> = Vec::new();
        for run in runs {
            let store = home.open_on(Arc::new(crate::disk::OsDisk), options);
            for (bytes, payload) in run {
                let entry = vec![u8::try_from(held.len() % 251).unwrap(); bytes];
                let payloads: Vec<_> = payload.map(|n| vec![5; n]).into_iter().collect();
                let append = Append { entry: entry.clone(), payloads: payloads.clone() };
                let receipt = store.append(append).unwrap().wait().unwrap();
                prop_assert_eq!(receipt.index, Some(held.len() as u64));
                held.push((entry, payloads));
            }
            let reader = store.reader();
            for ((entry, payloads), item) in held.iter().zip(reader.entries(0..u64::MAX)) {
                prop_assert_eq!(entry, &item.unwrap().1);
                for payload in payloads {
                    let found = reader.payload(&Digest::of(payload)).unwrap();
                    prop_assert_eq!(found.as_ref(), Some(payload));
                }
            }
            prop_assert_eq!(store.close().unwrap().size(), held.len() as u64);
        }
    }
}
