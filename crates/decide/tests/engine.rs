//! The engine on the shipped policy.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a broken expectation is the failure"
)]

#[path = "engine/attacks.rs"]
mod attacks;
#[path = "engine/cases.rs"]
mod cases;
#[path = "engine/host.rs"]
mod host;
#[path = "engine/simulation.rs"]
mod simulation;
#[path = "engine/support.rs"]
mod support;
