//! The tile pass: entries are read bundle by bundle, hashed into a tree of our own, and every hash
//! tile on disk, current or stale, is compared with it.

use crate::files::{Kind, LogDir, why_unreadable};
use crate::report::{At, Report};
use crate::tree::{Hash, TILE_WIDTH, TileSink, Tree, leaf_hash};

/// Bytes of a full hash tile.
const TILE_BYTES: u64 = TILE_WIDTH * 32;

/// Bytes a full bundle can have: 256 entries of 65,535 bytes with two length bytes each.
pub(crate) const BUNDLE_BYTES: u64 = TILE_WIDTH * (2 + 65_535);

/// Written for a later checkpoint that was not published: there is nothing to compare it with.
const BEYOND: &str = "goes beyond the checkpoint: not checked";

/// Reads all entries that the checkpoint covers and returns the tree over them, which is shorter
/// than the checkpoint where neither a bundle nor a tile of leaf hashes could be read.
/// The root at the size of the `older` checkpoint is kept on the way.
pub(crate) fn check(log: &LogDir, size: u64, older: Option<u64>, report: &mut Report) -> TilePass {
    let mut pass = TilePass { tree: Tree::default(), older_root: None };
    let mut tiles = TileFiles { log, report, buffer: Vec::new(), bundle: String::new() };
    let mut bundle = Vec::new();
    let mut leaves = Vec::new();
    pass.remember(older);
    while pass.tree.size() < size {
        let index = pass.tree.size() / TILE_WIDTH;
        let width = (size - pass.tree.size()).min(TILE_WIDTH) as usize;
        leaves.clear();
        if !tiles.leaves(index, width, &mut bundle, &mut leaves) {
            tiles.end_of_log(pass.tree.size(), size);
            break;
        }
        for leaf in &leaves {
            pass.tree.push(*leaf, &mut tiles);
            pass.remember(older);
        }
    }
    for (level, index, hashes) in pass.tree.partial_tiles() {
        tiles.compare(level, index, hashes);
    }
    pass
}

/// What the tile pass leaves behind.
#[derive(Debug)]
pub(crate) struct TilePass {
    /// The tree over all entries that could be read.
    pub(crate) tree: Tree,
    /// The root when the tree had the size of the older checkpoint.
    pub(crate) older_root: Option<Hash>,
}

impl TilePass {
    fn remember(&mut self, older: Option<u64>) {
        if older == Some(self.tree.size()) {
            self.older_root = Some(self.tree.root());
        }
    }
}

/// The hash tiles on disk, as something to compare with.
struct TileFiles<'a> {
    log: &'a LogDir,
    report: &'a mut Report,
    buffer: Vec<u8>,
    /// The name of the bundle whose entries are being added.
    bundle: String,
}

