//! Standing restrictions on live agents.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Millis, Name, SessionId};

/// What a containment takes away.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Nothing leaves the machine's processes: new connections and established ones.
    NoEgress,
    /// Nothing is written, also not through what is open.
    ReadOnly,
    /// No program is started.
    NoExec,
    /// One tool cannot be called.
    DisableTool,
    /// Everything stands still.
    Freeze,
    /// Everything ends.
    Terminate,
}

impl Verb {
    /// Every verb, in order.
    pub const ALL: [Self; 6] = [
        Self::NoEgress,
        Self::ReadOnly,
        Self::NoExec,
        Self::DisableTool,
        Self::Freeze,
        Self::Terminate,
    ];

    /// As policies and records spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoEgress => "no_egress",
            Self::ReadOnly => "read_only",
            Self::NoExec => "no_exec",
            Self::DisableTool => "disable_tool",
            Self::Freeze => "freeze",
            Self::Terminate => "terminate",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('_', "-"))
    }
}

/// The text names no verb.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "no such verb; there are `no-egress`, `read-only`, `no-exec`, `disable-tool`, `freeze` and `terminate`"
)]
pub struct VerbError;

impl FromStr for Verb {
    type Err = VerbError;

    fn from_str(text: &str) -> Result<Self, VerbError> {
        let spelled = text.replace('-', "_");
        Self::ALL.into_iter().find(|verb| verb.as_str() == spelled).ok_or(VerbError)
    }
}

/// From whom a containment takes something away.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// One session.
    Session {
        /// Which.
        session: SessionId,
    },
    /// Every session of an agent.
    Agent {
        /// Which.
        agent: Name,
    },
    /// A tool server, in every session.
    Server {
        /// Which.
        server: Name,
    },
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session { session } => write!(f, "session {session}"),
            Self::Agent { agent } => write!(f, "agent {agent}"),
            Self::Server { server } => write!(f, "server {server}"),
        }
    }
}

/// A standing restriction, in force until it is released or lapses.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    /// From whom.
    pub target: Target,
    /// What.
    pub verb: Verb,
    /// The tool that is meant, of [`Verb::DisableTool`]; empty of every other verb.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tool: String,
}

/// A [`Restriction`] with its reason and its end.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StandingRestriction {
    /// What is taken from whom.
    #[serde(flatten)]
    pub restriction: Restriction,
    /// Since when.
    pub since: Millis,
    /// When it lapses.
    pub expires: Millis,
    /// Who ordered it: a person, or the name of a rule.
    pub by: String,
    /// Why.
    pub reason: String,
}
