use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use pathwarden_types::{ObservationKind, OperationKind, Outcome};
use serde_json::{Value, json};

use super::apis::{ALL, CHAT, Case, MESSAGES, RESPONSES};
use super::client::{Client, LIMITS};
use super::provider::{stream, whole};
use crate::Limits;
use crate::fake::CUT;

/// Limits with which a person is waited for so long.
pub(super) fn held_for(hold: Duration) -> Limits {
    Limits { patience: pathwarden_pep::Patience { hold, ..LIMITS.patience }, ..LIMITS }
}

/// What the decision point was asked, the time before.
fn arguments(client: &Client, number: usize) -> Value {
    serde_json::from_str(&client.fake.asks.borrow()[number].arguments).unwrap()
}

#[tokio::test]
async fn a_refused_prompt_reaches_nobody_and_the_sdk_can_read_why() {
    for case in ALL {
        let client = Client::start().await;
        for answer in [client.stream(&case, "deny").await, client.whole(&case, "deny").await] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            assert_eq!(answer.headers["content-type"], "application/json");
            assert_eq!(answer.headers["x-should-retry"], "false");
            let error = answer.json().await;
            assert_eq!(case.code(&error), "no_outsiders");
            assert!(error["error"]["message"].as_str().unwrap().contains("ask first"));
        }
        assert!(client.provider.heard.borrow().is_empty());
        assert!(client.reports().await.is_empty());
    }
}

#[tokio::test]
async fn a_prompt_that_cannot_be_recorded_or_decided_reaches_nobody() {
    let client = Client::start().await;
    let answer = client.stream(&CHAT, "fault").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().await.contains("make room"));
    client.fake.refuses_windows.store(true, Ordering::SeqCst);
    assert_eq!(client.stream(&CHAT, "m").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(client.fake.asks.borrow().len(), 1, "what is not on record is not asked about");
    assert!(client.provider.heard.borrow().is_empty());
    assert!(client.reports().await.is_empty());
}

#[tokio::test]
async fn a_held_prompt_that_nobody_answers_is_refused() {
    for case in ALL {
        let client = Client::with(held_for(Duration::from_millis(50))).await;
        let answer = client.stream(&case, "hold").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let error = answer.json().await;
        assert_eq!(case.code(&error), "held");
        assert!(error["error"]["message"].as_str().unwrap().contains("0707070707070707"));
        assert!(client.provider.heard.borrow().is_empty());
        assert!(client.reports().await.is_empty());
    }
}

#[tokio::test]
async fn a_held_prompt_goes_when_a_person_approves_and_only_then() {
    let client = Client::start().await;
    client.provider.play(stream(&CHAT.events(&[])));
    let approving = async {
        client.fake.waiting.subscribe().wait_for(|open| *open == 1).await.unwrap();
        assert!(client.provider.heard.borrow().is_empty());
        client.fake.person.send_replace(Some(true));
    };
    let (answer, ()) = tokio::join!(client.stream(&CHAT, "hold"), approving);
    assert_eq!(answer.text().await, CHAT.events(&[]).concat());
    client.fake.person.send_replace(Some(false));
    assert_eq!(client.stream(&CHAT, "hold").await.status, StatusCode::FORBIDDEN);
    assert_eq!(client.provider.heard.borrow().len(), 1);
}

/// Sends a text to the model that cuts secrets out; gives what the provider got.
async fn redacted(client: &Client, case: &Case, text: &str) -> String {
    client.provider.play(whole("200 OK", &case.answer(&[])));
    let (path, body) = (case.path(false, "redact"), case.request(false, "redact", text));
    assert_eq!(client.post(&path, body.as_bytes()).await.status, StatusCode::OK);
    client.provider.heard.borrow().last().unwrap().text().to_owned()
}

#[tokio::test]
async fn a_secret_is_cut_out_and_again_without_being_asked_about_until_the_policy_changes() {
    for case in ALL {
        let client = Client::start().await;
        let cut = case.request(false, "redact", CUT);
        assert_eq!(redacted(&client, &case, "my SECRET").await, cut, "{case:?}");
        assert_eq!(arguments(&client, 0)["new"], json!(["my SECRET"]));
        assert_eq!(redacted(&client, &case, "my SECRET").await, cut);
        assert_eq!(arguments(&client, 1)["new"], json!([]));
        client.fake.policy.send_replace(1);
        assert_eq!(redacted(&client, &case, "my SECRET").await, cut);
        assert_eq!(arguments(&client, 2)["new"], json!(["my SECRET"]));
        let harmless = redacted(&client, &case, "harmless").await;
        assert_eq!(harmless, case.request(false, "redact", "harmless"));
        // The record has the text as it was shown by the agent.
        assert_eq!(client.fake.windows.borrow()[1].pieces[0].text, "my SECRET");
    }
}

#[tokio::test]
async fn what_was_decided_counts_only_once_a_call_was_let_through() {
    let client = Client::start().await;
    for number in 0..2 {
        assert_eq!(client.stream(&CHAT, "deny").await.status, StatusCode::FORBIDDEN);
        assert_eq!(arguments(&client, number)["new"], json!(["hello"]));
    }
}

