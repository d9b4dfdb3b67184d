//! A policy that does not compile: no start with it, and no change of a node that runs.

use std::fs;

use pathwarden_testkit::node::until;
use serde_json::Value;

use crate::support::{OwnHome, json};

const BROKEN: &str = "package pathwarden\n\ndecision contains {\"rule\": \"broken.rule\" if {\n";

#[test]
fn up_refuses_a_policy_that_does_not_compile_with_file_line_and_message() {
    let home = OwnHome::new();
    home.policy("broken.rego", BROKEN);
    let said = home.refusal();
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(home.words(&said));
}

#[test]
fn up_refuses_to_run_without_any_policy() {
    let home = OwnHome::new();
    fs::remove_dir_all(home.path("policies")).expect("remove");
    fs::create_dir(home.path("policies")).expect("make");
    let said = home.refusal();
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(home.words(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_change_leaves_the_old_policy_deciding_and_says_so_until_it_is_mended() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let before = json(&home, &["policy", "show"]);
    assert_eq!(before["refused_reload"], Value::Null);

    home.policy("broken.rego", BROKEN);
    let broken = until("the refusal of the broken policy", async || {
        let status = json(&home, &["policy", "show"]);
        Ok((status["refused_reload"] != Value::Null).then_some(status))
    });
    let broken = broken.await.expect("noticed");
    assert_eq!(broken["version"], before["version"]);
    let why = broken["refused_reload"].as_str().expect("a text");
    assert!(why.contains("broken.rego:"), "{why}");
    let shown = home.pathwarden(&["policy", "show"]).expect("run").success().expect("ends well");
    assert!(shown.contains("the latest change was not loaded, this one still decides"), "{shown}");
    let reload = home.pathwarden(&["policy", "reload"]).expect("run");
    assert_eq!(reload.code, Some(1));
    assert!(reload.err.contains("try: mend it; the one before still decides"), "{reload:?}");

    home.policy("broken.rego", "package pathwarden\n\nunused_here := 7\n");
    let mended = until("the mended policy", async || {
        let status = json(&home, &["policy", "show"]);
        Ok((status["refused_reload"] == Value::Null).then_some(status))
    });
    let mended = mended.await.expect("noticed");
    assert_ne!(mended["version"], before["version"]);
}
