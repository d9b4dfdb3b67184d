//! What a policy is told: every field is always present, so that a rule cannot fail open because
//! something was missing.

use pathwarden_types::{GivenBy, HostVerb, OperationKind, Risk, ToolClass};
use serde::{Deserialize, Serialize};

/// The `input` of a policy.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What is attempted.
    pub action: ActionFacts,
    /// Who attempts it.
    pub agent: AgentFacts,
    /// What they were asked to do.
    pub task: TaskFacts,
    /// What the session did before.
    pub session: SessionFacts,
    /// What the action is, beside what was asked for.
    pub purpose: PurposeFacts,
    /// What the action makes of what the session did before.
    pub conduct: ConductFacts,
    /// How what the action uses stands among what servers offer.
    pub supply: SupplyFacts,
    /// What a model may be given to use, when one is called.
    pub model: ModelFacts,
    /// What processes do to the machine, when the action is of that kind.
    pub host: HostFacts,
    /// Whom or what the action reaches.
    pub targets: Vec<Target>,
    /// Where each argument that decides something came from.
    pub origins: Vec<OriginFacts>,
    /// Sensitive content found in the arguments.
    pub contents: Vec<Content>,
    /// Whether a person has answered.
    pub approval: ApprovalState,
    /// The fused score and its terms.
    pub risk: Risk,
    /// The node's clock, in ms since the Unix epoch.
    pub now_ms: u64,
}

/// What is attempted.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ActionFacts {
    /// The kind of operation.
    pub kind: OperationKind,
    /// The server, as the operator named it.
    pub server: String,
    /// Whether the operator runs the server.
    pub server_inside: bool,
    /// The tool, resource or prompt.
    pub name: String,
    /// What such a tool does to the world.
    pub class: ToolClass,
    /// The arguments: any JSON object.
    pub arguments: serde_json::Value,
    /// Length of the arguments as sent.
    pub arguments_bytes: u64,
    /// What it has to do with what a model emitted: `emitted`, `altered`, `orphan`; `unseen` where no
    /// model of the session is seen.
    pub claim: String,
}

/// Who attempts it.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgentFacts {
    /// Its identity.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// What it is in the organisation.
    pub role: String,
    /// What it is for.
    pub purpose: String,
}

/// What they were asked to do.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaskFacts {
    /// Whether a person stated a task at all.
    pub stated: bool,
    /// The statement; empty when there is none.
    pub text: String,
}

/// What the session did before.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionFacts {
    /// Decisions so far.
    pub actions: u64,
    /// Of these, refused.
    pub refused: u64,
    /// How often this very call (server, name, canonical arguments) was decided before.
    pub repeats: u64,
    /// What this call would make of a loop: `none`, `warn`, `throttle` or `break`.
    pub looping: String,
    /// Whether content that outsiders may have shaped was read.
    pub untrusted_seen: bool,
    /// Whether restricted content was read.
    pub restricted_seen: bool,
}

/// What the action is, beside what was asked for.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeFacts {
    /// What the tool does, in words: `pay`, `message`, `delete`.
    pub acts: Vec<String>,
    /// Whether the task asks for any of it.
    pub asked: bool,
    /// Whether the person left the choice of what to do to content that the task points to.
    pub left_open: bool,
    /// Whether content of outsiders orders this kind of action, and names what the tool works on.
    pub ordered: bool,
    /// Whether the action can be undone with the tool that did it.
    pub reversible: bool,
    /// Whether it reaches people, the public or money, and not only the agent's surroundings.
    pub outward: bool,
    /// Whether it only says who somebody is, and does nothing else.
    pub authenticates: bool,
    /// Whether it sets a new credential.
    pub sets_credential: bool,
    /// Whether a server asks the person for a secret.
    pub asks_secret: bool,
    /// Whether a server asks for what the client knows from other servers.
    pub asks_everything: bool,
}

/// What the action makes of what the session did before, in words.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConductFacts {
    /// How it breaks contracts that the operator declared.
    pub deviations: Vec<String>,
    /// Which hard limits of speed and reach it passes.
    pub excess: Vec<String>,
    /// What earlier steps make of it: privileges that rise, private content that could leave.
    pub escalations: Vec<String>,
}

/// How what the action uses stands among what servers offer.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SupplyFacts {
    /// `unseen` for what no server has listed; else `known`, `changed`, `suspect`, `revoked` or
    /// `disabled`, of the tool, the prompt, and the server's program and instructions the worst.
    pub trust: String,
    /// Why, in words.
    pub reasons: Vec<String>,
}

impl SupplyFacts {
    /// Of what no server has listed.
    #[must_use]
    pub fn unseen() -> Self {
        Self { trust: "unseen".to_owned(), reasons: Vec::new() }
    }
}

/// What a model is given to use beside the tools that the agent runs.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFacts {
    /// Tools that its provider runs.
    pub server_tools: Vec<ServerToolFacts>,
}

/// A tool that the provider of a model runs.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerToolFacts {
    /// What kind, as the provider spells it: `mcp`, `web_search`.
    pub kind: String,
    /// Its name, where it has one.
    pub name: String,
    /// The server that the provider calls, where it has one.
    pub server_url: String,
    /// Whether the provider asks the agent first: `always`, `never`, or something between as it was
    /// spelled; empty where nothing was said.
    pub approval: String,
}

/// What processes do, or would do, to a machine.
#[derive(Clone, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HostFacts {
    /// The program that acts or that is started; empty where none is known.
    pub program: String,
    /// Where that program stands.
    pub program_place: String,
    /// What is done, one by one.
    pub acts: Vec<HostActFacts>,
    /// What makes a command line hard to believe.
    pub doubts: Vec<String>,
    /// The tool server whose process it is; empty for the agent's own.
    pub server: String,
    /// The tool whose call was open; empty where none was.
    pub tool: String,
    /// How something that was done stands to what was allowed: `orphan`, `undeclared`, `declared`,
    /// `deviation`; `attempt` for what is decided before it is done; empty for what no process does.
    pub standing: String,
}

/// One thing that a process does to a machine.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HostActFacts {
    /// What it does.
    pub verb: HostVerb,
    /// Where that stands.
    pub place: String,
    /// The path, the program or the address.
    pub what: String,
    /// Whether a path lies in the session's workspace, whatever its place.
    pub in_workspace: bool,
}

/// Where an argument that decides something came from.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OriginFacts {
    /// RFC 6901 pointer into the arguments.
    pub pointer: String,
    /// What the argument is for: `target`, `command`, `credential`, `content`.
    pub role: String,
    /// Where its value came from.
    pub given_by: GivenBy,
    /// How much the result that it stood in looks like an attempt to steer a model, in ten-thousandths.
    pub cue: u64,
}

/// Whom or what the action reaches, found in a target argument.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// RFC 6901 pointer into the arguments.
    pub pointer: String,
    /// What kind of target.
    pub kind: TargetKind,
    /// The value, normalised (lower-case address).
    pub value: String,
    /// Whether it belongs to the operator's own organisation.
    pub inside: bool,
    /// Where the value came from.
    pub given_by: GivenBy,
}

/// Kinds of target.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// An e-mail address.
    Email,
    /// A URL.
    Url,
    /// A bank account.
    Account,
}

/// Sensitive content found in one argument.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// RFC 6901 pointer into the arguments.
    pub pointer: String,
    /// Class of content, for example `iban` or `tax_id`.
    pub class: String,
    /// How many pieces of it.
    pub count: u64,
}

/// Whether a person has answered.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody was asked, or nobody has answered yet.
    None,
    /// A person approved this very action.
    Approved,
}
