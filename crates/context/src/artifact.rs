//! What stands in a window.

use pathwarden_types::{Digest, Integrity, ObservationKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One piece of a window: its content by digest, and what it is in the conversation.
#[derive(Clone, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// What it is.
    pub kind: ObservationKind,
    /// Its content, a payload.
    pub content: Digest,
    /// Length of the content.
    pub bytes: u64,
    /// Who may have shaped it, as far as was known when it was first shown.
    pub integrity: Integrity,
    /// The provider's id of the tool call that it is or answers, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The tool or the file, where it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Artifact {
    /// Whether it is the same piece; what is known of it may have changed.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (self.kind, self.content, &self.call, &self.name)
            == (other.kind, other.content, &other.call, &other.name)
    }
}

/// Everything that a model is shown in one call, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Window {
    /// The pieces.
    pub artifacts: Vec<Artifact>,
    /// The model that is asked for.
    pub model: String,
    /// The tools that are declared, as one text.
    pub tools: Option<Digest>,
    /// What else the provider adds from what it keeps, by its id there.
    pub continues: Option<String>,
}

impl Window {
    /// The most pieces of one window.
    pub const ARTIFACTS_MAX: usize = 16_384;

    /// What the model is told of its part: all system prompts.
    pub(crate) fn system(artifacts: &[Artifact]) -> impl Iterator<Item = Digest> + '_ {
        of_kind(artifacts, ObservationKind::SystemPrompt)
    }

    /// What the users said.
    pub(crate) fn turns(artifacts: &[Artifact]) -> impl Iterator<Item = Digest> + '_ {
        of_kind(artifacts, ObservationKind::UserTurn)
    }
}

fn of_kind(artifacts: &[Artifact], kind: ObservationKind) -> impl Iterator<Item = Digest> + '_ {
    artifacts.iter().filter(move |artifact| artifact.kind == kind).map(|artifact| artifact.content)
}
