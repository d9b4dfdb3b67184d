use http::{Method, StatusCode};
use pathwarden_lens_llm::Provider as Kind;
use pathwarden_types::FindingKind;

use super::apis::{ALL, CHAT, Case, GEMINI, MESSAGES};
use super::client::{BEARER, Client, KEY, TOKEN};
use super::provider::whole;
use crate::Upstream;
use crate::fake::{SESSION, first};

const BESIDE: (&str, &str) = ("x-pathwarden-token", TOKEN);

async fn send(client: &Client, case: &Case, path: &str, headers: &[(&str, &str)]) -> StatusCode {
    client.provider.play(whole("200 OK", &case.answer(&[])));
    let body = case.request(false, "m", "hello");
    client.send(Method::POST, path, headers, body.as_bytes()).await.status
}

#[tokio::test]
async fn only_the_credential_and_the_trace_differ_in_what_the_provider_gets() {
    for case in ALL {
        let client = Client::start().await;
        client.provider.play(whole("200 OK", &case.answer(&[])));
        let kept = [
            ("x-vendor", "1"),
            ("anthropic-version", "2023-06-01"),
            ("openai-organization", "o"),
            ("user-agent", "sdk/1"),
            ("x-stainless-retry-count", "0"),
            ("tracestate", "a=b"),
        ];
        let gone = [
            ("x-api-key", TOKEN),
            ("x-goog-api-key", TOKEN),
            ("api-key", TOKEN),
            ("cookie", TOKEN),
            ("proxy-authorization", TOKEN),
            ("connection", "x-hop"),
            ("x-hop", TOKEN),
            ("origin", "http://localhost"),
        ];
        let changed = [
            BEARER,
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-00000000000000ab-01"),
            ("accept-encoding", "gzip, br"),
        ];
        let headers = [&kept[..], &gone, &changed].concat();
        let path = case.path(false, "m");
        let body = case.request(false, "m", "hello");
        let answer = client.send(Method::POST, &path, &headers, body.as_bytes()).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!format!("{:?}", answer.headers).contains(KEY));
        let heard = first(&client.provider.heard, 1).await.remove(0);
        for (name, value) in kept {
            assert_eq!(heard.header(name), [value], "{name}");
        }
        assert_eq!(heard.header("accept-encoding"), ["identity"]);
        let trace = format!("00-{SESSION}-0000000000000001-01");
        assert_eq!(heard.header("traceparent"), [trace.as_str()]);
        let parent = client.fake.asks.borrow()[0].parent.unwrap().to_string();
        assert_eq!(parent, "00000000000000ab");
        let all: Vec<&str> = ["authorization", "x-api-key", "x-goog-api-key", "api-key"]
            .iter()
            .flat_map(|name| heard.header(name))
            .collect();
        let bearer = format!("Bearer {KEY}");
        assert_eq!(all, [if case.upstream == "openai" { &bearer } else { KEY }]);
        assert!(!heard.head.contains(TOKEN), "{}", heard.head);
        assert!(!heard.head.contains("origin:") && !heard.head.contains("x-hop"));
    }
}

#[tokio::test]
async fn an_agent_brings_a_key_of_its_own_beside_its_token() {
    let client = Client::start().await;
    let own = [BESIDE, ("authorization", "Bearer sk-own")];
    let path = "/keyless/v1/chat/completions";
    assert_eq!(send(&client, &CHAT, path, &own).await, StatusCode::OK);
    let path = "/keyless-gemini/v1beta/models/m:generateContent?key=g-own";
    assert_eq!(send(&client, &GEMINI, path, &[BESIDE]).await, StatusCode::OK);
    // Where the operator has a key, nobody brings another one.
    let path = "/gemini/v1beta/models/m:generateContent?key=g-own&x=1";
    assert_eq!(send(&client, &GEMINI, path, &[own[0], own[1]]).await, StatusCode::OK);
    let heard = first(&client.provider.heard, 3).await;
    assert_eq!(heard[0].header("authorization"), ["Bearer sk-own"]);
    assert!(heard[1].line().ends_with("?key=g-own"));
    assert!(heard[2].line().ends_with("?x=1"));
    assert_eq!(
        (heard[2].header("x-goog-api-key"), heard[2].header("authorization")),
        (vec![KEY], vec![])
    );
    assert!(heard.iter().all(|heard| !heard.head.contains(TOKEN)));
}

