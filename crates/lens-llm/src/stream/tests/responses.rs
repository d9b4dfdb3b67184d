use super::fixtures::{
    function_events, function_item, item_event, message_events, message_item, responses, secret,
    sequenced,
};
use super::*;

const API: Api = Api::Responses;

fn two_calls() -> String {
    responses(
        &[message_events(0, "Hi"), function_events(1, "read"), function_events(2, "write")],
        &[
            message_item(0, "Hi"),
            function_item(1, "read", &secret(1)),
            function_item(2, "write", &secret(2)),
        ],
    )
}

fn own(bytes: &[u8], index: u32) -> Vec<Value> {
    objects(bytes).into_iter().filter(|event| event["output_index"] == index).collect()
}

fn last(bytes: &[u8]) -> Value {
    objects(bytes).pop().unwrap()["response"]["output"].clone()
}

#[test]
fn all_is_told() {
    let run = run_text(API, &two_calls(), release);
    assert_eq!(run.bytes, two_calls().as_bytes());
    assert_eq!(run.end, Ok(Ending::Whole));
    let (read, write) =
        (function("call_1", "read", &secret(1)), function("call_2", "write", &secret(2)));
    assert_eq!(run.calls, [vec![read], vec![write]]);
    let output = run.output;
    assert_eq!((output.text.as_str(), output.finish.as_deref()), ("Hi", Some("completed")));
    assert_eq!(output.confidence.map(|ratio| ratio.steps()), Some(7500));
    assert_eq!(output.usage.cached_tokens, 4);
}

#[test]
fn a_refused_call_becomes_a_message() {
    let run = run_text(API, &two_calls(), refuse_only("read"));
    let own = own(&run.bytes, 1);
    let kinds: Vec<&str> = own.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
        ]
    );
    let numbers: Vec<u64> =
        own.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [6, 7, 8, 9, 10, 10]);
    assert_eq!(own[2]["delta"], "refused \"read\"");
    let item = &own[5]["item"];
    assert_eq!((&item["id"], &item["type"]), (&"msg_call_1".into(), &"message".into()));
    assert_eq!(&last(&run.bytes)[1], item);
    assert_eq!(last(&run.bytes)[2]["name"], "write");
    assert!(!String::from_utf8(run.bytes).unwrap().contains("SECRET_1"));
}

#[test]
fn a_rewritten_call_is_new_in_every_event() {
    let run = run_text(API, &two_calls(), rewrite);
    let own = own(&run.bytes, 1);
    assert_eq!(own.len(), 4);
    let new = Value::from("{\"input\":\"new\"}");
    assert_eq!(own[0]["item"]["arguments"], "");
    assert_eq!((&own[1]["delta"], &own[2]["arguments"]), (&new, &new));
    assert_eq!(own[3]["item"]["arguments"], new);
    assert_eq!(last(&run.bytes)[1]["arguments"], new);
    assert!(!String::from_utf8(run.bytes).unwrap().contains("SECRET"));
}

#[test]
fn calls_that_overlap_are_asked_for_together() {
    let (first, second) = (function_events(0, "read"), function_events(1, "write"));
    let mixed: Vec<String> =
        first.into_iter().zip(second).flat_map(|(first, second)| [first, second]).collect();
    let text = responses(
        &[mixed],
        &[function_item(0, "read", &secret(0)), function_item(1, "write", &secret(1))],
    );
    assert_eq!(run_text(API, &text, release).bytes, text.as_bytes());
    let run = run_text(API, &text, refuse_only("write"));
    assert_eq!(run.calls[0].len(), 2);
    assert_eq!((own(&run.bytes, 0).len(), own(&run.bytes, 1).len()), (5, 6));
}

