//! A home is made by `init`, used by one node, and never mended by guessing.

use std::fs;

use pathwarden_wire::Answer;

use crate::support::{OwnHome, clerk, json};

#[test]
fn a_second_node_on_the_same_home_is_refused_and_the_first_goes_on() {
    let home = OwnHome::new();
    let node = home.up().expect("a node");
    let said = home.refusal();
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(home.words(&said));
    home.pathwarden(&["session", "list"]).expect("run").success().expect("it still answers");
    node.stop().expect("ends well");
}

#[test]
fn a_missing_ledger_is_not_created_by_up() {
    let home = OwnHome::new();
    fs::remove_dir_all(home.path("ledger")).expect("remove");
    let said = home.refusal();
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(home.words(&said));
    assert!(!home.path("ledger").exists());
}

#[test]
fn a_missing_key_is_not_created_by_up() {
    for key in ["ledger.key", "ledger.vkey", "token.key"] {
        let home = OwnHome::new();
        let path = home.path("keys").join(key);
        fs::remove_file(&path).expect("remove");
        let said = home.refusal();
        assert_eq!(said.code, Some(1));
        assert!(said.err.contains(key), "{said:?}");
        assert!(!path.exists());
    }
}

#[test]
fn init_does_not_touch_what_is_there() {
    let home = OwnHome::new();
    let key = fs::read(home.path("keys/ledger.key")).expect("a key");
    let said = home.pathwarden(&["init"]).expect("run");
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(home.words(&said));
    assert_eq!(fs::read(home.path("keys/ledger.key")).expect("a key"), key);
}

#[test]
fn a_node_that_is_told_to_stop_leaves_a_log_that_is_covered_to_its_end() {
    let home = OwnHome::new();
    home.up().expect("a node").stop().expect("ends well");
    let said = home.verify(&[]).expect("run").success().expect("verified");
    assert!(!said.contains("not yet covered"), "{said}");
    assert!(!home.path("run/pathwarden.sock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_that_leaves_many_permits_open_does_not_keep_the_node_from_starting() {
    // More than a task may wait for without going back to its runtime.
    const OPEN: usize = 150;
    let home = OwnHome::new();
    let node = home.up().expect("a node");
    let agent = clerk(&home).await;
    for number in 0..OPEN {
        let arguments = serde_json::json!({ "number": number });
        let answer = agent.ask("desk", "note", &arguments).await.expect("an answer");
        assert!(matches!(answer, Answer::Release(_)), "{answer:?}");
    }
    node.kill().expect("killed");
    let _node = home.up().expect("a node");
    let path = json(&home, &["path", &agent.session.to_string()]);
    let steps = path["steps"].as_array().expect("steps");
    let unknown = steps.iter().filter(|step| step["outcome"] == "unknown").count();
    assert_eq!(unknown, OPEN);
}
