//! The bounded queue between the writers and the sequencer.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::append::Job;
use crate::shared::hold;
use crate::{AppendError, Options};

/// How long accepted batched entries wait after the disk refused them, when nothing else comes.
const RETRY_MS: u64 = 100;

/// Jobs in the order in which they get their indexes.
pub(crate) struct Queue {
    state: Mutex<State>,
    ready: Condvar,
    entries_max: usize,
    bytes_max: usize,
    window: Duration,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    bytes: usize,
    /// When the jobs must be taken at the latest; `None` while there are none.
    due: Option<Instant>,
    stopped: bool,
    /// Whether the sequencer sleeps: waking one that does not is a wasted system call.
    asleep: bool,
}

impl Queue {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            state: Mutex::default(),
            ready: Condvar::new(),
            entries_max: options.queue_entries_max,
            bytes_max: options.queue_bytes_max,
            window: Duration::from_millis(options.batch_window_ms),
        }
    }

    /// Takes a job in, or refuses it at once.
    pub(crate) fn push(&self, job: Job) -> Result<(), AppendError> {
        let mut state = hold(&self.state);
        if state.stopped {
            return Err(AppendError::Stopped);
        }
        let bytes = state.bytes + job.bytes;
        let full = state.jobs.len() >= self.entries_max || bytes > self.bytes_max;
        if full && !state.jobs.is_empty() {
            return Err(AppendError::Full);
        }
        let now = Instant::now();
        let due = if job.strict.is_some() { now } else { now + self.window };
        state.due = Some(state.due.map_or(due, |earlier| earlier.min(due)));
        state.bytes = bytes;
        state.jobs.push_back(job);
        if state.asleep {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Puts jobs back in front that the disk refused and that were promised to be kept.
    pub(crate) fn give_back(&self, jobs: VecDeque<Job>) {
        if jobs.is_empty() {
            return;
        }
        let mut state = hold(&self.state);
        state.bytes += jobs.iter().map(|job| job.bytes).sum::<usize>();
        let newer = mem::replace(&mut state.jobs, jobs);
        let retry = Instant::now() + Duration::from_millis(RETRY_MS);
        state.due = Some(state.due.map_or(retry, |earlier| earlier.min(retry)));
        state.jobs.extend(newer);
    }

    /// Waits until jobs are due and takes all of them, in exchange for the empty `jobs`. Says whether
    /// more can come.
    pub(crate) fn take(&self, jobs: &mut VecDeque<Job>) -> bool {
        let mut state = hold(&self.state);
        loop {
            let now = Instant::now();
            let wait = match state.due {
                _ if state.stopped => break,
                Some(due) if due <= now => break,
                Some(due) => Some(due - now),
                None => None,
            };
            state.asleep = true;
            state = match wait {
                Some(wait) => {
                    self.ready.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.asleep = false;
        }
        mem::swap(&mut state.jobs, jobs);
        state.bytes = 0;
        state.due = None;
        !state.stopped
    }

    /// Drops all jobs: nobody will take them.
    pub(crate) fn abandon(&self) {
        self.stop();
        drop(mem::take(&mut hold(&self.state).jobs));
    }

    /// Takes no more jobs in. Those it has can still be taken.
    pub(crate) fn stop(&self) {
        hold(&self.state).stopped = true;
        self.ready.notify_all();
    }
}
