//! Many writers at once, each waiting for its own entry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use pathwarden_store::Append;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

use super::entry;
use super::logs::{Log, Ours};
use crate::measure::Samples;

/// The most entries that a peer commits in one transaction.
const GROUP_MAX: usize = 1024;

/// An entry, and whom to tell that it is durable.
type Job = (Vec<u8>, oneshot::Sender<()>);

/// Where many writers append.
#[derive(Clone)]
enum Way {
    /// Our ledger groups by itself.
    Ours(Arc<Ours>),
    /// A thread in front of a peer, which commits everything that waits.
    Grouped(mpsc::UnboundedSender<Job>),
}

/// A log that many writers append to, and a runtime for them.
pub(super) struct Front {
    way: Way,
    runtime: Runtime,
    numbers: Arc<AtomicU64>,
}

impl Front {
    pub(super) fn of_ours(ours: Ours) -> Result<Self> {
        Self::new(Way::Ours(Arc::new(ours)))
    }

    pub(super) fn grouping(mut log: impl Log + 'static) -> Result<Self> {
        let (sender, mut jobs) = mpsc::unbounded_channel::<Job>();
        std::thread::spawn(move || {
            let mut waiting = Vec::new();
            while jobs.blocking_recv_many(&mut waiting, GROUP_MAX) > 0 {
                let (entries, writers): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
                if log.append(entries).is_ok() {
                    // A writer that is not told fails the run.
                    writers.into_iter().for_each(|writer| {
                        let _ = writer.send(());
                    });
                }
            }
        });
        Self::new(Way::Grouped(sender))
    }

    fn new(way: Way) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().context("a runtime")?;
        Ok(Self { way, runtime, numbers: Arc::default() })
    }

    /// `writers` tasks append one entry after the other, each waiting for its own, for one turn.
    pub(super) fn many_writers(
        &self,
        writers: u64,
        turn: Duration,
        samples: &mut Samples,
    ) -> Result<()> {
        let began = Instant::now();
        let tasks: Vec<_> = (0..writers)
            .map(|_| {
                let (way, numbers) = (self.way.clone(), Arc::clone(&self.numbers));
                self.runtime.spawn(writer(way, numbers, began + turn))
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            let mine = self.runtime.block_on(task)??;
            done += mine.calls();
            samples.join(mine);
        }
        samples.did(done, began.elapsed());
        Ok(())
    }

    /// Waits for what happens after the acknowledgement, where something does.
    pub(super) fn settle(&self) -> Result<()> {
        match &self.way {
            Way::Ours(ours) => ours.publish(),
            Way::Grouped(_) => Ok(()),
        }
    }
}

async fn writer(way: Way, numbers: Arc<AtomicU64>, until: Instant) -> Result<Samples> {
    let mut samples = Samples::default();
    loop {
        // Beyond what the single writer appended before.
        let entry = entry(numbers.fetch_add(1, Ordering::Relaxed) + (1 << 40));
        let start = Instant::now();
        if start >= until {
            return Ok(samples);
        }
        match &way {
            Way::Ours(ours) => {
                let _receipt = ours.store.append(Append { entry, payloads: Vec::new() })?.await?;
            }
            Way::Grouped(jobs) => {
                let (told, durable) = oneshot::channel();
                jobs.send((entry, told)).ok().context("the committing thread has ended")?;
                durable.await.context("a commit failed")?;
            }
        }
        samples.call(start.elapsed());
    }
}
