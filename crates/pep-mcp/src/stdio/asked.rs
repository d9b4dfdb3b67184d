//! The requests of the server that the client has not answered yet.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pathwarden_lens_mcp::Id;

/// The requests of the server that the client has not answered yet, oldest first: each may be answered
/// once. A server that asks more than `requests_max` gets no answer to the oldest, so that one that
/// never takes a request back does not fill the memory.
pub(super) struct Asked {
    keys: Mutex<VecDeque<String>>,
    requests_max: usize,
}

impl Asked {
    pub(super) fn new(requests_max: usize) -> Self {
        Self { keys: Mutex::default(), requests_max }
    }

    /// Before the client sees the request.
    pub(super) fn open(&self, id: &Id) {
        let mut keys = self.keys();
        keys.push_back(id.key().to_owned());
        if keys.len() > self.requests_max {
            keys.pop_front();
        }
    }

    /// Whether the client may answer this request now.
    pub(super) fn answered(&self, id: &Id) -> bool {
        let mut keys = self.keys();
        let at = keys.iter().position(|key| key == id.key());
        at.and_then(|at| keys.remove(at)).is_some()
    }

    fn keys(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
