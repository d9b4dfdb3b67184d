//! What is known of a piece of content.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who may have shaped the content, most trusted first.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Integrity {
    /// The person who stated the task, or the operator.
    Trusted,
    /// A server that the operator runs.
    FirstParty,
    /// Anybody.
    Untrusted,
}

/// How much harm its disclosure does, least first.
#[derive(
    Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Deserialize, Serialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidentiality {
    /// None.
    Public,
    /// For the organisation.
    Internal,
    /// Account numbers, personal data, secrets.
    Restricted,
}

/// Integrity, confidentiality, allowed readers and origins of a piece of content.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Deserialize, Serialize)]
pub struct Label {
    /// Who may have shaped it.
    pub integrity: Integrity,
    /// What its disclosure costs.
    pub confidentiality: Confidentiality,
    /// Who may read it; `None` is everybody.
    pub readers: Option<BTreeSet<String>>,
    /// Where it came from.
    pub origins: BTreeSet<String>,
}

impl Label {
    /// The label of content made from both: the lower trust, the higher secrecy, the readers that
    /// both allow, all origins. Commutative, associative and idempotent.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let readers = match (&self.readers, &other.readers) {
            (None, readers) | (readers, None) => readers.clone(),
            (Some(ours), Some(theirs)) => Some(ours & theirs),
        };
        Self {
            integrity: self.integrity.max(other.integrity),
            confidentiality: self.confidentiality.max(other.confidentiality),
            readers,
            origins: &self.origins | &other.origins,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Confidentiality, Integrity, Label};

    fn any_label() -> impl Strategy<Value = Label> {
        let names = || prop::collection::btree_set("[abc]", 0..3);
        let integrity =
            [Integrity::Trusted, Integrity::FirstParty, Integrity::Untrusted].as_slice();
        let secrecy =
            [Confidentiality::Public, Confidentiality::Internal, Confidentiality::Restricted]
                .as_slice();
        (
            prop::sample::select(integrity),
            prop::sample::select(secrecy),
            prop::option::of(names()),
            names(),
        )
            .prop_map(|(integrity, confidentiality, readers, origins)| Label {
                integrity,
                confidentiality,
                readers,
                origins,
            })
    }

    proptest! {
        #[test]
        fn labels_form_a_semilattice(a in any_label(), b in any_label(), c in any_label()) {
            prop_assert_eq!(a.join(&b), b.join(&a));
            prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
            prop_assert_eq!(a.join(&a), a);
        }
    }
}
