//! Sessions of recorded runs.

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_decide::{
    Asker, Decision as Decided, Engine, Reading, ServerSettings, Settings, Snapshot, State, decide,
    label,
};
use pathwarden_json::{Json, canonical};
use pathwarden_types::{
    Action, ActionId, Agent, Confidentiality, Digest, Effect, Event as Recorded, Identity,
    Integrity, Label, Millis, Name, Observation, ObservationKind, Operation, OperationKind,
    Outcome, Record, SessionId, Task, TaskSource, is_invisible,
};
use serde_json::{Value, json};

use crate::event::{Event, Happening, Principal};

/// The one server that all tools of a recorded run are taken to stand on, and what is assumed of it
/// when nobody says otherwise: the operator runs it, and anybody may have written what it returns.
#[must_use]
pub fn settings(server: Name) -> Settings {
    let assumed =
        ServerSettings { inside: true, outside_content: true, ..ServerSettings::default() };
    Settings { servers: [(server, assumed)].into(), ..Settings::default() }
}

/// One action of a recorded run with what was decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// The id of the action.
    pub id: String,
    /// What was decided.
    pub decided: Decided,
}

/// Runs that are being decided.
pub struct Evaluation {
    engine: Engine,
    asker: Asker,
    server: Name,
    sessions: BTreeMap<String, Session>,
}

struct Session {
    state: State,
    released: BTreeMap<String, ActionId>,
}

impl Evaluation {
    /// Decides by this policy.
    #[must_use]
    pub fn new(snapshot: Snapshot, server: Name) -> Self {
        let credential = Digest::of(b"recorded");
        let identity = Identity { principal: "recorded".to_owned(), credential };
        let asker = Asker { node: "evaluation".to_owned(), identity };
        Self { engine: Engine::new(snapshot), asker, server, sessions: BTreeMap::new() }
    }

    /// Takes one event into account; the decision, when it is an action.
    pub fn feed(&mut self, event: &Event) -> Option<Decision> {
        let now = Millis(event.ts_ms);
        match &event.happening {
            Happening::SessionStart { principal, goal, tools } => {
                self.start(event, principal, goal, tools);
                None
            }
            Happening::UserMessage { text } => {
                self.observe(event, ObservationKind::UserMessage, None, text);
                None
            }
            Happening::ModelOutput {} => None,
            Happening::Action { tool, args } => self.act(event, tool, args, now),
            Happening::Result { of, output, error } => {
                self.result(event, of, output, error.as_ref());
                None
            }
        }
    }

    /// Forgets a run that has ended.
    pub fn forget(&mut self, session: &str) {
        self.sessions.remove(session);
    }

    fn start(&mut self, event: &Event, principal: &Principal, goal: &str, tools: &[Value]) {
        let text = |value: &str, other: &str| {
            if value.is_empty() { other.to_owned() } else { value.to_owned() }
        };
        let agent = Agent {
            name: named(&principal.agent, &self.server),
            owner: text(&principal.user, "nobody"),
            role: String::new(),
            purpose: String::new(),
        };
        let stated_by = match goal.trim() {
            "" => TaskSource::Nobody,
            _ => TaskSource::Person(named(&principal.user, &self.server)),
        };
        let task = Task { prompt: Digest::of(goal.as_bytes()), stated_by };
        let begun = Recorded::SessionStarted { agent, task, join_key: None };
        let record = self.record(event, begun);
        let Some(state) = State::begin(&record, Some(goal)) else { return };
        self.sessions.insert(event.session.clone(), Session { state, released: BTreeMap::new() });
        let listed: Vec<Value> = tools.iter().map(as_listed).collect();
        let catalogue = json!({ "tools": listed }).to_string();
        self.observe(event, ObservationKind::Catalogue, None, &catalogue);
    }

    /// The session of an event; one that never began has no task.
    fn session(&mut self, event: &Event) -> Option<&mut Session> {
        if !self.sessions.contains_key(&event.session) {
            self.start(event, &Principal::default(), "", &[]);
        }
        self.sessions.get_mut(&event.session)
    }

