//! One session in memory, and the shard it lives in.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_decide::{Engine, Gate, Reading, State};
use pathwarden_memory::Uses;
use pathwarden_store::{Append, AppendError, Pending, Store};
use pathwarden_types::{ActionId, Millis, Receipt, Record, SessionId};

/// Some of the node's sessions, with an engine of their own.
pub(crate) struct Shard {
    pub(crate) engine: Engine,
    pub(crate) sessions: BTreeMap<SessionId, Live>,
}

/// One session in memory: its state is the fold of its records, those on their way to disk included.
pub(crate) struct Live {
    pub(crate) state: State,
    pub(crate) started: Millis,
    /// When its latest record was written.
    pub(crate) touched: Millis,
    /// Actions that wait for a person.
    pub(crate) gates: BTreeMap<ActionId, Gate>,
    /// What released actions do to memory.
    pub(crate) uses: BTreeMap<ActionId, Uses>,
    /// Emitted calls that somebody is about to carry out.
    pub(crate) claimed: BTreeSet<ActionId>,
    /// How many records of this session the ledger has or will have.
    recorded: usize,
    /// The state holds a record that the ledger refused; it must be folded again.
    stale: bool,
}

/// A content-carrying record about to be appended.
pub(crate) struct Entry<'a> {
    pub(crate) record: &'a Record,
    /// The record's bytes, where they are known already.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) payloads: Vec<Vec<u8>>,
    pub(crate) reading: Option<&'a Reading>,
}

impl Entry<'_> {
    fn bytes(&mut self) -> Result<Append, AppendError> {
        let entry = match self.bytes.take() {
            Some(bytes) => bytes,
            None => self.record.to_bytes().map_err(|_| AppendError::Stopped)?,
        };
        Ok(Append { entry, payloads: std::mem::take(&mut self.payloads) })
    }
}

impl Live {
    pub(crate) const fn new(state: State, started: Millis, recorded: usize) -> Self {
        Self {
            state,
            started,
            touched: started,
            gates: BTreeMap::new(),
            uses: BTreeMap::new(),
            claimed: BTreeSet::new(),
            recorded,
            stale: false,
        }
    }

    /// Appends a record and folds it in at once. Whoever awaits the future must tell
    /// [`Self::settle`] what came of it.
    pub(crate) fn append(
        &mut self,
        store: &Store,
        mut entry: Entry<'_>,
    ) -> Result<Pending, AppendError> {
        let pending = store.append(entry.bytes()?)?;
        self.fold(entry.record, entry.reading);
        Ok(pending)
    }

    /// Hands a record to the ledger, which keeps it whatever the disk does, and folds it in.
    pub(crate) fn append_batched(
        &mut self,
        store: &Store,
        mut entry: Entry<'_>,
    ) -> Result<Receipt, AppendError> {
        let receipt = store.append_batched(entry.bytes()?)?;
        self.fold(entry.record, entry.reading);
        Ok(receipt)
    }

    fn fold(&mut self, record: &Record, reading: Option<&Reading>) {
        self.state.apply(record, reading);
        self.touched = record.at;
        self.recorded = self.recorded.saturating_add(1);
    }

    /// What came of an awaited record.
    pub(crate) const fn settle(&mut self, recorded: bool) {
        if !recorded {
            self.recorded = self.recorded.saturating_sub(1);
            self.stale = true;
        }
    }

    /// How many records the ledger must hold before the state can be folded again; `None` when the
    /// state is right.
    pub(crate) fn stale(&self) -> Option<usize> {
        self.stale.then_some(self.recorded)
    }

    /// Takes the state that the ledger tells of.
    pub(crate) fn refold(&mut self, state: State) {
        self.state = state;
        self.stale = false;
    }
}
