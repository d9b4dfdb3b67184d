//! Waiting in a caller's stead, within bounds.

use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::listener::Listener;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(2);

/// Why something was not carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// The kernel's answer, which is the caller's.
    Errno(Errno),
    /// The caller no longer waits.
    Gone,
    /// Patience is at an end.
    Late,
    /// What was decided about is no longer so.
    Changed,
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

/// One call that waits for us, and how long it may.
pub(crate) struct Wait<'l> {
    listener: &'l Listener,
    id: u64,
    deadline: Instant,
    is_halted: &'l dyn Fn() -> bool,
}

impl<'l> Wait<'l> {
    pub(crate) fn new(
        listener: &'l Listener,
        id: u64,
        patience: Duration,
        is_halted: &'l dyn Fn() -> bool,
    ) -> Self {
        Self { listener, id, deadline: Instant::now() + patience, is_halted }
    }

    pub(crate) fn check(&self) -> Result<(), Stop> {
        if !self.listener.is_alive(self.id) {
            return Err(Stop::Gone);
        }
        if (self.is_halted)() {
            return Err(Stop::Errno(Errno::INTR));
        }
        if Instant::now() >= self.deadline { Err(Stop::Late) } else { Ok(()) }
    }

    pub(crate) fn pause(&self) -> Result<(), Stop> {
        self.check()?;
        thread::sleep(PAUSE);
        Ok(())
    }
}
