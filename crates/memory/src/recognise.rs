//! What a tool call does to memory.

mod file;
mod generic;
mod glob;
mod graph;
mod notes;

use std::collections::BTreeSet;

use pathwarden_json::{Json, Kind};
use pathwarden_types::Digest;

use pathwarden_types::WriteMode;

pub use glob::{Glob, GlobFault};

/// The longest key, in bytes; a longer one is cut, with a digest of the whole at its end.
const KEY_BYTES_MAX: usize = 512;

/// Text from this length on may be a sentence that does something to whoever reads it, in characters.
const LONG_CHARS: usize = 24;

/// What the operator declares to be memory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Stores {
    servers: BTreeSet<String>,
    files: Vec<Glob>,
}

/// Why a declaration of memory is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoresFault {
    /// Each file that a tool names is held against each pattern.
    #[error("more than {} patterns of files, `**` may stand for several", Stores::PATTERNS_MAX)]
    TooMany,
    /// One of the patterns.
    #[error("`{pattern}` is not a pattern of files")]
    Pattern {
        /// Which.
        pattern: String,
        /// Why.
        #[source]
        source: GlobFault,
    },
}

/// What one tool call does to one store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Uses {
    /// The name of the server, or the pattern of the files.
    pub store: String,
    /// What is shown to the agent.
    pub reads: Reads,
    /// What is written, in the order of the arguments.
    pub writes: Vec<Write>,
    /// What is removed. Of a directory, what is below it is held to be there still.
    pub removes: Vec<Removed>,
    /// What gets another key: its text is what it was. A path may be a directory: see
    /// [`Memories::covered`](crate::Memories::covered).
    pub moves: Vec<Moved>,
    /// What is had under another key as well.
    pub copies: Vec<Moved>,
    /// How many reads, writes and removals there are beyond [`Uses::PARTS_MAX`] of each. A call with
    /// any cannot be followed.
    pub left_out: usize,
}

/// What a call reads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reads {
    /// Nothing.
    No,
    /// The entries of these keys.
    Keys(Vec<String>),
    /// Whatever the store chooses.
    Any,
}

/// One text that is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Write {
    /// Of which entry.
    pub key: String,
    /// What.
    pub text: String,
    /// What becomes of the text before it.
    pub mode: WriteMode,
}

/// One entry that is removed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Removed {
    /// Which.
    pub key: String,
    /// Only this text of it; all of it when `None`.
    pub text: Option<String>,
}

/// One entry whose text gets another key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Moved {
    /// The key that it has.
    pub from: String,
    /// The key that it gets.
    pub to: String,
}

/// What a tool call does to memory; `None` when it has nothing to do with it. Tools of the official
/// memory server and the memory tool of the model are known by their form, whoever offers them: to
/// follow a call that is none does no harm.
#[must_use]
pub fn uses(spec: &Stores, server: &str, tool: &str, arguments: Json<'_>) -> Option<Uses> {
    graph::uses(server, tool, arguments)
        .or_else(|| notes::uses(server, tool, arguments))
        .or_else(|| file::uses(&spec.files, tool, arguments))
        .or_else(|| spec.servers.contains(server).then(|| generic::uses(server, tool, arguments)))
}

impl Stores {
    /// The most patterns of files.
    pub const PATTERNS_MAX: usize = 256;

    /// These servers are memory stores, and files that fit these patterns are memory.
    ///
    /// # Errors
    ///
    /// [`StoresFault`] names the pattern.
    pub fn new<'a>(
        servers: impl IntoIterator<Item = String>,
        files: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, StoresFault> {
        let parse = |text: &str| {
            let pattern = || text.chars().take(Glob::BYTES_MAX).collect();
            text.parse().map_err(|source| StoresFault::Pattern { pattern: pattern(), source })
        };
        let files = files.into_iter().map(parse).collect::<Result<Vec<Glob>, _>>()?;
        if files.len() > Self::PATTERNS_MAX {
            return Err(StoresFault::TooMany);
        }
        Ok(Self { servers: servers.into_iter().collect(), files })
    }
}

