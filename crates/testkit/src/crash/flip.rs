//! One flipped bit in every class of file: who notices, and how.
//!
//! A small log with everything in it (sealed segments, full and partial tiles, payloads, some real
//! decisions) is copied once per class; one bit of the copy is flipped; the verifier and a node are
//! asked about it. The index may be damaged without harm, because it is thrown away and rebuilt:
//! there, what counts is that the node's answers stay the same.

mod classes;
mod log;

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use self::classes::{Class, Flip, Verifier};
use self::log::Sound;
use crate::node::{Home, Programs, Said, Start};

/// What came of flipping one bit.
#[derive(Clone, Debug)]
pub struct Row {
    /// The class of file.
    pub class: &'static str,
    /// The file, below the home.
    pub file: String,
    /// What the verifier said; `None` when this class is none of its business.
    pub verifier: Option<String>,
    /// What a node said.
    pub node: String,
    /// What is not as it must be; empty when the flip was noticed.
    pub faults: Vec<String>,
}

/// Flips a bit in every class of file, on copies of a log made for this.
///
/// # Errors
///
/// When a program cannot be run or a file cannot be written; not when a flip goes unnoticed.
pub async fn every_class(programs: &Programs) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let sound = Sound::make(programs, &folder.path().join("sound")).await?;
    let mut rows = Vec::new();
    for class in classes::all(&sound.home)? {
        for flip in &class.flips {
            let copy = folder.path().join("copy");
            copy_folder(&sound.home.path(""), &copy)?;
            rows.push(one(&sound, &class, flip, &Home::at(programs, &copy))?);
            fs::remove_dir_all(&copy).context("remove the copy")?;
        }
    }
    Ok(rows)
}

/// Prints the table.
///
/// # Errors
///
/// When a flip went unnoticed, after the whole table.
pub fn print(rows: &[Row], out: &mut impl Write) -> Result<()> {
    writeln!(out, "one flipped bit in every class of file:")?;
    for Row { class, file, verifier, node, faults } in rows {
        writeln!(out, "  {class} ({file})")?;
        let verifier = verifier.as_deref().unwrap_or("not its business");
        writeln!(out, "      pathwarden-verify: {verifier}")?;
        writeln!(out, "      pathwarden up:     {node}")?;
        for fault in faults {
            writeln!(out, "      NOT NOTICED: {fault}")?;
        }
    }
    let unnoticed = rows.iter().filter(|row| !row.faults.is_empty()).count();
    ensure!(unnoticed == 0, "{unnoticed} flipped bits went unnoticed");
    writeln!(out, "every flip was noticed, or changed no answer")?;
    Ok(())
}

fn one(sound: &Sound, class: &Class, flip: &Flip, copy: &Home) -> Result<Row> {
    let mut faults = Vec::new();
    flip_bit(&copy.path(&flip.file), flip)?;
    let verifier = match class.verifier {
        Verifier::DoesNotLook => None,
        Verifier::NamesIt | Verifier::RefusesIt => {
            Some(verifier_noticed(&copy.verify(&[])?, class, flip, &mut faults))
        }
    };
    let node = match copy.start()? {
        Start::Ended(said) => {
            if class.rebuildable {
                faults.push("a damaged index keeps the node from starting".to_owned());
            }
            refusal(&said, &mut faults)
        }
        Start::Ready(_) if !class.rebuildable => {
            faults.push("the node started".to_owned());
            "started".to_owned()
        }
        Start::Ready(node) => {
            if sound.answers(copy)? != sound.answers {
                faults.push("the node's answers are other ones".to_owned());
            }
            let logged = node.logged()?;
            let said = logged.lines().find(|line| line.contains("it is rebuilt"));
            let rebuilt =
                said.map(|line| format!("rebuilt, answers the same: {}", after_level(line)));
            rebuilt.unwrap_or_else(|| "not in use there, answers the same".to_owned())
        }
    };
    let file = format!("{} byte {} bit {}", flip.file, flip.byte, flip.bit);
    let folder = copy.path("").display().to_string();
    let verifier = verifier.map(|text| text.replace(&folder, ""));
    let node = node.replace(&folder, "");
    Ok(Row { class: class.name, file, verifier, node, faults })
}

/// The verifier ends with 1, or with 2 for a key that is none, and names what it found.
fn verifier_noticed(said: &Said, class: &Class, flip: &Flip, faults: &mut Vec<String>) -> String {
    let (named, code) = match class.verifier {
        Verifier::NamesIt | Verifier::DoesNotLook => (flip.file.trim_start_matches("ledger/"), 1),
        Verifier::RefusesIt => (flip.file.as_str(), 2),
    };
    if said.code != Some(code) {
        faults.push(format!("the verifier ended with {:?}", said.code));
    }
    let told = format!("{}{}", said.out, said.err);
    let mut lines = told.lines().skip_while(|line| !line.contains(named) || line.contains("log  "));
    let Some(line) = lines.next() else {
        faults.push(format!("the verifier does not name `{named}`: {told}"));
        return String::new();
    };
    // What a fault means stands below it.
    let meaning = lines.next().filter(|_| line.starts_with("fault")).unwrap_or_default();
    format!("exit {code}: {} {}", words(line), words(meaning)).trim_end().to_owned()
}

/// A node that refuses ends with 1 and says why.
fn refusal(said: &Said, faults: &mut Vec<String>) -> String {
    if said.code != Some(1) {
        faults.push(format!("the node ended with {:?}", said.code));
    }
    let documents = said.err.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut errors = documents.filter_map(|document| Some(document.get("error")?.to_string()));
    errors.next().unwrap_or_else(|| {
        faults.push(format!("the node does not say why it refuses: {}", said.err));
        String::new()
    })
}

/// A line without the white space that lays it out.
fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A line of the log from its level on.
fn after_level(line: &str) -> &str {
    line.split_once("WARN").map_or(line, |(_, text)| text.trim())
}

fn flip_bit(path: &Path, flip: &Flip) -> Result<()> {
    let mut bytes = fs::read(path).with_context(|| format!("read `{}`", path.display()))?;
    let Some(byte) = bytes.get_mut(flip.byte) else {
        bail!("`{}` has no byte {}", path.display(), flip.byte)
    };
    *byte ^= 1 << flip.bit;
    fs::write(path, bytes).with_context(|| format!("write `{}`", path.display()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).with_context(|| format!("make `{}`", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("list `{}`", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).context("copy a file")?;
        }
    }
    Ok(())
}
