use std::sync::atomic::Ordering;

use http::StatusCode;
use pathwarden_types::Outcome;

use super::apis::ALL;
use super::client::Client;
use super::provider::{stream, whole};

#[tokio::test]
async fn a_whole_answer_that_cannot_be_recorded_is_withheld() {
    for case in ALL {
        let client = Client::start().await;
        client.fake.refuses_said.store(true, Ordering::SeqCst);
        client.provider.play(whole("200 OK", &case.answer(&[("read", r#"{"to":"SECRET"}"#)])));
        let answer = client.whole(&case, "m").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        let error = answer.json().await;
        assert_eq!(case.code(&error), "pathwarden");
        assert!(!error.to_string().contains("SECRET"));
        client.closed(Outcome::Unknown).await;
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_recorded_ends_with_an_event_that_says_so() {
    for case in ALL {
        let client = Client::start().await;
        client.fake.refuses_said.store(true, Ordering::SeqCst);
        let text = case.events(&[]).concat();
        client.provider.play(stream(&[&text]));
        let told = client.stream(&case, "m").await.text().await;
        let event = told.strip_prefix(&text).unwrap();
        assert!(event.contains("Pathwarden could not record this answer"), "{event}");
        let reports = client.reports().await;
        assert_eq!(reports.len(), 1);
    }
}

#[tokio::test]
async fn a_request_that_two_servers_read_differently_is_refused_and_observed() {
    for case in ALL {
        let client = Client::start().await;
        let wrong = [
            "",
            "[]",
            "not json",
            r#"{"model":"a","model":"b","messages":[],"contents":[],"input":""}"#,
            r#"{"model":5,"messages":5,"contents":5,"input":5}"#,
        ];
        for (count, body) in wrong.into_iter().enumerate() {
            let answer = client.post(&case.path(true, "m"), body.as_bytes()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(case.code(&answer.json().await), "unreadable");
            assert_eq!(client.fake.observed.borrow()[count].content, body);
        }
        assert!(client.provider.heard.borrow().is_empty());
        assert!(client.fake.windows.borrow().is_empty());
    }
}
