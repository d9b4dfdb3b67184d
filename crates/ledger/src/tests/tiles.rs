//! Tiles hold the tree, and nothing else parses as one.

use std::collections::BTreeMap;

use pathwarden_types::Digest;
use proptest::prelude::*;

use super::{entry, leaves, nodes, root};
use crate::tile::{
    Builder, TileError, TileFile, TileHashes, TileKind, TilePath, decode_entries, decode_hashes,
    push_entry,
};
use crate::tree::{Frontier, leaf_hash, prove_consistency, prove_inclusion};

/// All files of a log of `size` entries, its last partial tiles included.
fn files(size: u64) -> BTreeMap<TilePath, Vec<u8>> {
    let mut builder = Builder::new();
    let mut full = Vec::new();
    for index in 0..size {
        builder.push(&entry(index), leaf_hash(&entry(index)), &mut full).unwrap();
    }
    assert_eq!(builder.frontier().root(), root(&leaves(size)));
    full.extend(builder.partial());
    full.into_iter().map(|TileFile { path, bytes }| (path, bytes)).collect()
}

fn reader(
    files: &BTreeMap<TilePath, Vec<u8>>,
) -> impl FnMut(&TilePath) -> Result<Vec<Digest>, TileError> {
    |path| decode_hashes(path, files.get(path).ok_or(TileError::Width { path: *path })?)
}

/// The example in the specification.
#[test]
fn a_log_of_70000_has_the_tiles_the_specification_says() {
    let names: Vec<String> = files(70_000).keys().map(ToString::to_string).collect();
    assert_eq!(names.len(), 273 * 2 + 1 + 4);
    for name in [
        "tile/0/000",
        "tile/0/272",
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
        "tile/entries/000",
        "tile/entries/273.p/112",
    ] {
        assert!(names.iter().any(|have| have == name), "{name}");
    }
}

#[test]
fn a_log_of_256_has_a_full_tile_and_one_hash_above() {
    let names: Vec<String> = files(256).keys().map(ToString::to_string).collect();
    assert_eq!(names, ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
}

#[test]
fn paths_are_spelled_as_the_specification_says() {
    let path = TilePath::full(TileKind::Entries, 1_234_067);
    assert_eq!(path.to_string(), "tile/entries/x001/x234/067");
    assert_eq!(path.partials(), "tile/entries/x001/x234/067.p");
    for wrong in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/67",
        "tile/0/x067",
        "tile/0/000/067",
        "tile/64/000",
        "tile/00/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x001/x234",
        "tile/0/+67",
        "tile/entries/067/",
        "/tile/0/067",
        "tile/0/x000/067",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert!(wrong.parse::<TilePath>().is_err(), "{wrong}");
    }
}

#[test]
fn proofs_from_tiles_are_the_proofs_from_leaves() {
    for size in [1, 2, 255, 256, 257, 513, 1_000] {
        let (files, leaves) = (files(size), leaves(size));
        let mut hashes = TileHashes::new(size, reader(&files));
        for index in (0..size).step_by(37) {
            let tiled = prove_inclusion(index, size, |l, i| hashes.node(l, i)).unwrap();
            let Ok(plain) = prove_inclusion(index, size, nodes(&leaves));
            assert_eq!(tiled, plain, "{index} of {size}");
            let tiled = prove_consistency(index, size, |l, i| hashes.node(l, i)).unwrap();
            let Ok(plain) = prove_consistency(index, size, nodes(&leaves));
            assert_eq!(tiled, plain, "{index} to {size}");
        }
        let frontier = Frontier::load(size, |l, i| hashes.node(l, i)).unwrap();
        assert_eq!(frontier.root(), root(&leaves));
    }
}

#[test]
fn a_missing_tile_is_an_error() {
    let mut files = files(600);
    files.remove(&"tile/0/001".parse().unwrap());
    let mut hashes = TileHashes::new(600, reader(&files));
    assert!(prove_inclusion(300, 600, |l, i| hashes.node(l, i)).is_err());
    assert!(hashes.node::<TileError>(0, 600).is_err());
    assert!(hashes.node::<TileError>(63, 1).is_err());
    assert!(hashes.node::<TileError>(5_000, 0).is_err());
}

#[test]
fn an_entry_of_64_kib_does_not_fit() {
    let mut bundle = Vec::new();
    push_entry(&mut bundle, &vec![7; 65_535]).unwrap();
    assert!(push_entry(&mut bundle, &vec![7; 65_536]).is_err());
    let path = TilePath::in_log(TileKind::Entries, 0, 1).unwrap();
    assert_eq!(decode_entries(&path, &bundle).unwrap(), [vec![7; 65_535]]);
}

proptest! {
    #[test]
    fn a_path_parses_as_it_prints(level in 0_u8..8, index in 0_u64..1 << 40, size: u64) {
        for kind in [TileKind::Hashes(level), TileKind::Entries] {
            let path = TilePath::in_log(kind, index, size)
                .unwrap_or_else(|| TilePath::full(kind, index));
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }

    #[test]
    fn arbitrary_text_never_panics_as_a_path(text in "(tile/)?[0-9a-z/.x]{0,80}") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn a_bundle_parses_as_it_was_written(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..255),
    ) {
        let mut bundle = Vec::new();
        entries.iter().for_each(|entry| push_entry(&mut bundle, entry).unwrap());
        let size = u64::try_from(entries.len()).unwrap();
        let path = TilePath::in_log(TileKind::Entries, 0, size).unwrap();
        prop_assert_eq!(decode_entries(&path, &bundle).unwrap(), entries);
        let longer = TilePath::in_log(TileKind::Entries, 0, size + 1).unwrap();
        prop_assert!(decode_entries(&longer, &bundle).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic_as_tiles(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000), size in 1_u64..256,
    ) {
        let path = TilePath::in_log(TileKind::Entries, 0, size).unwrap();
        if let Ok(entries) = decode_entries(&path, &bytes) {
            prop_assert_eq!(entries.len(), usize::from(path.width()));
        }
        let _ = decode_hashes(&path, &bytes);
    }
}
