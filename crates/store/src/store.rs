//! The running log.

use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use pathwarden_ledger::tree::leaf_hash;
use pathwarden_ledger::{Checkpoint, Signer, VerifierKey};
use pathwarden_types::{Mode, Receipt};

use crate::append::Job;
use crate::disk::{Disk, OsDisk};
use crate::follower::Follower;
use crate::index::{self, CatchUp};
use crate::layout::Layout;
use crate::publisher::Publisher;
use crate::reader::find;
use crate::recover::{self, Found};
use crate::sequencer::Sequencer;
use crate::shared::{Shared, hold, write};
use crate::tail::{Tail, WriteError};
use crate::{Append, AppendError, OpenError, Options, Pending, PublishError, Reader, Recovered};

/// One log, open for writing. Dropping it commits what is queued and ends its threads;
/// [`close`](Self::close) also publishes, and says how it went.
pub struct Store {
    shared: Arc<Shared>,
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    sequencer: JoinHandle<()>,
    follower: JoinHandle<()>,
    /// Held as long as the threads run.
    _lock: File,
}

impl Store {
    /// Opens the log in `dir`; never creates one. Reads all of it: about a second per million entries
    /// of a kilobyte.
    ///
    /// # Errors
    /// When it is missing, locked, damaged, or does not belong to the keys.
    pub fn open(
        dir: &Path,
        key: &VerifierKey,
        signer: Signer,
        options: Options,
    ) -> Result<(Self, Recovered), OpenError> {
        Self::open_on(Arc::new(OsDisk), dir, key, signer, options)
    }

    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        key: &VerifierKey,
        signer: Signer,
        options: Options,
    ) -> Result<(Self, Recovered), OpenError> {
        if signer.verifier_key() != key {
            let signer = signer.verifier_key().name().to_owned();
            return Err(OpenError::Keys { signer, key: key.name().to_owned() });
        }
        let layout = Layout::new(dir);
        let lock = recover::lock(&layout)?;
        let checkpoint = recover::checkpoint(&layout, key)?;
        let last = recover::last_segment(&layout)?;
        let Found { log, published, end } = recover::scan(&layout, &checkpoint, last)?;
        let entries = log.frontier.size();
        let (tail, truncated_bytes) = open_tail(&disk, &layout, &options, end, entries)?;
        let shared = Shared::new(layout, key.clone(), options, log, checkpoint);
        let shared = Arc::new(shared);
        let index_rebuilt = open_index(&shared);
        let publisher = Publisher::new(disk, Arc::clone(&shared), signer, published);
        let threads = Threads {
            sequencer: spawn(
                "pw-sequencer",
                &shared,
                Sequencer::new(Arc::clone(&shared), tail),
                Sequencer::run,
            )?,
            follower: spawn(
                "pw-follower",
                &shared,
                Follower::new(Arc::clone(&shared), publisher),
                Follower::run,
            )?,
            _lock: lock,
        };
        let store = Self { shared, threads: Mutex::new(Some(threads)) };
        Ok((store, Recovered { entries, truncated_bytes, index_rebuilt }))
    }

    /// Strict: puts the entry in the queue. It counts when the returned [`Pending`] gives a receipt.
    /// Appends from one thread get increasing indexes.
    ///
    /// Hashes on the calling thread, and reads payloads that the log may have already; it never waits
    /// for a write.
    ///
    /// # Errors
    /// When the queue is full, something is too large, or the log has stopped.
    pub fn append(&self, append: Append) -> Result<Pending, AppendError> {
        let mut job = self.prepare(append)?;
        let pending = job.pending();
        self.shared.queue.push(job)?;
        Ok(pending)
    }

    /// Batched: as `append`, and done when it is in the queue: the receipt has the leaf but no index.
    /// The commit begins within [`Options::batch_window_ms`]. While the disk refuses, the entry is
    /// kept and tried again; it is lost only if the process ends before that succeeds.
    ///
    /// # Errors
    /// When the queue is full, something is too large, or the log has stopped.
    pub fn append_batched(&self, append: Append) -> Result<Receipt, AppendError> {
        let job = self.prepare(append)?;
        let leaf = job.leaf;
        self.shared.queue.push(job)?;
        Ok(Receipt { index: None, leaf, mode: Mode::Batched })
    }

    /// A reader of this log.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    /// Publishes now, and blocks until it is done: the checkpoint covers everything that was durable
    /// at the call.
    ///
    /// # Errors
    /// When tiles or checkpoint could not be written, or the log has stopped.
    pub fn publish(&self) -> Result<Checkpoint, PublishError> {
        self.shared.signals.publish()
    }

    /// Commits what is queued, publishes it, and ends the log's threads; blocks until that is done.
    /// Later appends are refused. Closing again gives the last checkpoint.
    ///
    /// # Errors
    /// When the last checkpoint could not be published; what was acknowledged is durable all the same.
    pub fn close(&self) -> Result<Checkpoint, PublishError> {
        self.end(|| self.publish()).unwrap_or_else(|| Ok(self.shared.checkpoint()))
    }

    /// Ends both threads, with `last` between them; `None` when they have ended before.
    fn end<T>(&self, last: impl FnOnce() -> T) -> Option<T> {
        let Threads { sequencer, follower, _lock } = hold(&self.threads).take()?;
        self.shared.queue.stop();
        // Neither thread panics: `spawn` saw to that.
        let _ = sequencer.join();
        let last = last();
        self.shared.signals.close();
        let _ = follower.join();
        Some(last)
    }

    /// Checks and hashes, and leaves out the payloads that the log has: each was read back and hashed.
    fn prepare(&self, append: Append) -> Result<Job, AppendError> {
        let mut job = Job::new(append, self.shared.options.keys_of)?;
        job.payloads.retain(|(digest, _)| !find::has_payload(&self.shared, digest));
        Ok(job)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.end(|| ());
    }
}

