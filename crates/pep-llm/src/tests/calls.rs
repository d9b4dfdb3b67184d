use pathwarden_lens_llm::{Api, Output};
use pathwarden_types::{OperationKind, Outcome};

use super::apis::{ALL, Case, Wanted};
use super::client::{Answer, Client};
use super::provider::{stream, whole};
use crate::fake::first;

/// What a model answers with these calls, as a stream and as a whole.
async fn both(client: &Client, case: &Case, calls: &[Wanted<'_>]) -> [Answer; 2] {
    client.provider.play(stream(&case.events(calls)));
    let streamed = client.stream(case, "m").await;
    client.provider.play(whole("200 OK", &case.answer(calls)));
    [streamed, client.whole(case, "m").await]
}

async fn read(answer: Answer, case: &Case) -> (String, Output) {
    let is_stream = answer.headers["content-type"].to_str().unwrap().contains("event-stream");
    let text = answer.text().await;
    let output = case.output(is_stream, &text);
    (text, output)
}

fn names(output: &Output) -> Vec<&str> {
    output.calls.iter().map(|call| call.name.as_str()).collect()
}

const MIXED: [Wanted<'static>; 4] = [
    ("read", r#"{"path":"a"}"#),
    ("deny", r#"{"to":"SECRET"}"#),
    ("governed-send", r#"{"to":"b"}"#),
    ("rewrite", r#"{"to":"SECRET", "n":1.0}"#),
];

#[tokio::test]
async fn of_several_calls_one_is_refused_and_one_is_rewritten_and_the_others_pass() {
    for case in ALL {
        let client = Client::start().await;
        for answer in both(&client, &case, &MIXED).await {
            let (text, output) = read(answer, &case).await;
            assert!(!text.contains("SECRET"), "{text}");
            assert_eq!(names(&output), ["read", "governed-send", "rewrite"], "{case:?}");
            assert_eq!(output.calls[0].arguments, r#"{"path":"a"}"#);
            assert_eq!(output.calls[2].arguments, r#"{"to":"<cut>", "n":1.0}"#);
            assert!(output.text.contains("Hi") && output.text.contains("The call of `deny`"));
            assert!(output.text.contains("no_outsiders") && output.text.contains("ask first"));
            assert_eq!(output.finish.as_deref(), Some(case.finishes().0));
        }
    }
}

#[tokio::test]
async fn each_call_gets_its_identity_and_only_what_nobody_else_decides_is_asked_about() {
    for case in ALL {
        let client = Client::start().await;
        for answer in both(&client, &case, &MIXED).await {
            answer.text().await;
        }
        let emissions = first(&client.fake.emissions, 8).await;
        let calls: Vec<&str> = emissions[..4].iter().map(|emitted| emitted.call.as_str()).collect();
        let want = match case.api {
            Api::ChatCompletions | Api::Messages => ["call_0", "call_1", "call_2", "call_3"],
            Api::Responses => ["call_1", "call_2", "call_3", "call_4"],
            Api::GenerateContent => ["read#1", "deny#1", "governed-send#1", "rewrite#1"],
        };
        assert_eq!(calls, want);
        assert_eq!(emissions[3].arguments, MIXED[3].1, "as the model emitted them");
        let asks = first(&client.fake.asks, 8).await;
        let asked: Vec<&str> = asks.iter().map(|ask| ask.operation.name.as_str()).collect();
        assert_eq!(asked, ["m", "read", "deny", "rewrite", "m", "read", "deny", "rewrite"]);
        for (ask, emitted) in asks[1..4].iter().zip([0, 1, 3].map(|at| &emissions[at])) {
            assert_eq!(ask.operation.kind, OperationKind::ToolCall);
            assert_eq!((ask.parent, Some(emitted.model_call)), (asks[0].minted, asks[0].minted));
            assert_eq!((&ask.arguments, ask.canonical), (&emitted.arguments, emitted.canonical));
        }
        let said = first(&client.fake.said, 2).await;
        for said in said {
            assert!(said.content.contains("SECRET"), "the record has what the model said");
        }
    }
}

#[tokio::test]
async fn an_answer_of_which_no_call_is_left_does_not_say_that_tools_are_used() {
    for case in ALL {
        let client = Client::start().await;
        let calls = [("deny", r#"{"to":"SECRET"}"#), ("unrecorded", r#"{"to":"SECRET"}"#)];
        for answer in both(&client, &case, &calls).await {
            let (text, output) = read(answer, &case).await;
            assert!(output.calls.is_empty() && !text.contains("SECRET"), "{text}");
            assert_eq!(output.finish.as_deref(), Some(case.finishes().1), "{case:?}");
        }
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_or_decided_or_fulfilled_is_not_released() {
    for case in ALL {
        let client = Client::start().await;
        let arguments = r#"{"to":"SECRET"}"#;
        let calls = ["unrecorded", "fault", "rewrite-nothing", "unresolved", "watch"];
        for answer in both(&client, &case, &calls.map(|name| (name, arguments))).await {
            let (text, output) = read(answer, &case).await;
            assert_eq!(names(&output), ["watch"], "{case:?}");
            assert_eq!(output.text.matches("Code: unfulfilled").count(), 2, "{text}");
            assert!(output.text.contains("The call of `unrecorded`"), "{text}");
            assert!(output.text.contains("make room"), "{text}");
        }
        // The permits that were given and could not be used are closed, and so are the model's.
        let reports = client.reports().await;
        let outcomes: Vec<_> = reports.iter().map(|report| report.effect.outcome).collect();
        let one = [Outcome::Failed, Outcome::Failed, Outcome::Done];
        assert_eq!(outcomes, [one, one].concat());
    }
}

#[tokio::test]
async fn a_call_with_arguments_that_two_parsers_read_differently_is_decided_as_text() {
    for case in [super::apis::CHAT, super::apis::RESPONSES] {
        let client = Client::start().await;
        let twice = r#"{"to":"a","to":"SECRET"}"#;
        for answer in both(&client, &case, &[("rewrite", twice), ("read", twice)]).await {
            let (_, output) = read(answer, &case).await;
            // It has no field `to`, so that no rule for one is fulfilled.
            assert_eq!(names(&output), ["read"]);
        }
        let emitted = client.fake.emissions.borrow()[1].arguments.clone();
        assert_eq!(emitted, r#"{"input":"{\"to\":\"a\",\"to\":\"SECRET\"}"}"#);
    }
}

#[tokio::test]
async fn a_call_is_on_record_before_any_byte_of_it_reaches_the_client() {
    for case in ALL {
        let client = Client::start().await;
        client.fake.is_slow.send_replace(true);
        let calls = [("read", r#"{"to":"SECRET_0"}"#), ("governed", r#"{"to":"SECRET_1"}"#)];
        client.provider.play(stream(&case.events(&calls)));
        let mut answer = client.stream(&case, "m").await;
        answer.read_until("Hi").await;
        assert!(!answer.so_far().contains("read"), "{}", answer.so_far());
        client.fake.is_slow.send_replace(false);
        while answer.more().await {
            for (number, (_, arguments)) in calls.iter().enumerate() {
                let secret = arguments.split('"').nth(3).unwrap();
                let is_known = client.fake.emissions.borrow().len() > number;
                assert!(is_known || !answer.so_far().contains(secret));
            }
        }
        assert_eq!(answer.so_far(), case.events(&calls).concat());
    }
}
