//! What goes in, and what comes back for it.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use pathwarden_ledger::tree::leaf_hash;
use pathwarden_types::{Digest, Receipt};
use tokio::sync::oneshot;
use tokio::task::coop::unconstrained;

use crate::options::{APPEND_BYTES_MAX, ENTRY_BYTES_MAX, IndexKey, PAYLOAD_BYTES_MAX};

/// One entry for the log, with the content it refers to by digest.
#[derive(Clone, Debug, Default)]
pub struct Append {
    /// The leaf's bytes: 1 to [`ENTRY_BYTES_MAX`].
    pub entry: Vec<u8>,
    /// Contents that are kept beside the log, found by their SHA-256: each up to
    /// [`PAYLOAD_BYTES_MAX`], together up to [`APPEND_BYTES_MAX`]. What the log has already is not
    /// written again.
    pub payloads: Vec<Vec<u8>>,
}

/// Why an entry is not in the log.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The queue is full: the disk is slower than the writers.
    #[error("the ledger's queue is full; try again when the disk has caught up")]
    Full,
    /// The entry is empty, or something is larger than its limit.
    #[error("the {what} is {bytes} bytes long, and the limit is {max}; an entry may not be empty")]
    Size {
        /// Entry, payload, or all payloads together.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The disk refused: no room, or an error. A later append is tried again. Should the machine stop
    /// before the disk works again, the entry may turn up after a restart: a record without an
    /// action, never the reverse.
    #[error("the ledger could not be written; free or repair the disk, then try again")]
    Disk {
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The log was closed, or stopped itself because it could not be sure of what is on disk.
    #[error("the ledger has stopped; its log says why, and a restart verifies it")]
    Stopped,
}

pub(crate) type Outcome = Result<Receipt, AppendError>;

/// An entry on its way to the disk: await it, or [`wait`](Pending::wait).
#[must_use = "the entry is durable only when this says so"]
pub struct Pending {
    leaf: Digest,
    outcome: oneshot::Receiver<Outcome>,
}

impl Pending {
    /// The entry's RFC 6962 leaf hash.
    #[must_use]
    pub const fn leaf(&self) -> Digest {
        self.leaf
    }

    /// Blocks the thread until the entry is durable or refused. Not for async code: await instead.
    ///
    /// # Errors
    /// As the future gives them.
    pub fn wait(self) -> Result<Receipt, AppendError> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        // Inside a runtime, each outcome costs a piece of the task's budget, which only going back
        // to the runtime renews. We do not go back, so without this the budget ends for ever.
        let mut outcome = pin!(unconstrained(self));
        loop {
            if let Poll::Ready(outcome) = outcome.as_mut().poll(&mut context) {
                return outcome;
            }
            thread::park();
        }
    }
}

impl Future for Pending {
    type Output = Result<Receipt, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // A dropped sender is a sequencer that is gone: the entry may or may not be on disk, and
        // without a receipt it does not count.
        Pin::new(&mut self.outcome)
            .poll(context)
            .map(|outcome| outcome.unwrap_or(Err(AppendError::Stopped)))
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// An append with everything computed that needs no lock and no place in the log.
pub(crate) struct Job {
    pub(crate) entry: Vec<u8>,
    pub(crate) leaf: Digest,
    pub(crate) keys: Vec<IndexKey>,
    pub(crate) payloads: Vec<(Digest, Vec<u8>)>,
    pub(crate) bytes: usize,
    /// Whom to tell; nobody in batched mode, where the answer was given already.
    pub(crate) strict: Option<oneshot::Sender<Outcome>>,
}

impl Job {
    /// Checks the limits and hashes.
    pub(crate) fn new(
        append: Append,
        keys_of: fn(&[u8]) -> Vec<IndexKey>,
    ) -> Result<Self, AppendError> {
        let Append { entry, payloads } = append;
        let all = payloads.iter().map(Vec::len).sum();
        limit("entry", entry.len(), ENTRY_BYTES_MAX)?;
        limit("payloads together", all, APPEND_BYTES_MAX)?;
        if entry.is_empty() {
            return Err(AppendError::Size { what: "entry", bytes: 0, max: ENTRY_BYTES_MAX });
        }
        for payload in &payloads {
            limit("payload", payload.len(), PAYLOAD_BYTES_MAX)?;
        }
        let payloads = payloads.into_iter().map(|content| (Digest::of(&content), content));
        Ok(Self {
            leaf: leaf_hash(&entry),
            keys: keys_of(&entry),
            payloads: payloads.collect(),
            bytes: entry.len() + all,
            entry,
            strict: None,
        })
    }

    /// Makes it strict; the answer comes through the returned future.
    pub(crate) fn pending(&mut self) -> Pending {
        let (sender, outcome) = oneshot::channel();
        self.strict = Some(sender);
        Pending { leaf: self.leaf, outcome }
    }
}

fn limit(what: &'static str, bytes: usize, max: usize) -> Result<(), AppendError> {
    if bytes <= max { Ok(()) } else { Err(AppendError::Size { what, bytes, max }) }
}
