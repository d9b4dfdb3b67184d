//! Taking something from live agents: orders, acknowledgements, expiry, restarts.

use pathwarden_testkit::node::until;
use pathwarden_wire::{Answer, AwaitOrders, Containments, PointPdp};
use serde_json::json as value;

use crate::support::{OwnHome, clerk, json};

/// Whether a harmless read is let through.
async fn reads(agent: &pathwarden_testkit::node::Agent) -> bool {
    let answer = agent.ask("desk", "read_note", &value!({ "path": "a" })).await.expect("an answer");
    match answer {
        Answer::Release(permit) => {
            agent.done(permit.action(), "{}").await.expect("a report");
            true
        }
        Answer::Refuse(refusal) => {
            assert_eq!(refusal.code, "engine.contained");
            false
        }
        Answer::Held(held) => panic!("{held:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_stays_taken_over_a_restart_and_comes_back_when_released() {
    let home = OwnHome::new();
    let node = home.up().expect("a node");
    let agent = clerk(&home).await;
    assert!(reads(&agent).await);
    let session = agent.session.to_string();
    let order = ["contain", session.as_str(), "freeze", "no-egress", "--reason", "a drill"];
    let standing = json(&home, &order);
    assert_eq!(standing["standing"].as_array().map(Vec::len), Some(2), "{standing}");
    assert!(!reads(&agent).await);
    node.stop().expect("a stop");
    let _node = home.up().expect("a node again");
    assert!(!reads(&agent).await, "a restart must not give anything back");
    let released = json(&home, &["release", &session, "no-egress"]);
    assert_eq!(released["given_back"].as_array().map(Vec::len), Some(1), "{released}");
    assert_eq!(released["given_back"][0]["verb"], "no_egress");
    assert!(!reads(&agent).await, "only what is named is given back");
    json(&home, &["release", &session]);
    assert!(reads(&agent).await);
    let path = json(&home, &["path", &session]);
    let events = path["events"].as_array().expect("events");
    let what: Vec<&str> = events.iter().filter_map(|event| event["what"].as_str()).collect();
    assert_eq!(what, ["contained", "contained", "released", "released"]);
}

#[test]
fn a_tool_that_is_taken_or_given_back_is_named() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let words = |order: &[&str]| home.pathwarden(order).expect("run").success().expect("ends well");
    words(&["contain", "server:desk", "disable-tool", "look"]);
    words(&["contain", "agent:clerk", "freeze"]);
    let standing = words(&["contain", "server:desk", "disable-tool", "note"]);
    for tool in ["look", "note"] {
        let line = format!("disable-tool {tool} server desk until ");
        assert!(standing.contains(&line), "{standing}");
    }
    for (order, back) in [
        (["release", "server:desk", "disable-tool", "note"].as_slice(), "disable-tool note"),
        (&["release", "server:desk"], "disable-tool look"),
    ] {
        let released = words(order);
        let given: Vec<&str> =
            released.lines().filter(|line| line.starts_with("given back")).collect();
        assert_eq!(given, [format!("given back: {back} of server desk")], "{order:?}");
    }
    let released = words(&["release", "clerk", "freeze"]);
    assert!(
        released.starts_with("given back: freeze of agent clerk\nnothing is taken"),
        "{released}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lapses_is_given_back_by_itself() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let agent = clerk(&home).await;
    json(&home, &["contain", "agent:clerk", "freeze", "--ttl", "600ms"]);
    assert!(!reads(&agent).await);
    until("the restriction lapses", async || {
        let standing = json(&home, &["contain", "list"]);
        Ok(standing["standing"].as_array().is_some_and(Vec::is_empty).then_some(()))
    })
    .await
    .expect("in time");
    assert!(reads(&agent).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_has_not_applied_an_order_is_shown() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let agent = clerk(&home).await;
    let client = home.client(&agent.token);
    let say = |applied| AwaitOrders {
        session: agent.session,
        point: "linux/1".to_owned(),
        applied,
        failed: Vec::new(),
        standing: None,
        up_to_ms: 0,
    };
    let first = client.orders(say(0)).await.expect("orders");
    client.orders(say(first.epoch)).await.expect("orders");
    let session = agent.session.to_string();
    let said = home.pathwarden(&["--json", "contain", &session, "no-exec"]).expect("a program");
    let standing: Containments = serde_json::from_str(&said.out).expect("JSON");
    let point = standing.points.iter().find(|row| row.point == "linux/1").expect("the point");
    assert!(!point.applied && point.epoch == first.epoch, "{point:?}");
    assert_ne!(said.code, Some(0), "a command that is not in force everywhere must not say so");
    let now = client.orders(say(first.epoch)).await.expect("orders");
    assert_eq!(now.standing.len(), 1);
    client.orders(say(now.epoch)).await.expect("orders");
    let standing = json(&home, &["contain", "list"]);
    assert!(
        standing["points"].as_array().expect("points").iter().all(|row| row["applied"] == true)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_makes_no_sense_is_refused_with_advice() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let agent = clerk(&home).await;
    let session = agent.session.to_string();
    for order in [
        ["contain", "nobody-knows", "freeze"].as_slice(),
        &["contain", &session],
        &["contain", &session, "disable-tool"],
        &["contain", &session, "melt"],
        &["contain", &session, "freeze", "--ttl", "31d"],
        &["release", &session],
    ] {
        let said = home.pathwarden(order).expect("a program");
        assert!(said.code != Some(0) && !said.err.is_empty(), "{order:?}: {}", said.err);
    }
}
