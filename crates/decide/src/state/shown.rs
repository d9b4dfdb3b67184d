//! What the state takes from windows of models, and what it knows of them.

use pathwarden_context::Placed;
use pathwarden_types::{
    ActionId, Digest, Integrity, Label, Name, Observation, ObservationKind, VersionRef,
};

use super::State;
use crate::models::{ends_with, spelled};
use crate::sources::{Pointed, Standing};
use crate::{Models, Reading};

impl State {
    /// Something was shown to a model, or all of a window was.
    pub(super) fn see_in_window(
        &mut self,
        observation: &Observation,
        content: Digest,
        label: &Label,
        reading: Option<&Reading>,
    ) {
        match observation.kind {
            ObservationKind::Window => {
                let placed: Option<Placed> =
                    reading.and_then(|reading| serde_json::from_str(&reading.text).ok());
                match (placed, observation.action) {
                    (Some(placed), Some(call)) => self.models.window(call, &placed),
                    _ => self.incomplete = true,
                }
            }
            // What came by no way that anybody watched may be anybody's.
            ObservationKind::ToolResult | ObservationKind::Document
                if label.integrity == Integrity::Untrusted =>
            {
                self.untrusted_seen = true;
                if let (Some(reading), Some(call)) = (reading, observation.action) {
                    let standing = Standing { pointed: Pointed::No, is_derived: true };
                    let known = (Integrity::Untrusted, standing);
                    self.sources.add(&self.asked, (call, content), known, reading);
                }
            }
            // Nobody here can read it, and a model can.
            ObservationKind::Media => {
                self.untrusted_seen |= label.integrity == Integrity::Untrusted;
            }
            ObservationKind::SystemPrompt
            | ObservationKind::UserTurn
            | ObservationKind::AssistantTurn
            | ObservationKind::ToolResult
            | ObservationKind::Document
            | ObservationKind::ToolSet
            | ObservationKind::ServerHello
            | ObservationKind::Catalogue
            | ObservationKind::Result
            | ObservationKind::ServerRequest
            | ObservationKind::UserMessage
            | ObservationKind::ModelOutput
            | ObservationKind::Malformed => {}
        }
    }

    /// What is known of the session's models.
    #[must_use]
    pub const fn models(&self) -> &Models {
        &self.models
    }

    /// The tool of a server that a model means by this name, if that is beyond doubt: the name is the
    /// tool's, or has the server's before it, as clients spell them; no other server's tool could be
    /// meant; and the server is one of those that `may_be`. In doubt it is the agent's own.
    #[must_use]
    pub fn meant_by(
        &self,
        name: &str,
        may_be: impl Fn(&Name, &str) -> bool,
    ) -> Option<(&Name, &str)> {
        let plain = spelled(name);
        let all =
            self.tools.iter().flat_map(|(server, tools)| tools.keys().map(move |t| (server, t)));
        let fits = all.filter(|(server, tool)| {
            let is_named = || plain.contains(&spelled(server.as_str()));
            plain == spelled(tool) || (ends_with(name, tool) && is_named())
        });
        let longest = fits.clone().map(|(_, tool)| tool.len()).max()?;
        let mut meant = fits.filter(|(_, tool)| tool.len() == longest);
        let (server, tool) = meant.next()?;
        (meant.next().is_none() && may_be(server, tool)).then_some((server, tool))
    }

    /// What was read of memory, in any result.
    pub fn consumed(&self) -> impl Iterator<Item = &VersionRef> {
        self.models.consumed().values().flatten()
    }

    /// What was read of memory in this very result.
    pub fn consumed_in(&self, content: &Digest) -> impl Iterator<Item = &VersionRef> {
        self.models.consumed().get(content).into_iter().flatten()
    }

    /// The contents that a text was taken from, each with who may have shaped it.
    #[must_use]
    pub fn taken_from(&self, text: &str) -> Vec<(Digest, Integrity)> {
        self.sources.taken_from(text)
    }

    /// Whether a text is all, or nearly all, from the result of an action.
    #[must_use]
    pub fn is_from(&self, action: ActionId, text: &str) -> bool {
        self.models.is_result(action, &Digest::of(text.as_bytes()))
            || self.sources.is_from(action, text)
    }

    /// Whether text of outsiders, or of nobody knows whom, stands in this one.
    #[must_use]
    pub fn holds_untrusted(&self, text: &str) -> bool {
        self.sources.worst(text) == Some(Integrity::Untrusted)
    }
}
