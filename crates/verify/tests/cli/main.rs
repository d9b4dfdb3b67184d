//! Runs the program on logs that a second, deliberately plain writer made.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set itself up must stop, and indexes what it wrote itself"
)]

mod log;
mod proof;
mod writer;
