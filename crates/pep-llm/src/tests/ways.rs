use http::{Method, StatusCode};
use pathwarden_types::Outcome;

use super::apis::{ALL, CHAT, Case, GEMINI, MESSAGES, RESPONSES};
use super::client::{BEARER, Client, KEY, LIMITS, TOKEN};
use super::provider::{Play, begin, end, piece, stream, whole};
use crate::fake::first;

#[tokio::test]
async fn a_request_of_the_limit_passes_and_one_past_it_does_not() {
    for case in ALL {
        let client = Client::start().await;
        let filled = |bytes: usize| {
            let empty = case.request(false, "m", "").len();
            case.request(false, "m", &"x".repeat(bytes - empty))
        };
        let limit = LIMITS.request_bytes_max;
        client.provider.play(whole("200 OK", &case.answer(&[])));
        let path = case.path(false, "m");
        assert_eq!(client.post(&path, filled(limit).as_bytes()).await.status, StatusCode::OK);
        for bytes in [limit + 1, limit * 64] {
            let answer = client.post(&path, filled(bytes).as_bytes()).await;
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
            assert_eq!(case.code(&answer.json().await), "unreadable");
        }
        assert_eq!(client.provider.heard.borrow().len(), 1);
        assert_eq!(client.fake.windows.borrow().len(), 1);
    }
}

