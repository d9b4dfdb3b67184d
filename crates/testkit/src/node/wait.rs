//! Waiting for a state instead of for time to pass.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often a state is looked at.
const EVERY: Duration = Duration::from_millis(20);

/// How long a state may take to come about.
const WITHIN: Duration = Duration::from_secs(30);

/// Looks again and again until there is something to see, or the time is up.
///
/// # Errors
///
/// When the time is up, naming what was waited for, or when looking fails.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + WITHIN;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        if Instant::now() >= deadline {
            bail!("waited {} s in vain for this: {what}", WITHIN.as_secs());
        }
    }
}
