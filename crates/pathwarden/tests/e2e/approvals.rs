//! Holds, from the question to what came of it, with the person at the command line.

use pathwarden_testkit::node::{Agent, fault};
use pathwarden_types::{Choice, Digest};
use pathwarden_wire::{Answer, AnswerApproval, FaultKind, Held};
use serde_json::{Value, json as value};

use crate::support::{OwnHome, clerk, json};

/// A rule whose question stands for a moment only.
const SHORT: &str = r#"package pathwarden

decision contains {
	"rule": "test.short",
	"verdict": "hold",
	"reason": "somebody has to be quick",
	"advice": "wait",
	"approval": {"role": "quick-one", "within_ms": 200},
} if {
	input.action.name == "note"
	input.approval != "approved"
}
"#;

async fn hold(agent: &Agent, tool: &str, arguments: &Value) -> Held {
    match agent.ask("desk", tool, arguments).await.expect("an answer") {
        Answer::Held(held) => held,
        other => panic!("not held: {other:?}"),
    }
}

async fn released(agent: &Agent, held: &Held, arguments: &Value) {
    match agent.wait(held, arguments, 20_000).await.expect("an answer") {
        Answer::Release(permit) => {
            assert_eq!(permit.action(), held.action);
            agent.done(permit.action(), "removed").await.expect("recorded");
        }
        other => panic!("not released: {other:?}"),
    }
}

async fn refused(agent: &Agent, held: &Held, arguments: &Value) -> String {
    match agent.wait(held, arguments, 20_000).await.expect("an answer") {
        Answer::Refuse(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

fn answer(home: &OwnHome, choice: &str, held: &Held) -> String {
    let approval = held.approval.to_string();
    let arguments = ["approvals", choice, &approval, "--by", "dana", "--note", "seen"];
    home.pathwarden(&arguments).expect("run").success().expect("taken")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_action_is_released_once_and_the_same_call_is_held_again() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let agent = clerk(&home).await;
    let arguments = value!({ "path": "/old" });
    let held = hold(&agent, "remove", &arguments).await;

    let approval = held.approval.to_string();
    let listed = home.pathwarden(&["approvals", "list"]).expect("run").success().expect("a list");
    assert!(listed.contains(&approval) && listed.contains("desk.remove"), "{listed}");
    let shown = home.pathwarden(&["approvals", "show", &approval]).expect("run");
    let shown = shown.success().expect("shown");
    for part in ["clerk", "ask vendor@acme.example for the forms", "remove on desk", "/old"] {
        assert!(shown.contains(part), "no `{part}` in {shown}");
    }
    let said = answer(&home, "approve", &held);
    assert!(said.contains("approved, once"), "{said}");
    released(&agent, &held, &arguments).await;

    let why = json(&home, &["why", &held.action.to_string()]);
    assert_eq!(why["decided"]["approval"]["answer"]["by"], "dana");
    assert_eq!(why["decided"]["approval"]["answer"]["note"], "seen");
    let again = hold(&agent, "remove", &arguments).await;
    assert_ne!(again.approval, held.approval);
    let late = home.pathwarden(&["approvals", "approve", &approval]).expect("run");
    assert_eq!(late.code, Some(1), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_for_these_arguments_and_this_session_only() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let (agent, other) = (clerk(&home).await, clerk(&home).await);
    let arguments = value!({ "path": "/old" });
    let held = hold(&agent, "remove", &arguments).await;
    answer(&home, "approve", &held);
    hold(&agent, "remove", &value!({ "path": "/new" })).await;
    hold(&other, "remove", &arguments).await;
    let error = agent.wait(&held, &value!({ "path": "/new" }), 0).await.expect_err("not asked");
    assert_eq!(fault(&error).map(|fault| fault.kind), Some(FaultKind::NotFound));
    released(&agent, &held, &arguments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_action_is_refused() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let agent = clerk(&home).await;
    let arguments = value!({ "path": "/old" });
    let held = hold(&agent, "remove", &arguments).await;
    answer(&home, "deny", &held);
    assert_eq!(refused(&agent, &held, &arguments).await, "engine.approval_refused");
    assert_eq!(json(&home, &["approvals", "list"]), value!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_nobody_answers_in_time_is_a_deny() {
    let home = OwnHome::new();
    home.policy("short.rego", SHORT);
    let _node = home.up().expect("a node");
    let agent = clerk(&home).await;
    let arguments = value!({ "text": "hello" });
    let held = hold(&agent, "note", &arguments).await;
    assert_eq!(refused(&agent, &held, &arguments).await, "engine.approval_lapsed");
    let late = home.pathwarden(&["approvals", "approve", &held.approval.to_string()]);
    let late = late.expect("run");
    assert_eq!(late.code, Some(1));
    assert!(late.err.contains("see `pathwarden approvals list`"), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_something_else_than_what_was_shown_is_refused() {
    let home = OwnHome::new();
    let _node = home.up().expect("a node");
    let agent = clerk(&home).await;
    let arguments = value!({ "path": "/old" });
    let held = hold(&agent, "remove", &arguments).await;
    let operator = home.person("operator").expect("a token");
    let stale = AnswerApproval {
        choice: Choice::Approve,
        by: "dana".parse().expect("a name"),
        note: String::new(),
        shown_digest: Digest::of(b"what was shown before"),
    };
    let path = format!("/v1/approvals/{}", held.approval);
    let refused = operator.post::<_, ()>(&path, &stale).await.expect_err("stale");
    assert_eq!(refused.kind, FaultKind::Conflict);
    assert_eq!(refused.advice, "look at it again");
    answer(&home, "approve", &held);
    released(&agent, &held, &arguments).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_given_before_a_crash_is_good_for_one_call_after_it() {
    let home = OwnHome::new();
    let node = home.up().expect("a node");
    let agent = clerk(&home).await;
    let arguments = value!({ "path": "/old" });
    let held = hold(&agent, "remove", &arguments).await;
    answer(&home, "approve", &held);
    node.kill().expect("killed");

    let _node = home.up().expect("a node");
    let answer = agent.ask("desk", "remove", &arguments).await.expect("an answer");
    assert!(matches!(answer, Answer::Release(_)), "{answer:?}");
    hold(&agent, "remove", &arguments).await;
}
