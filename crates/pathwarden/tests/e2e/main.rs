//! The real program, end to end: a home, a node on it, its command line, its API. What is between a
//! promise and the disk is not simulated here.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "these are tests")]

mod approvals;
mod configuration;
mod containment;
mod disk;
mod evaluations;
mod flips;
mod gateway;
mod homes;
mod knowledge;
mod policies;
mod support;
mod texts;
mod tokens;
