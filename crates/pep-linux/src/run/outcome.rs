//! What becomes of a run.

use pathwarden_types::PointStanding;

use crate::asker::{Denials, Denied};

/// A box that is about to start its program.
#[derive(Clone, Debug)]
pub struct Ready {
    /// How the point stands.
    pub standing: PointStanding,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The exit code of the agent's main process; 128 and the signal's number when one ended it.
    pub code: u8,
    /// How the point stood at the end.
    pub standing: PointStanding,
    /// What was not let happen.
    pub denials: Denials,
}

/// Why an agent was not started, or its run is not known to have ended well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A part of the box could not be made.
    #[error("{what}: {why}")]
    Part {
        /// Which.
        what: &'static str,
        /// Why, and what to do.
        why: String,
    },
    /// A canary was let through before the agent was started.
    #[error(
        "the box lets through what it must refuse ({}); the agent is not started, see `pathwarden doctor`",
        .0.join(", ")
    )]
    NotReady(Vec<String>),
}

pub(super) fn part(what: &'static str) -> impl Fn(String) -> RunError {
    move |why| RunError::Part { what, why }
}

/// With what was refused, where an agent could not be started.
pub(super) fn explained(fault: RunError, denials: &Denials) -> RunError {
    match (fault, denials.listed.last()) {
        (RunError::Part { what, why }, Some(Denied { what: act, by, action })) => {
            let by = by.as_deref().unwrap_or("a person is asked");
            let why = format!("{why}. Not let happen: {act} ({by}); see `pathwarden why {action}`");
            RunError::Part { what, why }
        }
        (fault, _) => fault,
    }
}
