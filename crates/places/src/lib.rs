//! Where a path stands on a machine: in the workspace, among credentials, in the system.
//!
//! **What it is for.** A decision about a file seldom depends on the file; it depends on what kind of
//! place the file is in. This crate says which of twelve [`Place`]s that is, and which group of paths
//! ([`Scope`]) may share one decision.
//!
//! **What it never does.** It asks no file system: the path must be the one that the kernel resolved, and
//! what is not such a path is [`Place::Elsewhere`]. It does not know whether the path is read, written or
//! executed, and decides nothing.
//!
//! **Where to start.** [`Map::new`], then [`Map::place`] and [`Map::scope`]. What is where stands as data
//! in `tables.rs` and the files below it.

mod map;
mod names;
mod path;
mod place;
mod scope;
mod tables;
mod tree;

pub use map::{Map, MapFault};
pub use place::Place;
pub use scope::Scope;
