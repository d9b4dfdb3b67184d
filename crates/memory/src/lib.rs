//! What agents keep from one run to the next, as state that can be followed and taken back.
//!
//! **What it is for.** Agents keep memory in knowledge graphs, key-value and vector stores, in the
//! memory tool of their model, and in files. [`uses`] says what a tool call reads and writes of them.
//! [`Memories`] is a fold over what was recorded: who wrote which version, from what it was derived,
//! who has read it, and what people quarantined or rolled back. [`cut()`] takes what is held back out
//! of a tool's result, and [`still_holds`] says whether that succeeded.
//!
//! **What it never does.** No I/O and no clock, and no content in the fold: texts are brought by the
//! caller, who keeps them by digest. It never trusts more because a limit was reached, and never shows
//! a version that is held back.
//!
//! **Where to start.** [`pathwarden_types::MemoryEvent`] is what is recorded, [`Memories::apply`] takes it in,
//! [`Memories::shown`] answers.

mod cut;
mod fold;
mod recognise;

pub use cut::{Cut, Needle, cut, found_in, still_holds};
pub use fold::{Consumer, Entry, Held, Memories, Shown, Standing, Version};
pub use recognise::{
    Glob, GlobFault, Moved, Reads, Removed, Stores, StoresFault, Uses, Write, uses,
};
