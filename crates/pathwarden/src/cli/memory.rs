//! What can be typed after `memory`.

use clap::{Args, Subcommand};
use pathwarden_types::Name;

#[derive(Subcommand)]
pub(crate) enum Memory {
    /// List what agents remember, with who may have shaped it.
    List {
        /// Only of this store: a server, or a pattern of files.
        store: Option<String>,
        /// Only what outsiders may have shaped, or what is held back.
        #[arg(long)]
        open: bool,
    },
    /// Show an entry: its versions, what was made from it, and what was decided after it was read.
    Show(Remembered),
    /// Say what changed between two versions of an entry.
    Diff {
        #[command(flatten)]
        entry: Remembered,
        /// The version before [default: the one before the latest].
        #[arg(long)]
        from: Option<u64>,
        /// The version after [default: the latest].
        #[arg(long)]
        to: Option<u64>,
    },
    /// Let no agent see an entry any more, nor anything that was made from it.
    ///
    /// What a store answers goes on to the agent without it, in tools' results and in windows.
    Quarantine {
        #[command(flatten)]
        entry: Remembered,
        /// Only from this version on; 1 is all of it.
        #[arg(long, default_value_t = 1)]
        from: u64,
        #[command(flatten)]
        person: Person,
    },
    /// Let an entry be seen again as its store holds it.
    ///
    /// Entries that were made from it stay quarantined: release each of them too.
    Release {
        #[command(flatten)]
        entry: Remembered,
        #[command(flatten)]
        person: Person,
    },
    /// Let an entry be seen as it was at an earlier version.
    Rollback {
        #[command(flatten)]
        entry: Remembered,
        /// The version that counts.
        #[arg(long)]
        to: u64,
        #[command(flatten)]
        person: Person,
    },
}

/// Which entry.
#[derive(Args)]
pub(crate) struct Remembered {
    /// The store: a server, or a pattern of files, as `memory list` prints it.
    pub(crate) store: String,
    /// The entry's name there.
    pub(crate) key: String,
}

/// Who wants it, and why.
#[derive(Args)]
pub(crate) struct Person {
    /// A word on why; kept in the ledger.
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    /// Who wants it [default: the login name].
    #[arg(long)]
    pub(crate) by: Option<Name>,
}
