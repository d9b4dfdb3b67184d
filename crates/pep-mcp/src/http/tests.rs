mod checks;
mod client;
mod endpoint;
mod holds;
mod modern;
mod server;
mod streams;

use std::sync::atomic::Ordering;

use client::{Client, TOKEN};
use http::{Method, StatusCode};
use pathwarden_types::{ObservationKind, Outcome};

use crate::fake::call;

const ODD: &str = r#"{"z":[1e400, 1.0,50.0,-0],"jsonrpc":"2.0","id":1,"params":{"vendor" :"é","name":"x","arguments":{"b":1,"a":0.10}},"method":"tools/call"}"#;

#[tokio::test]
async fn what_nobody_changes_passes_byte_for_byte_both_ways() {
    let client = Client::start().await;
    let answer = client.post(ODD).await;
    assert_eq!((answer.status, answer.text().await), (StatusCode::OK, server::answer_to("1")));
    let heard = client.server.heard(1).await.remove(0);
    assert_eq!(heard.body, ODD);
    let report = client.fake.reported(1).await.remove(0);
    assert_eq!(report.effect.outcome, Outcome::Done);
    assert_eq!(report.result.unwrap(), server::RESULT);
}

#[tokio::test]
async fn headers_pass_and_the_token_does_not() {
    let client = Client::start().await;
    let extra =
        [("mcp-session-id", "s"), ("traceparent", "00-1-2-3"), ("x-vendor", "1"), ("cookie", "c")];
    let answer = client.request(Method::POST, "/mcp/files", &extra, ODD).await;
    assert_eq!(answer.headers.get("x-request-id").unwrap(), "kept");
    assert!(answer.headers.get("set-cookie").is_none());
    assert_eq!(answer.headers.get("mcp-session-id").unwrap(), "s-1");
    let heard = client.server.heard(1).await.remove(0);
    for (name, value) in extra.iter().take(3) {
        assert_eq!(heard.headers.get(*name).unwrap(), value);
    }
    assert_eq!(heard.headers.get("mcp-protocol-version").unwrap(), "2025-11-25");
    assert!(heard.headers.get("cookie").is_none());
    assert_eq!(heard.headers.get("authorization").unwrap(), "Bearer own", "of the gateway");
    assert!(heard.headers.values().all(|value| !value.to_str().unwrap().contains(TOKEN)));
    assert_ne!(heard.headers.get("host").unwrap(), client.host());
}

