//! `pathwarden-verify` checks what Pathwarden wrote.
//!
//! **What it is for.** An auditor holds a log directory, or the proof of one entry, and a key they
//! trust. This program says whether the one is what the other vouches for, and if not, where and
//! how it differs. RFC 6962, c2sp.org/tlog-tiles, signed-note, tlog-checkpoint and tlog-proof, and
//! the segment format are written here a second time, from their specifications.
//!
//! **What it never does.** It shares no code with the writer, never opens the network, never
//! writes, never repairs, and never takes a key from the log that it checks. Memory is bounded
//! whatever the input.
//!
//! **Where to start.** `log` is the order of checks for a directory; `tiles` compares the tree,
//! `segments` the frames; `proof` checks a single proof; `report` is what people and programs get.

mod cli;
mod crc;
mod files;
mod frames;
mod log;
mod note;
mod proof;
mod report;
mod segments;
mod tiles;
mod tree;

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::json;

use crate::cli::{Cli, Command, LogArgs, ProofArgs};
use crate::files::LogDir;
use crate::note::{PinnedKey, hex};
use crate::proof::Proven;
use crate::report::{Paint, printable};

/// Bytes a verifier key file may have: one line.
const KEY_BYTES: u64 = 4096;

/// Bytes an entry may have.
const ENTRY_BYTES: u64 = 65_535;

const NOT_VERIFIED: u8 = 1;
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Log(args) => verify_log(&args),
        Command::Proof(args) => verify_proof(&args),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NOT_VERIFIED),
        Err(error) => {
            // Nowhere is left to tell that standard error is closed; the exit code still says it.
            let _ = writeln!(io::stderr(), "pathwarden-verify: {error:#}");
            ExitCode::from(UNUSABLE)
        }
    }
}

fn verify_log(args: &LogArgs) -> Result<bool> {
    let key = read_key(&args.common.key)?;
    let dir = &args.dir;
    ensure!(dir.is_dir(), "`{}` is not a directory", dir.display());
    let older = args
        .against
        .as_deref()
        .map(|path| read_file(path, log::CHECKPOINT_BYTES))
        .transpose()
        .context("read the older checkpoint")?;
    let report = log::verify(&LogDir::new(dir), &key, older.as_deref());
    let mut out = io::BufWriter::new(io::stdout().lock());
    if args.common.json {
        writeln!(out, "{:#}", report.json())?;
    } else {
        report.print(&mut out, paint())?;
    }
    out.flush()?;
    Ok(report.ok())
}

fn verify_proof(args: &ProofArgs) -> Result<bool> {
    let key = read_key(&args.common.key)?;
    let bytes = read_file(&args.file, proof::PROOF_BYTES)?;
    let entry = args.entry.as_deref().map(|path| read_file(path, ENTRY_BYTES)).transpose()?;
    let result = proof::verify(&bytes, entry, &key);
    let text = match (&result, args.common.json) {
        (Ok(proven), true) => format!("{:#}\n", proven_json(proven)),
        (Ok(proven), false) => proven_text(proven, paint()),
        (Err(error), true) => {
            format!("{:#}\n", json!({ "ok": false, "fault": format!("{error:#}") }))
        }
        (Err(error), false) => {
            let verdict = paint().verdict(false, "NOT verified");
            format!("{verdict}\n          {}\n", printable(&format!("{error:#}")))
        }
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(result.is_ok())
}

fn proven_json(proven: &Proven) -> serde_json::Value {
    json!({
        "ok": true,
        "origin": proven.origin,
        "index": proven.index,
        "size": proven.size,
        "leaf_hash": hex(&proven.leaf),
        "entry": std::str::from_utf8(&proven.entry).ok(),
        "entry_hex": hex(&proven.entry),
        "other_extra": proven.other_extra,
    })
}

fn proven_text(proven: &Proven, paint: Paint) -> String {
    let Proven { origin, index, size, entry, leaf, other_extra } = proven;
    let verdict = paint.verdict(true, "verified: the entry is in the log");
    let warning = match other_extra {
        true => "warning   the proof's extra data is not the entry given: it is not verified\n",
        false => "",
    };
    format!(
        "log       {}\nentry     {index} of {size} (counted from 0)\nleaf      {}\n{warning}{verdict}\n\n{}\n",
        printable(origin),
        hex(leaf),
        printable(&String::from_utf8_lossy(entry)),
    )
}

fn paint() -> Paint {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stdout().is_terminal() && !plain { Paint::coloured() } else { Paint::default() }
}

/// A key is given as a file or as its text; a file of that name wins.
fn read_key(text_or_file: &str) -> Result<PinnedKey> {
    let path = Path::new(text_or_file);
    if path.exists() || !text_or_file.contains('+') {
        let bytes = read_file(path, KEY_BYTES).context("read the key file")?;
        let text = String::from_utf8(bytes).context("the key file is not text")?;
        return PinnedKey::parse(&text).with_context(|| format!("key file `{text_or_file}`"));
    }
    PinnedKey::parse(text_or_file).context("the key given with `--key`")
}

fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .with_context(|| format!("`{}`", path.display()))?;
    ensure!(
        bytes.len() as u64 <= limit,
        "`{}` is longer than the {limit} bytes it may have",
        path.display()
    );
    Ok(bytes)
}
