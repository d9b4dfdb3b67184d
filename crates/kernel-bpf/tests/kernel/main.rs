//! The programs in the real kernel, on real processes in a cgroup of their own.

// A test that cannot set itself up must stop.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "these are tests; what they skip, they say"
)]

mod approvals;
mod bed;
mod egress;
mod files;
mod processes;
mod ring;
