//! The work that is measured: a finance agent's session under the shipped policy.

use anyhow::{Result, anyhow, ensure};
use pathwarden_decide::{
    Asker, Decision, Engine, Reading, ServerSettings, Settings, Snapshot, State, decide, label,
};
use pathwarden_json::{Json, canonical};
use pathwarden_policy::Source;
use pathwarden_types::{
    Action, ActionId, Agent, Digest, Effect, Event, Identity, Millis, Observation, ObservationKind,
    Operation, OperationKind, Outcome, Record, SessionId, Task, TaskSource,
};

/// What the agent is asked to do.
pub(crate) const TASK: &str = "Can you notify the vendor we need updated tax documents?";

const PACK: [(&str, &str); 4] = [
    ("baseline.rego", include_str!("../../../policies/baseline.rego")),
    ("finance.rego", include_str!("../../../policies/finance.rego")),
    ("host.rego", include_str!("../../../policies/host.rego")),
    ("model.rego", include_str!("../../../policies/model.rego")),
];

/// The shipped policy in a finance team's settings.
pub(crate) fn snapshot() -> Result<Snapshot> {
    let source = |(path, text): (&str, &str)| Source { path: path.into(), text: text.into() };
    let inside = || ServerSettings { inside: true, ..ServerSettings::default() };
    let settings = Settings {
        inside_domains: ["acme.example".to_owned()].into(),
        servers: [("files".parse()?, inside()), ("mail".parse()?, inside())].into(),
        ..Settings::default()
    };
    Ok(Snapshot::build(settings, PACK.map(source).into())?)
}

/// Length of the result of a step.
pub(crate) const RESULT_BYTES: usize = 3_000;

/// The agent that acts.
pub(crate) fn agent() -> Result<Agent> {
    Ok(Agent {
        name: "invoices".parse()?,
        owner: "accounts payable".to_owned(),
        role: "finance-assistant".to_owned(),
        purpose: "reads vendor threads and invoices, and writes to vendors".to_owned(),
    })
}

/// Digest of the canonical form of arguments.
pub(crate) fn canonical_of(arguments: &str) -> Result<Digest> {
    let json = Json::parse(arguments.as_bytes()).map_err(|error| anyhow!("{error:?}"))?;
    Ok(Digest::of(&canonical(json)))
}

/// A tool of a server.
pub(crate) fn tool(server: &str, name: &str) -> Result<Operation> {
    let kind = OperationKind::ToolCall;
    Ok(Operation { kind, server: server.parse()?, name: name.to_owned() })
}

/// Arguments of a read.
pub(crate) fn read_arguments(number: u64) -> String {
    format!(r#"{{"path":"threads/{number}/larkspur-w9.txt","head":200}}"#)
}

/// Arguments of a mail to the vendor with a body of about `bytes`, an account number among it, which
/// the policy takes out.
pub(crate) fn mail_arguments(number: u64, bytes: usize) -> String {
    let account = "Dear Larkspur team, the account is DE89 3704 0044 0532 0130 00.";
    mail(number, &format!("{account} {}", prose(number, bytes)))
}

/// The same without an account number: nothing is taken out.
pub(crate) fn plain_mail_arguments(number: u64, bytes: usize) -> String {
    mail(number, &format!("Dear Larkspur team, {}", prose(number, bytes)))
}

fn mail(number: u64, body: &str) -> String {
    serde_json::json!({
        "to": ["billing@larkspur.example"],
        "subject": format!("Updated tax documents, reference {number}"),
        "body": body,
    })
    .to_string()
}

/// The result of a read, of about `bytes`, as an MCP server gives it.
pub(crate) fn result(number: u64, bytes: usize) -> String {
    let text = format!(
        "From: Larkspur Billing <billing@larkspur.example>\nTo: ap@acme.example\n\n{}\nSee \
         https://larkspur.example/invoices/{number}\n",
        prose(number, bytes)
    );
    serde_json::json!({ "content": [{ "type": "text", "text": text }], "isError": false })
        .to_string()
}

/// About as much business prose, different for each number.
pub(crate) fn prose(number: u64, bytes: usize) -> String {
    let mut text = String::new();
    for line in number.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&format!(
            "Regarding invoice INV-2026-{line:04}: the amount of EUR {}.{:02} was booked on the \
             14th, and the form W-9 on file is from last year.\n",
            line.wrapping_mul(37) % 9_000,
            line % 100
        ));
    }
    text
}

/// What an action did.
pub(crate) fn effect() -> Effect {
    Effect {
        outcome: Outcome::Done,
        request_bytes: 300,
        response_bytes: 3_000,
        elapsed_ms: 4,
        detail: String::new(),
        measured: None,
    }
}

