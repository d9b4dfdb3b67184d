//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  pathwarden-verify log ~/.pathwarden/ledger --key ~/.pathwarden/keys/ledger.vkey
  pathwarden-verify log copy/ --key ledger.vkey --against checkpoint.last-month
  pathwarden-verify proof mail.tlog-proof --key ledger.vkey

Exit codes: 0 verified, 1 not verified, 2 wrong usage or unreadable input.";

const KEY_HELP: &str = "\
The key you trust, as a file that holds one line or as the line itself: \
`name+12345678+base64`. Get it once, over a way that the log's keeper cannot change later, and \
keep it: a key that is delivered together with a log vouches for nothing.";

/// Checks a Pathwarden log or a proof from one: offline, and with no code of the program that wrote it.
#[derive(Debug, Parser)]
#[command(name = "pathwarden-verify", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to check.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a log directory: checkpoint, every tile, every entry, every segment.
    ///
    /// Recomputes the Merkle tree from the entries, compares every hash on disk and the signed
    /// root with it, and then reads every segment frame by frame. All faults are listed.
    Log(LogArgs),
    /// Check a `.tlog-proof`: that one entry is in the log.
    ///
    /// Prints the entry, which is proven to be in the log at the index given.
    Proof(ProofArgs),
}

/// Arguments of `log`.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// The log directory (it holds `checkpoint`, `tile/` and `segments/`).
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
    /// Also show that the log extends this older checkpoint: nothing was removed or rewritten.
    #[arg(long, value_name = "OLD_CHECKPOINT_FILE")]
    pub(crate) against: Option<PathBuf>,
}

/// Arguments of `proof`.
#[derive(Debug, Args)]
pub(crate) struct ProofArgs {
    /// The proof.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
    /// The entry's exact bytes. Without it the proof must carry the entry itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) entry: Option<PathBuf>,
}

/// Arguments of both.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The key you trust: a file, or the key itself.
    #[arg(long, value_name = "VKEY_FILE_OR_TEXT", long_help = KEY_HELP)]
    pub(crate) key: String,
    /// Print one JSON object for programs.
    #[arg(long)]
    pub(crate) json: bool,
}
