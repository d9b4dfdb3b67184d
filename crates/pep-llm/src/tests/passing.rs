use http::StatusCode;
use pathwarden_types::Outcome;

use super::apis::{ALL, CHAT};
use super::client::{Client, LIMITS};
use super::provider::{begin, end, piece, stream, whole};
use super::{apis, provider};
use crate::fake::first;

/// Calls that nobody stops.
const FREE: [apis::Wanted<'static>; 2] =
    [("read", r#"{"path": "a\u00e9", "n":1.0}"#), ("governed", r#"{"to":"b"}"#)];

/// The same places in every run.
fn cuts(text: &str, seed: usize) -> Vec<Vec<u8>> {
    let mut rest = text.as_bytes();
    let (mut pieces, mut state) = (Vec::new(), seed);
    while !rest.is_empty() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let length = 1 + (state >> 33) % (1 << (seed % 9));
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}

#[tokio::test]
async fn a_whole_answer_passes_byte_for_byte_both_ways() {
    for case in ALL {
        let client = Client::start().await;
        client.provider.play(whole("200 OK", &case.answer(&FREE)));
        let answer = client.whole(&case, "m").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["x-request-id"], "kept");
        let action = client.fake.asks.borrow()[0].minted.unwrap().to_string();
        assert_eq!(answer.headers["x-pathwarden-action"], *action);
        assert!(!answer.headers.contains_key("set-cookie"));
        assert_eq!(answer.text().await, case.answer(&FREE));
        let heard = first(&client.provider.heard, 1).await.remove(0);
        assert_eq!(heard.text(), case.request(false, "m", "hello"));
        let below = case.path(false, "m").split_off(1 + case.upstream.len());
        assert_eq!(heard.line(), format!("POST /base{below}"));
        client.closed(Outcome::Done).await;
    }
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte_however_it_is_cut() {
    for case in ALL {
        let client = Client::start().await;
        let plain = case.events(&FREE).concat();
        for (text, seed) in [
            (plain.clone(), 0),
            (plain.clone(), 3),
            (plain.clone(), 8),
            (plain.replace('\n', "\r\n"), 2),
            (plain.replace('\n', "\r"), 4),
            (format!("\u{feff}: hello\n\nretry: 5\n\n{plain}"), 1),
        ] {
            client.provider.play(stream(&cuts(&text, seed)));
            let answer = client.stream(&case, "m").await;
            assert_eq!(answer.headers["content-type"], "text/event-stream; charset=utf-8");
            assert_eq!(answer.text().await, text, "{case:?} {seed}");
            let heard = client.provider.heard.borrow().last().unwrap().clone();
            assert_eq!(heard.text(), case.request(true, "m", "hello"));
        }
        let fake = std::sync::Arc::clone(&client.fake);
        let reports = client.reports().await;
        assert!(reports.iter().all(|report| report.effect.outcome == Outcome::Done));
        assert_eq!((reports.len(), fake.said.borrow().len()), (6, 6));
        assert!(fake.findings.borrow().is_empty());
    }
}

#[tokio::test]
async fn events_reach_the_client_before_the_provider_has_ended() {
    for case in ALL {
        let client = Client::start().await;
        let events = case.events(&[]);
        let at = events.iter().position(|event| event.contains("Hi")).unwrap() + 1;
        let (early, late) = (events[..at].concat(), events[at..].concat());
        let play = [begin(), piece(&early), provider::Play::Wait, piece(&late), end()];
        client.provider.play(play.to_vec());
        let mut answer = client.stream(&case, "m").await;
        answer.read_until(&early).await;
        client.provider.go_on.notify_one();
        assert_eq!(answer.text().await, early + &late);
        client.closed(Outcome::Done).await;
    }
}

#[tokio::test]
async fn what_was_measured_and_said_is_reported() {
    for case in ALL {
        let client = Client::start().await;
        let text = case.events(&[("read", "{\"path\":\"x\"}")]).concat();
        client.provider.play(stream(&[&text]));
        client.stream(&case, "m").await.text().await;
        let said = first(&client.fake.said, 1).await.remove(0);
        assert_eq!((said.asked.as_str(), said.provider.as_str()), ("m", case.upstream));
        assert!(said.served.unwrap().ends_with("-x"));
        let content: serde_json::Value = serde_json::from_str(&said.content).unwrap();
        assert_eq!(
            (&content["text"], &content["calls"][0]["name"]),
            (&"Hi".into(), &"read".into())
        );
        // The model call was the first that got an identity, and the call that it emits the second.
        assert_eq!(content["calls"][0]["action"], "0000000000000002");
        let report = first(&client.fake.reports, 1).await.remove(0);
        let sent = case.request(true, "m", "hello").len();
        assert_eq!(report.effect.request_bytes, u64::try_from(sent).unwrap());
        assert_eq!(report.effect.response_bytes, u64::try_from(text.len()).unwrap());
    }
}

#[tokio::test]
async fn a_stream_that_grows_as_a_list_passes() {
    // Gemini without `alt=sse`.
    let case = apis::GEMINI;
    let client = Client::start().await;
    let list = format!("[{},\r\n{}]", case.answer(&FREE), case.answer(&[]));
    client.provider.play(whole("200 OK", &list));
    let path = "/gemini/v1beta/models/m:streamGenerateContent";
    let answer = client.post(path, case.request(true, "m", "hello").as_bytes()).await;
    assert_eq!(answer.text().await, list);
    assert_eq!(client.fake.emissions.borrow().len(), 2);
    client.closed(Outcome::Done).await;
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_all() {
    let client = Client::with(LIMITS).await;
    let filler = format!(": {}\n\n", "x".repeat(1 << 16));
    let events = CHAT.events(&[]).concat();
    let play =
        [begin()].into_iter().chain(vec![piece(&filler); 200]).chain([piece(&events), end()]);
    client.provider.play(play.collect());
    let answer = client.stream(&CHAT, "m").await;
    // Everything that fits between is full by the time that anything is read.
    client.provider.heard.subscribe().wait_for(|heard| heard.len() == 1).await.unwrap();
    assert_eq!(answer.text().await, filler.repeat(200) + &events);
}
