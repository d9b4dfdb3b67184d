use std::time::Duration;

use pathwarden_types::Outcome;

use super::apis::{ALL, CHAT};
use super::client::Client;
use super::provider::{Play, begin, piece, stream, whole};
use super::windows::held_for;

const SIGN: &str = ": waiting for approval 0707070707070707\n\n";
const HELD: [super::apis::Wanted<'static>; 2] =
    [("hold", r#"{"to":"SECRET"}"#), ("read", r#"{"to":"b"}"#)];

#[tokio::test]
async fn a_held_call_keeps_the_client_alive_and_is_released_when_a_person_approves() {
    for case in ALL {
        let client = Client::start().await;
        let text = case.events(&HELD).concat();
        client.provider.play(stream(&[&text]));
        let mut answer = client.stream(&case, "m").await;
        answer.read_until(&SIGN.repeat(3)).await;
        assert!(!answer.so_far().contains("SECRET"));
        client.fake.person.send_replace(Some(true));
        // The comments stand between events, and all else is as it came.
        assert_eq!(answer.text().await.replace(SIGN, ""), text);
        client.closed(Outcome::Done).await;
    }
}

#[tokio::test]
async fn a_held_call_that_a_person_refuses_or_nobody_answers_is_not_released() {
    for case in ALL {
        for (hold, person) in
            [(Duration::from_mins(1), Some(false)), (Duration::from_millis(50), None)]
        {
            let client = Client::with(held_for(hold)).await;
            client.provider.play(stream(&case.events(&HELD)));
            client.fake.person.send_replace(person);
            let answer = client.stream(&case, "m").await;
            let output = answer.output(&case).await;
            let code = if person.is_some() { "no_outsiders" } else { "held" };
            assert!(output.text.contains(&format!("Code: {code}")), "{}", output.text);
            assert_eq!((output.calls.len(), output.calls[0].name.as_str()), (1, "read"));
        }
    }
}

#[tokio::test]
async fn a_held_call_in_a_whole_answer_just_waits() {
    for case in ALL {
        let client = Client::start().await;
        client.provider.play(whole("200 OK", &case.answer(&HELD)));
        let approving = async {
            client.fake.waiting.subscribe().wait_for(|open| *open == 1).await.unwrap();
            client.fake.person.send_replace(Some(true));
        };
        let (answer, ()) = tokio::join!(client.whole(&case, "m"), approving);
        assert_eq!(answer.text().await, case.answer(&HELD));
    }
}

#[tokio::test]
async fn a_held_call_of_a_client_that_goes_away_is_not_waited_for() {
    for case in ALL {
        let client = Client::start().await;
        let play = [begin(), piece(case.events(&HELD).concat()), Play::Listen];
        client.provider.play(play.to_vec());
        let mut answer = client.stream(&case, "m").await;
        answer.read_until(SIGN).await;
        drop(answer);
        client.fake.waiting.subscribe().wait_for(|open| *open == 0).await.unwrap();
        client.provider.was_left(1).await;
        client.closed(Outcome::Unknown).await;
    }
}

#[tokio::test]
async fn a_held_call_in_a_whole_answer_of_a_client_that_goes_away_is_not_waited_for() {
    let client = Client::start().await;
    client.provider.play(whole("200 OK", &CHAT.answer(&HELD)));
    tokio::select! {
        _ = client.whole(&CHAT, "m") => panic!("nobody approved"),
        open = async { client.fake.waiting.subscribe().wait_for(|open| *open == 1).await.map(drop) } => open.unwrap(),
    }
    client.fake.waiting.subscribe().wait_for(|open| *open == 0).await.unwrap();
    let reports = client.reports().await;
    assert_eq!(reports.len(), 1);
}

#[tokio::test]
async fn a_held_prompt_of_a_client_that_goes_away_is_not_waited_for() {
    let client = Client::start().await;
    tokio::select! {
        _ = client.stream(&CHAT, "hold") => panic!("nobody approved"),
        open = async { client.fake.waiting.subscribe().wait_for(|open| *open == 1).await.map(drop) } => open.unwrap(),
    }
    client.fake.waiting.subscribe().wait_for(|open| *open == 0).await.unwrap();
    client.fake.person.send_replace(Some(true));
    let provider = std::sync::Arc::clone(&client.provider);
    assert!(client.reports().await.is_empty());
    assert!(provider.heard.borrow().is_empty());
}
