//! What models were shown and what they said: views of the ledger.

use std::collections::BTreeMap;

use pathwarden_context::{Artifact, Parting, Placed, Window, kept_and_changed, parting};
use pathwarden_types::{
    ActionId, Digest, Emission, Event, ObservationKind, OperationKind, Record, SessionId,
};
use pathwarden_wire::{
    Comparison, ContextDiff, ContextShown, Fault, FaultKind, PartingShown, PieceShown,
};
use serde_json::Value;

use crate::Warden;
use crate::explain::unreadable;
use crate::history::{History, HistoryError};

/// One model call as it was seen.
pub(crate) struct CallSeen {
    pub(crate) action: ActionId,
    pub(crate) placed: Placed,
    /// All of its window.
    pub(crate) artifacts: Vec<Artifact>,
    /// What the model answered; `None` when that is not on record.
    pub(crate) said: Option<Value>,
}

/// The model calls of a session, in order, and the tool calls that they emitted.
#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) seen: Vec<CallSeen>,
    pub(crate) emitted: Vec<Emission>,
}

impl Calls {
    fn find(&self, action: ActionId) -> Option<&CallSeen> {
        self.seen.iter().find(|call| call.action == action)
    }

    /// The action that a piece of a window is or answers, by the provider's id of the call.
    fn action_of(&self, artifact: &Artifact) -> Option<ActionId> {
        let call = artifact.call.as_deref()?;
        let known = call.get(..call.floor_char_boundary(Emission::CALL_BYTES_MAX))?;
        self.emitted.iter().rev().find(|emission| emission.call == known).map(|e| e.action)
    }
}

