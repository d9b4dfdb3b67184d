//! The two corpora, read: attacks show what they do, ordinary work raises no alarm.

#![expect(clippy::unwrap_used, reason = "a corpus that cannot be read fails its tests")]

use std::collections::{BTreeMap, BTreeSet};

use pathwarden_lens_shell::{Act, Doubt, Plan, Surroundings, of_argv, of_script};
use serde::Deserialize;

const FAMILIES: [&str; 6] =
    ["credential_access", "destruction", "escape", "exfiltration", "obfuscation", "persistence"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attacks {
    payload: Vec<Payload>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    name: String,
    family: String,
    line: String,
    expect: Vec<String>,
    doubts: Vec<String>,
    forbidden: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ordinary {
    command: Vec<Command>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    line: String,
    #[serde(default)]
    doubts: Vec<String>,
}

fn attacks() -> Vec<Payload> {
    toml::from_str::<Attacks>(include_str!("../corpus/attacks.toml")).unwrap().payload
}

fn ordinary() -> Vec<Command> {
    toml::from_str::<Ordinary>(include_str!("../corpus/ordinary.toml")).unwrap().command
}

/// A text of the corpus with sample values in its places.
fn filled(text: &str) -> String {
    text.replace("@COLLECTOR@", "127.0.0.1:9")
        .replace("@COLLECTOR_HOST@", "127.0.0.1")
        .replace("@COLLECTOR_PORT@", "9")
        .replace("@HOME@", "/var/planted/home")
        .replace("@WORK@", "/var/planted/work")
        .replace("@OUTSIDE@", "/var/planted/outside")
}

fn surroundings() -> Surroundings {
    Surroundings { home: filled("@HOME@"), variables: BTreeMap::new() }
}

fn acts(plan: &Plan) -> BTreeSet<String> {
    plan.would.iter().map(|would| format!("{} {}", would.act.as_str(), would.what)).collect()
}

fn doubts(plan: &Plan) -> BTreeSet<String> {
    plan.doubts.iter().map(|doubt| doubt.as_str().to_owned()).collect()
}

#[test]
fn every_attack_is_seen() {
    let mut faults = Vec::new();
    for payload in attacks() {
        let line = filled(&payload.line);
        let plan = of_script(line.as_bytes(), &surroundings());
        let (seen, why) = (acts(&plan), doubts(&plan));
        for want in payload.expect.iter().map(|want| filled(want)) {
            if !seen.contains(&want) {
                faults.push(format!("{}: `{want}` is not in {seen:?}\n  {line}", payload.name));
            }
        }
        for want in &payload.doubts {
            if !why.contains(want) {
                faults.push(format!("{}: no doubt `{want}` in {why:?}\n  {line}", payload.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn attacks_through_execve_are_seen_as_well() {
    for payload in attacks() {
        let line = filled(&payload.line);
        let plan = of_argv(&[b"/bin/bash", b"-c", line.as_bytes()], &surroundings());
        let seen = acts(&plan);
        for want in payload.expect.iter().map(|want| filled(want)) {
            assert!(seen.contains(&want), "{}: `{want}` is not in {seen:?}", payload.name);
        }
        assert!(seen.contains("run bash"));
    }
}

#[test]
fn ordinary_work_raises_no_doubt() {
    let mut faults = Vec::new();
    for command in ordinary() {
        let plan = of_script(command.line.as_bytes(), &surroundings());
        let listed: BTreeSet<String> = command.doubts.iter().cloned().collect();
        let why = doubts(&plan);
        if why != listed {
            faults.push(format!(
                "{why:?}, listed {listed:?}: {}\n  {:?}",
                command.line,
                acts(&plan)
            ));
        }
        for would in plan.would.iter().filter(|would| would.act == Act::Reach) {
            faults.push(format!("reaches {}: {}", would.what, command.line));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn ordinary_work_stays_in_its_workspace() {
    for command in ordinary() {
        let plan = of_script(command.line.as_bytes(), &surroundings());
        for would in &plan.would {
            let takes = matches!(would.act, Act::Write | Act::Remove | Act::Change);
            let leaves = would.what.starts_with('/') || would.what.starts_with('~');
            assert!(!(takes && leaves), "{} {}: {}", would.act.as_str(), would.what, command.line);
        }
    }
}

#[test]
fn the_corpora_are_as_large_as_promised() {
    let attacks = attacks();
    for family in FAMILIES {
        let count = attacks.iter().filter(|payload| payload.family == family).count();
        assert!(count >= 10, "{family}: {count}");
    }
    assert!(attacks.iter().all(|payload| FAMILIES.contains(&payload.family.as_str())));
    assert!(attacks.len() >= 72, "{}", attacks.len());
    assert!(ordinary().len() >= 110, "{}", ordinary().len());
    let names: BTreeSet<&str> = attacks.iter().map(|payload| payload.name.as_str()).collect();
    assert_eq!(names.len(), attacks.len());
}

#[test]
fn attacks_are_well_formed() {
    let known: BTreeSet<&str> = Doubt::ALL.iter().map(|doubt| doubt.as_str()).collect();
    let acts: BTreeSet<&str> = Act::ALL.iter().map(|act| act.as_str()).collect();
    for payload in attacks() {
        let name = &payload.name;
        assert!(!payload.forbidden.is_empty(), "{name}: nothing is forbidden");
        assert!(
            !payload.expect.is_empty() || !payload.doubts.is_empty(),
            "{name}: nothing expected"
        );
        assert!(payload.doubts.iter().all(|doubt| known.contains(doubt.as_str())), "{name}");
        for want in &payload.expect {
            assert!(acts.contains(want.split(' ').next().unwrap()), "{name}: {want}");
        }
        for effect in &payload.forbidden {
            let (kind, path) = effect.split_once(':').unwrap_or((effect, ""));
            let fits = match kind {
                "sent" | "ok" => path.is_empty(),
                "read" | "changed" | "removed" | "created" => path.starts_with('@'),
                _ => false,
            };
            assert!(fits, "{name}: {effect}");
        }
    }
}

/// What makes it safe to run them: no host but the collector and the loopback, and nothing written,
/// removed or changed outside the planted folders.
#[test]
fn attacks_aim_only_at_what_was_planted() {
    const ALSO: [&str; 6] = [
        "namespace:",
        "process:$!",
        "/sys/fs/cgroup/unified/cgroup.procs",
        "unix:",
        "git:",
        "account:",
    ];
    for payload in attacks() {
        let plan = of_script(filled(&payload.line).as_bytes(), &surroundings());
        for would in &plan.would {
            let what = would.what.as_str();
            let planted = what.starts_with("/var/planted/");
            let also = ALSO.iter().any(|start| what.starts_with(start));
            let fits = match would.act {
                Act::Run | Act::Read => true,
                Act::Reach => {
                    also || ["127.0.0.1:9", "127.0.0.1", "localhost", "nowhere.invalid"]
                        .contains(&what)
                }
                Act::Write | Act::Remove | Act::Change => planted || also || !what.starts_with('/'),
            };
            assert!(fits, "{}: {} {what}", payload.name, would.act.as_str());
        }
    }
}
