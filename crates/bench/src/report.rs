//! What was measured, as a table for people and as JSON for programs.

use std::fmt;

use serde::Serialize;

/// One benchmark's results.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    /// What was measured.
    pub(crate) title: &'static str,
    /// How, and what a reader must know to judge it.
    pub(crate) notes: Vec<String>,
    /// Heads of the columns.
    pub(crate) columns: Vec<&'static str>,
    /// The measurements.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What was aimed at, and what came of it.
    pub(crate) aims: Vec<Aim>,
}

/// One field of a table.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Cell {
    /// Words.
    Text(String),
    /// A time, in µs.
    Micros(f64),
    /// Things per second.
    Rate(f64),
    /// A quotient.
    Ratio(f64),
    /// A size.
    Bytes(f64),
    /// Not measured for this row.
    Nothing,
}

/// An aim and whether it was met.
#[derive(Debug, Serialize)]
pub(crate) struct Aim {
    /// What is aimed at, with its bound.
    pub(crate) aim: &'static str,
    /// What was measured.
    pub(crate) measured: String,
    /// Whether that is within the bound.
    pub(crate) met: bool,
}

impl Aim {
    /// An aim that a figure stays at or below `most`.
    #[expect(clippy::needless_pass_by_value, reason = "a cell is made for its aim")]
    pub(crate) fn at_most(aim: &'static str, measured: Cell, most: f64) -> Self {
        let met = measured.number() <= most;
        Self { aim, measured: measured.to_string(), met }
    }

    /// An aim that a figure reaches `least`.
    #[expect(clippy::needless_pass_by_value, reason = "a cell is made for its aim")]
    pub(crate) fn at_least(aim: &'static str, measured: Cell, least: f64) -> Self {
        let met = measured.number() >= least;
        Self { aim, measured: measured.to_string(), met }
    }
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn number(&self) -> f64 {
        match self {
            Self::Micros(value) | Self::Rate(value) | Self::Ratio(value) | Self::Bytes(value) => {
                *value
            }
            Self::Text(_) | Self::Nothing => f64::NAN,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Micros(us) if us.abs() >= 10_000.0 => write!(f, "{:.1} ms", us / 1e3),
            Self::Micros(us) if us.abs() >= 100.0 => write!(f, "{us:.0} µs"),
            Self::Micros(us) => write!(f, "{us:.1} µs"),
            Self::Rate(rate) if *rate >= 10_000.0 => write!(f, "{:.1} k/s", rate / 1e3),
            Self::Rate(rate) => write!(f, "{rate:.0} /s"),
            Self::Ratio(ratio) => write!(f, "{ratio:.2}"),
            Self::Bytes(bytes) if *bytes >= 10e6 => write!(f, "{:.0} MB", bytes / 1e6),
            Self::Bytes(bytes) => write!(f, "{:.1} KB", bytes / 1e3),
            Self::Nothing => f.write_str("–"),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        writeln!(f, "\n| {} |", self.columns.join(" | "))?;
        let figures = self.columns.len().saturating_sub(1);
        writeln!(f, "|---|{}", "---:|".repeat(figures))?;
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(Cell::to_string).collect();
            writeln!(f, "| {} |", cells.join(" | "))?;
        }
        if self.aims.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n| aim | measured | |\n|---|---:|---|")?;
        for Aim { aim, measured, met } in &self.aims {
            writeln!(f, "| {aim} | {measured} | {} |", if *met { "met" } else { "**missed**" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Aim, Cell};

    #[test]
    fn figures_are_rounded_to_what_they_can_say() {
        for (cell, want) in [
            (Cell::Micros(7.25), "7.2 µs"),
            (Cell::Micros(250.4), "250 µs"),
            (Cell::Micros(12_300.0), "12.3 ms"),
            (Cell::Rate(9_999.0), "9999 /s"),
            (Cell::Rate(12_345.0), "12.3 k/s"),
            (Cell::Ratio(0.666), "0.67"),
            (Cell::Bytes(12_345.0), "12.3 KB"),
            (Cell::Bytes(400e6), "400 MB"),
            (Cell::Nothing, "–"),
        ] {
            assert_eq!(cell.to_string(), want);
        }
    }

    #[test]
    fn an_aim_without_a_figure_is_missed() {
        assert!(Aim::at_most("x", Cell::Micros(60.0), 60.0).met);
        assert!(!Aim::at_most("x", Cell::Micros(60.1), 60.0).met);
        assert!(Aim::at_least("x", Cell::Rate(15e3), 15e3).met);
        assert!(!Aim::at_least("x", Cell::Nothing, 0.0).met);
        assert!(!Aim::at_most("x", Cell::Nothing, 1.0).met);
    }
}
