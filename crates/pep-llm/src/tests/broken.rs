use std::time::Duration;

use http::StatusCode;
use pathwarden_lens_llm::{EVENT_BYTES_MAX, HELD_BYTES_MAX};
use pathwarden_types::{FindingKind, Outcome};

use super::apis::{ALL, CHAT, Case, MESSAGES};
use super::client::{Client, LIMITS};
use super::provider::{Play, begin, end, head, piece, stream};
use crate::Limits;

/// What fits into the buffers of two sockets and of the gateway, beside what it may keep.
const BUFFERS_BYTES_MAX: usize = 32 << 20;

/// Has a provider play this, and shows that the client is told, the finding recorded and the permit closed
/// once. Gives what the client got.
async fn stopped(client: Client, case: &Case, play: Vec<Play>, words: &str) -> String {
    client.provider.play(play);
    let answer = client.stream(case, "m").await;
    assert_eq!(answer.status, StatusCode::OK);
    let told = answer.text().await;
    let code = ["stopped_by_pathwarden", "permission_error", "PERMISSION_DENIED"];
    assert!(told.contains("Pathwarden stopped this answer") && told.contains(words), "{told}");
    assert!(code.iter().any(|code| told.contains(code)), "{told}");
    let finding = client.fake.findings.borrow()[0].clone();
    assert_eq!((finding.kind, finding.subject.as_str()), (FindingKind::AnswerBroken, "m"));
    assert!(finding.detail.contains(words), "{finding:?}");
    assert_eq!(client.fake.said.borrow().len(), 1);
    client.closed(Outcome::Unknown).await;
    told
}

