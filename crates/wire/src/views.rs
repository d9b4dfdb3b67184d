//! Bodies of the HTTP API that a person's tools read and write.

use pathwarden_decide::Change;
use pathwarden_types::{
    ActionId, Agent, ApprovalId, Choice, Claim, Decided, Digest, Effect, Finding, HostAttempt,
    Measured, Millis, Name, Operation, Origin, Outcome, PointStanding, Restriction, SessionId,
    StandingRestriction, ToolClass, Verdict,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{KnowledgeStatus, SaidShown, WindowShown};

/// A request to start a session for an agent.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StartSession {
    /// The agent, as the configuration names it.
    pub agent: Name,
    /// What it is asked to do, in the words of the person who asks.
    pub task: String,
    /// Who asks.
    pub stated_by: Name,
    /// Where the agent's token is to be taken.
    #[serde(default)]
    pub reach: Reach,
}

/// Where a token is taken.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// At the API and at the gateways.
    #[default]
    Everywhere,
    /// At the gateways alone. Who holds it cannot report effects or results by itself, so what the
    /// session learns comes from servers that a gateway has asked.
    Gateways,
}

/// A session that was started.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct Started {
    /// The session.
    pub session: SessionId,
    /// A token with which the agent can act in this session, and do nothing else.
    pub token: String,
    /// The same for gateways alone: with it nobody can say what was done.
    pub gateway_token: String,
}

/// A request to end a session.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    /// Why, in words.
    pub reason: String,
}

/// One session in a list.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct SessionRow {
    /// The session.
    pub session: SessionId,
    /// Who acts.
    pub agent: Name,
    /// What for; empty when nobody said.
    pub task: String,
    /// When it began.
    pub started: Millis,
    /// Where it stands.
    pub standing: SessionStanding,
    /// Decisions so far.
    pub actions: u64,
    /// Of these, refused.
    pub refused: u64,
    /// Questions to a person that stand.
    pub waiting: u64,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStanding {
    /// It can act.
    Open,
    /// Everything it attempts is refused.
    Isolated,
    /// It has ended.
    Ended,
}

/// One question to a person.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct ApprovalRow {
    /// The question.
    pub approval: ApprovalId,
    /// Its session.
    pub session: SessionId,
    /// The action that waits.
    pub action: ActionId,
    /// Who should answer.
    pub role: String,
    /// When it lapses.
    pub expires: Millis,
    /// What is to be decided, as it is kept in the ledger: agent, task, action, targets, contents
    /// and reasons.
    pub shown: serde_json::Value,
    /// Digest of what is shown.
    pub shown_digest: Digest,
}

/// An answer to a question.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerApproval {
    /// Whether the action may go on.
    pub choice: Choice,
    /// Who answers.
    pub by: Name,
    /// What they say.
    pub note: String,
    /// Digest of what was shown, so that nobody approves what they did not see.
    pub shown_digest: Digest,
}

/// The action path of a session.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct ActionPath {
    /// The session.
    pub session: SessionId,
    /// Who acts.
    pub agent: Agent,
    /// What for; empty when nobody said.
    pub task: String,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// What else happened, in order: findings, containments, and how enforcement points stood.
    #[serde(default)]
    pub events: Vec<PathEvent>,
}

/// Something in a session's path that is no action.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct PathEvent {
    /// When.
    pub at: Millis,
    /// The action that it belongs to, where there is one.
    pub action: Option<ActionId>,
    /// What.
    #[serde(flatten)]
    pub what: PathEventKind,
}

/// What else happens in a session.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum PathEventKind {
    /// Something is out of order.
    Found {
        /// What.
        finding: Finding,
    },
    /// Something is taken from somebody.
    Contained {
        /// What from whom.
        standing: StandingRestriction,
    },
    /// It is given back.
    Released {
        /// What to whom.
        restriction: Restriction,
        /// By whom.
        by: Name,
    },
    /// An enforcement point said how it stands.
    Point {
        /// How.
        standing: PointStanding,
    },
}

/// One decided action in a path.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct Step {
    /// The action.
    pub action: ActionId,
    /// The action that caused it, where known.
    pub parent: Option<ActionId>,
    /// When it was first decided.
    pub at: Millis,
    /// What it attempted.
    pub operation: Operation,
    /// What such a tool does to the world.
    pub class: ToolClass,
    /// The answers, first to last: a hold is followed by what came of it.
    pub verdicts: Vec<Verdict>,
    /// The rules that weighed most in the last answer.
    pub because: Vec<Because>,
    /// Risk in ten-thousandths.
    pub risk: u16,
    /// How it ended; `None` while it runs, or when it was refused.
    pub outcome: Option<Outcome>,
    /// From release to outcome, in ms.
    pub elapsed_ms: Option<u64>,
    /// What it does to the machine, where processes do it.
    #[serde(default)]
    pub host: Option<HostAttempt>,
    /// What the kernel saw done while its permit was open.
    #[serde(default)]
    pub measured: Option<Measured>,
    /// Index of the deciding record in the ledger.
    pub index: u64,
    /// What it has to do with what a model emitted; `None` where no model is seen.
    pub claim: Option<Claim>,
    /// Whether a model emitted it. If it has no verdict then, nobody has carried it out.
    pub is_emitted: bool,
    /// What was new in the model's window, when a model was called.
    pub window: Option<WindowShown>,
    /// What the model said, when one was called.
    pub said: Option<SaidShown>,
}

