//! Recorded runs of agents, decided as if they were live.
//!
//! **What it is for.** To measure: events that were recorded elsewhere pass the same engine, with the
//! same records and the same fold, that a node uses. What is refused here returns nothing, as it would
//! live, so that what the recorded agent read afterwards from it teaches the session nothing.
//!
//! **What it never does.** No I/O, no clock, and nothing that one session learns reaches another: any
//! interleaving of sessions gives the same decisions.
//!
//! **Where to start.** [`Evaluation::feed`] takes one [`Event`].

mod event;
mod run;

pub use event::{Event, EventError, Happening};
pub use run::{Decision, Evaluation, settings};
