//! What was decided of texts that an agent shows again with every call.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use pathwarden_types::{Digest, SessionId};

/// What was decided of texts, by session. Only a saving: a text that is forgotten is decided anew.
#[derive(Default)]
pub(crate) struct Memo {
    sessions: Mutex<Sessions>,
}

#[derive(Default)]
struct Sessions {
    known: BTreeMap<SessionId, Known>,
    /// The sessions, in the order in which they came.
    order: VecDeque<SessionId>,
}

struct Known {
    policy: Digest,
    texts: BTreeMap<Digest, Shown>,
}

/// How a text may be shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Shown {
    /// As it is.
    AsItIs,
    /// As this text.
    Instead(Arc<str>),
}

/// The most sessions of which anything is known; the one that came first is forgotten.
const SESSIONS_MAX: usize = 1_024;

/// The most texts of one session; then all of them are forgotten.
const TEXTS_MAX: usize = 16_384;

impl Memo {
    /// How a text was decided to be shown, under this very policy.
    pub(crate) fn of(&self, session: SessionId, policy: Digest, text: &Digest) -> Option<Shown> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sessions.known.get(&session).filter(|known| known.policy == policy)?;
        known.texts.get(text).cloned()
    }

    /// Whether anything was decided of a text, whatever policy was in force.
    pub(crate) fn knows(&self, session: SessionId, text: &Digest) -> bool {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.known.get(&session).is_some_and(|known| known.texts.contains_key(text))
    }

    /// Remembers how texts were decided to be shown.
    pub(crate) fn keep(
        &self,
        session: SessionId,
        policy: Digest,
        decided: impl Iterator<Item = (Digest, Shown)>,
    ) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if !sessions.known.contains_key(&session) {
            if sessions.order.len() >= SESSIONS_MAX
                && let Some(first) = sessions.order.pop_front()
            {
                sessions.known.remove(&first);
            }
            sessions.order.push_back(session);
        }
        let new = || Known { policy, texts: BTreeMap::new() };
        let known = sessions.known.entry(session).or_insert_with(new);
        if known.policy != policy {
            *known = new();
        }
        for (text, shown) in decided {
            if known.texts.len() >= TEXTS_MAX {
                known.texts.clear();
            }
            known.texts.insert(text, shown);
        }
    }
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{Digest, SessionId};

    use super::{Memo, SESSIONS_MAX, Shown};

    fn session(number: usize) -> SessionId {
        SessionId::of(&Digest::of(&number.to_be_bytes()))
    }

    fn keep(memo: &Memo, number: usize, policy: &[u8]) {
        let decided = [(Digest::of(b"text"), Shown::AsItIs)].into_iter();
        memo.keep(session(number), Digest::of(policy), decided);
    }

    #[test]
    fn what_another_policy_decided_counts_for_nothing() {
        let memo = Memo::default();
        keep(&memo, 1, b"old");
        let of = |policy: &[u8]| memo.of(session(1), Digest::of(policy), &Digest::of(b"text"));
        assert_eq!(of(b"old"), Some(Shown::AsItIs));
        assert_eq!(of(b"new"), None);
        keep(&memo, 1, b"new");
        assert_eq!((of(b"old"), of(b"new")), (None, Some(Shown::AsItIs)));
    }

    #[test]
    fn one_session_more_than_the_limit_forgets_the_first() {
        let memo = Memo::default();
        for number in 0..=SESSIONS_MAX {
            keep(&memo, number, b"p");
        }
        let knows = |n| memo.of(session(n), Digest::of(b"p"), &Digest::of(b"text")).is_some();
        assert!(!knows(0) && knows(1) && knows(SESSIONS_MAX));
    }
}
