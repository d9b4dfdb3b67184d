//! Reading the ledger back: records, payloads, folds.

use pathwarden_decide::{Reading, State};
use pathwarden_store::{IndexKey, ReadError, Reader};
use pathwarden_types::{ActionId, Digest, Record, RecordError, SessionId};
use serde::Deserialize;

/// The ledger as records.
#[derive(Clone)]
pub(crate) struct History {
    reader: Reader,
}

/// What a record is found by, and no more: reading all of it, twice for each record on its way to
/// disk, cost more than its hash. Every event keeps [`Record::action`] in a field of that name.
#[derive(Deserialize)]
struct Keys {
    session: Option<SessionId>,
    event: EventKeys,
}

#[derive(Deserialize)]
struct EventKeys {
    action: Option<ActionId>,
}

/// Why the ledger could not be read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The ledger could not be read.
    #[error("the ledger could not be read")]
    Read(#[source] ReadError),
    /// A leaf is not a record that this version knows.
    #[error("leaf {index} of the ledger is not a record that this version knows")]
    Record {
        /// Its index.
        index: u64,
        /// Why.
        #[source]
        source: RecordError,
    },
}

impl History {
    pub(crate) const fn new(reader: Reader) -> Self {
        Self { reader }
    }

    pub(crate) const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The keys that a leaf is found by.
    pub(crate) fn keys_of(entry: &[u8]) -> Vec<IndexKey> {
        let Ok(Keys { session, event }) = serde_json::from_slice(entry) else { return Vec::new() };
        let session = session.map(|session| IndexKey::Session(*session.as_bytes()));
        let action = event.action.map(|action| IndexKey::Action(*action.as_bytes()));
        session.into_iter().chain(action).collect()
    }

    /// A payload as text; `None` when it is gone or is not text.
    pub(crate) fn text(&self, digest: &Digest) -> Result<Option<String>, HistoryError> {
        let bytes = self.reader.payload(digest).map_err(HistoryError::Read)?;
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// The records of one session, in order.
    pub(crate) fn of_session(
        &self,
        session: SessionId,
    ) -> Result<Vec<(u64, Record)>, HistoryError> {
        self.at(IndexKey::Session(*session.as_bytes()))
    }

    /// The records about one action, in order.
    pub(crate) fn of_action(&self, action: ActionId) -> Result<Vec<(u64, Record)>, HistoryError> {
        self.at(IndexKey::Action(*action.as_bytes()))
    }

    fn at(&self, key: IndexKey) -> Result<Vec<(u64, Record)>, HistoryError> {
        let indexes = self.reader.indexes_of(key).map_err(HistoryError::Read)?;
        let mut records = Vec::with_capacity(indexes.len());
        for index in indexes {
            if let Some(entry) = self.reader.entry(index).map_err(HistoryError::Read)? {
                records.push((index, parse(index, &entry)?));
            }
        }
        Ok(records)
    }

    /// Every record from an index on.
    pub(crate) fn from(
        &self,
        first: u64,
    ) -> impl Iterator<Item = Result<(u64, Record), HistoryError>> + '_ {
        self.reader.entries(first..self.reader.size()).map(|item| {
            let (index, entry) = item.map_err(HistoryError::Read)?;
            Ok((index, parse(index, &entry)?))
        })
    }

    /// Folds one more record into the state of its session; a session's first record makes it.
    pub(crate) fn fold(
        &self,
        state: Option<State>,
        record: &Record,
    ) -> Result<Option<State>, HistoryError> {
        let text = match record.content() {
            Some(digest) => self.text(&digest)?,
            None => None,
        };
        Ok(match state {
            None => State::begin(record, text.as_deref()),
            Some(mut state) => {
                let reading = text.as_deref().map(|text| Reading::for_fold(record, text));
                state.apply(record, reading.as_ref());
                Some(state)
            }
        })
    }
}

fn parse(index: u64, entry: &[u8]) -> Result<Record, HistoryError> {
    Record::from_bytes(entry).map_err(|source| HistoryError::Record { index, source })
}

#[cfg(test)]
mod tests {
    use pathwarden_decide::{Reading, Settings, label};
    use pathwarden_store::IndexKey;
    use pathwarden_types::{
        ActionId, ApprovalId, Digest, Event, Millis, Observation, ObservationKind, Record,
        SessionId,
    };

    use super::History;
    use crate::start::unknown;

    fn record(session: Option<SessionId>, event: Event) -> Record {
        Record { version: Record::VERSION, at: Millis(1), node: "n/1".to_owned(), session, event }
    }

    #[test]
    fn a_record_is_found_by_its_session_and_its_action_whatever_happened() {
        let digest = Digest::of(b"x");
        let (session, action) = (SessionId::of(&digest), ActionId::of(&digest));
        let observed = |action| Event::Observed {
            observation: Observation {
                kind: ObservationKind::Result,
                server: "files".parse().unwrap(),
                action,
            },
            content: digest,
            content_bytes: 1,
            label: label(&Settings::default(), &"files".parse().unwrap(), &Reading::of("x")),
        };
        let closed = Event::Closed { action, effect: unknown("x") };
        let answered = Event::Answered { action, approval: ApprovalId::of(&digest), answer: None };
        for event in [observed(Some(action)), observed(None), closed, answered] {
            let record = record(Some(session), event);
            let mut want = vec![IndexKey::Session(*session.as_bytes())];
            want.extend(record.action().map(|action| IndexKey::Action(*action.as_bytes())));
            assert_eq!(History::keys_of(&record.to_bytes().unwrap()), want, "{record:?}");
        }
        let started = record(None, Event::NodeStarted { software: "1".to_owned() });
        assert_eq!(History::keys_of(&started.to_bytes().unwrap()), []);
        assert_eq!(History::keys_of(b"not a record"), []);
    }
}
