//! One file of threat intelligence, read.

mod csv;
mod list;
mod misp;
mod stix;

use std::fmt;

use pathwarden_types::{Millis, Name, Ratio, is_invisible};
use serde_json::Value;

use crate::indicator::Pattern;

/// One file of threat intelligence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Feed {
    /// Its name, as the operator gave it.
    pub name: Name,
    /// The format it is in.
    pub format: Format,
    /// What it lists.
    pub entries: Vec<Entry>,
    /// What it lists that cannot be matched.
    pub unmatched: Unmatched,
    /// The files that a MISP manifest names, beside it: `UUID.json`.
    pub files: Vec<String>,
}

/// The formats that are read.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Format {
    /// One indicator per line, comments after `#` or `;`.
    List,
    /// One JSON object per line with a network as `cidr`, as Spamhaus DROP is published.
    JsonLines,
    /// Comma-separated values (RFC 4180) with a header, which may be a comment.
    Csv,
    /// A STIX 2.1 bundle.
    Stix,
    /// An event of a MISP feed.
    MispEvent,
    /// The manifest of a MISP feed. It lists nothing itself.
    MispManifest,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list",
            Self::JsonLines => "JSON lines",
            Self::Csv => "CSV",
            Self::Stix => "STIX",
            Self::MispEvent => "MISP event",
            Self::MispManifest => "MISP manifest",
        })
    }
}

/// One thing that a feed lists.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Entry {
    /// What.
    pub pattern: Pattern,
    /// Its id in the feed; empty when it has none.
    pub id: String,
    /// How sure the feed is, at the time it was last seen.
    pub confidence: Ratio,
    /// When it was last seen to be bad.
    pub seen: Option<Millis>,
    /// When it stops to be listed.
    pub expires: Option<Millis>,
    /// Why it is listed, in the words of the feed.
    pub words: String,
}

/// What a feed lists that cannot be matched: counted, with the first few.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Unmatched {
    /// How many.
    pub count: u64,
    /// The first [`Self::EXAMPLES_MAX`], with the reason.
    pub examples: Vec<String>,
}

impl Unmatched {
    /// The most examples that are kept.
    pub const EXAMPLES_MAX: usize = 8;

    pub(crate) fn add(&mut self, text: &str, reason: &str) {
        self.count = self.count.saturating_add(1);
        if self.examples.len() < Self::EXAMPLES_MAX {
            self.examples.push(format!("`{}`: {reason}", readable(text, 80)));
        }
    }
}

/// Why a file cannot be used as a feed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// Too long.
    #[error("feed `{name}` has {bytes} bytes, at most {} are read: split it", Feed::BYTES_MAX)]
    TooLong {
        /// The feed.
        name: Name,
        /// Its length.
        bytes: usize,
    },
    /// Too many entries.
    #[error("feed `{name}` lists more than {} entries: split it", Feed::ENTRIES_MAX)]
    TooMany {
        /// The feed.
        name: Name,
    },
    /// Begins like JSON and is not.
    #[error("feed `{name}` is not JSON: fetch it again")]
    Json {
        /// The feed.
        name: Name,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// JSON of another kind.
    #[error("feed `{name}` is JSON, but no STIX bundle, MISP event or MISP manifest: convert it")]
    UnknownJson {
        /// The feed.
        name: Name,
    },
    /// Text that holds no indicator at all: an error page, or a format that is not read.
    #[error("feed `{name}` has {lines} lines and none lists an indicator: check what was saved")]
    Nothing {
        /// The feed.
        name: Name,
        /// Its lines that are no comments.
        lines: u64,
    },
}

impl Feed {
    /// The longest file, in bytes: several times the longest public feed.
    pub const BYTES_MAX: usize = 128 << 20;
    /// The most entries of one feed.
    pub const ENTRIES_MAX: usize = 1_000_000;
    /// The longest id or text of an entry that is kept, in characters.
    pub const TEXT_CHARS_MAX: usize = 200;

    /// Reads a file; the format is found from its content.
    ///
    /// # Errors
    ///
    /// [`FeedError`] when nothing of the file can be used. Single entries that cannot be matched are no
    /// error: they are counted in [`Feed::unmatched`].
    pub fn parse(name: &Name, bytes: &[u8]) -> Result<Self, FeedError> {
        let name = name.clone();
        if bytes.len() > Self::BYTES_MAX {
            return Err(FeedError::TooLong { name, bytes: bytes.len() });
        }
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut feed = Self::empty(name);
        if text.trim_start().starts_with(['{', '[']) {
            feed.json(text)?;
        } else {
            match csv::Header::find(text) {
                Some(header) => csv::read(&header, text, &mut feed),
                None => list::read(text, &mut feed),
            }
            if feed.entries.is_empty() && feed.unmatched.count > 0 {
                return Err(FeedError::Nothing { name: feed.name, lines: feed.unmatched.count });
            }
        }
        if feed.entries.len() > Self::ENTRIES_MAX {
            return Err(FeedError::TooMany { name: feed.name });
        }
        Ok(feed)
    }

    const fn empty(name: Name) -> Self {
        let unmatched = Unmatched { count: 0, examples: Vec::new() };
        Self { name, format: Format::List, entries: Vec::new(), unmatched, files: Vec::new() }
    }

    fn json(&mut self, text: &str) -> Result<(), FeedError> {
        if list::is_json_lines(text) {
            list::read_json_lines(text, self);
            return Ok(());
        }
        let value: Value = serde_json::from_str(text)
            .map_err(|source| FeedError::Json { name: self.name.clone(), source })?;
        if value.get("type").and_then(Value::as_str) == Some("bundle") {
            self.format = Format::Stix;
            stix::read(&value, self);
        } else if let Some(event) = value.get("Event") {
            self.format = Format::MispEvent;
            misp::read(event, self);
        } else if let Some(files) = misp::manifest(&value) {
            self.format = Format::MispManifest;
            self.files = files;
        } else {
            return Err(FeedError::UnknownJson { name: self.name.clone() });
        }
        Ok(())
    }

    /// Adds an entry with its texts made readable. One more than fit is kept, so that the caller sees
    /// that there are too many.
    pub(crate) fn add(&mut self, entry: Entry) {
        if self.entries.len() <= Self::ENTRIES_MAX {
            let id = readable(&entry.id, Self::TEXT_CHARS_MAX);
            let words = readable(&entry.words, Self::TEXT_CHARS_MAX);
            self.entries.push(Entry { id, words, ..entry });
        }
    }
}

/// A foreign text in which nothing is hidden, cut to a length.
pub(crate) fn readable(text: &str, most: usize) -> String {
    text.trim().chars().take(most).map(|c| if is_invisible(c) { '\u{fffd}' } else { c }).collect()
}

/// A percentage as a ratio.
pub(crate) fn percent(percent: u64) -> Ratio {
    u16::try_from(percent.min(100) * 100).map_or(Ratio::ONE, Ratio::of)
}

#[cfg(test)]
mod tests;
