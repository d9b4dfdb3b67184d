mod client;

use std::sync::atomic::Ordering;
use std::time::Duration;

use client::{Client, answer_to};
use pathwarden_lens_mcp::Message;
use pathwarden_types::{ItemKind, ObservationKind, OperationKind, Outcome};

use super::{StdioEnd, StdioError};
use crate::Limits;
use crate::fake::{call, cancel};

#[tokio::test]
async fn what_nobody_changes_passes_byte_for_byte_both_ways() {
    let mut client = Client::start().await;
    let odd = r#"{"z":[1e400, 1.0,50.0,-0],"jsonrpc":"2.0","id":1,"params":{"vendor" :"é","name":"x","arguments":{"b":1,"a":0.10}},"method":"tools/call"}"#;
    client.send(odd).await;
    assert_eq!(client.next().await, client::heard(odd));
    assert_eq!(client.next().await, answer_to("1"));
    let asks = client.fake.asks.borrow().clone();
    assert_eq!(asks[0].arguments, r#"{"b":1,"a":0.10}"#);
    let report = client.fake.reported(1).await.remove(0);
    assert_eq!(report.effect.outcome, Outcome::Done);
    assert_eq!(report.effect.request_bytes, odd.len() as u64);
    assert_eq!(report.result.unwrap(), client::RESULT);
}

#[tokio::test]
async fn a_hello_with_unknown_capabilities_passes_and_is_observed() {
    let mut client = Client::start().await;
    let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"vendorCap":{"x":1.0}}}}"#;
    client.send(hello).await;
    assert_eq!(client.next().await, client::heard(hello));
    assert_eq!(client.next().await, answer_to("0"));
    let [program, hello] = client.fake.catalogued(2).await.try_into().unwrap();
    assert_eq!((hello.kind, &*hello.content), (ObservationKind::ServerHello, client::RESULT));
    assert_eq!(program.items[0].kind, ItemKind::Program);
    assert!(program.content.contains("sh\""), "{}", program.content);
}