impl TileFiles<'_> {
    /// Fills `leaves` from bundle `index`, or, if that cannot be, from the tile of leaf hashes, so
    /// that one broken bundle does not hide the state of the rest of the log.
    fn leaves(
        &mut self,
        index: u64,
        width: usize,
        bundle: &mut Vec<u8>,
        leaves: &mut Vec<Hash>,
    ) -> bool {
        match read_at_size(self.log, Kind::Entries, index, width, BUNDLE_BYTES, bundle) {
            Ok(name) => {
                let read = self.hash_bundle(&name, index, width, bundle, leaves);
                self.stale_bundles(&name, index, bundle);
                self.bundle = name;
                if read {
                    return true;
                }
            }
            Err((name, why)) => self.report.fault(name, At::File, why),
        }
        leaves.clear();
        let tile = Kind::Hashes(0);
        if read_at_size(self.log, tile, index, width, TILE_BYTES, &mut self.buffer).is_err() {
            return false;
        }
        leaves.extend(self.buffer.as_chunks().0.iter().take(width));
        leaves.len() == width
    }

    fn hash_bundle(
        &mut self,
        name: &str,
        index: u64,
        width: usize,
        bundle: &[u8],
        leaves: &mut Vec<Hash>,
    ) -> bool {
        let mut entries = Entries::new(bundle);
        leaves.extend(entries.by_ref().take(width).map(leaf_hash));
        let read = leaves.len() as u64;
        self.report.checked.bundles += 1;
        self.report.checked.entries += read;
        if leaves.len() < width {
            let at = At::Entry(index * TILE_WIDTH + read);
            self.report.fault(name, at, "the bundle is cut short: this entry is not in it");
            return false;
        }
        let width = width as u64;
        if !entries.rest.is_empty() && !is_full_name(name, width) {
            let at = At::Byte((bundle.len() - entries.rest.len()) as u64);
            self.report.fault(name, at, format!("bytes follow the {width} entries it should hold"));
        }
        true
    }

    /// Partial bundles of earlier checkpoints must be beginnings of the present one.
    fn stale_bundles(&mut self, current: &str, index: u64, bundle: &[u8]) {
        let directory = Kind::Entries.partials(index);
        for width in self.widths(&directory) {
            let name = Kind::Entries.partial(index, width);
            if name == current {
                continue;
            }
            let mut entries = Entries::new(bundle);
            if entries.by_ref().take(width).count() < width {
                self.report.warn(name, At::File, BEYOND);
                continue;
            }
            let length = bundle.len() - entries.rest.len();
            if let Err(error) = self.log.read(&name, BUNDLE_BYTES, &mut self.buffer) {
                self.report.fault(name, At::File, why_unreadable(&error));
                continue;
            }
            self.report.checked.bundles += 1;
            let expected = bundle.get(..length).unwrap_or_default();
            if let Some(offset) = first_difference(&self.buffer, expected) {
                let meaning = "differs from the bundle that grew out of it";
                self.report.fault(name, At::Byte(offset), meaning);
            }
        }
    }

    /// Compares the tile on disk, and any stale partial versions of it, with the hashes recomputed.
    fn compare(&mut self, level: usize, index: u64, hashes: &[Hash]) {
        let kind = Kind::Hashes(level);
        let read = read_at_size(self.log, kind, index, hashes.len(), TILE_BYTES, &mut self.buffer);
        let current = match read {
            Ok(name) => {
                self.compare_read(&name, level, hashes);
                name
            }
            Err((name, why)) => {
                self.report.fault(name, At::File, format!("{why}: proofs cannot be made"));
                return;
            }
        };
        for width in self.widths(&kind.partials(index)) {
            let name = kind.partial(index, width);
            if name == current {
                continue;
            }
            let Some(expected) = hashes.get(..width) else {
                self.report.warn(name, At::File, BEYOND);
                continue;
            };
            match self.log.read(&name, TILE_BYTES, &mut self.buffer) {
                Ok(()) => self.compare_read(&name, level, expected),
                Err(error) => self.report.fault(name, At::File, why_unreadable(&error)),
            }
        }
    }

    /// Compares `buffer`, read from `name`, with the hashes it should hold.
    fn compare_read(&mut self, name: &str, level: usize, hashes: &[Hash]) {
        self.report.checked.tiles += 1;
        let (found, rest) = self.buffer.as_chunks::<32>();
        if found.len() < hashes.len() || !rest.is_empty() {
            let meaning = format!(
                "has {} bytes, not the {} of {} hashes",
                self.buffer.len(),
                hashes.len() * 32,
                hashes.len()
            );
            self.report.fault(name, At::File, meaning);
        } else if found.len() > hashes.len() && !is_full_name(name, hashes.len() as u64) {
            let at = At::Hash(hashes.len() as u64);
            self.report.fault(name, at, "holds more hashes than its name says");
        }
        let meaning = match level {
            0 => format!("is not the hash of its entry in {}: one was changed", self.bundle),
            _ => "is not the hash of the tile below it".to_owned(),
        };
        for (place, (found, expected)) in found.iter().zip(hashes).enumerate() {
            if found != expected {
                self.report.fault(name, At::Hash(place as u64), meaning.as_str());
            }
        }
    }

    /// The widths of the partial versions on disk.
    fn widths(&mut self, directory: &str) -> Vec<usize> {
        let names = self.log.list(directory).unwrap_or_else(|error| {
            self.report.fault(directory, At::File, why_unreadable(&error));
            Vec::new()
        });
        let mut widths = Vec::with_capacity(names.len());
        for name in names {
            match name.parse() {
                Ok(width) if (1..TILE_WIDTH as usize).contains(&width) => widths.push(width),
                _ => {
                    let file = format!("{directory}/{name}");
                    self.report.warn(file, At::File, "is not part of the format: not checked");
                }
            }
        }
        widths
    }

    fn end_of_log(&mut self, read: u64, size: u64) {
        let meaning = format!(
            "the checkpoint vouches for {size} entries, but only {read} can be read: {} are missing",
            size - read
        );
        self.report.fault("tile/entries", At::Entry(read), meaning);
    }
}

