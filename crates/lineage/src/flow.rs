//! Who may come to see content.

use std::collections::BTreeSet;

use pathwarden_types::{Confidentiality, Integrity, Label};

/// Whom an action shows content to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Readers {
    /// Anybody: a public page, or a destination nobody knows.
    Everybody,
    /// These and nobody else.
    Only(BTreeSet<String>),
}

/// Whether everybody who would see the content is allowed to. Content made of more may go to fewer:
/// what a [`Label::join`] may flow to, each part may.
#[must_use]
pub fn can_flow(content: &Label, to: &Readers) -> bool {
    match (&content.readers, to) {
        (None, _) => true,
        (Some(_), Readers::Everybody) => false,
        (Some(allowed), Readers::Only(readers)) => readers.is_subset(allowed),
    }
}

/// The label of nothing: joined with any other, it changes nothing.
#[must_use]
pub const fn lowest() -> Label {
    Label {
        integrity: Integrity::Trusted,
        confidentiality: Confidentiality::Public,
        readers: None,
        origins: BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use pathwarden_types::{Confidentiality, Integrity, Label};
    use proptest::prelude::*;

    use super::{Readers, can_flow, lowest};

    const NAMES: [&str; 3] = ["a", "b", "c"];

    fn names() -> impl Strategy<Value = std::collections::BTreeSet<String>> {
        prop::collection::btree_set(prop::sample::select(&NAMES[..]).prop_map(str::to_owned), 0..4)
    }

    fn any_label() -> impl Strategy<Value = Label> {
        use Confidentiality::{Internal, Public, Restricted};
        use Integrity::{FirstParty, Trusted, Untrusted};
        let integrity = prop::sample::select(vec![Trusted, FirstParty, Untrusted]);
        let secrecy = prop::sample::select(vec![Public, Internal, Restricted]);
        (integrity, secrecy, prop::option::of(names()), names()).prop_map(
            |(integrity, confidentiality, readers, origins)| Label {
                integrity,
                confidentiality,
                readers,
                origins,
            },
        )
    }

    fn any_readers() -> impl Strategy<Value = Readers> {
        prop::option::of(names()).prop_map(|names| names.map_or(Readers::Everybody, Readers::Only))
    }

    fn highest() -> Label {
        Label {
            integrity: Integrity::Untrusted,
            confidentiality: Confidentiality::Restricted,
            readers: Some([].into()),
            origins: NAMES.map(str::to_owned).into(),
        }
    }

    proptest! {
        #[test]
        fn join_is_a_semilattice_with_a_bottom_and_a_top(
            a in any_label(), b in any_label(), c in any_label()
        ) {
            prop_assert_eq!(a.join(&b), b.join(&a));
            prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
            prop_assert_eq!(a.join(&a), a.clone());
            prop_assert_eq!(a.join(&lowest()), a.clone());
            prop_assert_eq!(a.join(&highest()), highest());
        }

        #[test]
        fn join_is_monotone(a in any_label(), b in any_label(), c in any_label()) {
            let above = a.join(&b);
            prop_assert_eq!(a.join(&c).join(&above.join(&c)), above.join(&c));
        }

        #[test]
        fn what_is_made_of_more_flows_to_no_more(
            a in any_label(), b in any_label(), to in any_readers()
        ) {
            if can_flow(&a.join(&b), &to) {
                prop_assert!(can_flow(&a, &to) && can_flow(&b, &to));
            }
        }
    }
}
