//! What common programs do with what they are given.

mod archive;
mod containers;
pub(crate) mod environment;
mod find;
mod git;
mod languages;
mod network;
mod options;
mod packages;
mod print;
mod shells;
mod store;
mod system;
mod table;
mod text;
mod transfer;
mod wrap;

use crate::hosts;
use crate::plan::Act;
use crate::value::Flow;
use crate::walk::{Call, Walk};

/// Takes a call down and tells what the program writes.
type Handler = fn(&mut Walk<'_>, &Call<'_>) -> Flow;

/// Reads the call of a program.
pub(crate) fn call(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    if let Some(handler) = handler(call.name) {
        return handler(walk, call);
    }
    if let Some(row) = table::row_of(call.name) {
        return row.apply(walk, call);
    }
    unfamiliar(walk, call)
}

fn handler(name: &str) -> Option<Handler> {
    print::handler(name)
        .or_else(|| text::handler(name))
        .or_else(|| find::handler(name))
        .or_else(|| git::handler(name))
        .or_else(|| shells::handler(name))
        .or_else(|| wrap::handler(name))
        .or_else(|| store::handler(name))
        .or_else(|| archive::handler(name))
        .or_else(|| languages::handler(name))
        .or_else(|| network::handler(name))
        .or_else(|| transfer::handler(name))
        .or_else(|| packages::handler(name))
        .or_else(|| containers::handler(name))
        .or_else(|| system::handler(name))
}

/// A program that is not known here may read every path and reach every address that it is given.
pub(crate) fn unfamiliar(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    for argument in call.arguments {
        let text = match argument.text.split_once('=') {
            Some((name, value)) if name.starts_with('-') => value,
            _ => argument.text.as_str(),
        };
        let part = argument.derived(text);
        if let Some(host) = hosts::of_url(text) {
            walk.reach(&host, argument.taint);
        } else if looks_like_path(text) {
            walk.touch(Act::Read, &part);
        }
    }
    call.input.blurred()
}

/// Whether a word is a path rather than anything else: it leads somewhere.
fn looks_like_path(text: &str) -> bool {
    let leads = ["/", "~/", "./", "../"].iter().any(|start| text.starts_with(start));
    leads && text.len() > 1 || text == "/" || text == ".." || text == "~"
}
