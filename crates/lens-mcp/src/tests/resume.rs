use pathwarden_types::{Name, OperationKind};

use super::parse;
use crate::{Id, Intent, Message, PersonSaid, Resume, Root, ask_person, rewrite};
use pathwarden_json::Json;

fn call(rest: &str) -> Message {
    let params = format!(r#"{{"name":"pay","arguments":{{"to":"x"}}{rest}}}"#);
    parse(format!(r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{params}}}"#)).unwrap()
}

#[test]
fn a_question_to_the_person_is_a_result_that_asks_for_input() {
    let id = Id::of(Json::parse(b"7").unwrap()).unwrap();
    let asked = parse(ask_person(&id, "pay \"x\"?", "pathwarden-state1.a")).unwrap();
    let result = asked.member("result").unwrap();
    assert_eq!(result.member("resultType").unwrap().text(), "\"input_required\"");
    let server: Name = "bank".parse().unwrap();
    let intents = crate::asks(&asked, &server).unwrap();
    assert_eq!(intents[0].operation.kind, OperationKind::Elicitation);
}

#[test]
fn only_an_accepted_form_that_says_so_is_a_yes() {
    let said = |answer: &str| {
        let rest = format!(
            r#","requestState":"pathwarden-state1.a","inputResponses":{{"pathwarden_approval":{answer}}}"#
        );
        Resume::of(&call(&rest)).unwrap().answer
    };
    assert_eq!(said(r#"{"action":"accept","content":{"approve":true}}"#), PersonSaid::Yes);
    for no in [
        r#"{"action":"accept","content":{"approve":false}}"#,
        r#"{"action":"accept","content":{"approve":"true"}}"#,
        r#"{"action":"accept"}"#,
        r#"{"action":"decline"}"#,
    ] {
        assert_eq!(said(no), PersonSaid::No, "{no}");
    }
    for nothing in [r#"{"action":"cancel"}"#, "{}", "7"] {
        assert_eq!(said(nothing), PersonSaid::Nothing, "{nothing}");
    }
}

#[test]
fn a_state_of_the_servers_own_is_not_ours_and_ours_does_not_reach_the_server() {
    assert_eq!(Resume::of(&call(r#","requestState":"theirs","inputResponses":{}"#)), None);
    assert_eq!(Resume::of(&call("")), None);
    let ours = call(r#","requestState":"pathwarden-state1.a","inputResponses":{}"#);
    let stripped = String::from_utf8(Resume::strip(&ours)).unwrap();
    assert!(!stripped.contains("pathwarden") && stripped.contains(r#""arguments":{"to":"x"}"#));
}

#[test]
fn what_a_client_answers_to_a_server_is_an_action_of_its_own() {
    let server: Name = "bank".parse().unwrap();
    let retry = call(r#","requestState":"theirs","inputResponses":{"q":{"content":{"pin":"1"}}}"#);
    let intents = Intent::all_of(&retry, &server).unwrap();
    let kinds: Vec<_> = intents.iter().map(|intent| intent.operation.kind).collect();
    assert_eq!(kinds, [OperationKind::Reply, OperationKind::ToolCall]);
    assert_eq!(intents[0].root, Root::Params);
    let cut = rewrite(&retry, Root::Params, "/inputResponses/q/content/pin", "-").unwrap();
    assert!(String::from_utf8(cut).unwrap().contains(r#""pin":"-""#));
    let reply = parse(r#"{"jsonrpc":"2.0","id":"s","result":{"action":"accept"}}"#).unwrap();
    let intent = Intent::of_reply(&reply, &server).unwrap().unwrap();
    assert_eq!(intent.arguments, r#"{"result":{"action":"accept"}}"#);
    let error = parse(r#"{"jsonrpc":"2.0","id":"s","error":{"code":1,"message":"x"}}"#).unwrap();
    assert!(
        Intent::of_reply(&error, &server).unwrap().is_some(),
        "an error can carry text out too"
    );
    let empty = parse(r#"{"jsonrpc":"2.0","id":"s","result":{}}"#).unwrap();
    assert_eq!(Intent::of_reply(&empty, &server).unwrap(), None);
}

#[test]
fn a_subscription_reads_every_resource_that_it_names() {
    let server: Name = "files".parse().unwrap();
    let listen = |filter: &str| {
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{{"notifications":{filter}}}}}"#
        );
        Intent::all_of(&parse(text).unwrap(), &server)
    };
    assert_eq!(listen(r#"{"toolsListChanged":true}"#).unwrap(), []);
    let two = listen(r#"{"resourceSubscriptions":["file:///a","file:///b"]}"#).unwrap();
    let names: Vec<_> = two.iter().map(|intent| intent.operation.name.as_str()).collect();
    assert_eq!(names, ["file:///a", "file:///b"]);
    for wrong in ["[]", r#"{"resourceSubscriptions":"a"}"#, r#"{"resourceSubscriptions":[1]}"#] {
        assert!(listen(wrong).is_err(), "{wrong}");
    }
    let many = |count| format!(r#"{{"resourceSubscriptions":{:?}}}"#, vec!["a:b"; count]);
    assert_eq!(listen(&many(Intent::RESOURCES_MAX)).unwrap().len(), Intent::RESOURCES_MAX);
    assert!(listen(&many(Intent::RESOURCES_MAX + 1)).is_err());
}
