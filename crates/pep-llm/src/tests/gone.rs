use pathwarden_types::Outcome;

use super::apis::{ALL, CHAT, Case};
use super::client::Client;
use super::provider::{Play, begin, head, piece};

/// Goes away once the provider has the request.
async fn give_up(client: &Client, case: &Case, is_stream: bool) {
    let heard =
        async { client.provider.heard.subscribe().wait_for(|all| !all.is_empty()).await.map(drop) };
    let asking = async {
        match is_stream {
            true => client.stream(case, "m").await,
            false => client.whole(case, "m").await,
        }
    };
    tokio::select! {
        _ = asking => panic!("the provider has not answered"),
        heard = heard => heard.unwrap(),
    }
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_of_a_stream_ends_it_for_the_provider() {
    for case in ALL {
        let hello = piece(case.events(&[])[..1].concat());
        // The provider says nothing more, or more and more.
        for last in [
            Play::Listen,
            Play::Flood(vec![piece(": x\n\n"); 1 << 10].into_iter().flat_map(bytes).collect()),
        ] {
            let client = Client::start().await;
            client.provider.play(vec![begin(), hello.clone(), last]);
            let mut answer = client.stream(&case, "m").await;
            answer.read_until("\n\n").await;
            drop(answer);
            client.provider.was_left(1).await;
            assert_eq!(client.fake.findings.borrow().len(), 0);
            client.closed(Outcome::Unknown).await;
        }
    }
}

fn bytes(play: Play) -> Vec<u8> {
    match play {
        Play::Send(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_that_goes_away_before_the_answer_ends_the_call() {
    for is_stream in [true, false] {
        let client = Client::start().await;
        client.provider.play(vec![Play::Listen]);
        give_up(&client, &CHAT, is_stream).await;
        client.provider.was_left(1).await;
        client.closed(Outcome::Unknown).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_of_a_whole_answer_ends_the_call() {
    let client = Client::start().await;
    let head = head("200 OK", &[("content-type", "application/json"), ("content-length", "99")]);
    client.provider.play(vec![head, Play::Send(b"{\"id\":".to_vec()), Play::Listen]);
    give_up(&client, &CHAT, false).await;
    client.provider.was_left(1).await;
    client.closed(Outcome::Unknown).await;
}

#[tokio::test]
async fn one_that_goes_away_leaves_its_place_to_others() {
    let client = Client::start().await;
    let narrow = Case { upstream: "narrow", ..CHAT };
    client.provider.play(vec![Play::Listen]);
    give_up(&client, &narrow, true).await;
    client.provider.was_left(1).await;
    client.fake.reports.subscribe().wait_for(|all| all.len() == 1).await.unwrap();
    client.provider.play(super::provider::stream(&CHAT.events(&[])));
    let mut answer = client.stream(&narrow, "m").await;
    // The place is given back right after the report.
    while answer.status == http::StatusCode::TOO_MANY_REQUESTS {
        answer = client.stream(&narrow, "m").await;
    }
    assert_eq!(answer.text().await, CHAT.events(&[]).concat());
}

#[tokio::test]
async fn a_client_that_hangs_up_after_the_last_event_has_had_its_answer() {
    let client = Client::start().await;
    client.provider.play(vec![begin(), piece(CHAT.events(&[]).concat()), Play::Listen]);
    let mut answer = client.stream(&CHAT, "m").await;
    answer.read_until("[DONE]\n\n").await;
    drop(answer);
    client.provider.was_left(1).await;
    client.closed(Outcome::Done).await;
}
