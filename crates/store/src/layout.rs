//! Where things are kept in a log directory.

use std::path::{Path, PathBuf};

use pathwarden_ledger::tile::TilePath;

/// Size of a preallocated segment, in bytes: large enough that sealing one is rare, small enough that
/// a nearly empty log is no burden.
pub(crate) const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Digits in a segment's file name.
const SEGMENT_DIGITS: usize = 20;

/// The paths of one log.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    dir: PathBuf,
}

impl Layout {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.dir.join("index.redb")
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.dir.join("segments")
    }

    pub(crate) fn segment(&self, number: u64) -> PathBuf {
        self.segments().join(format!("{number:0SEGMENT_DIGITS$}.seg"))
    }

    pub(crate) fn tile_root(&self) -> PathBuf {
        self.dir.join("tile")
    }

    pub(crate) fn tile(&self, path: &TilePath) -> PathBuf {
        self.dir.join(path.to_string())
    }

    pub(crate) fn partials(&self, path: &TilePath) -> PathBuf {
        self.dir.join(path.partials())
    }
}

/// The number in a segment's file name, or `None` for any other file.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    let number: u64 = digits.parse().ok()?;
    (format!("{number:0SEGMENT_DIGITS$}") == digits).then_some(number)
}
