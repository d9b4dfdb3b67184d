//! What every enforcement point shares.
//!
//! **What it is for.** Accepting connections within limits, telling whether a request is meant for us,
//! answering whole or piece by piece, and waiting for a person who is asked about a held action.
//!
//! **What it never does.** It knows no protocol above HTTP, and decides nothing.
//!
//! **Where to start.** [`serve`], [`is_ours`], [`settle`].

mod body;
mod checks;
mod connections;
mod hold;

pub use body::{Answer, Gone, Here};
pub use checks::{bearer, is_ours, only};
pub use connections::{Doors, serve};
pub use hold::{Final, Patience, Signs, in_time, settle};
