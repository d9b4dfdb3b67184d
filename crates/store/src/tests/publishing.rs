//! Publication: what is out is durable, complete, and never contradicts itself.

use std::fs;
use std::sync::Arc;

use pathwarden_ledger::tree::empty_root;
use pathwarden_ledger::{Checkpoint, VerifierKey};

use super::faulty::{Fault, FaultyDisk};
use super::{Home, append, assert_holds, fill, key, options, signer};
use crate::{AppendError, Options, ProveError, PublishError};

fn on_disk(home: &Home, key: &VerifierKey) -> Checkpoint {
    let text = fs::read_to_string(home.path("checkpoint")).unwrap();
    Checkpoint::verify(&text, key).unwrap()
}

#[test]
fn a_new_log_has_a_signed_checkpoint_of_size_0() {
    let checkpoint = on_disk(&Home::new(), &key());
    assert_eq!((checkpoint.size(), checkpoint.root()), (0, empty_root()));
}

#[test]
fn publishing_covers_what_is_durable_and_again_changes_nothing() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 0..10);
    assert_eq!(store.reader().checkpoint().size(), 0);
    let published = store.publish().unwrap();
    assert_eq!(published.size(), 10);
    assert_eq!(on_disk(&home, &key()), published);
    assert_eq!(store.publish().unwrap(), published);
    assert_eq!(store.reader().checkpoint(), published);
}

#[test]
fn the_log_publishes_on_its_own() {
    let home = Home::new();
    let prompt = Options { publish_every_ms: 1, ..options() };
    let store = home.open_on(Arc::new(crate::disk::OsDisk), prompt);
    fill(&store, 0..10);
    while store.reader().checkpoint().size() < 10 {
        std::thread::yield_now();
    }
    assert_eq!(on_disk(&home, &key()).size(), 10);
}

#[test]
fn a_proof_of_an_unpublished_entry_publishes_first() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 0..3);
    assert!(store.reader().proof(2).is_ok());
    assert_eq!(on_disk(&home, &key()).size(), 3);
    let missing = store.reader().proof(3);
    assert!(matches!(missing, Err(ProveError::NoEntry { index: 3, size: 3 })));
}

#[test]
fn partial_tiles_go_when_the_full_one_is_there() {
    let home = Home::new();
    let store = home.open();
    for size in [100, 200, 256] {
        fill(&store, store.reader().size()..size);
        store.publish().unwrap();
    }
    assert!(home.path("tile/0/000").exists() && home.path("tile/entries/000").exists());
    assert!(!home.path("tile/0/000.p").exists() && !home.path("tile/entries/000.p").exists());
    assert!(home.path("tile/1/000.p/1").exists());
    assert_holds(&store, 256);
    fill(&store, 256..300);
    assert_holds(&store, 300);
}

#[test]
fn a_foreign_checkpoint_stops_the_log_instead_of_forking_it() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 0..3);
    // Another writer with the same key, who somehow got past the lock.
    let foreign = Checkpoint::sign(&signer(), 1, pathwarden_ledger::tree::leaf_hash(b"theirs"));
    fs::write(home.path("checkpoint"), foreign.text()).unwrap();
    assert!(matches!(store.publish(), Err(PublishError::Fork { .. })));
    assert_eq!(fs::read_to_string(home.path("checkpoint")).unwrap(), foreign.text());
    assert!(matches!(store.append(append(3)), Err(AppendError::Stopped)));
    assert!(matches!(store.publish(), Err(PublishError::Stopped)));
}

#[test]
fn a_checkpoint_that_vanished_is_not_written_anew() {
    let home = Home::new();
    let store = home.open();
    fill(&store, 0..3);
    fs::remove_file(home.path("checkpoint")).unwrap();
    assert!(store.publish().is_err());
    assert!(!home.path("checkpoint").exists());
}

/// At every failing step, the checkpoint on disk is one whose tiles are all there: the log opens.
#[test]
fn a_checkpoint_never_comes_before_its_tiles() {
    for step in 0.. {
        let (home, disk) = (Home::new(), FaultyDisk::default());
        let store = home.open_on(Arc::new(disk.clone()), options());
        fill(&store, 0..250);
        store.publish().unwrap();
        fill(&store, 250..520);
        disk.arm(step, Fault::FromThenOn);
        let outcome = store.publish();
        let struck = disk.disarm();
        assert_eq!(outcome.is_err(), struck, "fault from step {step} on");
        let size = on_disk(&home, &key()).size();
        assert!(size == 250 || size == 520);
        // Left as it is, it opens; tried again, it publishes.
        if step % 2 == 0 {
            assert_eq!(store.publish().unwrap().size(), 520);
        }
        // The store is not closed: that would publish.
        drop(store);
        assert_holds(&home.open(), 520);
        if !struck {
            assert!(step > 20, "the faults ran out after {step} steps");
            break;
        }
    }
}