#[tokio::test]
async fn a_token_in_the_query_does_not_reach_the_provider() {
    let client = Client::start().await;
    let path = "/gemini/v1beta/models/m:generateContent?x=1&key=agent-token";
    assert_eq!(send(&client, &GEMINI, path, &[]).await, StatusCode::OK);
    let heard = first(&client.provider.heard, 1).await.remove(0);
    assert!(heard.line().ends_with("?x=1") && !heard.head.contains(TOKEN));
}

#[tokio::test]
async fn a_token_that_is_sent_once_more_in_the_place_of_a_key_is_not_passed_on() {
    let client = Client::start().await;
    let path = "/keyless/v1/chat/completions";
    for twice in
        [("authorization", "Bearer agent-token"), ("api-key", TOKEN), ("cookie", "t=agent-token")]
    {
        let status = send(&client, &CHAT, path, &[BESIDE, twice]).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{twice:?}");
    }
    let path = "/keyless-gemini/v1beta/models/m:generateContent?key=agent-token";
    assert_eq!(send(&client, &GEMINI, path, &[BESIDE]).await, StatusCode::UNAUTHORIZED);
    assert!(client.provider.heard.borrow().is_empty());
}

#[tokio::test]
async fn without_a_credential_or_with_two_nobody_comes_in_and_the_sdk_can_read_why() {
    let client = Client::start().await;
    let two = [BEARER, ("authorization", "Bearer b")];
    let wrong: [&[(&str, &str)]; 6] = [
        &[],
        &[("authorization", "Bearer guess")],
        &[("authorization", "Basic agent-token")],
        &[("x-pathwarden-token", "guess"), BEARER],
        &two,
        &[BESIDE, BESIDE],
    ];
    for case in ALL {
        for headers in wrong {
            let (path, body) = (case.path(true, "m"), case.request(true, "m", "hello"));
            let answer = client.send(Method::POST, &path, headers, body.as_bytes()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{headers:?}");
            let error = answer.json().await;
            assert!(["no_token", "pathwarden"].contains(&case.code(&error)), "{error}");
        }
    }
    let other = [BEARER, ("x-api-key", "other")];
    let status = send(&client, &MESSAGES, &MESSAGES.path(false, "m"), &other).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let path = "/gemini/v1beta/models/m:generateContent?key=agent-token&key=other";
    assert_eq!(send(&client, &GEMINI, path, &[]).await, StatusCode::UNAUTHORIZED);
    // A provider for which there is no key, neither the operator's nor the agent's.
    let path = "/keyless/v1/chat/completions";
    assert_eq!(send(&client, &CHAT, path, &[BEARER]).await, StatusCode::UNAUTHORIZED);
    assert!(client.provider.heard.borrow().is_empty());
    assert!(client.fake.windows.borrow().is_empty());
}

#[tokio::test]
async fn a_page_of_somebody_else_is_refused_and_told_of() {
    let client = Client::start().await;
    let forged = [("host", "evil.example"), ("origin", "http://evil.example"), ("origin", "null")];
    for (count, header) in forged.into_iter().enumerate() {
        let status = send(&client, &CHAT, &CHAT.path(false, "m"), &[BEARER, header]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{header:?}");
        let finding = first(&client.fake.findings, count + 1).await.remove(count);
        assert_eq!(
            (finding.kind, finding.subject.as_str()),
            (FindingKind::ForeignOrigin, header.1)
        );
    }
    assert!(client.provider.heard.borrow().is_empty());
    assert!(client.fake.windows.borrow().is_empty());
}

#[test]
fn a_key_is_in_nothing_that_is_shown() {
    for kind in Kind::ALL {
        let new =
            |key| Upstream::new(kind, "http://127.0.0.1:9", Some(key), std::time::Duration::MAX, 1);
        let upstream = new(KEY).ok().unwrap();
        assert!(!format!("{:?}", upstream.key()).contains(KEY));
        let error = new("key-of-the-operator\n").err().unwrap();
        assert!(!format!("{error} {error:?}").contains(KEY));
    }
}
