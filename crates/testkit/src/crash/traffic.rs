//! Concurrent agents and a person, until the node is gone.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};
use pathwarden_client::Client;
use pathwarden_types::{Choice, Receipt};
use pathwarden_wire::{Answer, AnswerApproval, ApprovalRow, EndSession, FaultKind, Held};
use serde_json::{Value, json};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{Duration, interval, sleep};

use super::chance::Chance;
use super::told::{Notes, Released};
use crate::node::{Agent, Home, fault};

/// How many agents act at a time.
const AGENTS: usize = 4;

/// How often the person looks for questions, in ms.
const LOOK_EVERY_MS: u64 = 10;

/// How long an agent waits for an answer before it does something else, in ms.
const WAIT_MS: u64 = 150;

/// The longest that an agent thinks before it acts, in ms: a log that is too long to be replayed in
/// the end shows less, not more.
const THINK_MS_MAX: u64 = 30;

/// The task of every session; it names the one recipient that a message may have.
const TASK: &str = "ask vendor@acme.example for the forms, look things up, remove what is old";

/// The agents, which go on with their sessions from one life of the node to the next.
pub(crate) struct Traffic {
    home: Arc<Home>,
    operator: Client,
    notes: Arc<Notes>,
    agents: Vec<Acting>,
}

impl Traffic {
    pub(crate) fn new(home: Arc<Home>, notes: Arc<Notes>, chance: &mut Chance) -> Result<Self> {
        let operator = home.person("operator")?;
        let agents = (0..AGENTS).map(|_| Acting::new(chance.fork())).collect();
        Ok(Self { home, operator, notes, agents })
    }

    /// Begins the traffic on a node that is ready; it ends when the node is gone.
    pub(crate) fn begin(&mut self, chance: &mut Chance) -> Running {
        let mut acting = JoinSet::new();
        let mut any = Vec::new();
        for mut agent in self.agents.drain(..) {
            let (home, operator) = (Arc::clone(&self.home), self.operator.clone());
            let notes = Arc::clone(&self.notes);
            any.push(acting.spawn(async move {
                let outcome = agent.act(&home, &operator, &notes).await;
                (agent, ends_with_the_node(outcome))
            }));
        }
        let (operator, notes) = (self.operator.clone(), Arc::clone(&self.notes));
        let chance = chance.fork();
        let person = tokio::spawn(async move {
            ends_with_the_node(answer_questions(&operator, &notes, chance).await)
        });
        Running { acting, any, person }
    }

    /// Takes the agents back once the node is gone.
    pub(crate) async fn end(&mut self, running: Running) -> Result<()> {
        let Running { mut acting, person, .. } = running;
        while let Some(ended) = acting.join_next().await {
            let (agent, outcome) = ended?;
            outcome?;
            self.agents.push(agent);
        }
        person.await?
    }
}

/// Traffic under way.
pub(crate) struct Running {
    acting: JoinSet<(Acting, Result<()>)>,
    any: Vec<AbortHandle>,
    person: JoinHandle<Result<()>>,
}

impl Running {
    /// Whether a client has ended, which it should only when the node has.
    pub(crate) fn has_ended(&self) -> bool {
        self.person.is_finished() || self.any.iter().any(AbortHandle::is_finished)
    }
}

/// A client ends when the node cannot be reached; any other fault was not to be expected.
fn ends_with_the_node(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(error) if fault(&error).is_some_and(|f| f.kind == FaultKind::Unreachable) => Ok(()),
        Err(error) => Err(error.context("a client was told something unexpected")),
        Ok(()) => bail!("a client ended before the node"),
    }
}

/// One agent with what it keeps between two lives of the node.
struct Acting {
    chance: Chance,
    agent: Option<Agent>,
    counter: u64,
    /// What it asked for and was not answered: it asks for exactly this again.
    unanswered: Option<Call>,
}

/// One call.
#[derive(Clone)]
struct Call {
    tool: &'static str,
    arguments: Value,
}

impl Acting {
    const fn new(chance: Chance) -> Self {
        Self { chance, agent: None, counter: 0, unanswered: None }
    }

