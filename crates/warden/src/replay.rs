//! Replay: every recorded action decided again from the recorded inputs, compared byte for byte.

use std::collections::BTreeMap;
use std::time::Instant;

use pathwarden_decide::{Asker, Engine, State, decide};
use pathwarden_types::{Decided, Digest, Event, Record, SessionId};
use pathwarden_wire::{Difference, Fault, Replay};

use crate::Warden;
use crate::explain::unreadable;
use crate::history::{History, HistoryError};

/// How many bytes around the first difference are shown.
const SHOWN_BYTES: usize = 60;

/// The most differences that are listed; the counts go on.
const DIFFERENCES_MAX: usize = 100;

impl Warden {
    /// Decides again every recorded action, of one session or of all.
    ///
    /// # Errors
    ///
    /// A fault when the ledger cannot be read.
    pub fn replay(&self, only: Option<SessionId>) -> Result<Replay, Fault> {
        let began = Instant::now();
        let mut run =
            Run { history: &self.history, engines: BTreeMap::new(), report: Replay::default() };
        let mut states: BTreeMap<SessionId, State> = BTreeMap::new();
        let records: Box<dyn Iterator<Item = Result<(u64, Record), HistoryError>>> = match only {
            Some(session) => {
                Box::new(self.history.of_session(session).map_err(unreadable)?.into_iter().map(Ok))
            }
            None => Box::new(self.history.from(0)),
        };
        for item in records {
            let (index, record) = item.map_err(unreadable)?;
            let Some(session) = record.session else { continue };
            let state = states.remove(&session);
            if state.is_none() {
                run.report.sessions += 1;
            }
            if let (Some(state), Event::Decided(decided)) = (&state, &record.event) {
                run.decide_again(session, index, &record, decided, state).map_err(unreadable)?;
            }
            if let Some(state) = self.history.fold(state, &record).map_err(unreadable)? {
                states.insert(session, state);
            }
        }
        run.report.elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(run.report)
    }
}

struct Run<'a> {
    history: &'a History,
    engines: BTreeMap<Digest, Engine>,
    report: Replay,
}

impl Run<'_> {
    fn decide_again(
        &mut self,
        session: SessionId,
        index: u64,
        record: &Record,
        decided: &Decided,
        state: &State,
    ) -> Result<(), HistoryError> {
        self.report.decisions += 1;
        if !self.engines.contains_key(&decided.policy)
            && let Some(engine) = self.history.engine_of(decided)?
        {
            self.engines.insert(decided.policy, engine);
        }
        let action = self.history.action_of(session, decided)?;
        let (Some(engine), Some(action), false) =
            (self.engines.get_mut(&decided.policy), action, state.is_incomplete())
        else {
            self.report.not_replayable += 1;
            return Ok(());
        };
        let again = decide(engine, state, &action, &asker(record, decided), record.at);
        match first_difference(record, &again.record) {
            None => self.report.identical += 1,
            Some(detail) if self.report.differences.len() < DIFFERENCES_MAX => {
                let action = decided.action;
                self.report.differences.push(Difference { index, action, detail });
            }
            Some(_) => {}
        }
        Ok(())
    }
}

/// Who asked, as recorded.
pub(crate) fn asker(record: &Record, decided: &Decided) -> Asker {
    Asker { node: record.node.clone(), identity: decided.identity.clone() }
}

fn first_difference(recorded: &Record, again: &Record) -> Option<String> {
    let (Ok(recorded), Ok(again)) = (recorded.to_bytes(), again.to_bytes()) else {
        return Some("a record could not be written down".to_owned());
    };
    if recorded == again {
        return None;
    }
    let same = recorded.iter().zip(&again).take_while(|(ours, theirs)| ours == theirs).count();
    let part = |bytes: &[u8]| {
        let from = same.saturating_sub(SHOWN_BYTES / 2);
        let shown: Vec<u8> = bytes.iter().skip(from).take(SHOWN_BYTES).copied().collect();
        String::from_utf8_lossy(&shown).into_owned()
    };
    Some(format!("at byte {same}: recorded `{}`, now `{}`", part(&recorded), part(&again)))
}
