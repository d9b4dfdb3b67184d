use std::io::Write;

use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::{Compress, Compression, FlushCompress};
use http::{Method, StatusCode};
use pathwarden_types::{FindingKind, Outcome};

use super::apis::{ALL, CHAT, MESSAGES};
use super::client::{BEARER, Client, LIMITS};
use super::provider::{Play, begin_packed, end, packed, piece, whole};

fn pack(coding: &str, text: &str) -> Vec<u8> {
    if coding == "deflate" {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        return encoder.finish().unwrap();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A few kilobytes that unpack to so many times 1 MiB, and do not end.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let filler = vec![b' '; 1 << 20];
    // After a full flush the same bytes give the same block.
    let mut block = Vec::with_capacity(1 << 16);
    for _ in 0..2 {
        block.clear();
        compress.compress_vec(&filler, &mut block, FlushCompress::Full).unwrap();
    }
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    [&head[..], &block.repeat(mebibytes)].concat()
}

fn coded(coding: &'static str) -> [(&'static str, &'static str); 2] {
    [("content-type", "application/json"), ("content-encoding", coding)]
}

#[tokio::test]
async fn packed_answers_are_unpacked() {
    let calls = [("deny", r#"{"to":"SECRET"}"#), ("read", r#"{"to":"b"}"#)];
    for case in ALL {
        let client = Client::start().await;
        for coding in ["gzip", "x-gzip", "deflate", "GZIP"] {
            let bytes = pack(coding, &case.events(&calls).concat());
            let pieces = bytes.chunks(7).map(piece);
            client
                .provider
                .play([begin_packed(coding)].into_iter().chain(pieces).chain([end()]).collect());
            let streamed = client.stream(&case, "m").await;
            let bytes = pack(coding, &case.answer(&calls));
            client.provider.play(packed("200 OK", &coded(coding), &bytes));
            for answer in [streamed, client.whole(&case, "m").await] {
                assert!(!answer.headers.contains_key("content-encoding"));
                let output = answer.output(&case).await;
                assert_eq!((output.calls.len(), output.calls[0].name.as_str()), (1, "read"));
            }
        }
        assert!(client.fake.findings.borrow().is_empty());
    }
}

#[tokio::test]
async fn events_of_a_packed_stream_reach_the_client_at_once() {
    let client = Client::start().await;
    let text = MESSAGES.events(&[]).concat();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let (early, late) = text.split_at(text.find("Hi").unwrap() + 40);
    encoder.write_all(early.as_bytes()).unwrap();
    encoder.flush().unwrap();
    let first = std::mem::take(encoder.get_mut());
    encoder.write_all(late.as_bytes()).unwrap();
    let rest = encoder.finish().unwrap();
    client.provider.play(vec![begin_packed("gzip"), piece(first), Play::Wait, piece(rest), end()]);
    let mut answer = client.stream(&MESSAGES, "m").await;
    answer.read_until("content_block_start").await;
    client.provider.go_on.notify_one();
    assert_eq!(answer.text().await, text);
}

#[tokio::test]
async fn a_packed_error_of_the_provider_can_be_read() {
    let client = Client::start().await;
    let error = r#"{"error":{"message":"slow down"}}"#;
    client.provider.play(packed("429 Too Many Requests", &coded("gzip"), &pack("gzip", error)));
    let answer = client.stream(&CHAT, "m").await;
    assert_eq!(
        (answer.status, answer.text().await.as_str()),
        (StatusCode::TOO_MANY_REQUESTS, error)
    );
    client.closed(Outcome::Failed).await;
}

/// An answer that cannot be unpacked before a byte of it was passed on.
async fn refused(play: Vec<Play>, words: &str) {
    let client = Client::start().await;
    client.provider.play(play);
    let answer = client.stream(&CHAT, "m").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{words}");
    let error = answer.json().await;
    assert_eq!(CHAT.code(&error), "unreadable_answer");
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(client.fake.findings.borrow()[0].kind, FindingKind::AnswerBroken);
    client.closed(Outcome::Unknown).await;
}

#[tokio::test]
async fn an_answer_that_is_packed_in_an_unknown_way_is_a_clear_error() {
    for coding in ["br", "zstd", "gzip, gzip"] {
        refused(packed("200 OK", &[("content-encoding", coding)], b"x"), "not known here").await;
        refused(vec![begin_packed(coding), piece("x"), end()], "not known here").await;
    }
    let twice = [("content-encoding", "gzip"), ("content-encoding", "gzip")];
    refused(packed("200 OK", &twice, b"x"), "not known here").await;
}

#[tokio::test]
async fn an_answer_that_is_cut_or_not_packed_as_it_says_is_a_clear_error() {
    for coding in ["gzip", "deflate"] {
        let bytes = pack(coding, &CHAT.answer(&[]));
        for wrong in [&bytes[..bytes.len() - 3], b"plain", &[&bytes[..], b"more"].concat()] {
            refused(packed("200 OK", &coded(coding), wrong), "not packed as its header says").await;
        }
    }
}

#[tokio::test]
async fn an_answer_that_unpacks_to_more_than_the_limit_is_not_unpacked() {
    refused(packed("200 OK", &coded("gzip"), &bomb(64)), "it is longer than").await;
    refused(packed("500 Oh", &coded("gzip"), &bomb(64)), "it is longer than").await;
}

/// Has a packed stream stopped.
async fn stopped(coding: &str, bytes: &[u8], words: &str) {
    let client = Client::start().await;
    client.provider.play(vec![begin_packed(coding), piece(bytes), end()]);
    let told = client.stream(&CHAT, "m").await.text().await;
    assert!(told.contains("Pathwarden stopped this answer") && told.contains(words), "{told}");
    assert_eq!(client.fake.findings.borrow()[0].kind, FindingKind::AnswerBroken);
    client.closed(Outcome::Unknown).await;
}

#[tokio::test]
async fn a_stream_that_is_a_bomb_or_cut_or_not_packed_as_it_says_is_stopped() {
    stopped("gzip", &bomb(64), "longer than").await;
    for coding in ["gzip", "deflate"] {
        let bytes = pack(coding, &CHAT.events(&[]).concat());
        stopped(coding, b"data: {}\n\n", "not packed as its header says").await;
        stopped(coding, &bytes[..bytes.len() - 3], "not packed as its header says").await;
    }
}

/// Sends a packed request.
async fn send(client: &Client, coding: &str, bytes: &[u8]) -> StatusCode {
    client.provider.play(whole("200 OK", &CHAT.answer(&[])));
    let headers = [BEARER, ("content-encoding", coding)];
    client.send(Method::POST, &CHAT.path(false, "m"), &headers, bytes).await.status
}

#[tokio::test]
async fn packed_requests_are_unpacked_and_sent_plain() {
    let client = Client::start().await;
    let body = CHAT.request(false, "m", "hello");
    for coding in ["gzip", "deflate", "identity"] {
        let bytes = if coding == "identity" { body.clone().into() } else { pack(coding, &body) };
        assert_eq!(send(&client, coding, &bytes).await, StatusCode::OK);
        let heard = client.provider.heard.borrow().last().unwrap().clone();
        assert_eq!(heard.text(), body);
        assert!(heard.header("content-encoding").is_empty());
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_unpacked_is_refused() {
    let client = Client::start().await;
    let body = CHAT.request(false, "m", "hello");
    let bytes = pack("gzip", &body);
    let deflated = pack("deflate", &body);
    assert!(bomb(8).len() < LIMITS.request_bytes_max);
    for (coding, bytes, want) in [
        ("br", &bytes[..], StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("gzip, gzip", &bytes, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("gzip", body.as_bytes(), StatusCode::BAD_REQUEST),
        ("gzip", &bytes[..bytes.len() - 3], StatusCode::BAD_REQUEST),
        ("deflate", &deflated[..deflated.len() - 3], StatusCode::BAD_REQUEST),
        ("gzip", &bomb(8), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(send(&client, coding, bytes).await, want, "{coding} {}", bytes.len());
    }
    assert!(client.provider.heard.borrow().is_empty());
    assert!(client.fake.windows.borrow().is_empty());
}