#[tokio::test]
async fn a_refused_call_never_reaches_the_server_and_the_model_can_read_why() {
    let mut client = Client::start().await;
    for name in ["deny", "fault", "rewrite-nothing", "redact"] {
        client.send(&call("1", name)).await;
        let told = client.next().await;
        assert!(
            told.contains(r#""id":1,"result""#) && told.contains(r#""isError":true"#),
            "{told}"
        );
        let want = match name {
            "deny" => "no_outsiders",
            "fault" => "ledger_unavailable",
            _ => "conflict",
        };
        assert!(told.contains(&format!("\"pathwarden/code\":\"{want}\"")), "{told}");
    }
    // The next thing the server hears is the call that is allowed.
    client.send(&call("2", "x")).await;
    assert_eq!(client.next().await, client::heard(&call("2", "x")));
    // The two permits that could not be used are closed as failed.
    let reports = client.fake.reported(2).await;
    assert!(reports.iter().take(2).all(|report| report.effect.outcome == Outcome::Failed));
}

#[tokio::test]
async fn an_obligation_to_rewrite_changes_that_argument_only() {
    let mut client = Client::start().await;
    client.send(&call("1", "rewrite")).await;
    let changed = call("1", "rewrite").replace("\"a@b\"", "\"<cut>\"");
    assert_eq!(client.next().await, client::heard(&changed));
    assert_eq!(client.next().await, answer_to("1"));
    client.send(&call("2", "watch")).await;
    assert_eq!(client.next().await, client::heard(&call("2", "watch")));
}

#[tokio::test]
async fn a_result_that_cannot_be_recorded_is_withheld() {
    let mut client = Client::start().await;
    client.fake.refuses_reports.store(true, Ordering::SeqCst);
    client.send(&call("1", "x")).await;
    client.next().await;
    let told = client.next().await;
    assert!(told.contains("withheld") && told.contains(r#""id":1,"error""#), "{told}");
    assert!(!told.contains("1e400"), "{told}");
}

#[tokio::test]
async fn a_held_call_waits_with_progress_and_blocks_nobody() {
    let mut client = Client::start().await;
    client.send(&call("1", "hold")).await;
    let first = client.next().await;
    assert!(first.contains(r#""progressToken":"p-1","progress":0.001,"#), "{first}");
    assert!(first.contains("waiting for approval 0707070707070707"), "{first}");
    client.send(&call("2", "x")).await;
    client.next_but_progress(&client::heard(&call("2", "x"))).await;
    client.next_but_progress(&answer_to("2")).await;
    assert!(client.next().await.contains("notifications/progress"));
    client.fake.person.send_replace(Some(true));
    client.next_but_progress(&client::heard(&call("1", "hold"))).await;
    client.next_but_progress(&answer_to("1")).await;
}

#[tokio::test]
async fn a_held_call_that_a_person_denies_is_refused() {
    let mut client = Client::start().await;
    client.send(&call("1", "hold")).await;
    client.next().await;
    client.fake.person.send_replace(Some(false));
    let told = client.next_but_any_progress().await;
    assert!(told.contains("no_outsiders"), "{told}");
}

#[tokio::test]
async fn a_cancelled_held_call_is_not_waited_for_and_not_answered() {
    let mut client = Client::start().await;
    client.send(&call("1", "hold")).await;
    client.next().await;
    client.send(&cancel("1")).await;
    client.fake.waiting.subscribe().wait_for(|left| *left == 1).await.unwrap();
    client.fake.person.send_replace(Some(true));
    client.send(&call("2", "x")).await;
    client.next_but_progress(&client::heard(&call("2", "x"))).await;
    assert_eq!(client.next().await, answer_to("2"));
}

#[tokio::test]
async fn the_cancellation_of_a_running_call_reaches_the_server() {
    let mut client = Client::start().await;
    client.send(&call("1", "silent")).await;
    client.next().await;
    client.send(&cancel("1")).await;
    assert_eq!(client.next().await, client::heard(&cancel("1")));
    client.end().await;
}

#[tokio::test]
async fn a_server_that_dies_mid_call_leaves_no_request_unanswered_and_no_permit_open() {
    let mut client = Client::start().await;
    client.send(&call("1", "silent")).await;
    client.next().await;
    client.send(&call("2", "die")).await;
    client.next().await;
    let told = [client.next().await, client.next().await];
    assert!(told.iter().all(|told| told.contains("the server has ended")), "{told:?}");
    assert!(told[0].contains("\"id\":1,") && told[1].contains("\"id\":2,"), "{told:?}");
    let reports = client.fake.reported(2).await;
    assert!(reports.iter().all(|report| report.effect.outcome == Outcome::Unknown));
    match client.running.await.unwrap().unwrap() {
        StdioEnd::ServerEnded(status) => assert_eq!(status.code(), Some(3)),
        StdioEnd::ClientClosed => panic!("the server ended first"),
    }
}

#[tokio::test]
async fn messages_that_two_parsers_read_differently_are_answered_and_go_nowhere() {
    let mut client = Client::start().await;
    let cases: [(&[u8], &str); 6] = [
        (br#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#, "duplicate key"),
        (br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "batches"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"x\":\"\xff\"}", "invalid UTF-8"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"server/discover"}"#, "no revision"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#, "params.name"),
        (br#"{"jsonrpc":"2.0","id":1}"#, "exactly one"),
    ];
    for (count, (bytes, want)) in cases.iter().enumerate() {
        client.send_bytes(bytes).await;
        let told = client.next().await;
        assert!(told.contains(want) && told.contains("\"error\""), "{told}");
        let seen = client.fake.seen(count + 1).await.remove(count);
        assert_eq!(seen.observation.kind, ObservationKind::Malformed);
    }
    client.send(r#"{"jsonrpc":"2.0","method":"notifications/strange"}"#).await;
    client.fake.seen(cases.len() + 1).await;
    client.send(&call("2", "x")).await;
    assert_eq!(client.next().await, client::heard(&call("2", "x")));
}

#[tokio::test]
async fn an_oversized_message_is_refused_by_its_id_and_the_next_one_is_read() {
    let mut client = Client::start().await;
    let fits = client::of_length(Client::LIMITS.message_bytes_max);
    client.send(&fits).await;
    // The server's line about it is longer, and is dropped.
    assert_eq!(client.next().await, answer_to("1"));
    client.send(&client::of_length(Client::LIMITS.message_bytes_max + 1)).await;
    let told = client.next().await;
    assert!(told.contains(r#""id":1,"error""#) && told.contains("4096 bytes"), "{told}");
    client.send(&call("2", "x")).await;
    assert_eq!(client.next().await, client::heard(&call("2", "x")));
}

#[tokio::test]
async fn answers_of_the_server_that_cannot_be_read_are_errors_for_their_request() {
    let mut client = Client::start().await;
    for (count, name) in ["duplicate", "not-utf8", "too-long"].into_iter().enumerate() {
        client.send(&call("1", name)).await;
        client.next().await;
        let told = client.next().await;
        assert!(told.contains(r#""id":1,"error""#), "{told}");
        let report = client.fake.reported(count + 1).await.remove(count);
        assert_eq!(report.effect.outcome, Outcome::Unknown);
    }
}

#[tokio::test]
async fn what_a_server_says_unasked_does_not_reach_the_client() {
    let mut client = Client::start().await;
    client.send(&call("1", "babble")).await;
    client.next().await;
    // Before its answer the server wrote a log line, an answer to nothing and a strange notification.
    assert_eq!(client.next().await, answer_to("1"));
    let seen = client.fake.seen(3).await;
    assert!(seen.iter().all(|seen| seen.observation.kind == ObservationKind::Malformed));
}

#[tokio::test]
async fn requests_of_the_server_are_observed_and_passed_on_and_unknown_ones_answered() {
    let mut client = Client::start().await;
    client.send(&call("1", "asks")).await;
    client.next().await;
    let request = client.next().await;
    assert!(request.contains("sampling/createMessage"), "{request}");
    let asked = client.fake.asked(2).await.remove(1);
    assert_eq!(asked.operation.kind, OperationKind::Sampling);
    assert_eq!(asked.arguments, r#"{"v":1.0}"#);
    // The server hears our answer to its strange request, and the client never saw that.
    let all = [client.next().await, client.next().await];
    assert!(all.iter().any(|line| line.contains("-32601") && line.contains("\"id\":\"s2\"")));
    assert!(all.contains(&answer_to("1")));
    let reply = r#"{"jsonrpc":"2.0","id":"s1","result":{"role":"assistant"}}"#;
    client.send(reply).await;
    assert_eq!(client.next().await, client::heard(reply));
    assert_eq!(client.fake.asked(3).await[2].operation.kind, OperationKind::Reply);
}

#[tokio::test]
async fn an_answer_that_may_not_leave_is_an_error_for_the_server() {
    let mut client = Client::start().await;
    client.send(&call("1", "asks")).await;
    for _ in 0..4 {
        client.next().await;
    }
    client.send(r#"{"jsonrpc":"2.0","id":"s1","result":{"text":"the PIN is 1234"}}"#).await;
    let heard = client.next().await;
    assert!(heard.contains("\"id\":\"s1\",\"error\"") && !heard.contains("1234"), "{heard}");
}

#[tokio::test]
async fn a_client_hears_that_its_tools_have_changed_without_asking() {
    let mut client = Client::start().await;
    let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#;
    client.send(hello).await;
    client.next().await;
    assert_eq!(client.next().await, answer_to("0"));
    let begun = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    client.send(begun).await;
    assert_eq!(client.next().await, client::heard(begun));
    client.fake.changed.send_modify(|version| *version += 1);
    let news = client.next().await;
    assert_eq!(news, r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#);
}

#[tokio::test]
async fn an_answer_of_the_client_that_the_server_did_not_ask_for_goes_nowhere() {
    let mut client = Client::start().await;
    client.send(&call("1", "asks")).await;
    // The call, the request, and the answers to the call and to a strange request.
    for _ in 0..4 {
        client.next().await;
    }
    let reply = r#"{"jsonrpc":"2.0","id":"s1","result":{}}"#;
    client.send(reply).await;
    assert_eq!(client.next().await, client::heard(reply));
    let before = client.fake.observed.borrow().len();
    let unasked = [
        r#"{"jsonrpc":"2.0","id":"never","result":{"text":"secret"}}"#,
        r#"{"jsonrpc":"2.0","id":"s1","result":{"text":"a second answer"}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":1,"message":"secret"}}"#,
    ];
    for (count, text) in unasked.into_iter().enumerate() {
        client.send(text).await;
        let seen = client.fake.seen(before + count + 1).await.pop().unwrap();
        assert_eq!((seen.observation.kind, &*seen.content), (ObservationKind::Malformed, text));
    }
    client.send(&call("2", "x")).await;
    assert_eq!(client.next().await, client::heard(&call("2", "x")));
}

#[test]
fn of_too_many_requests_of_a_server_the_oldest_gets_no_answer() {
    let asked = super::Asked::new(2);
    let ids = ["1", "2", "3"].map(|id| {
        let bytes = cancel(id).into_bytes();
        Message::parse(bytes, Client::LIMITS.message_bytes_max).unwrap().cancelled().unwrap()
    });
    ids.iter().for_each(|id| asked.open(id));
    assert_eq!(ids.each_ref().map(|id| asked.answered(id)), [false, true, true]);
}

#[tokio::test]
async fn a_ping_carries_no_text_to_the_server() {
    let mut client = Client::start().await;
    let ping =
        |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{params}}}"#);
    client.send(&ping(r#"{"text":"secret"}"#)).await;
    assert!(client.next().await.contains("-32602"));
    let bare = ping(r#"{"_meta":{}}"#);
    client.send(&bare).await;
    assert_eq!(client.next().await, client::heard(&bare));
}

#[tokio::test]
async fn a_completion_is_decided_and_its_answer_recorded() {
    let mut client = Client::start().await;
    let complete = |prompt: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{{"ref":{{"type":"ref/prompt","name":"{prompt}"}},"argument":{{"name":"a","value":"secret"}}}}}}"#
        )
    };
    client.send(&complete("deny")).await;
    assert!(client.next().await.contains("no_outsiders"));
    client.send(&complete("p")).await;
    assert_eq!(client.next().await, client::heard(&complete("p")));
    assert_eq!(client.next().await, answer_to("1"));
    assert!(client.fake.asks.borrow().iter().all(|ask| ask.arguments.contains("secret")));
    assert_eq!(client.fake.reported(1).await[0].effect.outcome, Outcome::Done);
}

#[tokio::test]
async fn one_id_twice_at_once_is_refused() {
    let mut client = Client::start().await;
    client.send(&call("1", "silent")).await;
    client.next().await;
    client.send(&call("1", "x")).await;
    assert!(client.next().await.contains("with this id is still open"));
}

#[tokio::test]
async fn requests_are_open_up_to_the_limit_and_no_further() {
    let mut client = Client::start().await;
    for id in 1..=Client::LIMITS.open_max {
        client.send(&call(&id.to_string(), "silent")).await;
        client.next().await;
    }
    client.send(&call("99", "x")).await;
    assert!(client.next().await.contains("which is the limit"));
}

#[tokio::test]
async fn arguments_too_long_to_decide_are_refused() {
    let limits = Limits { message_bytes_max: 4 << 20, ..Client::LIMITS };
    let mut client = Client::with(limits).await;
    let long = "x".repeat(pathwarden_wire::Ask::ARGUMENTS_BYTES_MAX);
    client.send(&call("1", "x").replace("a@b", &long)).await;
    assert!(client.next().await.contains("too_much"));
}

#[tokio::test]
async fn a_client_that_closes_ends_the_server_and_its_permits() {
    let mut client = Client::start().await;
    client.send(&call("1", "silent")).await;
    client.next().await;
    let (end, fake) = client.end().await;
    assert_eq!(end, StdioEnd::ClientClosed);
    assert_eq!(fake.reported(1).await[0].effect.outcome, Outcome::Unknown);
}

#[tokio::test]
async fn a_server_that_does_not_end_is_killed() {
    let mut client = Client::start().await;
    client.send(&call("1", "deaf")).await;
    client.next().await;
    let (end, _) = tokio::time::timeout(Duration::from_secs(20), client.end()).await.unwrap();
    assert_eq!(end, StdioEnd::ClientClosed);
}

#[tokio::test]
async fn our_credential_is_not_in_the_environment_of_the_server() {
    // Cargo sets many variables; the test runs with one more through a shell of our own.
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stdio::tests::prints_the_environment_of_a_server", "--nocapture"])
        .env("PATHWARDEN_TOKEN", "secret")
        .env("PATHWARDEN_X", "secret")
        .env("OTHER", "kept")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(text.contains("OTHER=kept"), "{text}");
    assert!(!text.contains("PATHWARDEN_TOKEN=") && !text.contains("PATHWARDEN_X="), "{text}");
}

#[tokio::test]
async fn prints_the_environment_of_a_server() {
    use tokio::io::AsyncReadExt;
    let mut child = super::Child::start(&["env".into()]).unwrap();
    let mut text = String::new();
    child.stdout.read_to_string(&mut text).await.unwrap();
    assert!(child.process.wait().await.unwrap().success());
    println!("{text}");
}

#[tokio::test]
async fn a_command_that_cannot_be_started_is_named() {
    let started = client::run(vec!["/nonexistent/server".into()], Client::LIMITS).await;
    assert!(started.unwrap_err().to_string().contains("`/nonexistent/server`"));
    let nothing = client::run(Vec::new(), Client::LIMITS).await;
    assert!(matches!(nothing, Err(StdioError::NoCommand)));
}

#[tokio::test]
async fn a_node_that_does_not_answer_in_time_refuses() {
    let mut limits = Client::LIMITS;
    limits.patience.pdp = Duration::from_millis(50);
    let mut client = Client::with(limits).await;
    client.send(&call("1", "mute")).await;
    let told = client.next().await;
    assert!(told.contains("unreachable") && told.contains(r#""isError":true"#), "{told}");
}

#[tokio::test]
async fn a_call_that_waits_beyond_the_limit_is_told_so_and_may_come_back() {
    for wait in [Duration::from_millis(1), Duration::from_secs(20)] {
        let mut limits = Client::LIMITS;
        (limits.patience.wait, limits.patience.hold) = (wait, Duration::from_millis(80));
        let mut client = Client::with(limits).await;
        client.send(&call("1", "hold")).await;
        let told = client.next_but_any_progress().await;
        assert!(told.contains("waiting_for_approval"), "{told}");
    }
}
