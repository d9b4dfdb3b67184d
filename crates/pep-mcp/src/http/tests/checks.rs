use http::{Method, StatusCode};
use pathwarden_types::ObservationKind;

use super::client::{self, Client};
use super::{ODD, server};
use crate::fake::call;

/// Name, method, path, headers, and the status that is wanted.
type Case<'a> = (&'a str, Method, &'a str, &'a [(&'a str, &'a str)], StatusCode);

#[tokio::test]
async fn each_check_refuses_with_its_own_status() {
    let client = Client::start().await;
    let port = client.host().rsplit(':').next().unwrap().to_owned();
    let evil = format!("evil.example:{port}");
    let cases: [Case<'_>; 13] = [
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
