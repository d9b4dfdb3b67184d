//! A session, its ledger and an engine on the shipped policy.

use pathwarden_decide::{
    Asker, Decision, Engine, Reading, ServerSettings, Settings, Snapshot, State, decide, label,
};
use pathwarden_json::{Json, canonical};
use pathwarden_policy::Source;
use pathwarden_types::{
    Action, ActionId, Agent, ApprovalAnswer, Choice, Digest, Event, Identity, Millis, Observation,
    ObservationKind, Operation, OperationKind, Record, SessionId, Task, TaskSource,
};

pub(crate) const MAIL: &str = "mail";
pub(crate) const FILES: &str = "files";
/// A server of ours whose content outsiders write.
pub(crate) const INBOX: &str = "inbox";

/// The shipped policy, in a finance team's settings.
pub(crate) fn snapshot() -> Snapshot {
    snapshot_with("")
}

/// The shipped policy with one more file.
pub(crate) fn snapshot_with(extra: &str) -> Snapshot {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies");
    let mut sources: Vec<Source> = ["baseline.rego", "finance.rego", "host.rego", "model.rego"]
        .iter()
        .map(|path| Source {
            path: (*path).to_owned(),
            text: std::fs::read_to_string(format!("{folder}/{path}")).expect("the pack"),
        })
        .collect();
    if !extra.is_empty() {
        sources.push(Source { path: "extra.rego".to_owned(), text: extra.to_owned() });
    }
    let settings = Settings {
        inside_domains: ["acme.example".to_owned()].into(),
        servers: [(MAIL, false), (FILES, false), (INBOX, true)]
            .map(|(name, outside_content)| {
                let server =
                    ServerSettings { inside: true, outside_content, ..ServerSettings::default() };
                (name.parse().expect("a name"), server)
            })
            .into(),
        ..Settings::default()
    };
    Snapshot::build(settings, sources).expect("the pack compiles")
}

/// A session with its records.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) state: State,
    pub(crate) records: Vec<Record>,
    pub(crate) session: SessionId,
    pub(crate) now: Millis,
    next: u64,
}

impl World {
    pub(crate) fn new(task: &str) -> Self {
        Self::with(snapshot(), task)
    }

    pub(crate) fn with(snapshot: Snapshot, task: &str) -> Self {
        let session = SessionId::of(&Digest::of(task.as_bytes()));
        let now = Millis(1_000);
        let agent = Agent {
            name: "invoices".parse().expect("a name"),
            owner: "accounts payable".to_owned(),
            role: "finance".to_owned(),
            purpose: String::new(),
        };
        let stated_by = TaskSource::Person("dana".parse().expect("a name"));
        let task_fact = Task { prompt: Digest::of(task.as_bytes()), stated_by };
        let event = Event::SessionStarted { agent, task: task_fact, join_key: None };
        let record = Self::record_at(now, session, event);
        let state = State::begin(&record, Some(task)).expect("a first record");
        let engine = Engine::new(snapshot);
        Self { engine, state, records: vec![record], session, now, next: 0 }
    }

    fn record_at(at: Millis, session: SessionId, event: Event) -> Record {
        let node = "node.example/1".to_owned();
        Record { version: Record::VERSION, at, node, session: Some(session), event }
    }

    pub(crate) fn asker(&self) -> Asker {
        let credential = Digest::of(b"token");
        let identity = Identity { principal: "agent:invoices".to_owned(), credential };
        Asker { node: "node.example/1".to_owned(), identity }
    }

    /// An action with a new id.
    pub(crate) fn action(&mut self, server: &str, name: &str, arguments: &str) -> Action {
        self.next += 1;
        let value = Json::parse(arguments.as_bytes()).expect("JSON");
        Action {
            id: ActionId::of(&Digest::of(&self.next.to_be_bytes())),
            session: self.session,
            parent: None,
            operation: Operation {
                kind: OperationKind::ToolCall,
                server: server.parse().expect("a name"),
                name: name.to_owned(),
            },
            arguments: arguments.to_owned(),
            canonical: Digest::of(&canonical(value)),
            supply: None,
            restrictions: Vec::new(),
            claim: None,
        }
    }

    /// Decides without a gate, records and folds.
    pub(crate) fn decide(&mut self, action: &Action) -> Decision {
        self.now = self.now.plus(10);
        let asker = self.asker();
        let decision = decide(&mut self.engine, &self.state, action, &asker, self.now);
        self.state.apply(&decision.record, Some(&Reading::of(&action.arguments)));
        self.records.push(decision.record.clone());
        decision
    }

    pub(crate) fn record(&mut self, event: Event, text: Option<&str>) {
        self.now = self.now.plus(1);
        let record = Self::record_at(self.now, self.session, event);
        self.state.apply(&record, text.map(Reading::of).as_ref());
        self.records.push(record);
    }

    /// A result that the session receives from an action that was let through.
    pub(crate) fn see(&mut self, server: &str, text: &str) {
        let path = format!(r#"{{"path":"{}"}}"#, self.next);
        let read = self.action(server, "read_file", &path);
        assert!(self.decide(&read).decided.verdict.lets_through());
        self.observe(server, Some(read.id), text);
    }

    /// Something that calls itself a result.
    pub(crate) fn observe(&mut self, server: &str, action: Option<ActionId>, text: &str) {
        let server = server.parse().expect("a name");
        let label = label(self.engine.snapshot().settings(), &server, &Reading::of(text));
        let observation = Observation { kind: ObservationKind::Result, server, action };
        let content = Digest::of(text.as_bytes());
        self.record(Event::Observed { observation, content, content_bytes: 0, label }, Some(text));
    }

    /// A person's answer to the question about an action; `None` lets it lapse.
    pub(crate) fn answer(&mut self, action: ActionId, choice: Option<Choice>) {
        let approval = self.state.question_about(action).expect("a question").approval.id;
        let by = "dana".parse().expect("a name");
        let answer = choice.map(|choice| ApprovalAnswer { choice, by, note: String::new() });
        self.record(Event::Answered { action, approval, answer }, None);
    }
}
