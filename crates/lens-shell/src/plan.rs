//! What a reading of a command line answers with, and what it may be told beforehand.

use std::collections::{BTreeMap, BTreeSet};

/// The most acts that one plan holds; a line that would do more is [`Doubt::TooLong`].
pub const WOULD_MAX: usize = 512;

/// What one act does to its object.
///
/// Deliberately exhaustive: a new act must break every rule that has not said what it thinks of it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Act {
    /// Starts a program.
    Run,
    /// Reads a file, a folder or what is below it; or makes it readable under another name.
    Read,
    /// Creates or writes a file, or writes below a folder.
    Write,
    /// Removes a file or a folder, or what is in it.
    Remove,
    /// Changes mode, owner, name or attributes, or the system: its processes, units, mounts, rules.
    Change,
    /// Talks to a host, or to a service behind a socket.
    Reach,
}

impl Act {
    /// All acts, in their order.
    pub const ALL: [Self; 6] =
        [Self::Run, Self::Read, Self::Write, Self::Remove, Self::Change, Self::Reach];

    /// The word for it in policies and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Read => "read",
            Self::Write => "write",
            Self::Remove => "remove",
            Self::Change => "change",
            Self::Reach => "reach",
        }
    }
}

/// One thing that a command line would do.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Would {
    /// What it does.
    pub act: Act,
    /// To what.
    ///
    /// * *Run*: the program's name; its path as spelled where it is not in a usual folder of programs.
    /// * *Reach*: `host` or `host:port` as spelled, `unix:PATH`, or `git:REMOTE` for a remote whose
    ///   address only the repository knows.
    /// * Else a path as spelled, after expansion, below the folders that the line itself enters. A
    ///   pattern stays one (`/tmp/*.log`; `DIR/**/NAME` for what a search finds), a part that is not
    ///   known stays as spelled (`$NAME`, `$(…)`). What is no file has a prefix: `process:`, `unit:`,
    ///   `account:`, `module:`, `sysctl:`, `package:`, `namespace:`, or is one of `crontab`,
    ///   `at`, `firewall`, `network`, `power`, `system`.
    pub what: String,
}

/// How a command line hides what it does, or why it cannot be read to its end.
///
/// Deliberately exhaustive, like [`Act`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Doubt {
    /// Part of it is not known here: code in another language, or a value that only running it gives.
    Opaque,
    /// Something was decoded to see what it is: base64, hexadecimal, escapes, reversed text.
    Decoded,
    /// Runs what it downloads.
    FetchedCode,
    /// Runs what it decodes.
    DecodedCode,
    /// Nested deeper than [`crate::DEPTH_MAX`].
    TooDeep,
    /// Longer than [`crate::TEXT_MAX_BYTES`], more acts than [`WOULD_MAX`], or more work than its length
    /// is worth; the plan is not complete.
    TooLong,
    /// Not the grammar of a shell; the plan holds what could be read.
    Unparsable,
    /// Removes or changes by a pattern, or a whole tree at a place near the root.
    Wildcard,
    /// Asks for another user's rights, or plants a file that gives them.
    Privilege,
    /// Clears the history of the shell, or logs.
    History,
    /// Opens a listening socket, or ties a shell to a connection.
    Listens,
}

impl Doubt {
    /// All doubts, in their order.
    pub const ALL: [Self; 11] = [
        Self::Opaque,
        Self::Decoded,
        Self::FetchedCode,
        Self::DecodedCode,
        Self::TooDeep,
        Self::TooLong,
        Self::Unparsable,
        Self::Wildcard,
        Self::Privilege,
        Self::History,
        Self::Listens,
    ];

    /// The word for it in policies and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Decoded => "decoded",
            Self::FetchedCode => "fetched_code",
            Self::DecodedCode => "decoded_code",
            Self::TooDeep => "too_deep",
            Self::TooLong => "too_long",
            Self::Unparsable => "unparsable",
            Self::Wildcard => "wildcard",
            Self::Privilege => "privilege",
            Self::History => "history",
            Self::Listens => "listens",
        }
    }
}

/// All that a command line would do, as far as it can be seen without running it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use = "a plan that nobody judges protects nothing"]
pub struct Plan {
    /// The acts, at most [`WOULD_MAX`].
    pub would: BTreeSet<Would>,
    /// What hides more. Empty: nothing was seen that does.
    pub doubts: BTreeSet<Doubt>,
}

/// What is known of the place where the command line would run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Surroundings {
    /// The home of its user, for `~` and `$HOME`; empty when not known, and then `~` stays.
    pub home: String,
    /// Its environment, as far as known. A variable that is not here has no known value.
    pub variables: BTreeMap<String, String>,
}