    async fn act(&mut self, home: &Home, operator: &Client, notes: &Notes) -> Result<()> {
        loop {
            let agent = match self.agent.clone() {
                Some(agent) if self.chance.below(40) > 0 => agent,
                _ => self.next_session(home, operator, notes).await?,
            };
            sleep(Duration::from_millis(self.chance.below(THINK_MS_MAX))).await;
            if self.chance.below(8) == 0 {
                agent.observe("desk", &format!("the desk says {}", self.counter)).await?;
            }
            let call = self.unanswered.take().unwrap_or_else(|| self.next_call());
            self.make(&agent, call, notes).await?;
        }
    }

    async fn next_session(
        &mut self,
        home: &Home,
        operator: &Client,
        notes: &Notes,
    ) -> Result<Agent> {
        self.unanswered = None;
        if let Some(agent) = self.agent.take() {
            let end = EndSession { reason: "its work is done".to_owned() };
            let () = operator.post(&format!("/v1/sessions/{}/end", agent.session), &end).await?;
        }
        let began = Instant::now();
        let agent = Agent::start(home, operator, "clerk", TASK).await?;
        {
            let mut told = notes.told();
            told.sessions.push(agent.session);
            told.durable(began);
        }
        self.agent = Some(agent.clone());
        Ok(agent)
    }

    fn next_call(&mut self) -> Call {
        self.counter += 1;
        let number = self.counter;
        match self.chance.below(10) {
            0..=4 => Call { tool: "look", arguments: json!({ "number": number }) },
            5..=8 => {
                let text = format!("forms, please ({number})");
                let arguments = json!({ "to": "vendor@acme.example", "text": text });
                Call { tool: "send", arguments }
            }
            _ => Call { tool: "remove", arguments: json!({ "number": number }) },
        }
    }

    async fn make(&mut self, agent: &Agent, call: Call, notes: &Notes) -> Result<()> {
        let began = Instant::now();
        match agent.ask("desk", call.tool, &call.arguments).await {
            Ok(Answer::Held(held)) => self.wait(agent, call, &held, notes).await,
            Ok(answer) => self.follow(agent, answer, began, notes).await,
            Err(error) => {
                self.unanswered = Some(call);
                Err(error)
            }
        }
    }

    /// An answer that does not come is asked for again later, with the same arguments.
    async fn wait(&mut self, agent: &Agent, call: Call, held: &Held, notes: &Notes) -> Result<()> {
        let began = Instant::now();
        match agent.wait(held, &call.arguments, WAIT_MS).await {
            Ok(Answer::Held(_)) => {
                self.unanswered = Some(call);
                Ok(())
            }
            Ok(answer) => self.follow(agent, answer, began, notes).await,
            Err(error) => {
                self.unanswered = Some(call);
                Err(error)
            }
        }
    }

    async fn follow(
        &mut self,
        agent: &Agent,
        answer: Answer,
        began: Instant,
        notes: &Notes,
    ) -> Result<()> {
        let Answer::Release(permit) = answer else {
            // A refusal: this session may have reached a limit of the policy.
            self.agent = None;
            return Ok(());
        };
        let release = permit.into_release();
        let receipt: Receipt = release.receipt;
        let released = Released { action: release.action, receipt, at: Instant::now() };
        notes.effect(released, began)?;
        agent.done(release.action, &format!("done {}", self.counter)).await
    }
}

/// A person who answers every question: mostly with yes.
async fn answer_questions(operator: &Client, notes: &Notes, mut chance: Chance) -> Result<()> {
    let mut ticks = interval(Duration::from_millis(LOOK_EVERY_MS));
    loop {
        ticks.tick().await;
        let rows: Vec<ApprovalRow> = operator.get("/v1/approvals").await?;
        for row in rows {
            let choice = if chance.below(5) == 0 { Choice::Deny } else { Choice::Approve };
            let given = AnswerApproval {
                choice,
                by: "dana".parse()?,
                note: String::new(),
                shown_digest: row.shown_digest,
            };
            let path = format!("/v1/approvals/{}", row.approval);
            let began = Instant::now();
            match operator.post::<_, ()>(&path, &given).await {
                Ok(()) => {
                    let mut told = notes.told();
                    told.answered.push((row.approval, choice));
                    told.durable(began);
                }
                // Its session has ended since the list was made.
                Err(fault) if fault.kind == FaultKind::NotFound => {}
                Err(fault) => return Err(fault.into()),
            }
        }
    }
}
