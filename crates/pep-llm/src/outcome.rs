//! What a model answered, as it is kept on record.

use std::collections::BTreeMap;

use pathwarden_lens_llm::Output;
use pathwarden_types::ActionId;
use serde_json::{Value, json};

/// The longest text and the longest reasoning that are kept on record, in bytes; more is cut, and said.
const TEXT_BYTES_MAX: usize = 2 << 20;

/// An answer as JSON, each call with the identity that it got.
pub(crate) fn content(output: &Output, actions: &BTreeMap<usize, ActionId>) -> String {
    let calls: Vec<Value> = output
        .calls
        .iter()
        .enumerate()
        .map(|(number, call)| {
            json!({
                "action": actions.get(&number).map(ToString::to_string),
                "call": call.id,
                "name": call.name,
                "arguments": cut(&call.arguments),
            })
        })
        .collect();
    let server_calls: Vec<Value> = output
        .server_calls
        .iter()
        .map(|call| json!({ "kind": call.kind, "name": call.name, "arguments": cut(&call.arguments) }))
        .collect();
    let usage = &output.usage;
    json!({
        "id": output.id,
        "model": output.model,
        "text": cut(&output.text),
        "reasoning": cut(&output.reasoning),
        "calls": calls,
        "server_calls": server_calls,
        "finish": output.finish,
        "usage": {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "cached_tokens": usage.cached_tokens,
        },
        "confidence": output.confidence,
        "fingerprint": output.fingerprint,
    })
    .to_string()
}

fn cut(text: &str) -> String {
    match text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)) {
        Some(start) if start.len() < text.len() => format!("{start}… (cut)"),
        _ => text.to_owned(),
    }
}
