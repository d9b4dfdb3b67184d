//! What stood in a model's window at each call, and what changed since the call before.
//!
//! **What it is for.** An agent sends its whole window with every call. Kept as a list of artifacts, each
//! by the digest of its content, a window costs what is new in it, and two windows can be compared. Calls
//! with one conversation are a *thread*; a sub-agent has one of its own, which leads back to the call that
//! told it what to do.
//!
//! **What it never does.** It reads no content and trusts nothing: what an artifact is worth is a label,
//! which others give. No I/O, no clock.
//!
//! **Where to start.** [`Threads::place`] says where a window belongs; [`Threads::apply`] folds it in.

mod artifact;
mod compare;
mod marks;
mod place;

pub use artifact::{Artifact, Window};
pub use compare::{Kept, Parting, kept_and_changed, parting};
pub use marks::{Marks, mark_of_text};
pub use place::{Change, Placed, Threads};

#[cfg(test)]
mod tests;
