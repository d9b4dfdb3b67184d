//! A process tree in a box: cgroup, namespaces, Landlock, capabilities.
//!
//! **What it is for.** The supervisor starts an agent's process tree with it: in a cgroup that freezes,
//! counts and kills the whole tree, in namespaces where nothing outside can be seen or signalled, with
//! few capabilities, under Landlock, and with the seccomp filters that the supervisor answers. It also
//! says what of this a machine can do.
//!
//! **What it never does.** It decides nothing about single actions, and it never runs the agent in a
//! weaker box than asked for: a step that fails is an error with advice, and nothing is executed.
//!
//! **Where to start.** [`entered`] comes first in `main`; then [`Tree::session`] and [`Launch::start`];
//! [`doctor::abilities`] for what is missing.

mod cgroup;
mod child;
mod confine;
mod descendants;
pub mod doctor;
mod keeper;
mod launch;
mod mounts;
mod spec;
mod step;
mod sys;
mod wire;

pub use cgroup::{Bound, Cgroup, CgroupError, Tree, cgroup_of};
pub use child::entered;
pub use descendants::Descendants;
pub use launch::{Launch, LaunchError, START_MAX, Streams};
pub use spec::{Filters, Landlock, Leftover, Report, Spec, Tier, User};
pub use step::{Failure, Step};
