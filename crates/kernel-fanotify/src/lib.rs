//! The kernel's own questions about files: opened, executed, accessed.
//!
//! **What it is for.** A program that opens, executes or touches a file on a marked mount waits in the
//! kernel until we answer. The question carries the file itself, not a name for it, so that no race, link
//! or spelling leads around the answer. An allowed file can be remembered in the kernel, which then asks
//! no more.
//!
//! **What it never does.** It decides nothing, and lets nothing through by mistake: a question that is
//! dropped, or whose file cannot be opened, is refused. It cannot help two things. When the last handle of
//! a [`Group`] is gone (the process died), the kernel lets everything through that waits, so whoever is
//! governed must die with us. And who opens a file on a mount that it marked itself waits for itself.
//!
//! **Where to start.** [`Group::new`], [`Group::mark_mount`] on a path that [`reach`] made, then
//! [`Group::read`] in a thread of its own.
//!
//! What the kernel does *not* ask about, and what therefore needs another guard (seen on Linux 6.18):
//! directories; devices and FIFOs; anything in `/proc`, which cannot be marked; files in memory; files
//! made, renamed, removed; use of a descriptor that is open already, be it inherited or received over a
//! socket (but see [`Ask::Access`]). `O_CREAT` has made the file by the time of the question.

mod ask;
mod batch;
mod event;
mod group;
mod mounts;
mod reach;
mod sys;
mod syscall;

pub use ask::{Ask, Asks};
pub use event::{Answered, Change, Event, FileId, RememberError, Verdict};
pub use group::{Class, Group, GroupError, MarkError, Notice, ReadError};
pub use mounts::{Mount, mounts_of};
pub use reach::{Reached, reach};
pub use syscall::{Intent, Syscall, syscall_of};
