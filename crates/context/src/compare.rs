//! Two windows beside each other, and two runs.

use std::collections::BTreeSet;

use crate::place::kept;
use crate::{Artifact, Window};

/// What two windows have in common, and what not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Kept {
    /// Pieces that stand in both.
    pub both: Vec<Artifact>,
    /// Pieces that only the first has.
    pub only_first: Vec<Artifact>,
    /// Pieces that only the second has.
    pub only_second: Vec<Artifact>,
}

/// What stands in both windows and what in one of them, in the order of each.
#[must_use]
pub fn kept_and_changed(first: &[Artifact], second: &[Artifact]) -> Kept {
    let key = |artifact: &Artifact| (artifact.kind, artifact.content);
    let of_first: BTreeSet<_> = first.iter().map(key).collect();
    let of_second: BTreeSet<_> = second.iter().map(key).collect();
    let (both, only_first) =
        first.iter().cloned().partition(|artifact| of_second.contains(&key(artifact)));
    let only_second =
        second.iter().filter(|artifact| !of_first.contains(&key(artifact))).cloned().collect();
    Kept { both, only_first, only_second }
}

/// Where two runs part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Parting {
    /// They do not, as far as both go.
    Nowhere,
    /// Another model, or another set of tools, was asked for at this call of both.
    Asked {
        /// The number of the call, from 0.
        call: usize,
    },
    /// The windows differ at this call, first at this piece.
    Input {
        /// The number of the call, from 0.
        call: usize,
        /// The number of the piece, from 0; one of the runs may not have it.
        artifact: usize,
    },
    /// The windows are the same, and the model said something else.
    Output {
        /// The number of the call, from 0.
        call: usize,
    },
    /// One of them goes on.
    Longer {
        /// The number of the first call that only one has.
        call: usize,
    },
}

/// Where two runs part: each is its windows in order, with what the model answered as anything that can
/// be compared.
#[must_use]
pub fn parting<T: PartialEq>(first: &[(Window, T)], second: &[(Window, T)]) -> Parting {
    for (call, ((one, said), (other, answered))) in first.iter().zip(second).enumerate() {
        let same = kept_contents(&one.artifacts, &other.artifacts);
        if same < one.artifacts.len().max(other.artifacts.len()) {
            return Parting::Input { call, artifact: same };
        }
        if one.model != other.model || one.tools != other.tools {
            return Parting::Asked { call };
        }
        if said != answered {
            return Parting::Output { call };
        }
    }
    let call = first.len().min(second.len());
    if first.len() == second.len() { Parting::Nowhere } else { Parting::Longer { call } }
}

/// As [`kept`], but ids of calls, which are new in each run, may differ.
fn kept_contents(first: &[Artifact], second: &[Artifact]) -> usize {
    let plain = |artifacts: &[Artifact]| -> Vec<Artifact> {
        artifacts.iter().map(|artifact| Artifact { call: None, ..artifact.clone() }).collect()
    };
    kept(&plain(first), &plain(second))
}
