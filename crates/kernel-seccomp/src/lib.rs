//! System calls that are refused, and those that are carried out on behalf.
//!
//! **What it is for.** Two seccomp filters of an agent's process tree. [`install_refusals`] answers
//! what no agent needs with an error, in the kernel, for ever. [`install_notify`] hands execs,
//! connects and everything that changes files to a [`Listener`]. A [`Call`] becomes an [`Attempt`]:
//! all text is copied out of the caller once, every path is walked in the caller's own view and
//! pinned by `O_PATH` descriptors, and [`Attempt::needs`] names true paths. [`Attempt::perform`]
//! then acts on those descriptors and on nothing else, with the caller's file rights, and answers
//! the call. What another thread of the caller rewrites in the meantime has no effect.
//!
//! **What it never does.** It decides nothing and knows no policy. It never continues a call whose
//! meaning lies in the caller's memory, with one exception: an exec, which only the kernel can do,
//! and whose file must therefore be checked again (fanotify, then the command line after the exec).
//! It gives nobody rights: a caller without `CAP_DAC_OVERRIDE` is refused as the kernel would refuse
//! it. But what the *kernel* holds against the caller's own task does not bind the one that performs:
//! the caller's Landlock domain, `RLIMIT_FSIZE`, its cgroup's memory limit, and the sysctls
//! `fs.protected_regular` and `fs.protected_fifos`. Whoever decides must ask for at least what
//! Landlock would refuse. And an emulated open reaches fanotify with the
//! performer's pid: answer permission events of this process without waiting for this crate.
//!
//! **Where to start.** [`install_refusals`], [`install_notify`], [`Listener`], [`attempt()`].

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("the filters know the call numbers of Linux on x86_64 only; build for that target");

mod address;
mod assemble;
mod attempt;
mod caller;
mod exec;
mod listener;
mod notify;
mod object;
mod perform;
mod refuse;
mod resolve;
mod sys;
mod target;
mod times;
mod view;
mod wait;

pub use address::{Address, Connect};
pub use attempt::{Attempt, Deed, Need, Place, Requirement, attempt};
pub use caller::Caller;
pub use exec::{Exec, ExecFile};
pub use listener::{Call, Delivery, ListenError, Listener, Next};
pub use notify::{InstallError, Scope, install_notify, notify_program};
pub use object::{Entry, FileId, Form, Kind, Object};
pub use perform::{Done, PerformError};
pub use refuse::{install_refusals, refuse_dangerous};
pub use rustix::io::Errno;
pub use target::Target;
pub use times::Times;