    fn act(&mut self, event: &Event, tool: &str, args: &Value, now: Millis) -> Option<Decision> {
        let arguments = if args.is_null() { "{}".to_owned() } else { args.to_string() };
        let canonical = Json::parse(arguments.as_bytes()).map(|json| Digest::of(&canonical(json)));
        let action = Action {
            id: ActionId::of(&Digest::of(event.id.as_bytes())),
            session: session_id(event),
            parent: None,
            operation: Operation {
                kind: OperationKind::ToolCall,
                server: self.server.clone(),
                name: tool.to_owned(),
            },
            canonical: canonical.unwrap_or_else(|_| Digest::of(b"")),
            arguments,
            supply: None,
            claim: None,
            restrictions: Vec::new(),
        };
        self.session(event)?;
        let session = self.sessions.get_mut(&event.session)?;
        let decided = decide(&mut self.engine, &session.state, &action, &self.asker, now);
        session.state.apply(&decided.record, Some(&decided.reading));
        if decided.decided.verdict.lets_through() {
            session.released.insert(event.id.clone(), action.id);
        }
        Some(Decision { id: event.id.clone(), decided })
    }

    fn result(&mut self, event: &Event, of: &str, output: &Value, error: Option<&Value>) {
        let Some(action) = self.session(event).and_then(|session| session.released.remove(of))
        else {
            return;
        };
        let text = match output {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let text = match error {
            Some(error) if !error.is_null() => format!("{text}\n{}", plain(error)),
            _ => text,
        };
        self.observe(event, ObservationKind::Result, Some(action), &text);
        let failed = error.is_some_and(|error| !error.is_null());
        let effect = Effect {
            outcome: if failed { Outcome::Failed } else { Outcome::Done },
            request_bytes: 0,
            response_bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
            elapsed_ms: 0,
            detail: String::new(),
            measured: None,
        };
        let record = self.record(event, Recorded::Closed { action, effect });
        if let Some(session) = self.session(event) {
            session.state.apply(&record, None);
        }
    }

    fn observe(
        &mut self,
        event: &Event,
        kind: ObservationKind,
        action: Option<ActionId>,
        text: &str,
    ) {
        let reading = Reading::of(text);
        let server = self.server.clone();
        let label = match kind {
            ObservationKind::UserMessage => Label {
                integrity: Integrity::Trusted,
                confidentiality: Confidentiality::Internal,
                readers: None,
                origins: BTreeSet::new(),
            },
            _ => label(self.engine.snapshot().settings(), &server, &reading),
        };
        let observed = Recorded::Observed {
            observation: Observation { kind, server, action },
            content: Digest::of(text.as_bytes()),
            content_bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
            label,
        };
        let record = self.record(event, observed);
        if let Some(session) = self.session(event) {
            session.state.apply(&record, Some(&reading));
        }
    }

    fn record(&self, event: &Event, what: Recorded) -> Record {
        Record {
            version: Record::VERSION,
            at: Millis(event.ts_ms),
            node: self.asker.node.clone(),
            session: Some(session_id(event)),
            event: what,
        }
    }
}

fn session_id(event: &Event) -> SessionId {
    SessionId::of(&Digest::of(event.session.as_bytes()))
}

/// A name that the records take, as near to a text as can be; `other` where there is none.
fn named(text: &str, other: &Name) -> Name {
    /// So many characters of up to four bytes fit into a name.
    const CHARS_KEPT: usize = Name::BYTES_MAX / 4;
    let kept: String = text.chars().filter(|c| !is_invisible(*c)).take(CHARS_KEPT).collect();
    kept.parse().unwrap_or_else(|_| other.clone())
}

/// A tool as MCP lists it.
fn as_listed(tool: &Value) -> Value {
    let part = |name: &str| tool.get(name).cloned().unwrap_or(Value::Null);
    json!({
        "name": part("name"),
        "description": part("description"),
        "inputSchema": part("schema"),
        "annotations": part("annotations"),
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
