//! What a session holds in memory, counted by the allocator of a program of its own.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::report::{Aim, Cell, Table};
use crate::verify::beside;

/// What the program says.
#[derive(Debug, Deserialize)]
struct Counted {
    /// Steps of a session, and the bytes that its state holds after them.
    states: Vec<(u64, f64)>,
    /// Bytes that the lineage index of many results holds.
    index_bytes: f64,
    /// Bytes of those results.
    input_bytes: f64,
}

const IDLE_SESSIONS: f64 = 10_000.0;

/// Measures the bytes of a session's state.
pub(crate) fn run() -> Result<Table> {
    let output = Command::new(beside("pathwarden-bench-memory")?).output().context("run it")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counted: Counted = serde_json::from_slice(&output.stdout).context("read the figures")?;
    let mut rows: Vec<Vec<Cell>> = counted
        .states
        .iter()
        .map(|(steps, bytes)| {
            vec![
                Cell::text(format!("session of {steps} steps")),
                Cell::Bytes(*bytes),
                Cell::Bytes(bytes * IDLE_SESSIONS),
            ]
        })
        .collect();
    let per_byte = counted.index_bytes / counted.input_bytes;
    rows.push(vec![
        Cell::text(format!("lineage index of {:.0} KB of results", counted.input_bytes / 1e3)),
        Cell::Bytes(counted.index_bytes),
        Cell::Nothing,
    ]);
    let of_15 = counted.states.iter().find(|(steps, _)| *steps == 15);
    let idle = of_15.map_or(Cell::Nothing, |(_, bytes)| Cell::Bytes(bytes * IDLE_SESSIONS));
    Ok(Table {
        title: "Memory of a session",
        notes: vec![
            "Bytes that are given back when the state goes. Steps as in the sessions above: nine of ten \
             read 3 KB. The figure for many sessions is the product."
                .to_owned(),
        ],
        columns: vec!["", "bytes", "10,000 such sessions"],
        rows,
        aims: vec![
            Aim::at_most("10,000 idle sessions of 15 steps: ≤ 500 MB", idle, 500e6),
            Aim::at_most("lineage index: ≤ 2.6 bytes per byte read", Cell::Ratio(per_byte), 2.6),
        ],
    })
}
