//! Who may do what: the whole table of routes, against every kind of caller.

use std::fs;

use pathwarden_testkit::node::{Home, Node};
use serde_json::Value;

use crate::support::{OwnHome, clerk, fault, request};

/// What an agent may call: acting.
const ACTING: [&str; 9] = [
    "/v1/join",
    "/v1/actions",
    "/v1/actions/{action}/wait",
    "/v1/effects",
    "/v1/observations",
    "/v1/catalogues",
    "/v1/findings/new",
    "/v1/changes",
    "/v1/points/orders",
];

/// Open to anyone; tells nothing about anybody's work.
const OPEN: &str = "/v1/openapi.json";

/// Every route of the node, as it documents itself: method, path, path with a parameter filled in.
fn routes(node: &Node) -> Vec<(String, String, String)> {
    let (status, body) = request(node, "GET", OPEN, "");
    assert_eq!(status, 200);
    let document: Value = serde_json::from_str(&body).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let mut routes = Vec::new();
    for (path, methods) in paths {
        for method in methods.as_object().expect("methods").keys() {
            let filled = path
                .replace("{action}", "00000000000000ab")
                .replace("{session}", "000000000000000000000000000000ab")
                .replace("{approval}", "00000000000000ab")
                .replace("{item}", &"ab".repeat(32));
            routes.push((method.to_uppercase(), path.clone(), filled));
        }
    }
    assert!(routes.len() > 15, "{routes:?}");
    routes
}

fn token(home: &Home, role: &str) -> String {
    let text = fs::read_to_string(home.path("tokens").join(role)).expect("a token");
    text.trim().to_owned()
}

/// Every route but the open one answers with this status and with advice.
fn refused(node: &Node, token: &str, status: u16, is_theirs: impl Fn(&str, &str) -> bool) {
    for (method, path, filled) in routes(node) {
        if path == OPEN || is_theirs(&method, &path) {
            continue;
        }
        let (found, body) = request(node, &method, &filled, token);
        assert_eq!(found, status, "{method} {path}: {body}");
        assert!(!fault(&body).advice.is_empty(), "{method} {path}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_of_this_node_every_route_is_401_with_advice() {
    let (home, other) = (OwnHome::new(), OwnHome::new());
    let node = home.up().expect("a node");
    let agent = clerk(&home).await;
    let forged = agent.token.replacen(".agent.", ".operator.", 1);
    for token in ["", "nonsense", &forged, &token(&other, "operator")] {
        refused(&node, token, 401, |_, _| false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agents_token_can_do_nothing_but_act() {
    let home = OwnHome::new();
    let node = home.up().expect("a node");
    let agent = clerk(&home).await;
    refused(&node, &agent.token, 403, |_, path| ACTING.contains(&path));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_cannot_act_and_auditors_cannot_change_anything() {
    let home = OwnHome::new();
    let node = home.up().expect("a node");
    refused(&node, &token(&home, "operator"), 403, |_, path| !ACTING.contains(&path));
    refused(&node, &token(&home, "auditor"), 403, |method, _| method == "GET");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_one_session_reaches_no_other() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let (mine, theirs) = (clerk(&home).await, clerk(&home).await);
    let mut crossed = mine.clone();
    crossed.session = theirs.session;
    let error = crossed.observe("desk", "hello").await.expect_err("another session");
    assert!(error.to_string().contains("there is no open session"), "{error}");
    mine.observe("desk", "hello").await.expect("its own session");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_says_what_to_do_about_a_wrong_token() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let agent = clerk(&home).await;
    let run = |token: &str, arguments: &[&str]| {
        let said = home.pathwarden(&[&["--token", token], arguments].concat()).expect("run");
        assert_eq!(said.code, Some(1), "{said:?}");
        home.words(&said)
    };
    insta::assert_snapshot!(run("nonsense", &["session", "list"]));
    insta::assert_snapshot!(run(&agent.token, &["policy", "reload"]));
    insta::assert_snapshot!(run(&token(&home, "auditor"), &["policy", "reload"]));
}
