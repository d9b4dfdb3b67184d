//! The files of a log directory: their names, and reading them into reused buffers, bounded.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A log directory.
#[derive(Clone, Debug)]
pub(crate) struct LogDir {
    root: PathBuf,
}

impl LogDir {
    /// The directory at `root`.
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The full path of a file named relative to the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Replaces `buffer` with the content of a file of at most `limit` bytes.
    pub(crate) fn read(&self, name: &str, limit: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.clear();
        File::open(self.path(name))?.take(limit + 1).read_to_end(buffer)?;
        if buffer.len() as u64 > limit {
            return Err(io::Error::other(format!("longer than the {limit} bytes it may have")));
        }
        Ok(())
    }

    /// The names in a directory, sorted; an absent directory has none.
    pub(crate) fn list(&self, name: &str) -> io::Result<Vec<String>> {
        let found = match fs::read_dir(self.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            found => found?,
        };
        let mut names = found
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }
}

/// Plain words for why a file could not be read.
pub(crate) fn why_unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is missing".to_owned(),
        io::ErrorKind::UnexpectedEof => "ends too early".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// What a file under `tile/` is: hashes of one level, or the entries themselves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// `tile/<level>/…`
    Hashes(usize),
    /// `tile/entries/…`
    Entries,
}

impl Kind {
    /// The name of the full tile or bundle `index`, in groups of three digits as c2sp.org/tlog-tiles
    /// spells them: 1234067 is `x001/x234/067`.
    pub(crate) fn full(self, index: u64) -> String {
        let mut groups = format!("{:03}", index % 1000);
        let mut rest = index / 1000;
        while rest > 0 {
            groups = format!("x{:03}/{groups}", rest % 1000);
            rest /= 1000;
        }
        match self {
            Self::Hashes(level) => format!("tile/{level}/{groups}"),
            Self::Entries => format!("tile/entries/{groups}"),
        }
    }

    /// The directory that holds the partial versions of a tile or bundle.
    pub(crate) fn partials(self, index: u64) -> String {
        format!("{}.p", self.full(index))
    }

    /// The partial version that is `width` wide.
    pub(crate) fn partial(self, index: u64, width: usize) -> String {
        format!("{}.p/{width}", self.full(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tile_names_are_those_of_the_specification() {
        assert_eq!(Kind::Hashes(0).full(0), "tile/0/000");
        assert_eq!(Kind::Hashes(2).full(1_234_067), "tile/2/x001/x234/067");
        assert_eq!(Kind::Entries.full(999), "tile/entries/999");
        assert_eq!(Kind::Entries.partial(1000, 17), "tile/entries/x001/000.p/17");
    }
}
