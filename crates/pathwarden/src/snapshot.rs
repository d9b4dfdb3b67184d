//! Reading a policy folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use pathwarden_decide::{Settings, Snapshot, SnapshotError};
use pathwarden_policy::Source;

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

/// Compiles the policy of a folder.
pub(crate) fn load(dir: &Path, settings: Settings) -> anyhow::Result<Snapshot> {
    let sources = sources(dir, Tests::Leave)?;
    Snapshot::build(settings, sources).map_err(|error| match error {
        SnapshotError::Policy(faults) => {
            let lines: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
            anyhow::anyhow!("the policy in `{}` has faults:\n{}", dir.display(), lines.join("\n"))
        }
        other => other.into(),
    })
}