/// A session in memory, with an engine.
pub(crate) struct Session {
    pub(crate) engine: Engine,
    pub(crate) state: State,
    pub(crate) asker: Asker,
    pub(crate) now: Millis,
    id: SessionId,
    next: u64,
}

impl Session {
    pub(crate) fn begin() -> Result<Self> {
        let id = SessionId::of(&Digest::of(b"bench"));
        let now = Millis(1_800_000_000_000);
        let stated_by = TaskSource::Person("dana".parse()?);
        let task = Task { prompt: Digest::of(TASK.as_bytes()), stated_by };
        let event = Event::SessionStarted { agent: agent()?, task, join_key: None };
        let asker = Asker {
            node: "node.example/1".to_owned(),
            identity: Identity {
                principal: "agent:invoices".to_owned(),
                credential: Digest::of(b"token"),
            },
        };
        let record =
            Record { version: 1, at: now, node: asker.node.clone(), session: Some(id), event };
        let state = State::begin(&record, Some(TASK)).ok_or_else(|| anyhow!("no first record"))?;
        Ok(Self { engine: Engine::new(snapshot()?), state, asker, now, id, next: 0 })
    }

    /// A session that did `steps` things: mostly reads of 3 KB, and a mail now and then.
    pub(crate) fn warm(steps: u64) -> Result<Self> {
        let mut session = Self::begin()?;
        for step in 0..steps {
            let action = session.call(step)?;
            session.see(&action, &result(step, RESULT_BYTES));
            session.close(&action);
        }
        ensure!(session.state.step() == steps, "the session is not warm");
        Ok(session)
    }

    /// Decides the call of a step, which is let through.
    pub(crate) fn call(&mut self, step: u64) -> Result<Action> {
        let (server, name, arguments) = if step % 10 == 9 {
            ("mail", "send_mail", mail_arguments(step, 500))
        } else {
            ("files", "read_text_file", read_arguments(step))
        };
        let action = self.action(server, name, arguments)?;
        let decision = self.decide(&action);
        ensure!(decision.decided.verdict.lets_through(), "{:?}", decision.decided.hits);
        self.state.apply(&decision.record, Some(&Reading::of(&action.arguments)));
        Ok(action)
    }

    pub(crate) fn action(&mut self, server: &str, name: &str, arguments: String) -> Result<Action> {
        self.next += 1;
        Ok(Action {
            id: ActionId::of(&Digest::of(&self.next.to_be_bytes())),
            session: self.id,
            parent: None,
            operation: tool(server, name)?,
            canonical: canonical_of(&arguments)?,
            arguments,
            supply: None,
            claim: None,
            restrictions: Vec::new(),
        })
    }

    pub(crate) fn decide(&mut self, action: &Action) -> Decision {
        decide(&mut self.engine, &self.state, action, &self.asker, self.now)
    }

    /// Takes the result of a call in, as a node does: read, label, fold.
    pub(crate) fn see(&mut self, action: &Action, text: &str) {
        self.fold_in(action, text, &Reading::of(text));
    }

    /// Takes in a result that was read.
    pub(crate) fn fold_in(&mut self, action: &Action, text: &str, reading: &Reading) {
        let server = action.operation.server.clone();
        let label = label(self.engine.snapshot().settings(), &server, reading);
        let kind = ObservationKind::Result;
        let observation = Observation { kind, server, action: Some(action.id) };
        let content = Digest::of(text.as_bytes());
        let content_bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let event = Event::Observed { observation, content, content_bytes, label };
        self.apply(event, Some(reading));
    }

    /// Ends a call.
    pub(crate) fn close(&mut self, action: &Action) {
        self.apply(Event::Closed { action: action.id, effect: effect() }, None);
        self.now = self.now.plus(1_000);
    }

    fn apply(&mut self, event: Event, reading: Option<&Reading>) {
        let (at, node) = (self.now, self.asker.node.clone());
        let record = Record { version: 1, at, node, session: Some(self.id), event };
        self.state.apply(&record, reading);
    }
}

#[cfg(test)]
mod tests {
    use pathwarden_types::Verdict;

    use super::{Session, mail_arguments};

    #[test]
    fn the_measured_mail_takes_the_long_way_through_the_policy() {
        let mut session = Session::warm(50).unwrap();
        let arguments = mail_arguments(1, 3_800);
        assert!((3_900..4_300).contains(&arguments.len()), "{}", arguments.len());
        let action = session.action("mail", "send_mail", arguments).unwrap();
        let decided = session.decide(&action).decided;
        assert_eq!(decided.verdict, Verdict::Constrain);
        assert!(decided.hits.iter().any(|hit| hit.rule == "baseline.outside_reader"));
        assert!(!decided.obligations.is_empty());
    }
}