fn open_tail(
    disk: &Arc<dyn Disk>,
    layout: &Layout,
    options: &Options,
    end: crate::cursor::Place,
    entries: u64,
) -> Result<(Tail, u64), OpenError> {
    let path = layout.segment(end.segment);
    let truncated = recover::written_after(&path, end.offset)
        .map_err(|source| OpenError::Io { path: path.clone(), source })?;
    if truncated > 0 {
        tracing::warn!(
            segment = %path.display(), offset = end.offset, bytes = truncated,
            "an unfinished write is cut off; none of it was acknowledged"
        );
    }
    let segment_bytes = options.segment_bytes;
    Tail::open(Arc::clone(disk), layout.clone(), segment_bytes, end, entries)
        .map(|tail| (tail, truncated))
        .map_err(|error| match error {
            WriteError::Disk(source) => OpenError::Io { path, source },
            WriteError::Lost(error) => error.into(),
        })
}

/// Opens the index and lets it catch up; says whether it had to be rebuilt.
fn open_index(shared: &Arc<Shared>) -> bool {
    let reader = Reader::new(Arc::clone(shared));
    let leaf_of = |index| reader.entry(index).ok().flatten().map(|entry| leaf_hash(&entry));
    let (path, origin) = (shared.layout.index(), shared.key.name());
    let (index, rebuilt) = index::open(&path, origin, shared.size(), leaf_of);
    *write(&shared.index) = index.map(Arc::new);
    while index::catch_up(shared) == CatchUp::More {}
    rebuilt
}

/// Runs `work` on a thread of its own. A panic there stops the log.
fn spawn<T: Send + 'static>(
    name: &str,
    shared: &Arc<Shared>,
    worker: T,
    work: fn(T),
) -> Result<JoinHandle<()>, OpenError> {
    let guard = Arc::clone(shared);
    let run = move || {
        if panic::catch_unwind(AssertUnwindSafe(|| work(worker))).is_err() {
            // Whoever waits for an answer hears that there will be none.
            guard.stop("a thread of the ledger panicked");
            guard.queue.abandon();
            guard.signals.refuse();
        }
    };
    let path = shared.layout.dir().to_owned();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|source| OpenError::Io { path, source })
}
