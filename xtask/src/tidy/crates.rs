//! The workspace as cargo sees it: crates, floors, dependencies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

/// Floors up to this one are cores and edges: no I/O, no clock, no randomness.
pub(crate) const HIGHEST_CORE_FLOOR: u64 = 2;

/// The floor of what is never shipped.
pub(crate) const UNSHIPPED_FLOOR: u64 = 8;

/// All crates of the workspace, and every package's normal dependencies.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Where the workspace lies; the paths of faults are relative to it.
    pub(crate) root: PathBuf,
    /// The crates of the workspace.
    pub(crate) crates: Vec<Crate>,
    /// Package name to the names of the packages it needs outside tests and build scripts, for every
    /// package in the tree. Two versions of one package are one node: a ban is on a name.
    pub(crate) needs: BTreeMap<String, Vec<String>>,
}

/// One crate of the workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crate {
    /// Its name.
    pub(crate) name: String,
    /// Its manifest, relative to the root.
    pub(crate) manifest: PathBuf,
    /// The file that holds its crate doc, relative to the root.
    pub(crate) entry: PathBuf,
    /// `package.metadata.pathwarden.floor`.
    pub(crate) floor: Option<u64>,
    /// Its direct dependencies outside tests.
    pub(crate) dependencies: Vec<String>,
}

impl Crate {
    /// The crate's folder, relative to the root.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest.parent().unwrap_or(Path::new(""))
    }

    /// Whether this crate must be free of I/O.
    pub(crate) fn is_core(&self) -> bool {
        self.floor.is_some_and(|floor| floor <= HIGHEST_CORE_FLOOR)
    }

    /// Whether this crate reaches users.
    pub(crate) fn is_shipped(&self) -> bool {
        self.floor.is_none_or(|floor| floor < UNSHIPPED_FLOOR)
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    workspace_root: PathBuf,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    metadata: Value,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let host = host()?;
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--filter-platform", &host])
            .output()
            .context("run `cargo metadata`")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`cargo metadata` failed: {errors}");
        let metadata = serde_json::from_slice(&output.stdout).context("read `cargo metadata`")?;
        Ok(Self::from_metadata(metadata))
    }

    fn from_metadata(metadata: Metadata) -> Self {
        let root = metadata.workspace_root;
        let names: BTreeMap<_, _> =
            metadata.packages.iter().map(|package| (&package.id, &package.name)).collect();
        let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for node in &metadata.resolve.nodes {
            let Some(name) = names.get(&node.id) else { continue };
            let normal = node
                .deps
                .iter()
                .filter(|edge| edge.dep_kinds.iter().any(|edge| edge.kind.is_none()));
            let needed = normal.filter_map(|edge| names.get(&edge.pkg)).map(ToString::to_string);
            needs.entry((*name).clone()).or_default().extend(needed);
        }
        let members = metadata
            .packages
            .iter()
            .filter(|package| metadata.workspace_members.contains(&package.id));
        let crates = members.map(|package| package.to_crate(&root)).collect();
        Self { root, crates, needs }
    }
}

impl Package {
    fn to_crate(&self, root: &Path) -> Crate {
        let relative = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_owned();
        let is = |target: &&Target, kind: &str| target.kind.iter().any(|found| found == kind);
        let library = self.targets.iter().find(|target| is(target, "lib"));
        let entry = library.or_else(|| self.targets.iter().find(|target| is(target, "bin")));
        let outside_tests =
            self.dependencies.iter().filter(|needed| needed.kind.as_deref() != Some("dev"));
        Crate {
            name: self.name.clone(),
            manifest: relative(&self.manifest_path),
            entry: entry.map(|target| relative(&target.src_path)).unwrap_or_default(),
            floor: self.metadata.pointer("/pathwarden/floor").and_then(Value::as_u64),
            dependencies: outside_tests.map(|needed| needed.name.clone()).collect(),
        }
    }
}

/// The platform tidy runs on: crates for other platforms need not be on this machine.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("run `rustc -vV`")?;
    let text = String::from_utf8(output.stdout).context("read `rustc -vV`")?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_tree_is_read_without_what_only_tests_and_build_scripts_need() {
        let package = |id: &str, floor: Value, needed: Value| {
            json!({
                "id": id,
                "name": id.trim_end_matches("@1"),
                "manifest_path": format!("/w/{id}/Cargo.toml"),
                "metadata": { "pathwarden": { "floor": floor } },
                "dependencies": needed,
                "targets": [
                    { "kind": ["bin"], "src_path": "/w/x/main.rs" },
                    { "kind": ["lib"], "src_path": "/w/x/lib.rs" },
                ],
            })
        };
        let edge = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let needed = json!([{ "name": "b", "kind": null }, { "name": "c", "kind": "dev" }]);
        let metadata = json!({
            "packages": [
                package("a@1", json!(1), needed),
                package("b@1", Value::Null, json!([])),
                package("c@1", Value::Null, json!([])),
            ],
            "workspace_members": ["a@1"],
            "workspace_root": "/w",
            "resolve": { "nodes": [{
                "id": "a@1",
                "deps": [edge("b@1", Value::Null), edge("c@1", json!("dev"))],
            }] },
        });
        let read = serde_json::from_value(metadata).map(Workspace::from_metadata);
        let workspace = read.unwrap_or_default();
        assert_eq!(workspace.needs.get("a"), Some(&vec!["b".to_owned()]));
        assert_eq!(workspace.crates.len(), 1);
        let found = workspace.crates.first().cloned().unwrap_or_default();
        assert_eq!(found.floor, Some(1));
        assert_eq!(found.dependencies, ["b"]);
        assert_eq!(found.entry, Path::new("x/lib.rs"));
        assert_eq!(found.folder(), Path::new("a@1"));
    }
}