#[tokio::test]
async fn what_is_not_known_is_not_passed_on() {
    let client = Client::start().await;
    let paths = [
        "/openai/v1/files",
        "/openai/v1/chat/completions/",
        "/openai/v1//chat/completions",
        "/openai/v1/x/../chat/completions",
        "/openai/v1/chat%2Fcompletions",
        "/openai",
        "/anthropic/v1/messages/batches",
        "/anthropic/messages",
        "/gemini/v1beta/models/m:embedContent",
        "/gemini/v1beta/models/m:generateContent?alt=proto",
        "/gemini/v1beta/models/..%2Fx:generateContent",
        "/gemini/v1beta/models/m:generateContent?callback=x",
        "/nowhere/v1/chat/completions",
        "/",
        "//evil.example/v1/chat/completions",
    ];
    for path in paths {
        for headers in [&[BEARER][..], &[]] {
            let answer = client.send(Method::POST, path, headers, b"{}").await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS] {
        let answer = client.send(method, "/openai/v1/chat/completions", &[BEARER], b"{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    assert!(client.provider.heard.borrow().is_empty());
    assert!(client.fake.windows.borrow().is_empty());
}

#[tokio::test]
async fn what_there_is_about_models_passes_without_a_permit() {
    let client = Client::start().await;
    let list = r#"{"data":[ {"id":"m"}]}"#;
    let cases = [
        ("/openai/v1/models?limit=5", "GET /base/v1/models?limit=5"),
        ("/openai/models/m", "GET /base/models/m"),
        ("/anthropic/v1/models", "GET /base/v1/models"),
        ("/gemini/v1beta/models?key=agent-token", "GET /base/v1beta/models"),
    ];
    for (count, (path, want)) in cases.into_iter().enumerate() {
        client.provider.play(whole("200 OK", list));
        let credential = if path.contains("key=") { &[][..] } else { &[BEARER] };
        let answer = client.send(Method::GET, path, credential, b"").await;
        assert_eq!((answer.status, answer.text().await.as_str()), (StatusCode::OK, list));
        let heard = first(&client.provider.heard, count + 1).await.remove(count);
        assert_eq!(heard.line(), want);
        assert!(heard.head.contains(KEY) && !heard.head.contains(TOKEN));
    }
    client.provider.play(whole("404 Not Found", "{}"));
    let answer = client.send(Method::GET, "/openai/v1/models/m", &[BEARER], b"").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let answer = client.send(Method::GET, "/openai/v1/models", &[], b"").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = client.send(Method::GET, "/nobody/v1/models", &[BEARER], b"").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(client.fake.windows.borrow().is_empty() && client.fake.asks.borrow().is_empty());
    assert!(client.reports().await.is_empty());
}

#[tokio::test]
async fn counting_tokens_is_decided_because_the_text_goes_to_the_provider() {
    let cases = [
        (MESSAGES, "/anthropic/v1/messages/count_tokens"),
        (RESPONSES, "/openai/v1/responses/input_tokens"),
        (GEMINI, "/gemini/v1beta/models/MODEL:countTokens"),
    ];
    for (case, path) in cases {
        let client = Client::start().await;
        let counted = r#"{"input_tokens": 5.0}"#;
        for (model, want) in [("deny", StatusCode::FORBIDDEN), ("m", StatusCode::OK)] {
            client.provider.play(whole("200 OK", counted));
            let (path, body) = (path.replace("MODEL", model), case.request(false, model, "hello"));
            let answer = client.post(&path, body.as_bytes()).await;
            assert_eq!(answer.status, want);
            if want == StatusCode::OK {
                assert_eq!(answer.text().await, counted);
                assert_eq!(client.provider.heard.borrow()[0].text(), body);
            }
        }
        let fake = std::sync::Arc::clone(&client.fake);
        assert!(fake.asks.borrow()[1].arguments.contains("\"only_counted\":true"));
        assert!(fake.said.borrow().is_empty(), "no model answered");
        let reports = client.reports().await;
        assert_eq!((reports.len(), reports[0].effect.outcome), (1, Outcome::Done));
    }
}

#[tokio::test]
async fn one_more_call_than_the_limit_is_refused_and_its_permit_closed() {
    let client = Client::start().await;
    let narrow = Case { upstream: "narrow", ..CHAT };
    let (early, late) = (CHAT.events(&[])[..2].concat(), CHAT.events(&[])[2..].concat());
    client.provider.play(vec![begin(), piece(&early), Play::Wait, piece(&late), end()]);
    let mut under_way = client.stream(&narrow, "m").await;
    under_way.read_until("Hi").await;
    let answer = client.stream(&narrow, "m").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(narrow.code(&answer.json().await), "busy");
    let report = first(&client.fake.reports, 1).await.remove(0);
    assert_eq!(report.effect.outcome, Outcome::Failed);
    assert_eq!(Some(report.action), client.fake.asks.borrow()[1].minted);
    // Another provider has its own limit.
    client.provider.play(stream(&CHAT.events(&[])));
    assert_eq!(client.stream(&CHAT, "m").await.status, StatusCode::OK);
    client.provider.go_on.notify_one();
    assert_eq!(under_way.text().await, early + &late);
    assert_eq!(client.reports().await.len(), 3);
}

#[tokio::test]
async fn a_client_may_speak_http_2_and_send_many_requests_on_one_connection() {
    for is_http2 in [true, false] {
        let mut client = Client::start().await;
        if is_http2 {
            client = client.by_http2();
        }
        for case in ALL.into_iter().cycle().take(40) {
            let text = case.events(&[("read", r#"{"to":"b"}"#)]).concat();
            client.provider.play(stream(&[&text]));
            let answer = client.stream(&case, "m").await;
            let version = if is_http2 { http::Version::HTTP_2 } else { http::Version::HTTP_11 };
            assert_eq!(answer.version, version);
            assert_eq!(answer.text().await, text);
        }
        assert_eq!(client.reports().await.len(), 40);
    }
}

#[tokio::test]
async fn what_is_under_way_ends_before_the_gateway_does() {
    let client = Client::start().await;
    let provider = std::sync::Arc::clone(&client.provider);
    let (early, late) = (CHAT.events(&[])[..2].concat(), CHAT.events(&[])[2..].concat());
    provider.play(vec![begin(), piece(&early), Play::Wait, piece(&late), end()]);
    let mut answer = client.stream(&CHAT, "m").await;
    answer.read_until("Hi").await;
    let rest = async {
        provider.go_on.notify_one();
        answer.text().await
    };
    let (reports, text) = tokio::join!(client.reports(), rest);
    assert_eq!((text, reports.len()), (early + &late, 1));
    assert_eq!(reports[0].effect.outcome, Outcome::Done);
}

#[tokio::test]
async fn requests_of_one_connection_do_not_wait_for_each_other() {
    let client = Client::start().await.by_http2();
    client.provider.play(vec![begin(), piece(CHAT.events(&[]).concat()), Play::Wait, end()]);
    let mut slow = client.stream(&CHAT, "m").await;
    slow.read_until("[DONE]").await;
    client.provider.play(stream(&MESSAGES.events(&[])));
    assert_eq!(client.stream(&MESSAGES, "m").await.text().await, MESSAGES.events(&[]).concat());
    let forged = [BEARER, ("host", "evil.example")];
    let answer = client.send(Method::POST, &CHAT.path(true, "m"), &forged, b"{}").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    client.provider.go_on.notify_one();
    assert_eq!(slow.text().await, CHAT.events(&[]).concat());
}
