//! Who is to be told that the list of tools has changed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pathwarden_lens_mcp::{Id, compose};

/// Who is to be told that the list of tools has changed: a legacy client once it has begun, a modern one
/// on each of its subscriptions.
#[derive(Default)]
pub(super) struct News {
    wanted: Mutex<Wanted>,
}

#[derive(Default)]
struct Wanted {
    legacy: bool,
    subscriptions: Vec<Id>,
}

/// The most subscriptions that are told.
const SUBSCRIPTIONS_MAX: usize = 64;

impl News {
    /// A legacy client has begun.
    pub(super) fn begin(&self) {
        self.wanted().legacy = true;
    }

    /// A subscription stands.
    pub(super) fn subscribe(&self, id: Id) {
        let mut wanted = self.wanted();
        if wanted.subscriptions.len() < SUBSCRIPTIONS_MAX {
            wanted.subscriptions.push(id);
        }
    }

    /// A request is over; if it was a subscription, it is told nothing more.
    pub(super) fn over(&self, id: &Id) {
        self.wanted().subscriptions.retain(|other| other.key() != id.key());
    }

    /// What is to be told.
    pub(super) fn tools_changed(&self) -> Vec<Vec<u8>> {
        let wanted = self.wanted();
        let legacy = wanted.legacy.then_some(None);
        let each = legacy.into_iter().chain(wanted.subscriptions.iter().map(Some));
        each.map(|id| compose::list_changed("notifications/tools/list_changed", id)).collect()
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
