//! The one thread that writes: it drains the queue, writes one batch, syncs once, and only then lets
//! the tree grow and tells the writers.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;

use pathwarden_ledger::frame::{self, FrameError, frame_bytes};
use pathwarden_types::{Digest, Mode, Receipt};

use crate::AppendError;
use crate::append::Job;
use crate::cursor::Place;
use crate::shared::{Grown, Shared, read, write};
use crate::tail::{Tail, WriteError};

/// The most bytes that are written and synced in one go, unless a single append is larger: bounds
/// memory and how long the first writer of a batch waits for the last.
const BATCH_BYTES_MAX: u64 = 8 * 1024 * 1024;

pub(crate) struct Sequencer {
    shared: Arc<Shared>,
    tail: Tail,
    frames: Vec<u8>,
}

/// Jobs whose frames stand in the buffer.
#[derive(Default)]
struct Batch {
    jobs: VecDeque<Job>,
    placed: Vec<Placed>,
    digests: BTreeSet<Digest>,
}

struct Placed {
    place: Place,
    payloads: Vec<(Digest, Place)>,
}

impl Sequencer {
    pub(crate) const fn new(shared: Arc<Shared>, tail: Tail) -> Self {
        Self { shared, tail, frames: Vec::new() }
    }

    /// Runs until the queue is stopped and empty.
    pub(crate) fn run(mut self) {
        let mut jobs = VecDeque::new();
        loop {
            let more = self.shared.queue.take(&mut jobs);
            let kept = self.commit_all(&mut jobs);
            if more {
                self.shared.queue.give_back(kept);
            } else {
                report_lost(&kept);
                return;
            }
        }
    }

    /// Commits or refuses all `jobs`; gives back those that were refused and must be kept.
    fn commit_all(&mut self, jobs: &mut VecDeque<Job>) -> VecDeque<Job> {
        while !jobs.is_empty() {
            if self.shared.is_stopped() {
                return refuse(jobs, &AppendError::Stopped);
            }
            let mut batch = Batch::default();
            let outcome = self.fill(jobs, &mut batch).and_then(|()| self.write(&batch));
            match outcome {
                Ok(first) => self.acknowledge(batch, first),
                Err(error) => {
                    batch.jobs.append(jobs);
                    let error = self.explain(error);
                    return refuse(&mut batch.jobs, &error);
                }
            }
        }
        VecDeque::new()
    }

    /// Moves jobs into the batch, and their frames into the buffer, as long as there is room.
    fn fill(&mut self, jobs: &mut VecDeque<Job>, batch: &mut Batch) -> Result<(), WriteError> {
        self.frames.clear();
        let Some(first) = jobs.front() else { return Ok(()) };
        let room = self.tail.room(group_bytes(first))?.min(BATCH_BYTES_MAX);
        let shared = Arc::clone(&self.shared);
        let log = read(&shared.log);
        while let Some(job) = jobs.pop_front() {
            if !batch.jobs.is_empty() && self.frames.len() as u64 + group_bytes(&job) > room {
                jobs.push_front(job);
                break;
            }
            let seq = self.tail.next_index() + batch.jobs.len() as u64;
            let fresh = |digest: &Digest| log.recent_payload(digest).is_none();
            let placed = self.encode(&job, seq, &mut batch.digests, fresh);
            batch.jobs.push_back(job);
            batch.placed.push(placed.map_err(io::Error::other)?);
        }
        Ok(())
    }

    /// Appends a job's frames to the buffer: the payloads that the log does not have, then the entry.
    fn encode(
        &mut self,
        job: &Job,
        seq: u64,
        in_batch: &mut BTreeSet<Digest>,
        fresh: impl Fn(&Digest) -> bool,
    ) -> Result<Placed, FrameError> {
        let place = self.place_of_next();
        let mut payloads = Vec::new();
        for (digest, content) in &job.payloads {
            if fresh(digest) && in_batch.insert(*digest) {
                payloads.push((*digest, self.place_of_next()));
                frame::push_payload(&mut self.frames, seq, digest, content)?;
            }
        }
        frame::push_entry(&mut self.frames, seq, &job.entry)?;
        Ok(Placed { place, payloads })
    }

    fn place_of_next(&self) -> Place {
        let Place { segment, offset } = self.tail.place();
        Place { segment, offset: offset + self.frames.len() as u64 }
    }

    /// Makes the batch durable; gives the index of its first entry.
    fn write(&mut self, batch: &Batch) -> Result<u64, WriteError> {
        let first = self.tail.next_index();
        self.tail.write(&self.frames, batch.jobs.len() as u64)?;
        Ok(first)
    }

    /// Lets the tree grow by what is durable now, then tells the writers.
    fn acknowledge(&self, batch: Batch, first: u64) {
        let mut answers = Vec::with_capacity(batch.jobs.len());
        let mut log = write(&self.shared.log);
        for ((job, placed), index) in batch.jobs.into_iter().zip(batch.placed).zip(first..) {
            let Job { leaf, keys, strict, .. } = job;
            log.grow(Grown { leaf, place: placed.place, keys, payloads: placed.payloads });
            answers.extend(strict.map(|strict| (strict, index, leaf)));
        }
        drop(log);
        self.shared.signals.grown();
        for (strict, index, leaf) in answers {
            // A writer that no longer listens loses nothing but its answer.
            let _ = strict.send(Ok(Receipt { index: Some(index), leaf, mode: Mode::Strict }));
        }
    }

    fn explain(&self, error: WriteError) -> AppendError {
        match error {
            WriteError::Disk(source) => {
                tracing::warn!(error = %source, "the ledger could not be written; its batch is refused");
                AppendError::Disk { source: Arc::new(source) }
            }
            WriteError::Lost(error) => {
                self.shared.stop(&error.to_string());
                AppendError::Stopped
            }
        }
    }
}

/// The most room the frames of a job take.
fn group_bytes(job: &Job) -> u64 {
    let payloads = job.payloads.iter().map(|(_, content)| frame_bytes(32 + content.len()) as u64);
    frame_bytes(job.entry.len()) as u64 + payloads.sum::<u64>()
}

/// Tells the strict writers; gives back the batched jobs, which were promised to be kept.
fn refuse(jobs: &mut VecDeque<Job>, error: &AppendError) -> VecDeque<Job> {
    let mut kept = VecDeque::new();
    for mut job in jobs.drain(..) {
        match job.strict.take() {
            Some(strict) => {
                let _ = strict.send(Err(error.clone()));
            }
            None => kept.push_back(job),
        }
    }
    kept
}

fn report_lost(jobs: &VecDeque<Job>) {
    if !jobs.is_empty() {
        let entries = jobs.len();
        tracing::error!(
            entries,
            "accepted batched entries were lost: the disk refused them to the end"
        );
    }
}
