//! Streams as providers send them, ruled on.

mod chat;
mod fixtures;
mod gemini;
mod laws;
mod limits;
mod messages;
mod responses;

use serde_json::Value;

use super::*;
use crate::answer::CallKind;

/// What came of a stream.
#[derive(Debug, PartialEq)]
struct Run {
    bytes: Vec<u8>,
    calls: Vec<Vec<Call>>,
    output: Output,
    end: Result<Ending, StreamFault>,
}

/// Sends the pieces through, ruling on each call.
fn run(api: Api, pieces: &[&[u8]], rule: impl Fn(&Call) -> Ruling) -> Run {
    let mut stream = Stream::new(api);
    let (mut bytes, mut calls, mut fault) = (Vec::new(), Vec::new(), None);
    for piece in pieces {
        let mut taken = stream.push(piece);
        while let Some(step) = stream.step() {
            match step {
                Step::Pass(more) => bytes.extend(more),
                Step::Calls(asked) => {
                    taken = taken.and(stream.rule(asked.iter().map(&rule).collect()));
                    calls.push(asked);
                }
            }
        }
        if let Err(error) = taken {
            fault = Some(error);
            break;
        }
    }
    let end = fault.map_or_else(|| stream.end(), Err);
    Run { bytes, calls, output: stream.output().clone(), end }
}

fn run_text(api: Api, text: &str, rule: impl Fn(&Call) -> Ruling) -> Run {
    run(api, &[text.as_bytes()], rule)
}

fn release(_: &Call) -> Ruling {
    Ruling::Release
}

fn refuse(call: &Call) -> Ruling {
    Ruling::Instead(format!("refused \"{}\"", call.name))
}

/// Refuses calls of this name.
fn refuse_only(name: &str) -> impl Fn(&Call) -> Ruling {
    move |call| if call.name == name { refuse(call) } else { Ruling::Release }
}

fn rewrite(_: &Call) -> Ruling {
    Ruling::Rewrite("{\"input\":\"new\"}".to_owned())
}

/// The name and the data of each event; `null` for `[DONE]`.
fn events(bytes: &[u8]) -> Vec<(String, Value)> {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut events = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        let Some(data) = field("data: ") else { continue };
        let data = if data == "[DONE]" { Value::Null } else { serde_json::from_str(data).unwrap() };
        events.push((field("event: ").unwrap_or_default().to_owned(), data));
    }
    events
}

/// The data of each event.
fn objects(bytes: &[u8]) -> Vec<Value> {
    events(bytes).into_iter().map(|(_, data)| data).filter(|data| !data.is_null()).collect()
}

fn function(id: &str, name: &str, arguments: &str) -> Call {
    let (id, name, arguments) = (id.to_owned(), name.to_owned(), arguments.to_owned());
    Call { id, name, arguments, kind: CallKind::Function }
}

fn shape(run: &Run) -> bool {
    matches!(run.end, Err(StreamFault::Shape { .. }))
}
