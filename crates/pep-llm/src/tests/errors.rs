use http::StatusCode;
use pathwarden_types::{FindingKind, Outcome};

use super::apis::{ALL, CHAT, Case};
use super::client::{Client, LIMITS};
use super::provider::{Play, head, packed, stream};

#[tokio::test]
async fn an_error_of_the_provider_passes_as_it_is_and_fails_the_call() {
    for case in ALL {
        for status in [400, 429, 529] {
            for kind in ["application/json", "text/html", "text/event-stream"] {
                let client = Client::start().await;
                let body = format!("{{\"type\":\"error\", \"error\":{{\"odd\":{status}.0}}}}");
                let headers =
                    [("content-type", kind), ("retry-after", "7"), ("x-should-retry", "true")];
                client.provider.play(packed(&format!("{status} Oh"), &headers, body.as_bytes()));
                let answer = client.stream(&case, "m").await;
                assert_eq!(answer.status.as_u16(), status);
                for (name, value) in headers {
                    assert_eq!(answer.headers[name], value);
                }
                assert_eq!(answer.text().await, body);
                assert!(client.fake.said.borrow().is_empty());
                client.closed(Outcome::Failed).await;
            }
        }
    }
}

#[tokio::test]
async fn an_error_that_is_too_long_is_told_in_our_words() {
    let client = Client::start().await;
    let body = "x".repeat(LIMITS.error_bytes_max + 1);
    client.provider.play(packed("500 Oh", &[], body.as_bytes()));
    let answer = client.stream(&CHAT, "m").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.text().await.contains("it is longer than"));
    client.closed(Outcome::Unknown).await;
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_a_clear_error_and_a_failed_call() {
    let client = Client::start().await;
    let nobody = Case { upstream: "nobody", ..CHAT };
    let answer = client.stream(&nobody, "m").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    let error = answer.json().await;
    assert_eq!(nobody.code(&error), "unreachable");
    assert!(error.to_string().contains("could not be reached"));
    client.closed(Outcome::Failed).await;
}

#[tokio::test]
async fn a_provider_that_breaks_off_before_it_answers_leaves_the_outcome_unknown() {
    let breaks = [
        vec![Play::Close],
        vec![Play::Send(b"HTTP/1.1 200".to_vec()), Play::Close],
        vec![Play::Send(b"hello\r\n\r\n".to_vec()), Play::Listen],
        vec![Play::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Play::Flood(b"x-a: b\r\n".repeat(64))],
        vec![head("200 OK", &[("content-length", "1"), ("content-length", "2")]), Play::Listen],
    ];
    for case in ALL {
        for play in &breaks {
            let client = Client::start().await;
            client.provider.play(play.clone());
            let answer = client.stream(&case, "m").await;
            assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{play:?}");
            assert!(case.code(&answer.json().await).starts_with("unreachable"));
            client.closed(Outcome::Unknown).await;
        }
    }
}

#[tokio::test]
async fn a_provider_that_does_not_begin_to_answer_in_time_is_not_waited_for() {
    let client = Client::start().await;
    client.provider.play(vec![Play::Listen]);
    let late = Case { upstream: "late", ..CHAT };
    let answer = client.stream(&late, "m").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.text().await.contains("did not begin to answer"));
    client.provider.was_left(1).await;
    client.closed(Outcome::Unknown).await;
}

#[tokio::test]
async fn a_request_is_sent_once_also_when_a_used_connection_breaks() {
    let client = Client::start().await;
    client.provider.play(stream(&CHAT.events(&[])));
    client.stream(&CHAT, "m").await.text().await;
    client.provider.play(vec![Play::Close]);
    assert_eq!(client.stream(&CHAT, "m").await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(client.provider.heard.borrow().len(), 2);
}

#[tokio::test]
async fn an_answer_of_another_kind_is_read_as_a_whole_and_found_wanting() {
    let client = Client::start().await;
    let text = CHAT.events(&[("read", r#"{"to":"SECRET"}"#)]).concat();
    client.provider.play(packed("200 OK", &[("content-type", "text/plain")], text.as_bytes()));
    let answer = client.stream(&CHAT, "m").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(!answer.text().await.contains("SECRET"));
    assert_eq!(client.fake.findings.borrow()[0].kind, FindingKind::AnswerBroken);
    client.closed(Outcome::Unknown).await;
}
