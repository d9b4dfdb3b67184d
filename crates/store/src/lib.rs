//! The durable ledger: segments, group commit, publication, recovery, index.
//!
//! **What it is for.** It makes an entry durable and says so with a [`Receipt`]; it publishes what is
//! durable as a transparency log that others verify without us; it finds entries and payloads again.
//! The layout of a log directory is described in `docs/formats/ledger.md`.
//!
//! **What it never does.** It never reads meaning into an entry (the index keys come from a function
//! that its user hands in), never creates a log because a path was wrong ([`create`] does, on
//! purpose), and never lets the tree hold an entry that is not durable.
//!
//! **Where to start.** [`Store::open`], [`Store::append`], [`Store::reader`]. Inside: `sequencer` puts
//! entries on disk, `follower` publishes and indexes what is there, `recover` is what opening does.

mod append;
mod create;
mod cursor;
mod disk;
mod files;
mod follower;
mod index;
mod layout;
mod options;
mod publisher;
mod queue;
mod reader;
mod recover;
mod sequencer;
mod shared;
mod store;
mod tail;

pub use append::{Append, AppendError, Pending};
pub use create::{CreateError, create};
pub use options::{APPEND_BYTES_MAX, ENTRY_BYTES_MAX, IndexKey, Options, PAYLOAD_BYTES_MAX};
pub use publisher::PublishError;
pub use reader::{Entries, ProveError, ReadError, Reader};
pub use recover::{OpenError, Recovered};
pub use store::Store;

pub use pathwarden_ledger::{Checkpoint, Signer, TlogProof, VerifierKey};
pub use pathwarden_types::{Mode, Receipt};

#[cfg(test)]
mod tests;
