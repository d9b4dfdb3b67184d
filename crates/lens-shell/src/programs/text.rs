//! Filters: what they read, and what they make of it.

mod awk;
mod sed;

use super::Handler;
use super::options;
use super::table;
use crate::decode;
use crate::plan::{Act, Doubt};
use crate::value::{Flow, Taint, Value};
use crate::walk::{Call, Walk};

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "cat" => cat,
        "tee" => tee,
        "head" | "tail" => ends,
        "base64" | "base32" | "basenc" => base,
        "xxd" => xxd,
        "rev" => rev,
        "tr" => tr,
        "sed" | "gsed" => sed::sed,
        "awk" | "gawk" | "mawk" | "nawk" => awk::awk,
        "gzip" | "gunzip" | "zcat" | "bzip2" | "bunzip2" | "bzcat" | "xz" | "unxz" | "xzcat"
        | "zstd" | "unzstd" | "zstdcat" => compressed,
        _ => return None,
    })
}

/// The input, or all files in its place.
pub(super) fn inputs(walk: &mut Walk<'_>, call: &Call<'_>, files: &[Value]) -> Flow {
    let mut all: Option<Flow> = None;
    for file in files {
        let next = if file.text == "-" { call.input.clone() } else { table::read(walk, file) };
        all = Some(match all {
            Some(flow) => flow.then(next),
            None => next,
        });
    }
    all.unwrap_or_else(|| Flow { given: true, ..call.input.clone() })
}

fn cat(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "");
    inputs(walk, call, &options.operands)
}

fn tee(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "");
    for file in &options.operands {
        walk.touch(Act::Write, file);
        walk.remember(&file.text, call.input);
    }
    Flow { given: true, ..call.input.clone() }
}

/// `head` and `tail`: a text of one line is whole in both.
fn ends(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "n c lines bytes s");
    let flow = inputs(walk, call, &options.operands);
    let short = flow.text.as_ref().is_some_and(|text| text.trim_end().lines().count() <= 1);
    let whole = short && options.value(&["c", "bytes"]).is_none();
    let listing = flow.listing.clone();
    if whole { flow } else { Flow { listing, ..flow.blurred() } }
}

fn base(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "w i o wrap");
    let flow = inputs(walk, call, &options.operands);
    if !options.has(&["d", "D", "decode"]) {
        return flow.blurred();
    }
    let thirty_two = call.name == "base32" || options.has(&["base32"]);
    let sixteen = options.has(&["base16"]);
    let decoder = match (thirty_two, sixteen) {
        (true, _) => decode::base32,
        (_, true) => decode::hex,
        (false, false) => decode::base64,
    };
    decoded(walk, &flow, decoder)
}

/// What a decoder makes of a text.
pub(super) fn decoded(
    walk: &mut Walk<'_>,
    flow: &Flow,
    decoder: impl Fn(&str) -> Option<String>,
) -> Flow {
    let taint = Taint { decoded: true, ..flow.taint };
    let text = flow.text.as_deref().and_then(decoder);
    if let Some(text) = &text {
        walk.doubt(Doubt::Decoded);
        walk.spend(text.len());
    }
    Flow { text, ..Flow::unknown() }.tainted(taint)
}

fn xxd(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "c g l s o cols len seek");
    let file = options.operands.get(..1).unwrap_or_default();
    let flow = inputs(walk, call, file);
    if let Some(output) = options.operands.get(1) {
        walk.touch(Act::Write, output);
    }
    let reverts = options.has(&["r", "revert"]);
    if reverts { decoded(walk, &flow, decode::hex) } else { flow.blurred() }
}

fn rev(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let flow = inputs(walk, call, call.arguments);
    mirrored(&flow, decode::reversed)
}

fn tr(_walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "");
    let complement = options.has(&["c", "C", "complement", "s"]);
    match options.operands.as_slice() {
        [from] if options.has(&["d", "delete"]) && !complement => {
            mirrored(call.input, |text| decode::translated(text, &from.text, None))
        }
        [from, to] if !complement => {
            mirrored(call.input, |text| decode::translated(text, &from.text, Some(&to.text)))
        }
        _ => call.input.blurred(),
    }
}

/// A text in another writing, which may be a disguise.
fn mirrored(flow: &Flow, writing: impl Fn(&str) -> String) -> Flow {
    let taint = Taint { decoded: true, ..flow.taint };
    Flow { text: flow.text.as_deref().map(writing), ..Flow::unknown() }.tainted(taint)
}

/// Compressors: they put a file in the place of another, or write to a pipe.
fn compressed(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options = options::read(call.arguments, "S o T");
    let shows =
        options.has(&["c", "stdout", "t", "test", "l", "list"]) || call.name.ends_with("cat");
    let unpacks = options.has(&["d", "decompress"])
        || call.name.starts_with("un")
        || call.name.ends_with("cat")
        || call.name == "gunzip"
        || call.name == "bunzip2";
    let taint = Taint { decoded: unpacks, ..Taint::default() };
    let mut flow = call.input.blurred().tainted(taint);
    for file in &options.operands {
        flow = flow.tainted(table::read(walk, file).taint);
        if !shows {
            walk.touch(Act::Write, &beside(file, unpacks, call.name));
            if !options.has(&["k", "keep"]) && !call.name.contains("zstd") {
                walk.touch(Act::Remove, file);
            }
        }
    }
    flow
}

/// The file that a compressor writes for this one.
fn beside(file: &Value, unpacks: bool, name: &str) -> Value {
    let ending = match name {
        "bzip2" => ".bz2",
        "xz" => ".xz",
        "zstd" => ".zst",
        _ => ".gz",
    };
    if !unpacks {
        return file.derived(format!("{}{ending}", file.text));
    }
    let stem = file.text.rsplit_once('.').map_or(file.text.as_str(), |(stem, _)| stem);
    file.derived(stem)
}
