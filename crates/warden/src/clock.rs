//! The node's clock: never goes back, so that records of a session are in order.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use pathwarden_types::Millis;

/// The node's clock.
#[derive(Debug, Default)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    /// Now, or the latest time told so far when the system's clock went back.
    pub(crate) fn now(&self) -> Millis {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(system.as_millis()).unwrap_or(u64::MAX);
        Millis(self.0.fetch_max(now, Ordering::Relaxed).max(now))
    }
}