#[tokio::test]
async fn a_refused_call_never_reaches_the_server_and_the_model_can_read_why() {
    let client = Client::start().await;
    for (name, want) in
        [("deny", "no_outsiders"), ("fault", "ledger_unavailable"), ("redact", "conflict")]
    {
        let answer = client.post(&call("1", name)).await;
        assert_eq!(answer.status, StatusCode::OK);
        let told = answer.text().await;
        assert!(told.contains(r#""isError":true"#) && told.contains(want), "{told}");
    }
    assert!(client.server.seen.borrow().is_empty());
}

#[tokio::test]
async fn an_obligation_to_rewrite_changes_that_argument_only() {
    let client = Client::start().await;
    client.post(&call("1", "rewrite")).await;
    let heard = client.server.heard(1).await.remove(0);
    assert_eq!(heard.body, call("1", "rewrite").replace("\"a@b\"", "\"<cut>\""));
}

#[tokio::test]
async fn a_hello_and_a_catalogue_are_observed() {
    let client = Client::start().await;
    let hello =
        |method: &str| format!(r#"{{"jsonrpc":"2.0","id":0,"method":"{method}","params":{{}}}}"#);
    assert_eq!(client.post(&hello("initialize")).await.text().await, server::answer_to("0"));
    assert_eq!(client.post(&hello("tools/list")).await.text().await, server::answer_to("0"));
    let kinds: Vec<_> =
        client.fake.catalogued(2).await.iter().map(|catalogue| catalogue.kind).collect();
    assert_eq!(kinds, [ObservationKind::ServerHello, ObservationKind::Catalogue]);
    client.fake.refuses_observations.store(true, Ordering::SeqCst);
    assert!(client.post(&hello("tools/list")).await.text().await.contains("withheld"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_clear_error_and_a_failed_action() {
    let client = Client::start().await;
    let answer = client.request(Method::POST, "/mcp/nobody", &[], &call("1", "x")).await;
    let told = answer.text().await;
    assert!(told.contains(r#""id":1,"error""#) && told.contains("could not be reached"), "{told}");
    assert_eq!(client.fake.reported(1).await[0].effect.outcome, Outcome::Failed);
}

#[tokio::test]
async fn answers_that_are_none_are_errors_for_their_request() {
    let client = Client::start().await;
    let cases =
        ["duplicate", "empty", "html", "other", "plain-cut", "torn", "sse-duplicate", "endless"];
    for (count, name) in cases.into_iter().enumerate() {
        let told = client.post(&call("1", name)).await.text().await;
        assert!(told.contains(r#""id":1,"error""#), "{name}: {told}");
        let report = client.fake.reported(count + 1).await.remove(count);
        assert_eq!(report.effect.outcome, Outcome::Unknown, "{name}");
    }
}

#[tokio::test]
async fn a_server_leads_the_client_to_nobody_else() {
    let client = Client::start().await;
    for name in ["elsewhere", "issuer"] {
        let answer = client.post(&call("1", name)).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{name}");
        for header in ["location", "www-authenticate", "set-cookie"] {
            assert!(answer.headers.get(header).is_none(), "{name} {header}");
        }
        let told = answer.text().await;
        assert!(!told.contains("evil"), "{told}");
    }
}

#[tokio::test]
async fn an_error_of_http_passes_with_its_status_and_closes_the_permit() {
    let client = Client::start().await;
    let answer = client.post(&call("1", "gone")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let told = answer.text().await;
    assert!(told.contains("the server answered with the status 404"), "{told}");
    let report = client.fake.reported(1).await.remove(0);
    assert_eq!(report.effect.outcome, Outcome::Failed);
    assert_eq!(report.result.unwrap(), "session not found");
}

#[tokio::test]
async fn what_a_client_answers_to_the_server_is_passed_on() {
    let client = Client::start().await;
    let reply = r#"{"jsonrpc":"2.0","id":"s1","result":{"v":1.0}}"#;
    let answer = client.post(reply).await;
    assert_eq!((answer.status, answer.text().await), (StatusCode::ACCEPTED, String::new()));
    assert_eq!(client.server.heard(1).await[0].body, reply);
    let notice = r#"{"jsonrpc":"2.0","method":"notifications/strange"}"#;
    assert_eq!(client.post(notice).await.status, StatusCode::ACCEPTED);
    assert_eq!(client.fake.seen(1).await[0].observation.kind, ObservationKind::Malformed);
    assert_eq!(client.server.seen.borrow().len(), 1);
}

#[tokio::test]
async fn a_session_of_the_transport_can_be_ended() {
    let client = Client::start().await;
    let session = [("mcp-session-id", "s")];
    let answer = client.request(Method::DELETE, "/mcp/files", &session, "").await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let heard = client.server.heard(1).await.remove(0);
    assert_eq!(heard.method, Method::DELETE);
    assert_eq!(heard.headers.get("mcp-session-id").unwrap(), "s");
}

#[tokio::test]
async fn a_result_that_cannot_be_recorded_is_withheld() {
    let client = Client::start().await;
    client.fake.refuses_reports.store(true, Ordering::SeqCst);
    client.server.go_on.notify_one();
    for name in ["x", "events", "gone"] {
        let told = client.post(&call("1", name)).await.text().await;
        assert!(told.contains("withheld") && !told.contains("1e400"), "{told}");
        assert!(!told.contains("session not found"), "{told}");
    }
}
