//! Requests that may still be answered on a stream that is resumed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pathwarden_types::{ActionId, Digest, Name, SessionId};
use tokio::sync::Notify;

use crate::exchange::{Exchange, Expect};

/// One request, wherever its response shows up.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Key {
    pub(super) session: SessionId,
    pub(super) server: Name,
    /// The transport's session. It tells requests apart, and decides nothing.
    pub(super) transport: String,
    pub(super) id: String,
}

/// A request that is left for another stream.
pub(super) enum Slot {
    /// Not answered yet.
    Open(Arc<Exchange>, Expect),
    /// Answered and recorded; a server may send the same once more to a client that lost it.
    Answered(Answered),
}

/// What is known of a response that was passed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub(super) action: Option<ActionId>,
    /// Of the response as the server sent it; `None` when the client got something else in its place.
    pub(super) shown: Option<Digest>,
}

/// Tells one stay of a request in the table from the next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ticket(u64);

/// Requests that may still be answered on a stream that is resumed, at most so many; the oldest goes
/// first.
pub(super) struct Left {
    state: Mutex<State>,
    slots_max: usize,
}

#[derive(Default)]
struct State {
    slots: BTreeMap<Key, (Ticket, Slot)>,
    order: VecDeque<(Key, Ticket)>,
    next: u64,
}

impl Left {
    pub(super) fn new(slots_max: usize) -> Self {
        Self { state: Mutex::default(), slots_max }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a request; gives back what had to make room for it, which must be closed.
    #[must_use = "what made room must be closed"]
    pub(super) fn put(&self, key: Key, slot: Slot) -> (Ticket, Vec<Slot>) {
        let mut state = self.state();
        let ticket = Ticket(state.next);
        state.next += 1;
        let mut out = Vec::new();
        out.extend(state.slots.insert(key.clone(), (ticket, slot)).map(|(_, slot)| slot));
        state.order.push_back((key, ticket));
        while state.order.len() > self.slots_max {
            let Some((key, ticket)) = state.order.pop_front() else { break };
            out.extend(state.take(&key, Some(ticket)));
        }
        (ticket, out)
    }

    /// Takes a request, once.
    pub(super) fn take(&self, key: &Key) -> Option<Slot> {
        self.state().take(key, None)
    }

    /// Takes every request.
    pub(super) fn drain(&self) -> Vec<Slot> {
        let mut state = self.state();
        state.order.clear();
        std::mem::take(&mut state.slots).into_values().map(|(_, slot)| slot).collect()
    }

    /// Takes a request if it is still in this stay.
    pub(super) fn take_stay(&self, key: &Key, ticket: Ticket) -> Option<Slot> {
        self.state().take(key, Some(ticket))
    }
}

impl State {
    fn take(&mut self, key: &Key, stay: Option<Ticket>) -> Option<Slot> {
        let (ticket, _) = self.slots.get(key)?;
        if stay.is_some_and(|stay| stay != *ticket) {
            return None;
        }
        self.slots.remove(key).map(|(_, slot)| slot)
    }
}

/// Requests that are being decided, so that they can be cancelled.
#[derive(Default)]
pub(super) struct Deciding {
    sessions: Mutex<BTreeMap<SessionId, Notices>>,
}

type Notices = BTreeMap<Key, Vec<Arc<Notify>>>;

impl Deciding {
    fn sessions(&self) -> MutexGuard<'_, BTreeMap<SessionId, Notices>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The notice by which this request can be cancelled; `None` when the session has `requests_max`.
    pub(super) fn begin(&self, key: &Key, requests_max: usize) -> Option<Arc<Notify>> {
        let mut sessions = self.sessions();
        let notices = sessions.entry(key.session).or_default();
        if notices.values().map(Vec::len).sum::<usize>() >= requests_max {
            return None;
        }
        let notice = Arc::new(Notify::new());
        notices.entry(key.clone()).or_default().push(Arc::clone(&notice));
        Some(notice)
    }

    pub(super) fn end(&self, key: &Key, notice: &Arc<Notify>) {
        let mut sessions = self.sessions();
        let Some(notices) = sessions.get_mut(&key.session) else { return };
        if let Some(all) = notices.get_mut(key) {
            all.retain(|other| !Arc::ptr_eq(other, notice));
            if all.is_empty() {
                notices.remove(key);
            }
        }
        if notices.is_empty() {
            sessions.remove(&key.session);
        }
    }

    /// Cancels the request; whether there was one. Of clients that share a session and number their
    /// requests alike, all are cancelled: nothing happens, which is the safe side.
    pub(super) fn cancel(&self, key: &Key) -> bool {
        let sessions = self.sessions();
        let found = sessions.get(&key.session).and_then(|notices| notices.get(key));
        found.into_iter().flatten().for_each(|notice| notice.notify_one());
        found.is_some()
    }
}
