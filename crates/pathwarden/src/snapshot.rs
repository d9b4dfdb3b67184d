//! Reading a policy folder.

mod knowledge;

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use pathwarden_decide::{Files, Settings, Snapshot, SnapshotError};
use pathwarden_policy::Source;
use pathwarden_store::PAYLOAD_BYTES_MAX;

use knowledge::{Found, Profiles};
pub(crate) use knowledge::{LISTS, PROFILE_BYTES_MAX, PROFILES, read_profile};

/// The sources of a policy: every `.rego` file and the data file, in the order of their names.
/// Tests are left out where they do not decide.
pub(crate) fn sources(dir: &Path, tests: Tests) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let entries =
        fs::read_dir(dir).with_context(|| format!("read the folder `{}`", dir.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("read the folder `{}`", dir.display()))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let is_test = name.ends_with("_test.rego");
        let is_source = name.ends_with(".rego") || name == "data.json";
        if name.starts_with('.') || !is_source || (is_test && tests == Tests::Leave) {
            continue;
        }
        let text =
            fs::read_to_string(&path).with_context(|| format!("read `{}`", path.display()))?;
        sources.push(Source { path: name.to_owned(), text });
    }
    if sources.is_empty() {
        bail!("there is no policy in `{}`: it has no .rego file", dir.display());
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

/// Whether a policy's own tests are wanted.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Tests {
    /// With them.
    Take,
    /// Without: they decide nothing.
    Leave,
}

/// Compiles the policy of a folder, with everything that stands beside the rules. Every fault of every
/// file is named at once.
pub(crate) fn load(dir: &Path, settings: Settings) -> anyhow::Result<Snapshot> {
    build(dir, settings, knowledge::read(dir, Profiles::Read))
}

/// As [`load`], but agents stay measured by the baselines that they are measured by: a learned profile
/// is used when a person asks for it, not because another file changed.
pub(crate) fn load_changes(
    dir: &Path,
    settings: Settings,
    current: &Snapshot,
) -> anyhow::Result<Snapshot> {
    let baselines = current.knowledge().files().baselines.clone();
    build(dir, settings, knowledge::read(dir, Profiles::Keep(baselines)))
}

fn build(dir: &Path, settings: Settings, found: Found) -> anyhow::Result<Snapshot> {
    let sources = sources(dir, Tests::Leave)?;
    // A file with a fault is not tried again, so that its fault is named once.
    let files = if found.faults.is_empty() { found.files } else { Files::default() };
    let mut faults: Vec<String> = Vec::new();
    match Snapshot::build_with(settings, sources, files) {
        Ok(snapshot) if found.faults.is_empty() => return bounded(snapshot),
        Ok(_) => {}
        Err(SnapshotError::Policy(found)) => faults.extend(found.iter().map(ToString::to_string)),
        Err(other) => return Err(other.into()),
    }
    faults.extend(found.faults);
    let lines: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
    bail!("the policy in `{}` has faults:\n{}", dir.display(), lines.join("\n"))
}

/// The ledger keeps every policy whole, as one payload, so that decisions can be replayed.
fn bounded(snapshot: Snapshot) -> anyhow::Result<Snapshot> {
    let bytes = snapshot.to_bytes().len();
    if bytes > PAYLOAD_BYTES_MAX {
        bail!(
            "the policy and what stands beside it have {bytes} bytes, at most {PAYLOAD_BYTES_MAX} \
             are kept with a decision: use shorter lists of threats"
        );
    }
    Ok(snapshot)
}

#[cfg(test)]
mod tests;
