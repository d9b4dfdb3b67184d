//! What the ledger keeps: one leaf per event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ActionId, Agent, ApprovalAnswer, ApprovalId, Claim, Containment, Digest, Effect, Emission,
    Finding, Item, Label, Mark, MemoryEvent, Millis, Name, Obligation, Observation, Operation,
    Origin, PointStanding, Ratio, Restriction, Risk, RuleHit, Ruling, SessionId,
    StandingRestriction, Supply, Task, ToolClass, Trust, Verdict,
};

/// One leaf of the ledger. Its bytes are [`Record::to_bytes`]; content is referred to by digest and
/// kept as a payload beside the log.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Record {
    /// Version of this shape; 1.
    pub version: u8,
    /// When, by the node's clock.
    pub at: Millis,
    /// The node that wrote it: the origin of its log.
    pub node: String,
    /// The session it belongs to, if any.
    pub session: Option<SessionId>,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The node began to work.
    NodeStarted {
        /// Version of the software.
        software: String,
    },
    /// Decisions are taken by this policy from here on. The payload holds sources and settings.
    PolicyLoaded {
        /// Digest of the payload, and the version that decisions name.
        policy: Digest,
    },
    /// A session began.
    SessionStarted {
        /// Who acts.
        agent: Agent,
        /// What for.
        task: Task,
        /// The run of the client that several enforcement points share, when an agent opened it.
        join_key: Option<String>,
    },
    /// A session ended.
    SessionEnded {
        /// Why, in words.
        reason: String,
    },
    /// Something was seen.
    Observed {
        /// What.
        #[serde(flatten)]
        observation: Observation,
        /// Its content, a payload.
        content: Digest,
        /// Length of the content.
        content_bytes: u64,
        /// What is known of the content.
        label: Label,
    },
    /// An action was decided.
    Decided(Box<Decided>),
    /// A person answered, or nobody did in time.
    Answered {
        /// The action that waits.
        action: ActionId,
        /// The question.
        approval: ApprovalId,
        /// The answer; `None` when the time was up.
        answer: Option<ApprovalAnswer>,
    },
    /// An action that was let through came to its end.
    Closed {
        /// The action.
        action: ActionId,
        /// What it did.
        effect: Effect,
    },
    /// A server offers an item for the first time, or in another form than before.
    Offered {
        /// What.
        item: Item,
        /// Its canonical form, a payload.
        content: Digest,
        /// Where it stands in this form.
        trust: Trust,
        /// Why, in words.
        reasons: Vec<String>,
    },
    /// A person ruled on the present form of an item.
    Ruled {
        /// On what.
        item: Item,
        /// The form that they saw.
        content: Digest,
        /// What they said.
        ruling: Ruling,
        /// Who.
        by: Name,
        /// Why.
        note: String,
    },
    /// A person switched a tool off or on.
    Switched {
        /// The tool's server.
        server: Name,
        /// The tool.
        tool: String,
        /// For this agent; for all when `None`.
        agent: Option<Name>,
        /// Whether it is off now.
        disabled: bool,
        /// Who.
        by: Name,
    },
    /// Something is taken from somebody until it is released or lapses.
    Contained {
        /// What, from whom, how long, by whom and why.
        #[serde(flatten)]
        standing: StandingRestriction,
        /// The action that a rule judged when it ordered this; `None` when a person did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<ActionId>,
    },
    /// It is given back before its time.
    Released {
        /// What, to whom.
        #[serde(flatten)]
        restriction: Restriction,
        /// Who gave it back.
        by: Name,
    },
    /// An enforcement point on a machine began, or came to its end, or is not what it was.
    Point {
        /// How it stands.
        #[serde(flatten)]
        standing: PointStanding,
    },
    /// A model emitted a tool call.
    Emitted {
        /// The call.
        #[serde(flatten)]
        emission: Emission,
    },
    /// A mark of an agent's models was seen for the first time.
    Marked {
        /// What.
        #[serde(flatten)]
        mark: Mark,
    },
    /// Something happened to what agents remember.
    Memory {
        /// What.
        #[serde(flatten)]
        event: MemoryEvent,
    },
    /// Something is out of order.
    Found {
        /// What.
        #[serde(flatten)]
        finding: Finding,
    },
}

