//! What was found: every fault by name, up to a limit, and how it is told to people and programs.

use std::fmt;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

/// Faults kept in full; beyond this they are only counted, so that a log of rubbish ends quickly
/// in a report a person can read.
pub(crate) const MAX_FAULTS: usize = 100;

/// Warnings kept in full.
const MAX_WARNINGS: usize = 20;

/// Where in a file something is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// The file as a whole.
    File,
    /// A byte offset.
    Byte(u64),
    /// A log entry, counted from 0.
    Entry(u64),
    /// The n-th hash of a tile.
    Hash(u64),
}

impl At {
    fn json(self) -> (&'static str, Option<u64>) {
        match self {
            Self::File => ("file", None),
            Self::Byte(offset) => ("byte", Some(offset)),
            Self::Entry(index) => ("entry", Some(index)),
            Self::Hash(index) => ("hash", Some(index)),
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.json() {
            (_, None) => Ok(()),
            (unit, Some(number)) => write!(f, " {unit} {number}"),
        }
    }
}

/// One fault or warning: the file (relative to the log directory), the place, and what it means.
#[derive(Debug)]
pub(crate) struct Finding {
    file: String,
    at: At,
    meaning: String,
}

impl Finding {
    fn json(&self) -> Value {
        let (unit, number) = self.at.json();
        json!({ "file": self.file, "at": unit, "number": number, "meaning": self.meaning })
    }
}

/// What was looked at, to tell "no faults" from "nothing checked".
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Entries hashed and compared.
    pub(crate) entries: u64,
    /// Bundle files compared, stale partial ones included.
    pub(crate) bundles: u64,
    /// Hash tile files compared, stale partial ones included.
    pub(crate) tiles: u64,
    /// Segment files read.
    pub(crate) segments: u64,
    /// Payload frames whose digest was recomputed.
    pub(crate) payloads: u64,
}

/// The result of checking a log directory.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The log's name, once a checkpoint could be read.
    pub(crate) origin: Option<String>,
    /// The checkpoint's size.
    pub(crate) size: u64,
    /// The checkpoint's root, in hexadecimal.
    pub(crate) root: String,
    /// Entries in the segments that no checkpoint vouches for yet.
    pub(crate) uncovered: u64,
    /// The size of the older checkpoint that this log was shown to extend.
    pub(crate) extends: Option<u64>,
    /// What was compared.
    pub(crate) checked: Checked,
    faults: Findings,
    warnings: Findings,
}

#[derive(Debug, Default)]
struct Findings {
    kept: Vec<Finding>,
    left_out: u64,
}

impl Findings {
    fn push(&mut self, limit: usize, finding: Finding) {
        if self.kept.len() < limit {
            self.kept.push(finding);
        } else {
            self.left_out += 1;
        }
    }
}

impl Report {
    /// Notes that something is wrong. The log is not to be trusted at this place.
    pub(crate) fn fault(&mut self, file: impl Into<String>, at: At, meaning: impl Into<String>) {
        let finding = Finding { file: file.into(), at, meaning: meaning.into() };
        self.faults.push(MAX_FAULTS, finding);
    }

    /// Notes something odd that does not weaken what the checkpoint vouches for.
    pub(crate) fn warn(&mut self, file: impl Into<String>, at: At, meaning: impl Into<String>) {
        let finding = Finding { file: file.into(), at, meaning: meaning.into() };
        self.warnings.push(MAX_WARNINGS, finding);
    }

    /// Whether no fault was found.
    pub(crate) fn ok(&self) -> bool {
        self.faults.kept.is_empty()
    }

    /// The report for programs.
    pub(crate) fn json(&self) -> Value {
        let list =
            |findings: &Findings| findings.kept.iter().map(Finding::json).collect::<Vec<_>>();
        json!({
            "ok": self.ok(),
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "not_yet_covered": self.uncovered,
            "extends": self.extends,
            "checked": {
                "entries": self.checked.entries,
                "bundles": self.checked.bundles,
                "tiles": self.checked.tiles,
                "segments": self.checked.segments,
                "payloads": self.checked.payloads,
            },
            "faults": list(&self.faults),
            "faults_left_out": self.faults.left_out,
            "warnings": list(&self.warnings),
            "warnings_left_out": self.warnings.left_out,
        })
    }

