//! The ring that events come by.

use std::io;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libbpf_rs::{MapHandle, RingBuffer, RingBufferBuilder};

use crate::decode::decode;
use crate::{AttachError, Event};

/// Events that are taken from the ring before they are handed on.
const BATCH: usize = 256;

/// Batches of one look at the ring: more events than it can hold at once, so that whoever fills it as
/// fast as we read cannot keep us here.
const BATCHES_MAX: usize = 512;

/// Why events could not be read. They stay where they are until there is no more room for new ones.
#[derive(Debug, thiserror::Error)]
#[error("the ring of events cannot be read; attach the session again")]
pub struct DrainError {
    /// Why.
    pub source: io::Error,
}

/// The ring, with what has been read of it.
pub(crate) struct Ring {
    buffer: Mutex<RingBuffer<'static>>,
    inbox: Arc<Mutex<Inbox>>,
}

#[derive(Default)]
struct Inbox {
    events: Vec<Event>,
    /// What came, but was no event.
    garbled: u64,
}

impl Ring {
    pub(crate) fn new(map: &MapHandle, name: &'static str) -> Result<Self, AttachError> {
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let to = Arc::clone(&inbox);
        let take = move |bytes: &[u8]| {
            let mut inbox = lock(&to);
            match decode(bytes) {
                Some(event) => inbox.events.push(event),
                None => inbox.garbled = inbox.garbled.saturating_add(1),
            }
            0
        };
        let unusable = |source| AttachError::Map { name, source };
        let mut builder = RingBufferBuilder::new();
        builder.add(map, take).map_err(unusable)?;
        let buffer = Mutex::new(builder.build().map_err(unusable)?);
        Ok(Self { buffer, inbox })
    }

    /// Hands on what is there. No lock is held meanwhile.
    pub(crate) fn drain(&self, each: &mut dyn FnMut(Event)) -> Result<usize, DrainError> {
        let mut count = 0;
        for _ in 0..BATCHES_MAX {
            let (taken, events) = self.batch()?;
            count += events.len();
            events.into_iter().for_each(&mut *each);
            if taken < BATCH {
                break;
            }
        }
        Ok(count)
    }

    /// How much came that was no event.
    pub(crate) fn garbled(&self) -> u64 {
        lock(&self.inbox).garbled
    }

    fn batch(&self) -> Result<(usize, Vec<Event>), DrainError> {
        let buffer = lock(&self.buffer);
        let code = buffer.consume_raw_n(BATCH);
        let taken = usize::try_from(code).map_err(|_| DrainError {
            source: io::Error::from_raw_os_error(code.saturating_neg()),
        })?;
        Ok((taken, mem::take(&mut lock(&self.inbox).events)))
    }
}

/// A thread that panicked leaves complete values behind, here: each is written in one go.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
