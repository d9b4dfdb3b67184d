//! Counts the bytes that sessions hold, for `pathwarden-bench memory`: every allocation of this program
//! is counted, which takes time, so nothing is timed here.

#[expect(dead_code, reason = "the other program uses the rest")]
mod work;

use std::alloc::System;
use std::io::Write;

use anyhow::Result;
use pathwarden_lineage::{Index, Reading, SourceId};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::work::{RESULT_BYTES, Session};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Steps of the sessions.
const STEPS: [u64; 3] = [1, 15, 100];

/// Results in the index.
const SOURCES: u32 = 100;

fn main() -> Result<()> {
    let mut states = Vec::new();
    for steps in STEPS {
        let Session { state, .. } = Session::warm(steps)?;
        states.push((steps, size_of_val(&state) + held_by(state)));
    }
    let (mut index, mut input_bytes) = (Index::default(), 0);
    for source in 0..SOURCES {
        let text = work::result(u64::from(source) * 40, RESULT_BYTES);
        input_bytes += text.len();
        index.add(SourceId(source), &Reading::of(&text));
    }
    let index_bytes = held_by(index);
    let counted = serde_json::json!({
        "states": states,
        "index_bytes": index_bytes,
        "input_bytes": input_bytes,
    });
    Ok(writeln!(std::io::stdout(), "{counted}")?)
}

/// Bytes that are given back when this goes.
fn held_by<T>(thing: T) -> usize {
    let before = COUNTING.stats().bytes_deallocated;
    drop(thing);
    COUNTING.stats().bytes_deallocated - before
}