#[test]
fn built_in_and_custom_tools_are_calls() {
    let shell = r#"{"id":"sh","type":"local_shell_call","status":"completed","call_id":"c0","action":{"type":"exec","command":["ls"],"env":{}}}"#;
    let custom =
        r#"{"id":"ct","type":"custom_tool_call","call_id":"c1","name":"sql","input":"DROP"}"#;
    let computer = r#"{"id":"cc","type":"computer_call","call_id":"c2","actions":[{"type":"wait"}],"action":null,"status":"completed","pending_safety_checks":[]}"#;
    let future = r#"{"id":"fu","type":"robot_call","call_id":"c3","operation":{"grip":true}}"#;
    let search = r#"{"id":"ts","type":"tool_search_call","call_id":"c4","execution":"client","arguments":{"q":"x"},"status":"completed"}"#;
    let items = [shell, custom, computer, future, search].map(str::to_owned);
    let done = |(index, item): (u32, &String)| vec![item_event("done", index, item)];
    let text = responses(&(0..).zip(&items).map(done).collect::<Vec<_>>(), &items);
    let run = run_text(API, &text, release);
    let calls: Vec<(String, String)> =
        run.output.calls.into_iter().map(|call| (call.name, call.arguments)).collect();
    let want = [
        ("local_shell", r#"{"type":"exec","command":["ls"],"env":{}}"#),
        ("sql", r#"{"input":"DROP"}"#),
        ("computer", r#"{"input":[{"type":"wait"}]}"#),
        ("robot", r#"{"grip":true}"#),
        ("tool_search", r#"{"q":"x"}"#),
    ];
    assert_eq!(calls, want.map(|(name, arguments)| (name.to_owned(), arguments.to_owned())));
    let run = run_text(API, &text, rewrite);
    let last = last(&run.bytes);
    assert_eq!((&last[0]["action"]["input"], &last[1]["input"]), (&"new".into(), &"new".into()));
    assert_eq!(
        (&last[2]["actions"], &last[3]["operation"]["input"]),
        (&"new".into(), &"new".into())
    );
}

#[test]
fn server_calls_pass_and_are_told() {
    let mcp = r#"{"id":"m","type":"mcp_call","name":"find","server_label":"crm","arguments":"{\"q\":1}"}"#;
    let web = r#"{"id":"w","type":"web_search_call","status":"completed","action":{"type":"search","query":"x"}}"#;
    let items = [mcp.to_owned(), web.to_owned()];
    let text = responses(
        &[vec![
            item_event("added", 0, mcp),
            item_event("done", 0, mcp),
            item_event("done", 1, web),
        ]],
        &items,
    );
    let run = run_text(API, &text, refuse);
    assert_eq!(run.bytes, text.as_bytes());
    let told = run.output.server_calls;
    assert_eq!((told[0].name.as_str(), told[0].arguments.as_str()), ("find", "{\"q\":1}"));
    assert_eq!((told[1].name.as_str(), told.len()), ("web_search", 2));
}

#[test]
fn a_call_that_only_the_last_event_tells_of_is_asked_for() {
    let text = responses(&[], &[message_item(0, "Hi"), function_item(1, "read", &secret(1))]);
    assert_eq!(run_text(API, &text, release).bytes, text.as_bytes());
    let run = run_text(API, &text, refuse);
    assert_eq!(run.calls[0].len(), 1);
    assert_eq!(last(&run.bytes)[1]["type"], "message");
    assert_eq!(run.output.text, "Hi");
}

#[test]
fn an_open_call_ends_with_the_response() {
    let open: Vec<String> = function_events(0, "read").into_iter().take(2).collect();
    let text = responses(std::slice::from_ref(&open), &[])
        .replace("response.completed", "response.failed");
    let run = run_text(API, &text, refuse);
    assert_eq!(run.calls[0][0].arguments, "{\"input\":\"{\\\"path\\\": \\\"SEC\"}");
    assert_eq!(own(&run.bytes, 0).len(), 6);
    let told = responses(&[open], &[function_item(0, "read", "{\"path\": \"SEC")]);
    assert_eq!(run_text(API, &told, release).bytes, told.as_bytes());
}

#[test]
fn what_clients_would_read_differently_is_a_fault() {
    let events = function_events(0, "read");
    let item = |arguments: &str| function_item(0, "read", arguments);
    let with = |list: &[&String]| {
        sequenced(&list.iter().map(|event| (*event).clone()).collect::<Vec<_>>())
    };
    let other = |from: &str, to: &str| two_calls().replacen(from, to, 1);
    let faults = [
        // Another name or other arguments when it is done.
        with(&[&events[0], &item_event("done", 0, &function_item(0, "write", ""))]),
        with(&[&events[0], &events[1], &item_event("done", 0, &item("{}"))]),
        with(&[&events[0], &events[1], &events[3]]),
        // Fragments without a start, or after the end.
        with(&[&events[1]]),
        with(&[&events[0], &events[1], &events[2], &events[4], &events[2]]),
        with(&[&events[0], &events[0]]),
        // Another type when it is done.
        with(&[&events[0], &item_event("done", 0, &message_item(0, "x"))]),
        with(&[&item_event("added", 0, &message_item(0, "x")), &events[4]]),
        // The last event tells of something else.
        responses(std::slice::from_ref(&events), &[item("{}")]),
        other("\"output\":[]", &format!("\"output\":[{}]", item("{}"))),
        other("event: response.output_item.added", "event: response.other"),
    ];
    for text in faults {
        let run = run_text(API, &text, release);
        assert!(shape(&run), "{text} {:?}", run.end);
    }
}

#[test]
fn a_stop_follows_in_the_sequence() {
    let mut stream = Stream::new(API);
    stream.push(sequenced(&message_events(0, "x")).as_bytes()).unwrap();
    let (name, data) = events(&stream.stop("why")).remove(0);
    assert_eq!((name.as_str(), &data["sequence_number"]), ("error", &Value::from(4)));
}