#[tokio::test]
async fn what_was_withdrawn_is_cut_out_whatever_was_decided() {
    for case in ALL {
        let client = Client::start().await;
        redacted(&client, &case, "harmless").await;
        client.fake.instead.send_replace(vec![(0, "[withdrawn]".to_owned())]);
        let sent = redacted(&client, &case, "harmless").await;
        assert_eq!(sent, case.request(false, "redact", "[withdrawn]"));
        assert_eq!(redacted(&client, &case, "SECRET").await, sent);
        // What is shown instead is decided like everything else.
        client.fake.instead.send_replace(vec![(0, "[withdrawn] SECRET".to_owned())]);
        let sent = redacted(&client, &case, "harmless").await;
        assert_eq!(sent, case.request(false, "redact", CUT));
    }
}

#[tokio::test]
async fn an_obligation_that_cannot_be_fulfilled_stops_the_call() {
    for model in ["redact-nothing", "unresolved"] {
        let client = Client::start().await;
        let answer = client.stream(&MESSAGES, model).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(MESSAGES.code(&answer.json().await), "unfulfilled");
        assert!(client.provider.heard.borrow().is_empty());
        client.closed(Outcome::Failed).await;
    }
    let client = Client::start().await;
    client.provider.play(stream(&CHAT.events(&[])));
    assert_eq!(client.stream(&CHAT, "watch").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_window_and_the_tools_are_recorded_and_asked_about_without_credentials() {
    let client = Client::start().await;
    client.provider.play(whole("200 OK", &RESPONSES.answer(&[])));
    let body = r#"{"model":"m","instructions":"be kind","input":[{"role":"user","content":"hello"},
        {"type":"function_call","call_id":"c","name":"read","arguments":"{}"},
        {"type":"function_call_output","call_id":"c","output":"found"}],
        "previous_response_id":"r0",
        "tools":[{"type":"function","name":"read","parameters":{}},
        {"type":"mcp","server_label":"crm","server_url":"https://crm.example/","authorization":"CRM-TOKEN"}]}"#;
    assert_eq!(client.post("/openai/v1/responses", body.as_bytes()).await.status, StatusCode::OK);
    assert_eq!(client.provider.heard.borrow()[0].text(), body);
    let window = client.fake.windows.borrow()[0].clone();
    let pieces: Vec<_> =
        window.pieces.iter().map(|piece| (piece.kind, piece.text.as_str())).collect();
    assert_eq!(
        pieces,
        [
            (ObservationKind::SystemPrompt, "be kind"),
            (ObservationKind::UserTurn, "hello"),
            (ObservationKind::AssistantTurn, "{}"),
            (ObservationKind::ToolResult, "found"),
        ]
    );
    assert_eq!(window.pieces[3].call.as_deref(), Some("c"));
    assert_eq!(window.pieces[3].name.as_deref(), Some("read"));
    assert_eq!(window.continues.as_deref(), Some("r0"));
    let tools = window.tools.unwrap();
    assert!(tools.contains("crm.example") && !tools.contains("CRM-TOKEN"), "{tools}");
    let ask = client.fake.asks.borrow()[0].clone();
    assert_eq!(ask.operation.kind, OperationKind::ModelCall);
    assert_eq!((ask.operation.server.as_str(), ask.operation.name.as_str()), ("openai", "m"));
    let server = json!({"kind": "mcp", "name": "crm", "server_url": "https://crm.example/", "approval": "always"});
    let want = json!({
        "model": "m", "new": ["be kind", "hello", "{}", "found"], "parts": 4, "tools": ["read"],
        "server_tools": [server], "continues": "r0", "only_counted": false, "declared": tools,
    });
    let mut asked = arguments(&client, 0);
    let unread = asked.as_object_mut().unwrap().remove("else").unwrap();
    assert!(unread.as_str().unwrap().contains("function_call_output"), "{unread}");
    assert_eq!(asked, want);
}

#[tokio::test]
async fn calls_without_ids_are_counted_on_from_those_in_the_window() {
    let case = super::apis::GEMINI;
    let call = |more: &str| {
        format!(
            r#"{{"role":"model","parts":[{{"functionCall":{{"name":"read","args":{{}}{more}}}}}]}}"#
        )
    };
    let (bare, with_id) = (call(""), call(r#","id":"x""#));
    for (window, want) in [
        (bare.clone(), "read#2"),
        (format!("{bare},{bare}"), "read#3"),
        (format!("{with_id},{bare}"), "read#2"),
        (with_id, "read#1"),
    ] {
        let client = Client::start().await;
        client.provider.play(whole("200 OK", &case.answer(&[("read", "{}")])));
        let body = format!(r#"{{"contents":[{window}]}}"#);
        client.post(&case.path(false, "m"), body.as_bytes()).await.text().await;
        assert_eq!(client.fake.emissions.borrow()[0].call, want, "{body}");
    }
}

#[tokio::test]
async fn a_window_with_more_new_text_than_is_decided_at_once_is_refused() {
    let client = Client::with(Limits { request_bytes_max: 4 << 20, ..LIMITS }).await;
    let body = CHAT.request(true, "m", &"x".repeat(pathwarden_wire::Ask::ARGUMENTS_BYTES_MAX));
    let answer = client.post(&CHAT.path(true, "m"), body.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(client.provider.heard.borrow().is_empty());
    // What is refused for its size is not kept.
    assert!(client.fake.windows.borrow().is_empty());
}