/// The events before a call, and those of the call but the last.
fn up_to_the_call(case: &Case) -> (String, String) {
    let events = case.events(&[("read", r#"{"path":"SECRET"}"#)]);
    let text = events.iter().position(|event| event.contains("Hi")).unwrap() + 1;
    let call = events.iter().position(|event| event.contains("read")).unwrap();
    (events[..text].concat(), events[text..=call].concat())
}

#[tokio::test]
async fn an_event_that_clients_may_read_differently_stops_the_stream() {
    for case in ALL {
        for data in [r#"{"id":"a","id":"b"}"#, "not json", "[]", "{}{}", "{\"a\":1}\ndata: {}"] {
            let (hello, _) = up_to_the_call(&case);
            let play = stream(&[&hello, &format!("data: {data}\n\n"), "data: {}\n\n"]);
            let words = if data == "[]" { "expected an object" } else { "is not JSON" };
            let told = stopped(Client::start().await, &case, play, words).await;
            assert!(told.starts_with(&hello), "what came before is passed: {told}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_in_the_middle_of_an_event_or_of_a_call_is_stopped() {
    for case in ALL {
        let (hello, call) = up_to_the_call(&case);
        let words = "in the middle of an event or of a call";
        let cut = call.trim_end_matches(|last| last != ':');
        stopped(Client::start().await, &case, stream(&[&hello, cut]), words).await;
        // A call of Gemini's has no middle.
        if case.upstream != "gemini" {
            let told = stopped(Client::start().await, &case, stream(&[&hello, &call]), words).await;
            assert!(!told.contains("read"), "{told}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_off_stops_the_stream() {
    for case in ALL {
        let (hello, _) = up_to_the_call(&case);
        let breaks = [
            vec![Play::Close],
            vec![Play::Send(b"zz\r\n".to_vec()), Play::Close],
            vec![Play::Send(b"ffffffffffffffff1\r\n".to_vec()), Play::Close],
        ];
        for rest in breaks {
            let play = [begin(), piece(&hello), piece("data: {")].into_iter().chain(rest);
            let told = stopped(Client::start().await, &case, play.collect(), "broke off").await;
            assert!(told.starts_with(&hello));
        }
    }
}

#[tokio::test]
async fn a_stream_without_the_event_that_ends_it_is_found() {
    for case in ALL {
        let (hello, _) = up_to_the_call(&case);
        let client = Client::start().await;
        client.provider.play(stream(&[&hello]));
        assert_eq!(client.stream(&case, "m").await.text().await, hello);
        assert_eq!(client.fake.findings.borrow()[0].kind, FindingKind::AnswerBroken);
        client.closed(Outcome::Unknown).await;
    }
}

#[tokio::test]
async fn an_event_without_end_stops_the_stream_and_is_not_kept() {
    for (case, line) in [(MESSAGES, "data: \"x"), (CHAT, ": comment\n")] {
        let client = Client::start().await;
        let provider = std::sync::Arc::clone(&client.provider);
        let Play::Send(bytes) = piece(line.repeat((1 << 16) / line.len())) else {
            panic!("a piece")
        };
        let play = vec![begin(), piece("data: {}\n\n"), Play::Flood(bytes)];
        stopped(client, &case, play, "an event is longer than").await;
        provider.was_left(1).await;
        let flooded = *provider.flooded.borrow();
        assert!(flooded < EVENT_BYTES_MAX + BUFFERS_BYTES_MAX, "{flooded} bytes");
    }
}

#[tokio::test]
async fn a_call_without_end_stops_the_stream_and_is_not_kept() {
    let client = Client::start().await;
    let provider = std::sync::Arc::clone(&client.provider);
    let (hello, call) = up_to_the_call(&CHAT);
    let more = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{{\"index\":0,\"function\":{{\"arguments\":\"{}\"}}}}]}}}}]}}\n\n",
        "x".repeat(1 << 18)
    );
    let Play::Send(more) = piece(more) else { panic!("a piece") };
    let play = vec![begin(), piece(hello), piece(call), Play::Flood(more)];
    let told = stopped(client, &CHAT, play, "wait for a call to be complete").await;
    assert!(!told.contains("read"));
    provider.was_left(1).await;
    let flooded = *provider.flooded.borrow();
    assert!(flooded < HELD_BYTES_MAX + BUFFERS_BYTES_MAX, "{flooded} bytes");
}

/// Has a provider play this for a whole answer, and shows that the client is told, the finding recorded
/// and the permit closed once.
async fn given_up(client: Client, case: &Case, play: Vec<Play>, words: &str) {
    client.provider.play(play);
    let answer = client.whole(case, "m").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{words}");
    let error = answer.json().await;
    assert_eq!(case.code(&error), "unreadable_answer");
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(client.fake.findings.borrow()[0].kind, FindingKind::AnswerBroken);
    client.closed(Outcome::Unknown).await;
}

#[tokio::test]
async fn a_whole_answer_that_clients_may_read_differently_is_not_passed_on() {
    for case in ALL {
        for (body, words) in [
            ("", "not JSON"),
            ("<p>hello", "not JSON"),
            (r#"{"id":"a","id":"b"}"#, "not JSON"),
            ("5", "expected an object"),
        ] {
            let play = super::provider::whole("200 OK", body);
            given_up(Client::start().await, &case, play, words).await;
        }
    }
}

#[tokio::test]
async fn a_whole_answer_that_breaks_off_or_never_ends_is_not_passed_on() {
    let json = ("content-type", "application/json");
    let start = Play::Send(b"{\"id\":".to_vec());
    for case in ALL {
        let short = [head("200 OK", &[json, ("content-length", "99")]), start.clone(), Play::Close];
        given_up(Client::start().await, &case, short.to_vec(), "broke off").await;
        let long = (LIMITS.answer_bytes_max + 1).to_string();
        let long =
            [head("200 OK", &[json, ("content-length", &long)]), start.clone(), Play::Listen];
        given_up(Client::start().await, &case, long.to_vec(), "it is longer than").await;
        let endless = [head("200 OK", &[json]), start.clone(), Play::Flood(vec![b' '; 1 << 12])];
        let client = Client::start().await;
        let provider = std::sync::Arc::clone(&client.provider);
        given_up(client, &case, endless.to_vec(), "it is longer than").await;
        provider.was_left(1).await;
    }
}

#[tokio::test]
async fn a_whole_answer_of_the_limit_passes_and_one_past_it_does_not() {
    let filled = |bytes: usize| {
        let answer = CHAT.answer(&[]);
        answer.replace("Hi", &"x".repeat(bytes + 2 - answer.len()))
    };
    let client = Client::start().await;
    let limit = LIMITS.answer_bytes_max;
    client.provider.play(super::provider::whole("200 OK", &filled(limit)));
    assert_eq!(client.whole(&CHAT, "m").await.text().await, filled(limit));
    let play = super::provider::whole("200 OK", &filled(limit + 1));
    given_up(Client::start().await, &CHAT, play, "it is longer than").await;
}

#[tokio::test]
async fn a_provider_that_falls_silent_is_not_waited_for() {
    let hasty = Limits { silence: Duration::from_millis(100), ..LIMITS };
    for case in ALL {
        let (hello, _) = up_to_the_call(&case);
        let client = Client::with(hasty).await;
        let provider = std::sync::Arc::clone(&client.provider);
        let play = vec![begin(), piece(&hello), Play::Listen];
        let told = stopped(client, &case, play, "the provider was silent").await;
        assert!(told.starts_with(&hello));
        provider.was_left(1).await;
        let head = head("200 OK", &[("content-type", "application/json")]);
        let play = vec![head, Play::Send(b"{".to_vec()), Play::Listen];
        given_up(Client::with(hasty).await, &case, play, "the provider was silent").await;
    }
}

#[tokio::test]
async fn what_follows_the_end_of_an_answer_is_not_the_next_one() {
    // A provider, or somebody between, that smuggles an answer in.
    let client = Client::start().await;
    let smuggled =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    let mut play = stream(&CHAT.events(&[]));
    play.pop();
    let Play::Send(last) = end() else { panic!("an end") };
    play.push(Play::Send([last.as_slice(), smuggled.as_bytes()].concat()));
    client.provider.play(play);
    assert_eq!(client.stream(&CHAT, "m").await.text().await, CHAT.events(&[]).concat());
    client.provider.play(stream(&MESSAGES.events(&[])));
    assert_eq!(client.stream(&MESSAGES, "m").await.text().await, MESSAGES.events(&[]).concat());
}