/// One decision with everything that went into it (capability L1).
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Decided {
    /// The action.
    pub action: ActionId,
    /// Its place in the execution graph.
    pub position: Position,
    /// What it attempts.
    pub operation: Operation,
    /// What such a tool does to the world.
    pub class: ToolClass,
    /// The arguments as sent, a payload.
    pub arguments: Digest,
    /// Digest of the arguments in canonical form.
    pub canonical: Digest,
    /// The statement of the task, a payload.
    pub prompt: Digest,
    /// Results that the session had received, latest last, at most [`Decided::RETRIEVED_MAX`].
    pub retrieved: Vec<Digest>,
    /// The policy that decided.
    pub policy: Digest,
    /// The answer.
    pub verdict: Verdict,
    /// Every rule that spoke, in the order of the bundle.
    pub hits: Vec<RuleHit>,
    /// What the enforcement point must do, resolved.
    pub obligations: Vec<Obligation>,
    /// Restrictions that rules ordered.
    pub containment: Vec<Containment>,
    /// How what it uses stood, where a server has listed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supply: Option<Supply>,
    /// What it has to do with what a model emitted; `None` where no model is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// What was taken from its session, its agent or its server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restrictions: Vec<Restriction>,
    /// Where the arguments that decide something came from, the most doubtful first, at most
    /// [`Decided::ORIGINS_MAX`].
    pub origins: Vec<Origin>,
    /// The score and its terms.
    pub risk: Risk,
    /// How sure the judgement is: the mean confidence of the signals that were measured.
    pub confidence: Ratio,
    /// The question to a person that this decision asks or rests on.
    pub approval: Option<Approval>,
    /// How durable the record had to be before release.
    pub mode: Mode,
    /// Who asked, as authenticated.
    pub identity: Identity,
}

impl Decided {
    /// The most origins that a record keeps.
    pub const ORIGINS_MAX: usize = 16;
    /// The most results that a record names.
    pub const RETRIEVED_MAX: usize = 16;
}

/// Where an action stands in the execution graph.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Position {
    /// Decisions of this session before this one.
    pub step: u64,
    /// The action that caused it, where known.
    pub parent: Option<ActionId>,
    /// The action decided before it.
    pub previous: Option<ActionId>,
}

/// A question to a person, bound to what it was asked about.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Approval {
    /// The question.
    pub id: ApprovalId,
    /// When it lapses.
    pub expires: Millis,
    /// Role of the person who should answer.
    pub role: String,
    /// What the person was shown, a payload.
    pub shown: Digest,
    /// The answer that this decision rests on; `None` while it is asked.
    pub answer: Option<ApprovalAnswer>,
}

/// How durable a record is before the action is released.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// On disk.
    Strict,
    /// In a bounded queue, on disk within the node's window.
    Batched,
}

/// Who asked, as authenticated.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Identity {
    /// The principal, for example `agent:invoices`.
    pub principal: String,
    /// Digest of the credential that was presented.
    pub credential: Digest,
}

/// Proof that a record is on the ledger.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[must_use = "an action may be released only on its receipt"]
pub struct Receipt {
    /// Index of the leaf; `None` while a batched record waits for its place.
    pub index: Option<u64>,
    /// RFC 6962 leaf hash of the record's bytes.
    pub leaf: Digest,
    /// How durable it is.
    pub mode: Mode,
}

/// Why bytes are not a record.
#[derive(Debug, thiserror::Error)]
#[error("not a record of a shape this version knows")]
pub struct RecordError(#[source] serde_json::Error);

impl Receipt {
    /// The RFC 6962 section 2.1 leaf hash of a record's bytes.
    #[must_use]
    pub fn leaf_of(bytes: &[u8]) -> Digest {
        Digest::of_parts(&[&[0], bytes])
    }
}

impl Record {
    /// The version of the shape that this code writes.
    pub const VERSION: u8 = 1;

    /// The longest record, in bytes: tlog-tiles entries have 16-bit lengths.
    pub const BYTES_MAX: usize = 65_535;

    /// The leaf: JSON with fields in the order of declaration, so that equal records have equal
    /// bytes.
    ///
    /// # Errors
    ///
    /// [`RecordError`] never happens for these types, but is not hidden.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        serde_json::to_vec(self).map_err(RecordError)
    }

    /// Reads a leaf.
    ///
    /// # Errors
    ///
    /// [`RecordError`] when the bytes are not such a record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        serde_json::from_slice(bytes).map_err(RecordError)
    }

    /// The payload whose content a fold over records needs to see, if any.
    #[must_use]
    pub fn content(&self) -> Option<Digest> {
        match &self.event {
            Event::SessionStarted { task, .. } => Some(task.prompt),
            Event::Observed { content, .. } => Some(*content),
            Event::Decided(decided) => Some(decided.arguments),
            _ => None,
        }
    }

    /// The action that the record is about, if any.
    #[must_use]
    pub fn action(&self) -> Option<ActionId> {
        match &self.event {
            Event::Decided(decided) => Some(decided.action),
            Event::Answered { action, .. } | Event::Closed { action, .. } => Some(*action),
            Event::Observed { observation, .. } => observation.action,
            Event::Found { finding } => finding.action,
            Event::Emitted { emission } => Some(emission.action),
            _ => None,
        }
    }
}