/// One rule that weighed.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct Because {
    /// Its name.
    pub rule: String,
    /// What it said, for the operator.
    pub reason: String,
}

/// Why an action was decided as it was.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct Why {
    /// Index of the deciding record in the ledger.
    pub index: u64,
    /// The session.
    pub session: SessionId,
    /// When it was decided.
    pub at: Millis,
    /// Everything that was recorded of the decision.
    pub decided: Decided,
    /// The arguments as sent; `None` when the payload is gone.
    pub arguments: Option<String>,
    /// The statement of the task.
    pub task: String,
    /// What it did, once it is closed.
    pub effect: Option<Effect>,
    /// Where the arguments that decide something came from, the most doubtful first.
    pub origins: Vec<OriginShown>,
    /// Single changes that would have given a less restrained answer: other evaluations than the one
    /// that decided.
    pub would_change: Vec<WouldChange>,
}

/// A change that would have given a less restrained answer.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct WouldChange {
    /// What would have to be different.
    pub if_instead: String,
    /// The answer then.
    pub verdict: Verdict,
    /// Rules that restrained the action and would not have.
    pub silent: Vec<String>,
}

impl From<Change> for WouldChange {
    fn from(Change { if_instead, verdict, silent }: Change) -> Self {
        Self { if_instead, verdict, silent }
    }
}

/// What came of deciding every recorded action again.
#[derive(Clone, Debug, Default, JsonSchema, Deserialize, Serialize)]
pub struct Replay {
    /// Sessions that were folded.
    pub sessions: u64,
    /// Decisions that were taken again.
    pub decisions: u64,
    /// Of these, the ones whose record came out the same, byte for byte.
    pub identical: u64,
    /// Every one that did not.
    pub differences: Vec<Difference>,
    /// Decisions that could not be taken again because a payload is gone.
    pub not_replayable: u64,
    /// How long it took, in ms.
    pub elapsed_ms: u64,
}

/// A decision that came out differently.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct Difference {
    /// Index of the record.
    pub index: u64,
    /// The action.
    pub action: ActionId,
    /// The first place where the bytes part, and what stands there.
    pub detail: String,
}

/// The policy that decides.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct PolicyStatus {
    /// Its version.
    pub version: Digest,
    /// Its rules, with file and line.
    pub rules: Vec<RuleRow>,
    /// What stands beside the rules.
    pub knowledge: KnowledgeStatus,
    /// Why the latest reload was refused, if it was; the version above still decides.
    pub refused_reload: Option<String>,
}

/// One rule of the policy.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct RuleRow {
    /// Its name.
    pub rule: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
}

/// How a node is.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct Health {
    /// The node: the origin of its log.
    pub node: String,
    /// Version of the software.
    pub software: String,
    /// Records in the ledger.
    pub records: u64,
    /// Whether the ledger takes records.
    pub ledger_writable: bool,
    /// The policy that decides.
    pub policy: Digest,
    /// Sessions that can act.
    pub open_sessions: u64,
    /// Where its gateway for tools listens, once it does.
    #[serde(default)]
    pub gateway: Option<String>,
    /// Where its gateway for models listens, once it does.
    #[serde(default)]
    pub models: Option<String>,
}

/// Records of the ledger, as they stand there.
#[derive(Clone, Debug, JsonSchema, Deserialize, Serialize)]
pub struct Export {
    /// Index of the first record.
    pub first: u64,
    /// The records.
    pub records: Vec<serde_json::Value>,
    /// Index to go on from; `None` at the end.
    pub next: Option<u64>,
}

/// Where an argument came from, with the place itself.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct OriginShown {
    /// As recorded.
    #[serde(flatten)]
    pub origin: Origin,
    /// The text around the place; absent when it stood in none or the content was erased.
    pub snippet: Option<SnippetShown>,
}

/// A place in a text, with what stands around it.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct SnippetShown {
    /// What stands before it.
    pub before: String,
    /// The place.
    pub value: String,
    /// What stands behind it.
    pub after: String,
}
