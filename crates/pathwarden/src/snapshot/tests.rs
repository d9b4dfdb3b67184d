use std::fs;
use std::path::Path;

use pathwarden_behaviour::{Baseline, Learner};
use pathwarden_decide::{Settings, Snapshot};
use pathwarden_wire::KnowledgeStatus;
use tempfile::TempDir;

use super::knowledge::{self, PROFILE_BYTES_MAX, Profiles};
use super::{Tests, load, load_changes, sources};
use crate::commands::policy::unmatched;
use crate::init;

const CONTRACT: &str = "[[contract]]\nname = \"calm\"\n[[contract.budgets]]\nname = \"calls\"\n\
                        what = \"calls\"\nmost = 9\n";
const EVENT: &str = "5f3f4d3e-1111-4222-8333-0123456789ab";

/// A folder with the shipped rules and these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    init::rules().for_each(|(name, text)| put(dir.path(), name, text));
    files.iter().for_each(|(name, text)| put(dir.path(), name, text));
    dir
}

fn put(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn status(dir: &Path) -> KnowledgeStatus {
    pathwarden_warden::knowledge(&loaded(dir))
}

fn loaded(dir: &Path) -> Snapshot {
    load(dir, Settings::default()).unwrap()
}

fn refusal(dir: &Path) -> String {
    match load(dir, Settings::default()) {
        Ok(_) => panic!("it was loaded"),
        Err(error) => format!("{error:#}"),
    }
}

fn baseline(version: u64) -> String {
    let baseline: Baseline = Learner::new("clerk", "filing").finish(version).unwrap();
    serde_json::to_string(&baseline).unwrap()
}

fn event(value: &str) -> String {
    format!(
        r#"{{"Event":{{"info":"x","Attribute":[{{"type":"domain","value":"{value}","to_ids":true}}]}}}}"#
    )
}

#[test]
fn rules_alone_are_a_policy() {
    let dir = folder(&[]);
    assert_eq!(status(dir.path()), KnowledgeStatus::default());
}

#[test]
fn contracts_lists_and_profiles_are_part_of_the_policy_and_of_its_version() {
    let dir = folder(&[]);
    let before = loaded(dir.path()).version();
    put(dir.path(), "contracts.toml", CONTRACT);
    put(dir.path(), "intel/own.txt", "evil.example\n");
    put(dir.path(), "profiles/clerk.json", &baseline(3));
    let status = status(dir.path());
    assert_eq!(status.contracts, ["calm"]);
    assert_eq!((status.feeds.len(), status.feeds[0].entries), (1, 1));
    assert_eq!(status.feeds[0].name.as_str(), "own.txt");
    assert_eq!(status.baselines[0].version, 3);
    assert_ne!(loaded(dir.path()).version(), before);
}

#[test]
fn every_fault_of_every_file_is_named_at_once_with_what_to_do() {
    let dir = folder(&[
        ("broken.rego", "package pathwarden\n\ndecision contains {\n"),
        ("contracts.toml", "[[contract]]\nname = \"\"\n[[contract]]\nname = \" \"\n"),
        ("intel/page.html", "<html>\n<p>not found</p>\n"),
        ("intel/cut.json", "{\"type\": \"bundle\""),
        ("profiles/clerk.json", "{\"version\": \"one\"}"),
    ]);
    let said = refusal(dir.path());
    for part in [
        "broken.rego:",
        "contracts.toml: contracts[0].name: is empty: say what it is",
        "contracts.toml: contracts[1].name: is empty: say what it is",
        "intel/cut.json: feed `cut.json` is not JSON: fetch it again",
        "intel/page.html: feed `page.html` has 2 lines and none lists an indicator",
        "profiles/clerk.json: is no profile (",
        "): learn it again",
    ] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
}

#[test]
fn a_misspelled_key_of_a_contract_is_a_fault_where_it_stands() {
    let dir = folder(&[("contracts.toml", "[[contract]]\nname = \"x\"\nbudget = []\n")]);
    let said = refusal(dir.path());
    assert!(said.contains("contracts.toml: TOML parse error at line 3"), "{said}");
    assert!(said.contains("unknown field `budget`"), "{said}");
}

#[test]
fn a_file_may_be_as_long_as_its_limit_and_no_longer() {
    let pad = |text: &str, length: usize, with: &str| {
        format!("{text}{}", with.repeat(length - text.len()))
    };
    let profile = usize::try_from(PROFILE_BYTES_MAX).unwrap();
    for (name, text, most, with) in [
        ("contracts.toml", CONTRACT, 1 << 20, "#"),
        ("intel/own.txt", "evil.example\n", 4 << 20, "#"),
        ("profiles/clerk.json", baseline(1).as_str(), profile, " "),
    ] {
        let dir = folder(&[(name, &pad(text, most, with))]);
        assert!(load(dir.path(), Settings::default()).is_ok(), "{name}");
        put(dir.path(), name, &pad(text, most + 1, with));
        let said = refusal(dir.path());
        let parts = [name, &format!("has more than {most} bytes: shorten it")];
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    }
}

#[test]
fn contracts_that_cannot_be_read_are_not_taken_for_none() {
    let dir = folder(&[]);
    std::os::unix::fs::symlink("/nowhere/contracts.toml", dir.path().join("contracts.toml"))
        .unwrap();
    let said = refusal(dir.path());
    assert!(said.contains("contracts.toml: read `"), "{said}");
    fs::remove_file(dir.path().join("contracts.toml")).unwrap();
    fs::create_dir(dir.path().join("contracts.toml")).unwrap();
    let said = refusal(dir.path());
    assert!(said.contains("is no file: put one there, or take it away"), "{said}");
}

#[test]
fn what_is_too_long_for_one_record_is_refused_here_and_not_by_the_ledger() {
    let long = "#".repeat(4 << 20);
    let dir = folder(&[("intel/a.txt", long.as_str()), ("intel/b.txt", long.as_str())]);
    let said = refusal(dir.path());
    assert!(said.contains("at most 8388608 are kept with a decision"), "{said}");
}

#[test]
fn a_misp_feed_is_read_by_its_manifest() {
    let manifest = format!("{{\"{EVENT}\": {{}}}}");
    let (manifest_at, event_at) =
        ("intel/partner/manifest.json", format!("intel/partner/{EVENT}.json"));
    let dir = folder(&[
        (manifest_at, &manifest),
        ("intel/partner/hashes.csv", "not a list, and not named by the manifest"),
    ]);
    let said = refusal(dir.path());
    assert!(said.contains(&event_at) && said.contains("No such file"), "{said}");
    put(dir.path(), &event_at, &event("evil.example"));
    let entries: Vec<u64> = status(dir.path()).feeds.iter().map(|feed| feed.entries).collect();
    assert_eq!(entries, [0, 1]);
}

#[test]
fn half_a_misp_feed_is_a_fault() {
    let dir = folder(&[("intel/partner/event.json", &event("evil.example"))]);
    let said = refusal(dir.path());
    assert!(said.contains("intel/partner: has no `manifest.json`: put single lists"), "{said}");
    let dir = folder(&[("intel/manifest.json", &format!("{{\"{EVENT}\": {{}}}}"))]);
    let said = refusal(dir.path());
    let want = format!("intel/manifest.json: names `{EVENT}.json`, which is not there");
    assert!(said.contains(&want), "{said}");
}

#[test]
fn entries_that_protect_nobody_are_said() {
    let dir = folder(&[("intel/own.txt", "evil.example\nnot an indicator at all\n")]);
    let words = unmatched(&status(dir.path()));
    assert_eq!(words.len(), 1, "{words:?}");
    assert!(
        words[0].starts_with("1 entry of feed `own.txt` cannot be matched, first `"),
        "{words:?}"
    );
}

#[test]
fn two_files_of_one_version_are_a_fault() {
    let (one, two) = (baseline(2), baseline(2));
    let dir = folder(&[("profiles/a.json", &one), ("profiles/b.json", &two)]);
    let said = refusal(dir.path());
    assert!(
        said.contains("profiles/b.json: another file is version 2 of `clerk` as well"),
        "{said}"
    );
}

#[test]
fn another_change_does_not_put_a_learned_profile_to_use() {
    let dir = folder(&[("profiles/clerk.json", &baseline(1))]);
    let before = loaded(dir.path());
    put(dir.path(), "profiles/clerk.json", &baseline(2));
    put(dir.path(), "contracts.toml", CONTRACT);
    let changed = load_changes(dir.path(), Settings::default(), &before).unwrap();
    let version = |snapshot: &Snapshot| pathwarden_warden::knowledge(snapshot).baselines[0].version;
    assert_eq!(version(&changed), 1);
    assert_ne!(changed.version(), before.version());
    assert_eq!(version(&loaded(dir.path())), 2);
}

#[test]
fn the_shipped_examples_load() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/knowledge");
    let found = knowledge::read(Path::new(dir), Profiles::Read);
    assert_eq!(found.faults, [] as [String; 0]);
    let rules = sources(folder(&[]).path(), Tests::Leave).unwrap();
    let snapshot = Snapshot::build_with(Settings::default(), rules, found.files);
    let status = pathwarden_warden::knowledge(&snapshot.unwrap());
    assert_eq!(status.contracts, ["payments", "restricted", "recipients"]);
    assert_eq!((status.feeds[0].entries, status.feeds[0].unmatched), (5, 0), "{status:?}");
}
