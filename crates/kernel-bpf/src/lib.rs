//! What the kernel sees of a session's processes, and what it lets them reach.
//!
//! **What it is for.** The programs in `bpf/` watch one cgroup and all below it: processes that begin,
//! turn into others and end, files that are opened and changed, connections. They refuse a connection
//! that no verdict allows, and end a program that starts without an approval before any of it runs.
//! [`Session`] puts them there, sets what they enforce and reads what they saw.
//!
//! **What it never does.** It decides nothing: verdicts and approvals come from above, and where one is
//! missing the answer is no. It never waits, neither in the kernel nor for it. It sees nothing outside
//! its cgroup, and it does not follow a process that is moved out of it, an inherited socket, or
//! what needs no system call: keeping those away is the sandbox's part.
//!
//! **Where to start.** [`Session::attach`], then [`Session::drain`] and [`Event`].

mod approval;
mod cgroup;
mod decode;
mod destination;
mod device;
mod event;
mod object;
mod ring;
mod session;

pub use approval::{Changed, ExecApproval, Extent, TAIL_BYTES_MAX, argv_hash};
pub use destination::{Destination, Egress, Protocol, Traffic};
pub use event::{Event, ExecFault, Image, Named, OpenedFile, PathOrigin, Verdict};
pub use object::AttachError;
pub use ring::DrainError;
pub use session::{MapError, Session};
