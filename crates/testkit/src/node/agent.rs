//! An agent as its enforcement point sees it: a session, and a token that can do nothing but act.

use anyhow::{Context as _, Result, anyhow};
use pathwarden_client::Client;
use pathwarden_json::{Json, canonical};
use pathwarden_types::{
    ActionId, Digest, Effect, Name, Observation, ObservationKind, Operation, OperationKind,
    Outcome, SessionId,
};
use pathwarden_wire::{
    Answer, Ask, Fault, Held, Observe, Pdp as _, Reach, Report, StartSession, Started,
};
use serde_json::Value;

use super::Home;

/// One agent in one session.
#[derive(Clone)]
pub struct Agent {
    /// Its session.
    pub session: SessionId,
    /// Its token.
    pub token: String,
    client: Client,
}

impl Agent {
    /// Starts a session for an agent of the home's configuration.
    ///
    /// # Errors
    ///
    /// The node's fault.
    pub async fn start(home: &Home, operator: &Client, agent: &str, task: &str) -> Result<Self> {
        let agent = name(agent)?;
        let (task, stated_by) = (task.to_owned(), name("tester")?);
        let start = StartSession { agent, task, stated_by, reach: Reach::default() };
        let Started { session, token, .. } = operator.post("/v1/sessions", &start).await?;
        let client = home.client(&token);
        Ok(Self { session, token, client })
    }

    /// Asks whether it may call a tool.
    ///
    /// # Errors
    ///
    /// The node's fault.
    pub async fn ask(&self, server: &str, tool: &str, arguments: &Value) -> Result<Answer> {
        let arguments = arguments.to_string();
        let ask = Ask {
            session: self.session,
            operation: Operation {
                kind: OperationKind::ToolCall,
                server: name(server)?,
                name: tool.to_owned(),
            },
            canonical: digest(&arguments)?,
            arguments,
            parent: None,
            near_person: false,
            resume: None,
            minted: None,
        };
        Ok(self.client.ask(ask).await?)
    }

    /// Waits for a person's answer to a held call with these arguments.
    ///
    /// # Errors
    ///
    /// The node's fault.
    pub async fn wait(&self, held: &Held, arguments: &Value, up_to_ms: u64) -> Result<Answer> {
        let asked = digest(&arguments.to_string())?;
        Ok(self.client.wait(held.action, asked, up_to_ms).await?)
    }

    /// Reports that a released action was done, with its result.
    ///
    /// # Errors
    ///
    /// The node's fault.
    pub async fn done(&self, action: ActionId, result: &str) -> Result<()> {
        let effect = Effect {
            outcome: Outcome::Done,
            request_bytes: 0,
            response_bytes: u64::try_from(result.len()).unwrap_or(u64::MAX),
            elapsed_ms: 0,
            detail: String::new(),
            measured: None,
        };
        let result = Some(result.to_owned());
        let report = Report { session: self.session, action, effect, result };
        self.client.report(report).await?;
        Ok(())
    }

    /// Records something that a server said.
    ///
    /// # Errors
    ///
    /// The node's fault.
    pub async fn observe(&self, server: &str, content: &str) -> Result<()> {
        let kind = ObservationKind::ServerHello;
        let observation = Observation { kind, server: name(server)?, action: None };
        let content = content.to_owned();
        Ok(self.client.observe(Observe { session: self.session, observation, content }).await?)
    }
}

/// The fault of a node behind an error, if that is what it was.
#[must_use]
pub fn fault(error: &anyhow::Error) -> Option<&Fault> {
    error.downcast_ref()
}

fn name(text: &str) -> Result<Name> {
    text.parse().with_context(|| format!("`{text}` is no name"))
}

fn digest(arguments: &str) -> Result<Digest> {
    let parsed = Json::parse(arguments.as_bytes()).map_err(|fault| anyhow!("{fault}"))?;
    Ok(Digest::of(&canonical(parsed)))
}