impl Uses {
    /// The most reads, writes, removals and moves of one call, each.
    pub const PARTS_MAX: usize = 256;

    fn of(store: &str) -> Self {
        Self {
            store: store.to_owned(),
            reads: Reads::No,
            writes: Vec::new(),
            removes: Vec::new(),
            moves: Vec::new(),
            copies: Vec::new(),
            left_out: 0,
        }
    }

    /// Nothing is written where there is no text. A second text for one key stands beside the first,
    /// whatever the call does with what was there before.
    fn write(&mut self, key: &str, text: String, mode: WriteMode) {
        if text.is_empty() {
            return;
        }
        let key = short_key(key);
        let is_second = self.writes.iter().any(|write| write.key == key);
        let mode = if is_second { WriteMode::Add } else { mode };
        if self.writes.len() < Self::PARTS_MAX {
            self.writes.push(Write { key, text, mode });
        } else {
            self.left_out += 1;
        }
    }

    fn remove(&mut self, key: &str, text: Option<String>) {
        if self.removes.len() < Self::PARTS_MAX {
            self.removes.push(Removed { key: short_key(key), text });
        } else {
            self.left_out += 1;
        }
    }

    fn read(&mut self, key: &str) {
        let key = short_key(key);
        match &mut self.reads {
            Reads::Any => {}
            Reads::Keys(keys) if keys.len() >= Self::PARTS_MAX => self.reads = Reads::Any,
            Reads::Keys(keys) => keys.push(key),
            Reads::No => self.reads = Reads::Keys(vec![key]),
        }
    }
}

/// A key of bounded length.
fn short_key(key: &str) -> String {
    if key.len() <= KEY_BYTES_MAX {
        return key.to_owned();
    }
    let kept = key.get(..key.floor_char_boundary(KEY_BYTES_MAX - 9)).unwrap_or_default();
    format!("{kept}-{}", first_digits(key))
}

/// The key of a text that has none.
fn key_of_text(text: &str) -> String {
    format!("text-{}", first_digits(text))
}

fn first_digits(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string().chars().take(8).collect()
}

/// The string that a value is. One with half of a surrogate pair is text all the same, as spelled.
fn string(value: Json<'_>) -> Option<String> {
    if value.kind() != Kind::String {
        return None;
    }
    let spelled = || value.text().trim_matches('"').to_owned();
    Some(value.string().map_or_else(spelled, std::borrow::Cow::into_owned))
}

/// The string that a member is.
fn text(object: Json<'_>, name: &str) -> Option<String> {
    object.member(name).and_then(string)
}

/// The strings of a member that is a list.
fn texts(object: Json<'_>, name: &str) -> Vec<String> {
    let list = object.member(name).into_iter().flat_map(Json::items);
    list.filter_map(string).collect()
}

fn moved(from: &str, to: &str) -> Moved {
    Moved { from: short_key(from), to: short_key(to) }
}

fn is_long(text: &str) -> bool {
    text.chars().nth(LONG_CHARS - 1).is_some()
}

/// The words of a tool's name, in lower case: `addMemory`, `add_memory` and `add-memory` are one.
fn words(name: &str) -> BTreeSet<String> {
    let mut spaced = String::with_capacity(name.len() + 8);
    let mut was_small = false;
    for character in name.chars() {
        if was_small && character.is_uppercase() {
            spaced.push(' ');
        }
        was_small = character.is_lowercase() || character.is_numeric();
        spaced.extend(character.to_lowercase());
    }
    let split = spaced.split(|character: char| !character.is_alphanumeric());
    split.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn says(words: &BTreeSet<String>, any: &[&str]) -> bool {
    any.iter().any(|word| words.contains(*word))
}

#[cfg(test)]
mod tests;
