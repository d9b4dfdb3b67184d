//! Where a tile is kept, below the log directory.

use std::fmt;
use std::str::FromStr;

use super::{TILE_HEIGHT, TILE_WIDTH, TileError};

/// The highest tile level the specification names.
const LEVEL_MAX: u8 = 63;

/// The longest path that is read, in bytes. The largest index needs seven groups of digits.
const PATH_BYTES_MAX: usize = 64;

/// What a tile holds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum TileKind {
    /// Hashes, of the nodes at tree level 8 times this.
    Hashes(u8),
    /// Log entries.
    Entries,
}

/// The path of a full or partial tile. `Display` prints `tile/<L>/<N>[.p/<W>]`, which [`FromStr`]
/// reads back.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl TilePath {
    /// The tile `index` of a kind as it is in a log of `size` entries, or `None` when such a log does
    /// not have it.
    #[must_use]
    pub fn in_log(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let level = match kind {
            TileKind::Hashes(level) => u32::from(level),
            TileKind::Entries => 0,
        };
        let hashes = size.checked_shr(level * TILE_HEIGHT).unwrap_or(0);
        let left = hashes.checked_sub(index.checked_mul(u64::from(TILE_WIDTH))?)?;
        let width = u16::try_from(left).unwrap_or(TILE_WIDTH).min(TILE_WIDTH);
        (width > 0).then_some(Self { kind, index, width })
    }

    /// A full tile.
    #[must_use]
    pub const fn full(kind: TileKind, index: u64) -> Self {
        Self { kind, index, width: TILE_WIDTH }
    }

    /// What it holds.
    #[must_use]
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Its place among the tiles of its kind.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds: 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it will never grow.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The directory that holds the partial versions of this tile, as a path below the log directory.
    #[must_use]
    pub fn partials(&self) -> String {
        format!("{}.p", Self { width: TILE_WIDTH, ..*self })
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => write!(f, "tile/entries/")?,
        }
        write_index(f, self.index / 1_000)?;
        write!(f, "{:03}", self.index % 1_000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// The leading groups of three digits, each with its `x`.
fn write_index(f: &mut fmt::Formatter<'_>, groups: u64) -> fmt::Result {
    if groups == 0 {
        return Ok(());
    }
    write_index(f, groups / 1_000)?;
    write!(f, "x{:03}/", groups % 1_000)
}

impl FromStr for TilePath {
    type Err = TileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Whatever does not print as it was read is another spelling, and there is only one.
        parse(text)
            .filter(|path| path.to_string() == text)
            .ok_or_else(|| TileError::Path { text: text.chars().take(PATH_BYTES_MAX).collect() })
    }
}

fn parse(text: &str) -> Option<TilePath> {
    if text.len() > PATH_BYTES_MAX {
        return None;
    }
    let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind {
        "entries" => TileKind::Entries,
        level => TileKind::Hashes(level.parse().ok().filter(|level| *level <= LEVEL_MAX)?),
    };
    let (index, width) = match rest.split_once(".p/") {
        Some((index, width)) => {
            (index, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?)
        }
        None => (rest, TILE_WIDTH),
    };
    let index = index.split('/').try_fold(0_u64, |index, group| {
        let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index.checked_mul(1_000)?.checked_add(digits)
    })?;
    Some(TilePath { kind, index, width })
}
