use http::{Method, StatusCode};
use pathwarden_types::Outcome;

use super::client::Client;
use super::server;
use crate::fake::{call, cancel};

#[tokio::test]
async fn a_held_call_is_kept_alive_and_then_answered_on_the_stream() {
    let client = Client::start().await;
    let mut answer = client.post(&call("1", "hold")).await;
    assert_eq!(answer.headers.get("content-type").unwrap(), "text/event-stream");
    answer.read_until(r#""progressToken":"p-1","progress":0.002,"#).await;
    client.fake.person.send_replace(Some(true));
    let rest = answer.text().await;
    assert!(
        rest.ends_with(&format!("event: message\ndata: {}\n\n", server::answer_to("1"))),
        "{rest}"
    );
    assert_eq!(client.fake.reported(1).await[0].effect.outcome, Outcome::Done);
}

#[tokio::test]
async fn calls_that_wait_for_a_person_leave_room_for_those_that_do_not() {
    let limits = crate::Limits { open_max: 16, ..super::client::LIMITS };
    let client = Client::with(limits).await;
    let mut held = Vec::new();
    // As many as the server may have under way.
    for id in 1..=8 {
        let mut answer = client.post(&call(&id.to_string(), "hold")).await;
        answer.read_until("waiting for approval").await;
        held.push(answer);
    }
    let told = client.post(&call("9", "x")).await.text().await;
    assert_eq!(told, server::answer_to("9"));
}

#[tokio::test]
async fn a_held_call_without_a_progress_token_is_kept_alive_by_comments() {
    let client = Client::start().await;
    let body = call("1", "hold").replace("progressToken", "other");
    let mut answer = client.post(&body).await;
    answer.read_until(": waiting\n\n: waiting\n\n").await;
    client.fake.person.send_replace(Some(false));
    assert!(answer.text().await.contains("no_outsiders"));
}

#[tokio::test]
async fn a_held_call_of_a_client_without_streams_just_waits() {
    let client = Client::start().await;
    client.fake.person.send_replace(Some(true));
    let json = [("accept", "application/json")];
    let answer = client.request(Method::POST, "/mcp/files", &json, &call("1", "hold")).await;
    assert_eq!(answer.text().await, server::answer_to("1"));
}

#[tokio::test]
async fn a_cancelled_held_call_ends_and_reaches_nobody() {
    let client = Client::start().await;
    let mut answer = client.post(&call("1", "hold")).await;
    answer.read_until("waiting for approval").await;
    assert_eq!(client.post(&cancel("1")).await.status, StatusCode::ACCEPTED);
    client.fake.waiting.subscribe().wait_for(|left| *left == 1).await.unwrap();
    assert!(!answer.text().await.contains("\"id\":1"));
    assert!(client.server.seen.borrow().is_empty());
    // One of a call that the server has is passed on.
    assert_eq!(client.post(&cancel("2")).await.status, StatusCode::ACCEPTED);
    assert_eq!(client.server.heard(1).await[0].body, cancel("2"));
}

#[tokio::test]
async fn a_held_call_of_a_client_that_goes_away_is_not_waited_for() {
    let client = Client::start().await;
    let mut answer = client.post(&call("1", "hold")).await;
    answer.read_until("waiting for approval").await;
    drop(answer);
    client.fake.waiting.subscribe().wait_for(|left| *left == 1).await.unwrap();
    assert!(client.server.seen.borrow().is_empty());
}

#[tokio::test]
async fn calls_are_held_up_to_the_limit_and_no_further() {
    let client = Client::start().await;
    let mut held = Vec::new();
    for id in 0..super::client::LIMITS.open_max {
        let mut answer = client.post(&call(&id.to_string(), "hold")).await;
        answer.read_until("waiting for approval").await;
        held.push(answer);
    }
    let told = client.post(&call("99", "x")).await.text().await;
    assert!(told.contains("too many requests"), "{told}");
    assert!(client.server.seen.borrow().is_empty());
}
