use http::Method;
use pathwarden_types::{ObservationKind, OperationKind, Outcome};

use super::client::{self, Client};
use super::server;
use crate::fake::call;

#[tokio::test]
async fn a_stream_passes_byte_for_byte_and_its_answer_is_recorded_first() {
    let client = Client::start().await;
    let mut answer = client.post(&call("1", "events")).await;
    assert_eq!(answer.headers.get("x-accel-buffering").unwrap(), "no");
    assert_eq!(answer.headers.get("x-request-id").unwrap(), "kept");
    // Event by event: the rest is sent only when the first part has arrived.
    let (first, rest) = server::events("1");
    answer.read_until(&first).await;
    client.server.go_on.notify_one();
    assert_eq!(answer.text().await, rest);
    assert_eq!(client.fake.reported(1).await[0].effect.outcome, Outcome::Done);
    let asked = client.fake.asked(2).await;
    assert_eq!(asked[1].operation.kind, OperationKind::Elicitation);
}

#[tokio::test]
async fn a_permit_is_closed_wherever_the_answer_shows_up() {
    let client = Client::start().await;
    let cut = client.post(&call("1", "cut")).await.text().await;
    assert_eq!(cut, server::PRIMING);
    assert!(client.fake.reports.borrow().is_empty());
    // The client resumes, loses the answer, and resumes once more.
    let resume = [("last-event-id", "e-1"), ("mcp-session-id", "s")];
    let want = format!("id: e-2\ndata: {}\n\n", server::answer_to("1"));
    let text = client.request(Method::GET, "/mcp/files", &resume, "").await.text().await;
    assert!(!text.contains("1e400"), "another transport session does not get it: {text}");
    let resume = [("last-event-id", "e-1")];
    for _ in 0..2 {
        assert_eq!(client.request(Method::GET, "/mcp/files", &resume, "").await.text().await, want);
    }
    let reports = client.fake.reported(1).await;
    assert_eq!((reports.len(), reports[0].effect.outcome), (1, Outcome::Done));
    let seen = client.fake.seen(2).await;
    assert_eq!(seen[0].observation.kind, ObservationKind::Malformed);
    assert_eq!(seen[1].observation.kind, ObservationKind::Result);
    assert_eq!(seen[1].observation.action, Some(reports[0].action));
}

#[tokio::test]
async fn an_answer_is_repeated_to_the_letter_or_not_at_all() {
    let client = Client::start().await;
    let told = client.post(&call("1", "twice")).await.text().await;
    assert_eq!(told.matches("1e400").count(), 2, "{told}");
    assert!(!told.contains("poison") && told.contains("another answer"), "{told}");
    let seen = client.fake.seen(2).await;
    assert_eq!(seen[1].observation.kind, ObservationKind::Malformed);
}

#[tokio::test]
async fn an_answer_that_never_shows_up_is_unknown() {
    let client = Client::with(crate::Limits {
        resume: std::time::Duration::from_millis(50),
        ..client::LIMITS
    })
    .await;
    client.post(&call("1", "cut")).await.text().await;
    assert_eq!(client.fake.reported(1).await[0].effect.outcome, Outcome::Unknown);
}

#[tokio::test]
async fn the_effect_is_learnt_also_when_the_client_has_gone() {
    let client = Client::start().await;
    let mut answer = client.post(&call("1", "later")).await;
    answer.read_until(": soon\n\n").await;
    drop(answer);
    client.server.go_on.notify_one();
    assert_eq!(client.fake.reported(1).await[0].effect.outcome, Outcome::Done);
}

#[tokio::test]
async fn the_gateway_stops_though_streams_are_open() {
    let mut client = Client::start().await;
    let mut answer = client.request(Method::GET, "/mcp/files", &[], "").await;
    answer.read_until("notifications/tools/list_changed").await;
    client.stop.take().unwrap().send(()).unwrap();
    client.serving.await.unwrap();
    answer.text().await;
}

#[tokio::test]
async fn answers_waited_for_are_forgotten_at_the_limit_oldest_first() {
    let client = Client::start().await;
    for id in 0..client::LIMITS.resumable_max {
        client.post(&call(&id.to_string(), "cut")).await.text().await;
    }
    assert!(client.fake.reports.borrow().is_empty());
    client.post(&call("99", "cut")).await.text().await;
    let reports = client.fake.reported(1).await;
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].effect.outcome, Outcome::Unknown);
    assert_eq!(reports[0].action.as_bytes()[7], 1);
}