impl History {
    /// The model calls among the records of a session.
    pub(crate) fn calls(&self, records: &[(u64, Record)]) -> Result<Calls, HistoryError> {
        let mut calls = Calls::default();
        let mut windows: BTreeMap<ActionId, Vec<Artifact>> = BTreeMap::new();
        for (_, record) in records {
            match &record.event {
                Event::Emitted { emission } => calls.emitted.push(emission.clone()),
                Event::Observed { observation, content, .. } => {
                    let Some(action) = observation.action else { continue };
                    match observation.kind {
                        ObservationKind::Window => {
                            let Some(placed) = self.placed(content)? else { continue };
                            let before = placed.before.and_then(|before| windows.get(&before));
                            let mut artifacts = before.cloned().unwrap_or_default();
                            artifacts.truncate(placed.kept);
                            artifacts.extend(placed.added.iter().cloned());
                            windows.insert(action, artifacts.clone());
                            calls.seen.push(CallSeen { action, placed, artifacts, said: None });
                        }
                        ObservationKind::ModelOutput => {
                            let said = self.text(content)?;
                            let said = said.and_then(|text| serde_json::from_str(&text).ok());
                            if let Some(call) = calls.seen.iter_mut().find(|c| c.action == action) {
                                call.said = said;
                            }
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Ok(calls)
    }

    fn placed(&self, content: &Digest) -> Result<Option<Placed>, HistoryError> {
        Ok(self.text(content)?.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

impl Warden {
    /// What stood in the window at a model call; for any other action, at the call that led to it.
    ///
    /// # Errors
    ///
    /// A fault when no model call is known that the action is or came from.
    pub fn context(&self, action: ActionId) -> Result<ContextShown, Fault> {
        let (session, calls, call) = self.call_of(action)?;
        let seen = calls.find(call).ok_or_else(|| no_call(action))?;
        let placed = &seen.placed;
        let mut pieces = Vec::with_capacity(seen.artifacts.len());
        for (number, artifact) in seen.artifacts.iter().enumerate() {
            pieces.push(self.piece(&calls, artifact, number >= placed.kept)?);
        }
        let tools = placed.tools.map(|tools| self.history.text(&tools)).transpose();
        Ok(ContextShown {
            session,
            call,
            model: placed.model.clone(),
            thread: placed.thread,
            before: placed.before,
            spawned_by: placed.spawned_by,
            change: placed.change.as_str().to_owned(),
            gone: u64::try_from(placed.gone).unwrap_or(u64::MAX),
            continues: placed.continues.clone(),
            pieces,
            tools: tools.map_err(unreadable)?.flatten(),
            said: seen.said.clone(),
        })
    }

    /// What two windows have in common, and what not.
    ///
    /// # Errors
    ///
    /// A fault when one of the actions neither is nor came from a known model call.
    pub fn context_diff(&self, first: ActionId, second: ActionId) -> Result<ContextDiff, Fault> {
        let (_, calls, first) = self.call_of(first)?;
        let (_, others, second) = self.call_of(second)?;
        let window = |calls: &Calls, call| calls.find(call).map(|seen| seen.artifacts.clone());
        let one = window(&calls, first).ok_or_else(|| no_call(first))?;
        let other = window(&others, second).ok_or_else(|| no_call(second))?;
        let compared = kept_and_changed(&one, &other);
        let shown = |calls: &Calls, artifacts: &[Artifact]| -> Result<Vec<PieceShown>, Fault> {
            artifacts.iter().map(|artifact| self.piece(calls, artifact, true)).collect()
        };
        Ok(ContextDiff {
            first,
            second,
            both: u64::try_from(compared.both.len()).unwrap_or(u64::MAX),
            only_first: shown(&calls, &compared.only_first)?,
            only_second: shown(&others, &compared.only_second)?,
        })
    }

    /// Where two runs part, and on what.
    ///
    /// # Errors
    ///
    /// A fault when one of the sessions is not known, or the ledger cannot be read.
    pub fn compare(&self, first: SessionId, second: SessionId) -> Result<Comparison, Fault> {
        let (one, other) = (self.calls_of(first)?, self.calls_of(second)?);
        let (run, against) = (as_run(&one), as_run(&other));
        let parted = parting(&run, &against);
        let same = match parted {
            Parting::Nowhere => run.len(),
            Parting::Asked { call }
            | Parting::Input { call, .. }
            | Parting::Output { call }
            | Parting::Longer { call } => call,
        };
        Ok(Comparison {
            first,
            second,
            same_calls: u64::try_from(same).unwrap_or(u64::MAX),
            parting: self.parting_shown(&parted, &one, &other)?,
        })
    }

    fn parting_shown(
        &self,
        parted: &Parting,
        one: &Calls,
        other: &Calls,
    ) -> Result<Option<PartingShown>, Fault> {
        let (on, words, call) = match parted {
            Parting::Nowhere => return Ok(None),
            Parting::Asked { call } => ("asked", "another model or another set of tools", *call),
            Parting::Input { call, .. } => ("input", "the windows differ", *call),
            Parting::Output { call } => {
                ("output", "the windows are the same, and the model said something else", *call)
            }
            Parting::Longer { call } => ("length", "one of the runs goes on", *call),
        };
        let text = |calls: &Calls| -> Result<Option<String>, Fault> {
            let Some(seen) = calls.seen.get(call) else { return Ok(None) };
            match parted {
                Parting::Input { artifact, .. } => match seen.artifacts.get(*artifact) {
                    Some(artifact) => self.history.text(&artifact.content).map_err(unreadable),
                    None => Ok(None),
                },
                Parting::Asked { .. } => Ok(Some(seen.placed.model.clone())),
                _ => Ok(seen.said.as_ref().map(|said| plain(said).to_string())),
            }
        };
        let at = |calls: &Calls| calls.seen.get(call).map(|seen| seen.action);
        Ok(Some(PartingShown {
            on: on.to_owned(),
            words: words.to_owned(),
            first_call: at(one),
            second_call: at(other),
            first_text: text(one)?,
            second_text: text(other)?,
        }))
    }

    pub(crate) fn piece(
        &self,
        calls: &Calls,
        artifact: &Artifact,
        is_new: bool,
    ) -> Result<PieceShown, Fault> {
        Ok(PieceShown {
            kind: artifact.kind,
            integrity: artifact.integrity,
            content: artifact.content,
            bytes: artifact.bytes,
            name: artifact.name.clone(),
            action: calls.action_of(artifact),
            is_new,
            text: self.history.text(&artifact.content).map_err(unreadable)?,
        })
    }

    fn calls_of(&self, session: SessionId) -> Result<Calls, Fault> {
        let records = self.history.of_session(session).map_err(unreadable)?;
        if records.is_empty() {
            let message = format!("the ledger knows no session `{session}`");
            return Err(Fault::new(FaultKind::NotFound, message, "see `pathwarden session list`"));
        }
        self.history.calls(&records).map_err(unreadable)
    }

    /// The model call that an action is, or came from.
    fn call_of(&self, action: ActionId) -> Result<(SessionId, Calls, ActionId), Fault> {
        let about = self.history.of_action(action).map_err(unreadable)?;
        let session = about.iter().find_map(|(_, record)| record.session);
        let session = session.ok_or_else(|| no_call(action))?;
        let calls = self.calls_of(session)?;
        if calls.find(action).is_some() {
            return Ok((session, calls, action));
        }
        let emitted = calls.emitted.iter().find(|emission| emission.action == action);
        let caused = about.iter().find_map(|(_, record)| match &record.event {
            Event::Decided(decided) if decided.operation.kind != OperationKind::ModelCall => {
                decided.position.parent
            }
            _ => None,
        });
        let call = emitted.map(|emission| emission.model_call).or(caused);
        let call = call.filter(|call| calls.find(*call).is_some());
        call.map(|call| (session, calls, call)).ok_or_else(|| no_call(action))
    }
}

/// A run as what was asked and what was answered, without ids that are new in each.
fn as_run(calls: &Calls) -> Vec<(Window, Value)> {
    let each = calls.seen.iter().map(|seen| {
        let window = Window {
            artifacts: seen.artifacts.clone(),
            model: seen.placed.model.clone(),
            tools: seen.placed.tools,
            continues: None,
        };
        (window, seen.said.as_ref().map_or(Value::Null, plain))
    });
    each.collect()
}

/// What a model said, without what is new in each run.
fn plain(said: &Value) -> Value {
    let calls = said.get("calls").and_then(Value::as_array);
    let plain = |call: &Value| {
        let arguments = call.get("arguments").and_then(Value::as_str).unwrap_or_default();
        let arguments: Value = serde_json::from_str(arguments).unwrap_or_else(|_| arguments.into());
        serde_json::json!({ "name": call.get("name"), "arguments": arguments })
    };
    let calls: Vec<Value> = calls.into_iter().flatten().map(plain).collect();
    serde_json::json!({ "text": said.get("text"), "calls": calls, "finish": said.get("finish") })
}

fn no_call(action: ActionId) -> Fault {
    let message = format!("no model call is known that `{action}` is or came from");
    let advice = "model calls are seen where the agent's base URL is the gateway before models";
    Fault::new(FaultKind::NotFound, message, advice)
}
