//! Floors: a crate depends only on lower ones, and cores are free of I/O in their whole tree.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Fault;
use super::crates::{Crate, UNSHIPPED_FLOOR, Workspace};

/// Crates that do I/O, which must not be anywhere below a core.
const FORBIDDEN_IN_CORES: [&str; 6] = ["axum", "hyper", "redb", "reqwest", "rustix", "tokio"];

/// Crates that a core must not name itself; as part of another library they may hash a map.
const FORBIDDEN_IN_CORE_MANIFESTS: [&str; 3] = ["getrandom", "rand", "tempfile"];

/// The crate that checks what the others wrote: it shares no code with any of them.
const INDEPENDENT: &str = "pathwarden-verify";

const ADD_FLOOR: &str = "add `[package.metadata.pathwarden] floor = N`, as ARCHITECTURE.md says";
const GO_DOWN: &str =
    "move what both need to a lower floor, or raise this crate's floor in a commit of its own";
const TESTS_ONLY: &str = "make it a dev-dependency: nothing shipped may need it";
const WRITE_AGAIN: &str = "write it a second time, from the specification: that is what it is for";
const STAY_PURE: &str = "a core takes facts, time and ids as arguments; do I/O in a shell above it";

/// Checks every crate's floor and what lies below it.
pub(super) fn check(workspace: &Workspace) -> Vec<Fault> {
    let floors: BTreeMap<_, _> =
        workspace.crates.iter().map(|found| (found.name.as_str(), found.floor)).collect();
    let mut faults = Vec::new();
    for found in &workspace.crates {
        check_edges(found, &floors, &mut faults);
        if found.is_core() {
            check_core(found, &workspace.needs, &mut faults);
        }
    }
    faults
}

fn check_edges(found: &Crate, floors: &BTreeMap<&str, Option<u64>>, faults: &mut Vec<Fault>) {
    let mut fault = |message, advice| faults.push(Fault::new(&found.manifest, 1, message, advice));
    let Some(floor) = found.floor else {
        return fault(format!("`{}` has no floor", found.name), ADD_FLOOR);
    };
    for needed in &found.dependencies {
        let Some(Some(below)) = floors.get(needed.as_str()) else { continue };
        if found.name == INDEPENDENT {
            fault(format!("`{INDEPENDENT}` depends on `{needed}`"), WRITE_AGAIN);
        } else if *below >= UNSHIPPED_FLOOR {
            fault(format!("`{}` depends on `{needed}`, a judge", found.name), TESTS_ONLY);
        } else if *below >= floor {
            let message =
                format!("`{}` (floor {floor}) depends on `{needed}` (floor {below})", found.name);
            fault(message, GO_DOWN);
        }
    }
}

fn check_core(found: &Crate, needs: &BTreeMap<String, Vec<String>>, faults: &mut Vec<Fault>) {
    for needed in &found.dependencies {
        if FORBIDDEN_IN_CORE_MANIFESTS.contains(&needed.as_str()) {
            let message = format!("the core `{}` depends on `{needed}`", found.name);
            faults.push(Fault::new(&found.manifest, 1, message, STAY_PURE));
        }
    }
    for forbidden in FORBIDDEN_IN_CORES {
        if let Some(way) = shortest_way(&found.name, forbidden, needs) {
            let message = format!("the core `{}` reaches `{forbidden}`: {way}", found.name);
            faults.push(Fault::new(&found.manifest, 1, message, STAY_PURE));
        }
    }
}

/// The shortest chain of dependencies from one package to another, as `a -> b -> c`.
fn shortest_way(from: &str, to: &str, needs: &BTreeMap<String, Vec<String>>) -> Option<String> {
    let mut seen = BTreeSet::from([from]);
    let mut waiting = VecDeque::from([(from, from.to_owned())]);
    while let Some((name, way)) = waiting.pop_front() {
        if name == to {
            return Some(way);
        }
        for next in needs.get(name).into_iter().flatten() {
            if seen.insert(next) {
                waiting.push_back((next, format!("{way} -> {next}")));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name floor: dependency dependency`, one crate per line; `-` is no floor.
    fn faults(lines: &str) -> Vec<String> {
        let mut workspace = Workspace::default();
        for line in lines.lines() {
            let (head, needed) = line.trim().split_once(':').unwrap_or_default();
            let (name, floor) = head.split_once(' ').unwrap_or((head, "-"));
            let dependencies: Vec<_> = needed.split_whitespace().map(str::to_owned).collect();
            workspace.needs.insert(name.to_owned(), dependencies.clone());
            if !name.starts_with('@') {
                let floor = floor.parse().ok();
                let name = name.to_owned();
                workspace.crates.push(Crate { name, floor, dependencies, ..Crate::default() });
            }
        }
        check(&workspace).into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn dependencies_may_only_point_down() {
        assert!(faults("types 0:\nledger 1: types\nstore 4: ledger types @tokio").is_empty());
        assert_eq!(
            faults("types 0: ledger\nledger 1:"),
            ["`types` (floor 0) depends on `ledger` (floor 1)"]
        );
        assert_eq!(faults("a 6: b\nb 6:"), ["`a` (floor 6) depends on `b` (floor 6)"]);
        assert_eq!(faults("a -:"), ["`a` has no floor"]);
        assert_eq!(
            faults("types 0:\npathwarden-verify 7: types"),
            ["`pathwarden-verify` depends on `types`"]
        );
        assert_eq!(faults("a 7: testkit\ntestkit 8:"), ["`a` depends on `testkit`, a judge"]);
    }

    #[test]
    fn cores_reach_no_crate_that_does_io() {
        let lines = "a 2: @x\n@x -: @y\n@y -: tokio\n@z -: hyper";
        assert!(faults(&lines.replace("tokio", "regex")).is_empty());
        let found = faults("a 2: x\nx 1: y\ny 1: tokio");
        assert!(found.contains(&"the core `a` reaches `tokio`: a -> x -> y -> tokio".to_owned()));
        assert_eq!(faults("a 1: getrandom"), ["the core `a` depends on `getrandom`"]);
        assert!(faults("a 3: tokio getrandom").is_empty());
    }
}
