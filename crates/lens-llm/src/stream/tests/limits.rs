use super::fixtures::{chunk, data};
use super::*;

/// An event that holds, of exactly this many bytes.
fn held_event(bytes: usize) -> String {
    let of = |filler: usize| {
        let list = format!(
            r#"{{"index":0,"delta":{{"tool_calls":[{{"index":0,"id":"a","function":{{"name":"f"}}}}]}},"x":"{}"}}"#,
            "x".repeat(filler)
        );
        data(&[&chunk(&list)])
    };
    of(bytes - of(0).len())
}

#[test]
fn an_event_may_be_this_long() {
    let text = held_event(EVENT_BYTES_MAX);
    let mut stream = Stream::new(Api::ChatCompletions);
    assert_eq!(stream.push(text.as_bytes()), Ok(()));
    let text = held_event(EVENT_BYTES_MAX + 1);
    let mut stream = Stream::new(Api::ChatCompletions);
    let fault = Err(StreamFault::TooLong { max: EVENT_BYTES_MAX });
    assert_eq!(stream.push(text.as_bytes()), fault);
    assert_eq!(stream.push(b"data: {}\n\n"), fault, "it stays closed");
    assert_eq!(stream.step(), None);
}

#[test]
fn this_much_may_be_held() {
    for (extra, is_fine) in [(0, true), (1, false)] {
        let mut stream = Stream::new(Api::ChatCompletions);
        stream.push(held_event(HELD_BYTES_MAX / 2).as_bytes()).unwrap();
        stream.push(held_event(HELD_BYTES_MAX / 4).as_bytes()).unwrap();
        let last = stream.push(held_event(HELD_BYTES_MAX / 4 + extra).as_bytes());
        assert_eq!(last.is_ok(), is_fine);
        assert_eq!(stream.step(), None);
    }
}

#[test]
fn this_much_may_come_while_rulings_are_waited_for() {
    for (extra, is_fine) in [(0, true), (1, false)] {
        let mut stream = Stream::new(Api::ChatCompletions);
        stream.push(held_event(500).as_bytes()).unwrap();
        stream.push(b"data: [DONE]\n\n").unwrap();
        assert!(matches!(stream.step(), Some(Step::Calls(_))));
        assert_eq!(stream.push(&vec![b'\n'; HELD_BYTES_MAX + extra]).is_ok(), is_fine);
    }
}

#[test]
fn rulings_that_do_not_fit_close_the_stream() {
    let bad = |name: &str| Ruling::Rewrite(name.to_owned());
    let wrong = [vec![], vec![Ruling::Release, Ruling::Release], vec![bad("[]")], vec![bad("{")]];
    for rulings in wrong {
        let mut stream = Stream::new(Api::ChatCompletions);
        let text = format!("{}data: [DONE]\n\n", held_event(500));
        stream.push(text.as_bytes()).unwrap();
        assert!(matches!(stream.step(), Some(Step::Calls(_))));
        assert_eq!(stream.rule(rulings), Err(StreamFault::Rulings));
        assert_eq!(stream.step(), None);
        assert_eq!(stream.end(), Err(StreamFault::Rulings));
    }
    assert_eq!(Stream::new(Api::Messages).rule(vec![]), Err(StreamFault::Rulings));
}

#[test]
fn data_that_is_not_json_is_a_fault() {
    for data in ["x", "{\"a\":1,\"a\":2}", "{}{}", "\u{feff}{}", "[DONE]x"] {
        let run = run_text(Api::Messages, &format!("data: {data}\n\n"), release);
        assert!(matches!(run.end, Err(StreamFault::NotJson { .. })), "{data}");
    }
    let run = run(Api::Messages, &[b"data: {\"a\":\"\xff\"}\n\n"], release);
    assert!(matches!(run.end, Err(StreamFault::NotJson { .. })));
    assert!(shape(&run_text(Api::Messages, "data: []\n\n", release)));
}
