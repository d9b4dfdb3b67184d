//! The rules of the house, each in a function that is given text or a list and returns faults.

mod crates;
mod floors;
mod source;
mod tokens;

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use self::crates::Workspace;

/// One broken rule: where, what, and what to do instead.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Fault {
    file: PathBuf,
    line: usize,
    message: String,
    advice: &'static str,
}

impl Fault {
    fn new(file: &Path, line: usize, message: impl Into<String>, advice: &'static str) -> Self {
        Self { file: file.to_owned(), line, message: message.into(), advice }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, message, advice } = self;
        write!(f, "{}:{line}: {message}\n    {advice}", file.display())
    }
}

/// Checks all rules and prints the faults.
///
/// # Errors
///
/// When cargo cannot describe the workspace or a file cannot be read.
pub(crate) fn run() -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let mut faults = floors::check(&workspace);
    let files = source::check(&workspace, &mut faults)?;
    faults.sort();
    let mut out = io::stdout().lock();
    for fault in &faults {
        writeln!(out, "{fault}")?;
    }
    let crates = workspace.crates.len();
    match faults.len() {
        0 => writeln!(out, "tidy: {crates} crates, {files} files, no faults")?,
        1 => writeln!(out, "tidy: {crates} crates, {files} files, 1 fault")?,
        count => writeln!(out, "tidy: {crates} crates, {files} files, {count} faults")?,
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