impl TileSink for TileFiles<'_> {
    fn full_tile(&mut self, level: usize, index: u64, hashes: &[Hash]) {
        self.compare(level, index, hashes);
    }
}

/// Reads the version of a tile or bundle that belongs to a width: the full one, or the partial one
/// with the full one in its place (a log may drop partial ones once the full one exists). Returns
/// the name of the file read; an error names the file that should be there.
pub(crate) fn read_at_size(
    log: &LogDir,
    kind: Kind,
    index: u64,
    width: usize,
    limit: u64,
    buffer: &mut Vec<u8>,
) -> Result<String, (String, String)> {
    let full = kind.full(index);
    let wanted = if width as u64 == TILE_WIDTH { full.clone() } else { kind.partial(index, width) };
    match log.read(&wanted, limit, buffer) {
        Ok(()) => Ok(wanted),
        Err(error) if wanted != full => match log.read(&full, limit, buffer) {
            Ok(()) => Ok(full),
            Err(_) => Err((wanted, why_unreadable(&error))),
        },
        Err(error) => Err((wanted, why_unreadable(&error))),
    }
}

/// A full file may stand in for a partial one, and then holds more than was asked for.
fn is_full_name(name: &str, width: u64) -> bool {
    width < TILE_WIDTH && !name.contains(".p/")
}

fn first_difference(found: &[u8], expected: &[u8]) -> Option<u64> {
    let same = found.iter().zip(expected).take_while(|(a, b)| a == b).count();
    (found.len() != expected.len() || same < expected.len()).then_some(same as u64)
}

/// The entries of a bundle: each with a big-endian length of two bytes before it.
#[derive(Debug)]
pub(crate) struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    /// Over the bytes of a bundle file.
    pub(crate) fn new(bundle: &'a [u8]) -> Self {
        Self { rest: bundle }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.rest.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        self.rest = rest;
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_are_read_until_they_end_or_break() {
        let check = |bytes: &[u8], want: &[&[u8]], rest: &[u8]| {
            let mut entries = Entries::new(bytes);
            assert_eq!(entries.by_ref().collect::<Vec<_>>(), want);
            assert_eq!(entries.rest, rest);
        };
        check(b"", &[], b"");
        check(b"\0\x02ab\0\0\0\x01c", &[b"ab", b"", b"c"], b"");
        check(b"\0\x02ab\0\x02c", &[b"ab"], b"\0\x02c");
        check(b"\0", &[], b"\0");
    }

    #[test]
    fn the_first_difference_counts_missing_bytes_too() {
        assert_eq!(first_difference(b"abc", b"abc"), None);
        assert_eq!(first_difference(b"abx", b"abc"), Some(2));
        assert_eq!(first_difference(b"ab", b"abc"), Some(2));
        assert_eq!(first_difference(b"abcd", b"abc"), Some(3));
    }
}
