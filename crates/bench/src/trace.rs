//! The search for where a value came from.

use std::hint::black_box;

use anyhow::{Result, ensure};
use pathwarden_lineage::{Index, Reading, SourceId};

use crate::measure::{Candidate, Effort, in_turns, timed};
use crate::report::{Aim, Cell, Table};
use crate::work::{self, RESULT_BYTES};

/// Results of 3 KB in the index.
const SOURCES: u32 = 50;

/// Lengths of the values, in bytes.
const LENGTHS: [usize; 3] = [40, 200, 2_000];

/// How a value relates to what was read.
const KINDS: [&str; 3] = ["stands in a result", "every tenth word changed", "stands nowhere"];

/// Measures traces of values of three lengths in a session of 50 results.
pub(crate) fn run(effort: Effort) -> Result<Table> {
    // More candidates than elsewhere, and slow ones.
    let effort = Effort { calls: effort.calls / 4, ..effort };
    let mut index = Index::default();
    let mut bytes = 0;
    for source in 0..SOURCES {
        let text = work::result(u64::from(source) * 40, RESULT_BYTES);
        bytes += text.len();
        index.add(SourceId(source), &Reading::of(&text));
    }
    let mut values = Vec::new();
    for length in LENGTHS {
        let found = cut(&work::prose(401, length + 20), length);
        ensure!(!index.trace(&found).matches.is_empty(), "nothing is found");
        let changed: Vec<&str> = found
            .split(' ')
            .enumerate()
            .map(|(nth, word)| if nth % 10 == 9 { "altered" } else { word })
            .collect();
        let (changed, none) = (changed.join(" "), cut(&strange(length), length));
        for (kind, value) in KINDS.into_iter().zip([found, changed, none]) {
            values.push((format!("{length} bytes, {kind}"), value));
        }
    }
    let mut candidates: Vec<Candidate<'_>> = values
        .iter()
        .map(|(_, value)| ("", timed(|| drop(black_box(index.trace(black_box(value)))))))
        .collect();
    let samples = in_turns(effort, &mut candidates);
    let rows = values.iter().zip(&samples).map(|((name, _), sample)| {
        vec![Cell::text(name.as_str()), Cell::Micros(sample.p50()), Cell::Micros(sample.p99())]
    });
    let worst = samples.iter().map(|sample| sample.p50()).fold(0.0, f64::max);
    Ok(Table {
        title: "Where a value came from",
        notes: vec![format!(
            "`lineage::Index::trace` in an index of {SOURCES} results, {} KB together. Candidates in turns, \
             {} turns of {} calls.",
            bytes / 1_000,
            effort.rounds,
            effort.calls
        )],
        columns: vec!["", "p50", "p99"],
        rows: rows.collect(),
        aims: vec![Aim::at_most("the slowest: p50 ≤ 100 µs", Cell::Micros(worst), 100.0)],
    })
}

/// About so many bytes of a text of ASCII.
fn cut(text: &str, bytes: usize) -> String {
    text.chars().take(bytes).collect()
}

/// Words that the prose does not have.
fn strange(bytes: usize) -> String {
    (0..bytes / 8).map(|nth| format!("zq{}x ", nth * 7_919 % 10_007)).collect()
}
