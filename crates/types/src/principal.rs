//! Who acts, for whom, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, Name};

/// A software principal.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Agent {
    /// Its identity.
    pub name: Name,
    /// The person or team that answers for it.
    pub owner: String,
    /// What it is in the organisation, for policies to speak of.
    pub role: String,
    /// What it is for.
    pub purpose: String,
}

/// What the agent was asked to do, by whom: the trusted statement of intent. The text is a payload
/// of the ledger; the record holds its digest.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Task {
    /// Digest of the text; of the empty text when nobody stated a task.
    pub prompt: Digest,
    /// Who said so.
    pub stated_by: TaskSource,
}

/// Where the statement of a task comes from.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskSource {
    /// An operator or a person, through an authenticated channel.
    Person(Name),
    /// Nobody: the session began when the agent first acted.
    Nobody,
}
