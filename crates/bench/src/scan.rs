//! The search for sensitive content, beside what one would write first.

use std::hint::black_box;

use anyhow::{Result, ensure};
use pathwarden_classify::{Rules, find, scan};
use regex::bytes::{RegexSet, RegexSetBuilder};

use crate::measure::{Candidate, Effort, Samples, in_turns, timed};
use crate::report::{Aim, Cell, Table};
use crate::work;

const TEXT_BYTES: usize = 10_000;

/// What stands among the prose: a card number of the networks' own tests, and an IBAN of the standard.
const VALUES: &str = "Card 4111 1111 1111 1111, account DE89 3704 0044 0532 0130 00.\n";

/// Some usual formats, as one writes them, of ASCII: no check digits, no words around them, no codings.
const NAIVE: [&str; 24] = [
    r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    r"\bAIza[0-9A-Za-z_-]{35}",
    r"\bgh[pousr]_[0-9A-Za-z]{36}\b",
    r"\bglpat-[0-9A-Za-z_-]{20}\b",
    r"\bxox[abprs]-[0-9A-Za-z-]{10,72}",
    r"\bsk_live_[0-9A-Za-z]{24,99}\b",
    r"\bSG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}\b",
    r"\bnpm_[0-9A-Za-z]{36}\b",
    r"\bpypi-[0-9A-Za-z_-]{50,}",
    r"\bdop_v1_[0-9a-f]{64}\b",
    r"\bhvs\.[0-9A-Za-z_-]{24,}",
    r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}",
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
    r"(?i)\bpassword\s*[:=]\s*\S{6,}",
    r"(?i)\b(api|access)[_-]?(key|token)\s*[:=]\s*\S{16,}",
    r"\b[A-Z]{2}\d{2}( ?[0-9A-Z]{4}){2,7}( ?[0-9A-Z]{1,3})?\b",
    r"\b(\d[ -]?){12,18}\d\b",
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\b\d{2}-\d{7}\b",
    r"\b(DE|FR|IT|ES|NL)[0-9A-Z]{9,12}\b",
    r"\b[\w.%+-]+@[\w.-]+\.[A-Za-z]{2,}\b",
    r"\+\d{1,3}[ .-]?\(?\d{1,4}\)?([ .-]?\d{2,4}){2,4}\b",
    r"(?i)\b(strictly )?confidential\b",
    r"(?i)\binternal use only\b",
];

/// Measures scans of 10 KB of prose with some values in it.
pub(crate) fn run(effort: Effort) -> Result<Table> {
    let text = format!("{}{VALUES}", work::prose(1, TEXT_BYTES - VALUES.len()));
    let (rules, naive) = (Rules::pack(), naive()?);
    ensure!(
        !scan(&text, &rules).hits.is_empty() && naive.is_match(text.as_bytes()),
        "nothing is found"
    );
    let mut candidates: Vec<Candidate<'_>> = vec![
        ("everything, also under codings (`classify::scan`)", {
            timed(|| drop(black_box(scan(black_box(&text), &rules))))
        }),
        ("values as they stand (`classify::find`)", {
            timed(|| drop(black_box(find(black_box(&text)))))
        }),
        ("naive `RegexSet` of 24 formats, says only which", {
            timed(|| drop(black_box(naive.matches(black_box(text.as_bytes())))))
        }),
    ];
    let samples = in_turns(effort, &mut candidates);
    let naive_p50 = samples.last().map_or(f64::NAN, Samples::p50);
    let rows = candidates.iter().zip(&samples).map(|((name, _), sample)| {
        vec![
            Cell::text(*name),
            Cell::Micros(sample.p50()),
            Cell::Micros(sample.p99()),
            Cell::Ratio(sample.p50() / naive_p50),
        ]
    });
    let scanned = samples.first().map_or(Cell::Nothing, |sample| Cell::Micros(sample.p50()));
    Ok(Table {
        title: "Scan of 10 KB of text",
        notes: vec![format!(
            "Business prose with a card number and an IBAN in it. Candidates in turns, {} turns of {} calls.",
            effort.rounds, effort.calls
        )],
        columns: vec!["", "p50", "p99", "share of the naive one (p50)"],
        rows: rows.collect(),
        aims: vec![Aim::at_most("scan of 10 KB: p50 ≤ 200 µs", scanned, 200.0)],
    })
}

fn naive() -> Result<RegexSet> {
    Ok(RegexSetBuilder::new(NAIVE).unicode(false).build()?)
}
