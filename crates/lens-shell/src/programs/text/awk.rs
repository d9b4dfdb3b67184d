//! `awk`, which can read, write, run and connect.

use crate::plan::Act;
use crate::programs::options;
use crate::snippet::{self, Language};
use crate::value::Flow;
use crate::walk::{Call, Walk};

/// Reads a call of `awk`. Its text filters; only what leaves it matters.
pub(in crate::programs) fn awk(walk: &mut Walk<'_>, call: &Call<'_>) -> Flow {
    let options =
        options::read(call.arguments, "F v f e i field-separator assign file source include");
    let mut files = options.operands.as_slice();
    let mut scripted = false;
    for file in options.values(&["f", "file", "i", "include"]) {
        scripted = true;
        walk.touch(Act::Read, file);
    }
    for code in options.values(&["e", "source"]) {
        scripted = true;
        snippet::search(walk, Language::Awk, code);
    }
    if let Some((code, rest)) = files.split_first().filter(|_| !scripted) {
        snippet::search(walk, Language::Awk, code);
        files = rest;
    }
    let files: Vec<_> = files.iter().filter(|file| !file.text.contains('=')).cloned().collect();
    super::inputs(walk, call, &files).blurred()
}
