use serde_json::Value;

use crate::gateway::stage::{Stage, code};

/// A call that the policy holds, answered with a question for the person behind the client: its state.
fn asked(stage: &Stage) -> String {
    let asked = stage.call("files", "remove");
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let question = &asked["result"]["inputRequests"]["pathwarden_approval"]["params"]["message"];
    let question = question.as_str().expect("a question");
    assert!(
        question.contains("remove on files") && question.contains(r#"{"text":"a"}"#),
        "{question}"
    );
    asked["result"]["requestState"].as_str().expect("a state").to_owned()
}

fn back(stage: &Stage, tool: &str, state: &str, approve: bool) -> Value {
    let answer = format!(r#"{{"action":"accept","content":{{"approve":{approve}}}}}"#);
    let more =
        format!(r#","requestState":"{state}","inputResponses":{{"pathwarden_approval":{answer}}}"#);
    stage.call_with("files", tool, &more)
}

fn stage() -> Stage {
    let stage = Stage::new(&[("files", true)], "");
    stage.offer("files", &[("remove", "Removes a file."), ("erase", "Erases a disk.")]);
    stage.listed("files");
    stage
}

#[test]
fn a_person_behind_the_client_lets_it_happen_once_and_a_replay_is_refused_and_found() {
    let stage = stage();
    let state = asked(&stage);
    let done = back(&stage, "remove", &state, true);
    assert_eq!(done["result"]["content"][0]["text"], "did remove", "{done}");
    assert_eq!(code(&back(&stage, "remove", &state, true)), "forbidden");
    assert_eq!(stage.findings(), ["replayed_approval"]);
    // The next such call is a question of its own.
    assert_ne!(asked(&stage), state);
}

#[test]
fn a_person_of_a_certain_role_is_not_the_one_behind_the_client() {
    let stage = Stage::of_role("finance", &[("bank", true)], "");
    stage.offer("bank", &[("pay_bill", "Pays a bill.")]);
    stage.listed("bank");
    let told = stage.call("bank", "pay_bill");
    assert_eq!(code(&told), "waiting_for_approval", "{told}");
    let approvals = crate::support::json(&stage.home, &["approvals", "list"]);
    assert_eq!(approvals[0]["role"], "finance-approver");
}

#[test]
fn a_person_who_says_no_is_believed() {
    let stage = stage();
    let state = asked(&stage);
    assert_eq!(code(&back(&stage, "remove", &state, false)), "engine.approval_refused");
    assert!(stage.findings().is_empty());
}

#[test]
fn a_forged_state_or_one_for_another_action_is_refused_and_found() {
    let stage = stage();
    let state = asked(&stage);
    let flipped = if state.ends_with('0') { "1" } else { "0" };
    let forged = format!("{}{flipped}", state.get(..state.len() - 1).expect("a state"));
    assert_eq!(code(&back(&stage, "remove", &forged, true)), "forbidden");
    assert_eq!(code(&back(&stage, "remove", "pathwarden-state1.mine", true)), "forbidden");
    // A good state, for an action that nobody was asked about.
    assert_eq!(code(&back(&stage, "erase", &state, true)), "forbidden");
    assert_eq!(stage.findings(), ["forged_request_state"; 3]);
    // The honest way is still open.
    let done = back(&stage, "remove", &state, true);
    assert_eq!(done["result"]["content"][0]["text"], "did remove", "{done}");
}

#[test]
fn a_client_that_cannot_ask_is_told_to_come_back_and_may_once_somebody_has_approved() {
    let stage = stage();
    let body = super::stage::modern("tools/call", r#"{"name":"remove","arguments":{}}"#)
        .replace("\"form\":{}", "\"url\":{}");
    let call = || stage.send("files", "tools/call", "remove", &body, &[]).1;
    let told = call();
    assert_eq!(code(&told), "waiting_for_approval");
    let approvals = crate::support::json(&stage.home, &["approvals", "list"]);
    let approval = approvals[0]["approval"].as_str().expect("a question").to_owned();
    assert!(told["result"]["content"][0]["text"].as_str().expect("words").contains(&approval));
    stage.command(&["approvals", "approve", &approval, "--by", "dana"]);
    assert_eq!(call()["result"]["content"][0]["text"], "did remove");
}
