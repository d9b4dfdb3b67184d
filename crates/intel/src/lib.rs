//! Threat intelligence from files that an operator drops in: lists, CSV, STIX 2.1, MISP.
//!
//! **What it is for.** The decision point asks whether a destination or a file of an action is known to
//! be bad, and records the id of the snapshot that said so, so that a replay gives the same answer.
//!
//! **What it never does.** No I/O and no network: bytes come in as arguments. No clock: a listing is
//! weighed at the time that the caller names. Nothing in a feed that it does not understand is dropped
//! in silence: it is counted, with examples.
//!
//! **Where to start.** [`Feed::parse`], then [`Snapshot::build`] and [`Snapshot::look_up`].

mod feed;
mod indicator;
mod punycode;
mod snapshot;
mod time;
mod url;

pub use feed::{Entry, Feed, FeedError, Format, Unmatched};
pub use indicator::{Indicator, Network, Pattern};
pub use snapshot::{Hit, Snapshot, SnapshotError};
