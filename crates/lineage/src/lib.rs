//! Where a value came from.
//!
//! **What it is for.** An argument of a tool call may have been written by the person, read as a
//! whole field of an answer, or lifted out of free text that anybody may have shaped. This crate
//! finds out which, also when the value was encoded, cut up or spelled in another way on its way,
//! and carries labels along: from what was read to what is written, and to stored things.
//!
//! **What it never does.** It decides nothing, has no I/O, no clock and no randomness. It keeps no
//! content, only hashes and places; so a caller who wants to show a [`snippet`](snippet()) brings
//! the text. It never trusts more because a limit was reached: every overflow is said.
//!
//! **Where to start.** [`Reading::of`] reads one piece of content, [`Index::add`] remembers it,
//! [`Index::trace`] says where a value stood. [`role()`] says what an argument is for.

mod endorse;
mod entity;
mod flow;
mod fold;
mod hash;
mod index;
mod prints;
mod reading;
mod resources;
mod role;
mod runs;
mod snippet;
mod trace;
mod words;

pub use endorse::{
    By, Endorsement, Endorsements, EndorsementsFull, ExtractionFault, Schema, canonical_value,
};
pub use flow::{Readers, can_flow, lowest};
pub use index::{Background, Index, SourceId};
pub use pathwarden_decode::Step;
pub use reading::{Reading, SeenLeaf};
pub use resources::{Resources, StoredThing, Writing};
pub use role::{Role, role};
pub use snippet::{Snippet, snippet};
pub use trace::{How, Match, Piece, Trace};

#[cfg(test)]
mod tests;
