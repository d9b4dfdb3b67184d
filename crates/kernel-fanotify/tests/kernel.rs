//! The real kernel is asked, and asks. Needs root.
//!
//! The governed process is a Python one in a mount namespace of its own; only a folder that is mounted
//! there once more is marked, so that nobody else on this machine ever waits for these tests.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot set itself up must stop, and one that cannot run says so"
)]

#[path = "kernel/access.rs"]
mod access;
#[path = "kernel/agent.rs"]
mod agent;
#[path = "kernel/cache.rs"]
mod cache;
#[path = "kernel/decide.rs"]
mod decide;
#[path = "kernel/look.rs"]
mod look;
#[path = "kernel/race.rs"]
mod race;
