//! The requests of the client that are not answered yet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pathwarden_lens_mcp::Id;
use tokio::sync::Notify;

use crate::exchange::Expect;

/// The requests of the client that are not answered yet, by id.
pub(super) struct Table {
    state: Mutex<State>,
    requests_max: usize,
    emptied: Notify,
}

#[derive(Default)]
struct State {
    slots: BTreeMap<String, (Id, Stage)>,
    closed: bool,
}

/// Where a request stands.
enum Stage {
    /// It is being decided; the notice stops that.
    Deciding(Arc<Notify>),
    /// The server has it.
    Sent(Expect),
}

/// Why a request cannot be opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum TableFault {
    #[error("a request with this id is still open; give each request its own id")]
    SameId,
    #[error("{0} requests are open, which is the limit; wait for an answer first")]
    Full(usize),
    #[error("the server has ended")]
    Closed,
}

/// What a cancellation found.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Cancelled {
    /// The server has not got the request and never will.
    BeforeSent,
    /// The server has the request.
    Sent,
    /// There is no such request.
    Unknown,
}

impl Table {
    pub(super) fn new(requests_max: usize) -> Self {
        Self { state: Mutex::default(), requests_max, emptied: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a request that is to be decided; gives the notice by which it can be cancelled.
    pub(super) fn decide(&self, id: &Id) -> Result<Arc<Notify>, TableFault> {
        let notice = Arc::new(Notify::new());
        self.open(id, Stage::Deciding(Arc::clone(&notice)))?;
        Ok(notice)
    }

    /// Opens a request that is sent at once.
    pub(super) fn send(&self, id: &Id, expect: Expect) -> Result<(), TableFault> {
        self.open(id, Stage::Sent(expect))
    }

    fn open(&self, id: &Id, stage: Stage) -> Result<(), TableFault> {
        let mut state = self.state();
        if state.closed {
            Err(TableFault::Closed)
        } else if state.slots.contains_key(id.key()) {
            Err(TableFault::SameId)
        } else if state.slots.len() >= self.requests_max {
            Err(TableFault::Full(self.requests_max))
        } else {
            state.slots.insert(id.key().to_owned(), (id.clone(), stage));
            Ok(())
        }
    }

    /// A request that was being decided goes to the server; gives `expect` back when it is too late.
    pub(super) fn released(&self, id: &Id, expect: Expect) -> Result<(), Expect> {
        let mut state = self.state();
        if state.closed {
            return Err(expect);
        }
        state.slots.insert(id.key().to_owned(), (id.clone(), Stage::Sent(expect)));
        Ok(())
    }

    /// The request that a response answers; taken once.
    pub(super) fn answered(&self, id: &Id) -> Option<(Id, Expect)> {
        let mut state = self.state();
        if !matches!(state.slots.get(id.key()), Some((_, Stage::Sent(_)))) {
            return None;
        }
        let taken = state.slots.remove(id.key());
        self.notify_if_empty(&state);
        match taken {
            Some((id, Stage::Sent(expect))) => Some((id, expect)),
            _ => None,
        }
    }

    /// The request that a subscription stands for: it stays open, and what it expected is given.
    pub(super) fn subscribed(&self, id: &Id) -> Option<Expect> {
        let mut state = self.state();
        match state.slots.get_mut(id.key()) {
            Some((_, Stage::Sent(expect))) => Some(std::mem::replace(expect, Expect::Plain)),
            _ => None,
        }
    }

    /// A request that was being decided is answered here.
    pub(super) fn ended(&self, id: &Id) {
        let mut state = self.state();
        state.slots.remove(id.key());
        self.notify_if_empty(&state);
    }

    pub(super) fn cancel(&self, id: &Id) -> Cancelled {
        match self.state().slots.get(id.key()) {
            Some((_, Stage::Deciding(notice))) => {
                notice.notify_one();
                Cancelled::BeforeSent
            }
            Some((_, Stage::Sent(_))) => Cancelled::Sent,
            None => Cancelled::Unknown,
        }
    }

    /// Opens nothing more, stops what is being decided, and gives what the server still has.
    pub(super) fn close(&self) -> Vec<(Id, Expect)> {
        let mut state = self.state();
        state.closed = true;
        let slots = std::mem::take(&mut state.slots);
        let mut sent = Vec::new();
        for (_, (id, stage)) in slots {
            match stage {
                Stage::Deciding(notice) => notice.notify_one(),
                Stage::Sent(expect) => sent.push((id, expect)),
            }
        }
        sent
    }

    /// Until no request is open.
    pub(super) async fn empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.state().slots.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    fn notify_if_empty(&self, state: &State) {
        if state.slots.is_empty() {
            self.emptied.notify_one();
        }
    }
}
