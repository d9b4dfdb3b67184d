mod client;
mod server;

use std::sync::atomic::Ordering;

use client::{Client, TOKEN};
use http::{Method, StatusCode};
use pathwarden_types::{ObservationKind, Outcome};

use crate::fake::{call, cancel};

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
    assert_eq!(answer.headers.get("x-vendor").unwrap(), "kept");
    assert_eq!(answer.headers.get("mcp-session-id").unwrap(), "s-1");
    let heard = client.server.heard(1).await.remove(0);
    for (name, value) in extra.iter().take(3) {
        assert_eq!(heard.headers.get(*name).unwrap(), value);
    }
    assert_eq!(heard.headers.get("mcp-protocol-version").unwrap(), "2025-11-25");
    assert!(heard.headers.get("authorization").is_none() && heard.headers.get("cookie").is_none());
    assert!(heard.headers.values().all(|value| !value.to_str().unwrap().contains(TOKEN)));
    assert_ne!(heard.headers.get("host").unwrap(), client.host());
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte_and_its_answer_is_recorded_first() {
    let client = Client::start().await;
    let mut answer = client.post(&call("1", "events")).await;
    assert_eq!(answer.headers.get("x-accel-buffering").unwrap(), "no");
    assert_eq!(answer.headers.get("x-vendor").unwrap(), "kept");
    // Event by event: the rest is sent only when the first part has arrived.
    let (first, rest) = server::events("1");
    answer.read_until(&first).await;
    client.server.go_on.notify_one();
    assert_eq!(answer.text().await, rest);
    assert_eq!(client.fake.reported(1).await[0].effect.outcome, Outcome::Done);
    let seen = client.fake.seen(1).await;
    assert_eq!(seen[0].observation.kind, ObservationKind::ServerRequest);
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

#[tokio::test]
async fn a_hello_and_a_catalogue_are_observed() {
    let client = Client::start().await;
    let hello =
        |method: &str| format!(r#"{{"jsonrpc":"2.0","id":0,"method":"{method}","params":{{}}}}"#);
    assert_eq!(client.post(&hello("initialize")).await.text().await, server::answer_to("0"));
    assert_eq!(client.post(&hello("tools/list")).await.text().await, server::answer_to("0"));
    let kinds: Vec<_> =
        client.fake.seen(2).await.iter().map(|seen| seen.observation.kind).collect();
    assert_eq!(kinds, [ObservationKind::ServerHello, ObservationKind::Catalogue]);
    client.fake.refuses_observations.store(true, Ordering::SeqCst);
    assert!(client.post(&hello("tools/list")).await.text().await.contains("withheld"));
}

#[tokio::test]
async fn each_check_refuses_with_its_own_status() {
    let client = Client::start().await;
    let port = client.host().rsplit(':').next().unwrap().to_owned();
    let evil = format!("evil.example:{port}");
    let cases: [(&str, Method, &str, &[(&str, &str)], StatusCode); 13] = [
        ("forged host", Method::POST, "/mcp/files", &[("host", &evil)], StatusCode::FORBIDDEN),
        (
            "forged origin",
            Method::POST,
            "/mcp/files",
            &[("origin", "http://evil.example")],
            StatusCode::FORBIDDEN,
        ),
        // The host is checked before the token, and the token before the path.
        (
            "host first",
            Method::POST,
            "/mcp/no",
            &[("host", &evil), ("authorization", "")],
            StatusCode::FORBIDDEN,
        ),
        ("no token", Method::POST, "/mcp/no", &[("authorization", "")], StatusCode::UNAUTHORIZED),
        (
            "unknown token",
            Method::POST,
            "/mcp/no",
            &[("authorization", "Bearer guess")],
            StatusCode::UNAUTHORIZED,
        ),
        (
            "wrong role",
            Method::POST,
            "/mcp/no",
            &[("authorization", "Bearer auditor")],
            StatusCode::FORBIDDEN,
        ),
        ("unknown upstream", Method::POST, "/mcp/no", &[], StatusCode::NOT_FOUND),
        ("other path", Method::POST, "/", &[], StatusCode::NOT_FOUND),
        ("method", Method::PUT, "/mcp/files", &[], StatusCode::METHOD_NOT_ALLOWED),
        ("query", Method::POST, "/mcp/files?admin=1", &[], StatusCode::BAD_REQUEST),
        (
            "type",
            Method::POST,
            "/mcp/files",
            &[("content-type", "text/plain")],
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            "encoding",
            Method::POST,
            "/mcp/files",
            &[("content-encoding", "gzip")],
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (
            "accept",
            Method::GET,
            "/mcp/files",
            &[("accept", "text/html")],
            StatusCode::NOT_ACCEPTABLE,
        ),
    ];
    for (name, method, path, headers, want) in cases {
        let answer = client.request(method, path, headers, ODD).await;
        assert_eq!(answer.status, want, "{name}");
        let challenged = answer.headers.contains_key("www-authenticate");
        assert_eq!(challenged, want == StatusCode::UNAUTHORIZED || name == "wrong role", "{name}");
    }
    assert!(client.server.seen.borrow().is_empty() && client.fake.asks.borrow().is_empty());
}

#[tokio::test]
async fn messages_that_two_parsers_read_differently_are_refused_and_observed() {
    let client = Client::start().await;
    let cases: [&[u8]; 5] = [
        br#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#,
        br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"x\":\"\xff\"}",
        b"",
        br#"{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}"#,
    ];
    for (count, body) in cases.iter().enumerate() {
        let answer = client.post_bytes(body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text().await.contains("\"error\""));
        assert_eq!(
            client.fake.seen(count + 1).await[count].observation.kind,
            ObservationKind::Malformed
        );
    }
    assert!(client.server.seen.borrow().is_empty());
}

#[tokio::test]
async fn a_body_of_the_limit_passes_and_one_past_it_is_refused() {
    let client = Client::start().await;
    let of_length = |bytes: usize| {
        let call = call("1", "x");
        call.replace("a@b", &"x".repeat(bytes - call.len() + 3))
    };
    let limit = client::LIMITS.message_bytes_max;
    assert_eq!(client.post(&of_length(limit)).await.text().await, server::answer_to("1"));
    assert_eq!(client.post(&of_length(limit + 1)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn methods_and_revisions_of_the_stateless_protocol_make_the_client_fall_back() {
    let client = Client::start().await;
    let probe = r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}"#;
    let modern = [("mcp-protocol-version", "2026-07-28")];
    for body in [probe, &call("1", "x")] {
        let answer = client.request(Method::POST, "/mcp/files", &modern, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text().await.contains(r#""id":1,"error""#));
    }
    let answer = client.post(probe).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text().await.contains("-32601"));
    assert!(client.server.seen.borrow().is_empty());
}

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
async fn an_error_of_http_passes_with_its_status_and_closes_the_permit() {
    let client = Client::start().await;
    let answer = client.post(&call("1", "gone")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.text().await, "session not found");
    let report = client.fake.reported(1).await.remove(0);
    assert_eq!(report.effect.outcome, Outcome::Failed);
    assert_eq!(report.result.unwrap(), "session not found");
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
async fn the_gateway_stops_though_streams_are_open() {
    let mut client = Client::start().await;
    let mut answer = client.request(Method::GET, "/mcp/files", &[], "").await;
    answer.read_until("notifications/tools/list_changed").await;
    client.stop.take().unwrap().send(()).unwrap();
    client.serving.await.unwrap();
    answer.text().await;
}
