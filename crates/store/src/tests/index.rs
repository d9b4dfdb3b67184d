//! The index may be anything: answers are right all the same.

use std::fs;
use std::sync::Arc;

use pathwarden_types::Digest;

use super::{Home, entry, fill, flip, keys_of, options};
use crate::index::{Batch, Index, open};
use crate::{Append, IndexKey, Store};

const SIZE: u64 = 100;

fn content() -> Vec<u8> {
    vec![4; 2_000]
}

/// A closed log with a payload in the middle.
fn home() -> Home {
    let home = Home::with(SIZE / 2, 0);
    let store = home.open();
    let append = Append { entry: entry(SIZE / 2), payloads: vec![content()] };
    let _ = store.append(append).unwrap().wait().unwrap();
    fill(&store, SIZE / 2 + 1..SIZE);
    store.close().unwrap();
    home
}

fn assert_finds(store: &Store) {
    let reader = store.reader();
    for session in 0_u8..3 {
        let key = IndexKey::Session([session; 16]);
        let want: Vec<u64> = (0..SIZE).filter(|at| keys_of(&entry(*at)).contains(&key)).collect();
        assert_eq!(reader.indexes_of(key).unwrap(), want);
    }
    assert_eq!(reader.indexes_of(IndexKey::Action([42; 8])).unwrap(), [42]);
    assert_eq!(reader.payload(&Digest::of(&content())).unwrap(), Some(content()));
    assert_eq!(reader.payload(&Digest::of(b"other")).unwrap(), None);
}

#[test]
fn a_sound_index_is_used() {
    let home = home();
    let (store, recovered) = home.recover().unwrap();
    assert!(!recovered.index_rebuilt);
    assert_finds(&store);
}

#[test]
fn a_missing_index_is_rebuilt() {
    let home = home();
    fs::remove_file(home.path("index.redb")).unwrap();
    let (store, recovered) = home.recover().unwrap();
    assert!(recovered.index_rebuilt);
    assert_finds(&store);
}

#[test]
fn a_garbled_index_is_rebuilt() {
    for garbage in [&b""[..], b"not a database", &[0; 100_000], &[0xff; 5_000]] {
        let home = home();
        fs::write(home.path("index.redb"), garbage).unwrap();
        let (store, recovered) = home.recover().unwrap();
        assert!(recovered.index_rebuilt);
        assert_finds(&store);
    }
}

/// A bit in a page that is in use makes the index be rebuilt; one elsewhere does not matter.
#[test]
fn a_flipped_bit_in_the_index_never_changes_an_answer() {
    let home = home();
    let path = home.path("index.redb");
    let sound = fs::read(&path).unwrap();
    let bits = sound.len() as u64 * 8;
    let mut rebuilt = 0;
    for bit in (0..bits).step_by(usize::try_from(bits / 150).unwrap()) {
        fs::write(&path, &sound).unwrap();
        flip(&path, bit);
        let (store, recovered) = home.recover().unwrap();
        rebuilt += u32::from(recovered.index_rebuilt);
        assert_finds(&store);
    }
    assert!(rebuilt > 0, "no flip hit a page in use");
}

#[test]
fn the_index_of_another_log_is_not_believed() {
    let (home, other) = (home(), Home::new());
    let store = other.open();
    for index in 0..SIZE {
        let mut entry = entry(index);
        entry.push(b'!');
        let _ = store.append(Append { entry, payloads: vec![] }).unwrap().wait().unwrap();
    }
    store.close().unwrap();
    drop(store);
    fs::copy(other.path("index.redb"), home.path("index.redb")).unwrap();
    let (store, recovered) = home.recover().unwrap();
    assert!(recovered.index_rebuilt);
    assert_finds(&store);
}

#[test]
fn an_index_ahead_of_a_log_that_was_cut_is_rebuilt() {
    let home = Home::with(10, 10);
    drop(home.open());
    let file = fs::File::options().write(true).open(home.segment(0)).unwrap();
    file.set_len(700).unwrap();
    let (store, recovered) = home.recover().unwrap();
    assert!(recovered.entries < 20);
    assert!(recovered.index_rebuilt);
    let found = store.reader().indexes_of(IndexKey::Action([9; 8])).unwrap();
    assert_eq!(found, [9]);
}

/// An index that is sound as a file and lies: what it names is looked at before it is believed.
#[test]
fn a_lying_index_is_found_out_and_rebuilt() {
    let home = home();
    let path = home.path("index.redb");
    fs::remove_file(&path).unwrap();
    {
        let (index, _) = open(&path, super::ORIGIN, 0, |_| None);
        let last = pathwarden_types::Receipt::leaf_of(&entry(SIZE - 1));
        let lie = Batch {
            next: SIZE,
            leaf: Some(last),
            keys: vec![(IndexKey::Session([1; 16]), 3), (IndexKey::Action([42; 8]), 7)],
            payloads: vec![(Digest::of(&content()), 0, 64)],
        };
        let index: Index = index.unwrap();
        index.add(&lie).unwrap();
        index.flush();
    }
    let (store, recovered) = home.recover().unwrap();
    assert!(!recovered.index_rebuilt);
    let reader = store.reader();
    assert_eq!(reader.indexes_of(IndexKey::Action([42; 8])).unwrap(), [42]);
    assert_eq!(reader.payload(&Digest::of(&content())).unwrap(), Some(content()));
    // A publication comes after the rebuilding that was asked for before it.
    store.publish().unwrap();
    assert_finds(&store);
}

#[test]
fn without_an_index_the_segments_answer() {
    let home = home();
    fs::remove_file(home.path("index.redb")).unwrap();
    fs::create_dir(home.path("index.redb")).unwrap();
    let store = home.open_on(Arc::new(crate::disk::OsDisk), options());
    assert_finds(&store);
    fill(&store, SIZE..SIZE + 1);
    assert_eq!(store.reader().size(), SIZE + 1);
}
