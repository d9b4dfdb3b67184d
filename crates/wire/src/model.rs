//! The decision point as an enforcement point before models sees it.

use pathwarden_types::{ActionId, Digest, Emission, Name, ObservationKind, Ratio, SessionId};

use crate::{Asking, Pdp};

/// What an enforcement point before models needs besides [`Pdp`]: identities for model calls and for the
/// tool calls that models emit.
pub trait ModelPdp: Pdp {
    /// Records what an agent is about to show a model, and gives the call its identity, to be asked about
    /// with [`Ask::minted`](crate::Ask::minted).
    fn window(&self, window: ShownWindow) -> Asking<'_, Seen>;

    /// Records a tool call that a model emitted, and gives it its identity.
    fn emitted(&self, emitted: Emitted) -> Asking<'_, Emission>;

    /// Records what a model answered.
    fn said(&self, said: Said) -> Asking<'_, ()>;
}

/// What an agent is about to show a model.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShownWindow {
    /// The session.
    pub session: SessionId,
    /// The provider, as the operator named it.
    pub provider: Name,
    /// The model that is asked for.
    pub model: String,
    /// Everything that stands in the window, in order.
    pub pieces: Vec<Piece>,
    /// The tools that are declared, as one JSON text.
    pub tools: Option<String>,
    /// What the provider adds from what it keeps, by its id there.
    pub continues: Option<String>,
}

/// One piece of a window.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// What it is.
    pub kind: ObservationKind,
    /// Its text.
    pub text: String,
    /// The provider's id of the tool call that it is or answers.
    pub call: Option<String>,
    /// The tool or the file, where it has a name.
    pub name: Option<String>,
}

/// A model call that was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "what must not be shown must be cut out"]
pub struct Seen {
    /// Its identity.
    pub action: ActionId,
    /// The policy in force: what was decided by another must be decided again.
    pub policy: Digest,
    /// Pieces, by their number, that the model must see otherwise.
    pub instead: Vec<(usize, String)>,
}

/// A tool call that a model emitted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Emitted {
    /// The session.
    pub session: SessionId,
    /// The model call.
    pub model_call: ActionId,
    /// The provider's id of the call.
    pub call: String,
    /// The tool, as the model names it.
    pub name: String,
    /// The arguments: JSON text of an object.
    pub arguments: String,
    /// Digest of the arguments in canonical form.
    pub canonical: Digest,
    /// How sure the model was so far.
    pub confidence: Option<Ratio>,
}

/// What a model answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Said {
    /// The session.
    pub session: SessionId,
    /// The model call.
    pub action: ActionId,
    /// The provider.
    pub provider: Name,
    /// The model that was asked for.
    pub asked: String,
    /// The model that answered, as the provider names it.
    pub served: Option<String>,
    /// The answer, as JSON.
    pub content: String,
}
