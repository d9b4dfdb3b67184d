//! Durable appends, beside redb and SQLite on the same file system.

mod group;
mod logs;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use self::group::Front;
use self::logs::{Log, Redb, Sqlite};
pub(crate) use self::logs::{Ours, signer};
use crate::measure::{Effort, Samples};
use crate::report::{Aim, Cell, Table};

/// Length of every entry.
pub(crate) const ENTRY_BYTES: usize = 1024;

/// Entries acknowledged together by one writer.
const BATCHES: [u64; 3] = [1, 64, 1024];

/// Writers that each wait for their own entry.
const WRITERS: u64 = 128;

/// Ours, then the peers.
const LOGS: [&str; 3] = ["Pathwarden", "redb", "SQLite"];

/// Measures appends that are durable when they are acknowledged.
pub(crate) fn run(effort: Effort, dir: &Path) -> Result<Table> {
    let mut ours = Ours::create(&dir.join("log"))?;
    let mut redb = Redb::create(&dir.join("peer.redb"))?;
    let mut sqlite = Sqlite::create(&dir.join("peer.sqlite"))?;
    let mut rows = Vec::new();
    for batch in BATCHES {
        let mut samples = std::array::from_fn(|_| Samples::default());
        for _ in 0..effort.rounds {
            let logs: [&mut dyn Log; 3] = [&mut ours, &mut redb, &mut sqlite];
            for (log, sample) in logs.into_iter().zip(&mut samples) {
                one_writer(log, batch, effort.turn, sample)?;
                log.settle()?;
            }
        }
        rows.extend(rows_of(&format!("one writer, {batch} at a time"), &samples));
    }
    let fronts = [Front::of_ours(ours)?, Front::grouping(redb)?, Front::grouping(sqlite)?];
    let mut samples = std::array::from_fn(|_| Samples::default());
    let mut settled = Duration::ZERO;
    for _ in 0..effort.rounds {
        for (front, sample) in fronts.iter().zip(&mut samples) {
            front.many_writers(WRITERS, effort.turn, sample)?;
            let start = Instant::now();
            front.settle()?;
            settled += start.elapsed();
        }
    }
    let what = format!("{WRITERS} acknowledging writers");
    rows.extend(rows_of(&what, &samples));
    let [mut sustained, ..] = samples.clone();
    sustained.did(0, settled);
    rows.push(vec![
        Cell::text(format!("{what}: Pathwarden, until indexed and published as well")),
        Cell::Rate(sustained.rate()),
        Cell::Nothing,
        Cell::Nothing,
        Cell::Nothing,
    ]);
    Ok(table(effort, rows, &samples))
}

/// One writer appends batches until its turn is over, waiting for each.
fn one_writer(log: &mut dyn Log, batch: u64, turn: Duration, samples: &mut Samples) -> Result<()> {
    let began = Instant::now();
    let (mut done, mut busy) = (0, Duration::ZERO);
    while began.elapsed() < turn {
        let entries = (0..batch).map(|_| entry(log.number())).collect();
        let start = Instant::now();
        log.append(entries)?;
        let took = start.elapsed();
        samples.call(took);
        busy += took;
        done += batch;
    }
    samples.did(done, busy);
    Ok(())
}

/// An entry that does not compress and is unlike every other.
pub(crate) fn entry(number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ENTRY_BYTES);
    let mut word = number;
    while bytes.len() < ENTRY_BYTES {
        // SplitMix64, the published constants.
        word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes
}

fn rows_of(what: &str, samples: &[Samples; 3]) -> Vec<Vec<Cell>> {
    let [ours, ..] = samples;
    let row = |(name, sample): (&&str, &Samples)| {
        vec![
            Cell::text(format!("{what}: {name}")),
            Cell::Rate(sample.rate()),
            Cell::Micros(sample.p50()),
            Cell::Micros(sample.p99()),
            Cell::Ratio(ours.rate() / sample.rate()),
        ]
    };
    LOGS.iter().zip(samples).map(row).collect()
}

fn table(effort: Effort, rows: Vec<Vec<Cell>>, many: &[Samples; 3]) -> Table {
    let [ours, redb, sqlite] = many;
    Table {
        title: "Ledger: append with durable acknowledgement",
        notes: vec![format!(
            "Entries of {ENTRY_BYTES} bytes, in turns of {} ms, {} of each, on one file system. \
                 Pathwarden: Merkle tree, index by session and action, tiles and signed checkpoints \
                 while it appends. redb: `Durability::Immediate`. SQLite: WAL, `synchronous=FULL`. The \
                 peers have one table by number and no second index; for the many writers, a thread of \
                 ours in front of them commits all that waits in one transaction, as theirs alone \
                 would sync for each. Latency is per acknowledgement. Before the next turn, Pathwarden \
                 finishes its index and its publication; the last row counts that time as well.",
            effort.turn.as_millis(),
            effort.rounds
        )],
        columns: vec!["", "entries", "p50", "p99", "Pathwarden's rate / this rate"],
        rows,
        aims: vec![
            Aim::at_least("128 acknowledging writers: ≥ 100 k/s", Cell::Rate(ours.rate()), 100e3),
            Aim::at_least(
                "128 acknowledging writers: ≥ 1.2 × redb",
                Cell::Ratio(ours.rate() / redb.rate()),
                1.2,
            ),
            Aim::at_least(
                "128 acknowledging writers: ≥ 1.2 × SQLite",
                Cell::Ratio(ours.rate() / sqlite.rate()),
                1.2,
            ),
        ],
    }
}
