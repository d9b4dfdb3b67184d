//! The enforcement point in the kernel's path.
//!
//! **What it is for.** [`run`] starts an agent in a box and stands before every program, file and
//! connection of its processes. What was decided before is answered in microseconds, much of it by the
//! kernel alone; the rest is asked of the decision point. What the kernel sees is measured, joined to the
//! call of the tool that caused it, and judged where no decision covers it. What the node takes from the
//! agent is in force within milliseconds.
//!
//! **What it never does.** It decides nothing: what is not allowed, not answered in time or not
//! understood is refused. It holds nobody in the kernel until a person answers. What is inside the box
//! never holds the token with which it speaks to the node.
//!
//! **Where to start.** [`run`], then `calls.rs` (what waits for a verdict), `opens.rs` (what the kernel
//! asks about files), `watch.rs` (what was seen) and `point.rs` (what is taken).

mod asker;
mod calls;
mod canary;
mod decider;
mod governed;
mod opens;
mod point;
mod programs;
mod question;
mod relay;
mod run;
mod sockets;
mod terrain;
mod tools;
mod watch;
mod window;

pub use asker::{Denials, Denied};
pub use canary::tried;
pub use pathwarden_kernel_sandbox::{Tier, User, doctor};
pub use run::{Ended, Ready, RunError, Setup, run};

/// Becomes what this process was started for, if that is a box or its canaries: first thing in `main`.
#[must_use]
pub fn entered() -> Option<std::process::ExitCode> {
    pathwarden_kernel_sandbox::entered(&governed::FILTERS).or_else(tried)
}