    /// The report for people.
    pub(crate) fn print(&self, out: &mut impl Write, paint: Paint) -> io::Result<()> {
        self.print_summary(out)?;
        print_findings(out, paint.warning, "warning", &self.warnings)?;
        print_findings(out, paint.fault, "fault", &self.faults)?;
        if self.ok() {
            let verdict = "verified: every entry is what the signed checkpoint vouches for";
            return writeln!(out, "{}", paint.apply(paint.good, verdict));
        }
        let count = self.faults.kept.len() as u64 + self.faults.left_out;
        let verdict = format!("NOT verified: {count} {}", plural(count, "fault"));
        writeln!(out, "{}", paint.apply(paint.fault, &verdict))
    }

    fn print_summary(&self, out: &mut impl Write) -> io::Result<()> {
        let checked = &self.checked;
        if let Some(origin) = &self.origin {
            writeln!(out, "log       {}", printable(origin))?;
            writeln!(out, "size      {} {}", self.size, entries(self.size))?;
            writeln!(out, "root      {}", self.root)?;
        }
        writeln!(
            out,
            "checked   {} {}, {} {}, {} {}, {} {}, {} {}",
            checked.entries,
            entries(checked.entries),
            checked.bundles,
            plural(checked.bundles, "bundle"),
            checked.tiles,
            plural(checked.tiles, "tile"),
            checked.segments,
            plural(checked.segments, "segment"),
            checked.payloads,
            plural(checked.payloads, "payload"),
        )?;
        if let Some(size) = self.extends {
            writeln!(out, "extends   the older checkpoint of {size} {}", entries(size))?;
        }
        if self.uncovered > 0 {
            writeln!(out, "open      not yet covered by a checkpoint: {}", self.uncovered)?;
        }
        Ok(())
    }
}

/// Colours for a terminal, or none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paint {
    good: Style,
    warning: Style,
    fault: Style,
}

impl Paint {
    /// Colours, for when the output is a terminal.
    pub(crate) fn coloured() -> Self {
        let colour = |colour: AnsiColor| colour.on_default().bold();
        Self {
            good: colour(AnsiColor::Green),
            warning: colour(AnsiColor::Yellow),
            fault: colour(AnsiColor::Red),
        }
    }

    /// The verdict line, in the colour of success or failure.
    pub(crate) fn verdict(self, ok: bool, text: &str) -> String {
        self.apply(if ok { self.good } else { self.fault }, text)
    }

    fn apply(self, style: Style, text: &str) -> String {
        format!("{style}{text}{style:#}")
    }
}

fn print_findings(
    out: &mut impl Write,
    style: Style,
    word: &str,
    findings: &Findings,
) -> io::Result<()> {
    for finding in &findings.kept {
        let Finding { file, at, meaning } = finding;
        writeln!(out, "{style}{word:<8}{style:#}  {}{at}", printable(file))?;
        writeln!(out, "          {}", printable(meaning))?;
    }
    if findings.left_out > 0 {
        let left_out = findings.left_out;
        writeln!(out, "          … and {left_out} more {}", plural(left_out, word))?;
    }
    Ok(())
}

/// Text from a log may hold anything; what reaches a terminal holds no control character.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn entries(count: u64) -> &'static str {
    if count == 1 { "entry" } else { "entries" }
}

fn plural(count: u64, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_beyond_the_limit_are_counted() {
        let mut report = Report::default();
        for n in 0..=MAX_FAULTS as u64 {
            report.fault("checkpoint", At::Byte(n), "is odd");
        }
        assert_eq!(report.faults.kept.len(), MAX_FAULTS);
        assert_eq!(report.faults.left_out, 1);
        assert!(!report.ok());
    }

    #[test]
    fn no_escape_sequence_of_a_log_reaches_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
