//! The supply chain of tools: what servers offer, and whether it is still what somebody trusted.
//!
//! **What it is for.** Everything that a server offers to a model (tools, prompts, templates,
//! instructions) and the program that it is are fingerprinted over their canonical form, unknown
//! members included. The [`Registry`] is a fold over what was recorded: what was seen first, what
//! changed, what people ruled and switched. It says where an item stands, and what must be recorded of
//! an offer.
//!
//! **What it never does.** No I/O and no clock. It decides nothing: what follows from a trust is
//! said by the policy, and what is switched off by the engine. It never trusts a form because a server
//! shows it twice.
//!
//! **Where to start.** [`Registry::offer`]; `steer.rs` looks at texts, `likeness.rs` at names.

mod likeness;
mod registry;
mod steer;

pub use likeness::skeleton;
pub use registry::{Offer, Pin, Registry, Switch};
pub use steer::{Judged, STEERS_AT, steering};
