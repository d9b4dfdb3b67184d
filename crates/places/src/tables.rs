//! What is where, as data.
//!
//! The deepest row that a path is at or below decides, so that an exception is just a longer row. In a
//! path, `*` is any one component.

mod home;
mod machine;

pub(crate) use home::HOME;
pub(crate) use machine::MACHINE;

use crate::Place;

/// Paths of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) place: Place,
    pub(crate) names: Names,
    /// Absolute for the machine, relative for a home. Each means itself and all below it.
    pub(crate) paths: &'static [&'static str],
}

/// One path's row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) place: Place,
    pub(crate) names: Names,
    pub(crate) origin: Origin,
}

/// Whether a telling file name (`server.key`, `.env`) counts below a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Names {
    /// It does: people keep their own files there.
    Tell,
    /// It does not: packages bring test keys and public certificates under the same names.
    MeanNothing,
}

/// Who put a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// These tables.
    Table,
    /// The caller: the workspace, or an extra.
    Given,
    /// The caller, for the node itself.
    Warden,
}

impl Table {
    const fn new(place: Place, paths: &'static [&'static str]) -> Self {
        Self { place, names: Names::Tell, paths }
    }

    /// A table of places where packages are.
    const fn packages(place: Place, paths: &'static [&'static str]) -> Self {
        Self { place, names: Names::MeanNothing, paths }
    }

    /// The row that each of its paths gets.
    pub(crate) const fn row(&self) -> Row {
        Row { place: self.place, names: self.names, origin: Origin::Table }
    }
}
