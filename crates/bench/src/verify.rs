//! Checking a log, beside `sha256sum` of the bytes that are checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::ledger::{ENTRY_BYTES, Ours, entry, signer};
use crate::measure::{Effort, Samples};
use crate::report::{Aim, Cell, Table};

const RECORDS: u64 = 200_000;
const BATCH: u64 = 1_000;

/// Measures `pathwarden-verify log` on a log of records of 1 KiB.
pub(crate) fn run(effort: Effort, dir: &Path) -> Result<Table> {
    let (log, records) = (dir.join("log"), RECORDS / effort.smaller);
    write(&log, records)?;
    let mut whole = Vec::new();
    files(&log, &mut whole)?;
    let entries: Vec<PathBuf> =
        whole.iter().filter(|path| path.starts_with(log.join("tile/entries"))).cloned().collect();
    whole.retain(|path| {
        path.starts_with(log.join("tile")) || path.starts_with(log.join("segments"))
    });
    let mut verify = Command::new(beside("pathwarden-verify")?);
    verify.arg("log").arg(&log).arg("--key").arg(signer()?.verifier_key().to_string());
    let mut runs = [
        ("`pathwarden-verify log`", verify),
        ("`sha256sum` of every file of the log", sum(&whole)),
        ("`sha256sum` of the entries once", sum(&entries)),
    ];
    let mut samples: [Samples; 3] = std::array::from_fn(|_| Samples::default());
    for round in 0..=effort.rounds {
        for ((_, command), sample) in runs.iter_mut().zip(&mut samples) {
            let start = Instant::now();
            let status = command.stdout(Stdio::null()).status().context("run it")?;
            ensure!(status.success(), "{command:?} failed");
            // The first turn fills the page cache.
            if round > 0 {
                sample.call(start.elapsed());
                sample.did(records, start.elapsed());
            }
        }
    }
    Ok(table(runs.map(|(name, _)| name), &samples, records, bytes(&whole)?))
}

fn write(log: &Path, records: u64) -> Result<()> {
    let ours = Ours::create(log)?;
    for first in (0..records).step_by(usize::try_from(BATCH)?) {
        ours.commit((first..first + BATCH).map(entry).collect())?;
    }
    ours.close()
}

fn table(names: [&'static str; 3], samples: &[Samples; 3], records: u64, bytes: u64) -> Table {
    let [ours, ..] = samples;
    let row = |(name, sample): (&'static str, &Samples)| {
        vec![
            Cell::text(name),
            Cell::Rate(sample.rate()),
            Cell::Micros(sample.p50()),
            Cell::Ratio(ours.rate() / sample.rate()),
        ]
    };
    Table {
        title: "Verification of a log",
        notes: vec![format!(
            "{records} records of {ENTRY_BYTES} bytes; {} MiB in all, as the log keeps each record in \
             its segment and in its tile. Whole processes, one thread, files in the page cache. The \
             verifier checks every tile and its tree, every frame with its checksum, and the signature.",
            bytes >> 20
        )],
        columns: vec!["", "records", "p50", "verifier's rate / this rate"],
        rows: names.into_iter().zip(samples).map(row).collect(),
        aims: vec![Aim::at_least("≥ 700 k records/s per core", Cell::Rate(ours.rate()), 700e3)],
    }
}

fn sum(files: &[PathBuf]) -> Command {
    let mut command = Command::new("sha256sum");
    command.args(files);
    command
}

/// A program that was built together with this one.
pub(crate) fn beside(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "`{}` is not there; run `cargo xtask bench`", path.display());
    Ok(path)
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(())
}

fn bytes(files: &[PathBuf]) -> Result<u64> {
    files.iter().map(|path| Ok(fs::metadata(path)?.len())).sum()
}
