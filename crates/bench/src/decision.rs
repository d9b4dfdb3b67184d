//! One decision in process.

use std::cell::RefCell;
use std::hint::black_box;

use anyhow::Result;
use pathwarden_decide::{Reading, decide};
use pathwarden_policy::Oracle;
use pathwarden_types::Action;

use crate::measure::{Candidate, Effort, Samples, in_turns, timed};
use crate::report::{Aim, Cell, Table};
use crate::work::{self, Session};

const READ: &str = "read_text_file";
const WARM_STEPS: u64 = 50;
const MAIL_BYTES: usize = 3_800;
const RESULT_BYTES: usize = 3_000;

/// Measures a decision about a mail of 4 KB and one about a small read, in a warm session.
pub(crate) fn run(effort: Effort) -> Result<Table> {
    let mut session = Session::warm(WARM_STEPS)?;
    let mut action = |name, arguments| match name {
        READ => session.action("files", name, arguments),
        _ => session.action("mail", name, arguments),
    };
    let mail = action("send_mail", work::plain_mail_arguments(1, MAIL_BYTES))?;
    let redacted = action("send_mail", work::mail_arguments(1, MAIL_BYTES))?;
    let read = action(READ, work::read_arguments(999))?;
    let result = work::result(7, RESULT_BYTES);
    let session = RefCell::new(session);
    let mut candidates = beside(&session, &mail, "full decision, mail of 4 KB");
    candidates.extend(beside(&session, &redacted, "full decision, mail of 4 KB to be redacted"));
    candidates.extend(beside(&session, &read, "full decision, small read"));
    let compared = candidates.len();
    candidates.push((
        "reading of a 3 KB result (classify, entities)",
        timed(|| drop(black_box(Reading::of(black_box(&result))))),
    ));
    let samples = in_turns(effort, &mut candidates);
    let names = candidates.iter().map(|(name, _)| *name);
    let rows = names.zip(&samples).enumerate().map(|(at, (name, sample))| {
        // Each decision is followed by its two baselines.
        let whole = samples.get(at / 3 * 3).filter(|_| at < compared);
        row(name, sample, whole)
    });
    Ok(Table {
        title: "Decision in process",
        notes: vec![format!(
            "`decide` with the shipped policy pack in a session of {WARM_STEPS} steps (reads of 3 KB, \
             some mails), one thread. The mails go outside; one holds an account number, and its redaction \
             is worked out and checked as well. Candidates in turns, {} turns of {} calls.",
            effort.rounds, effort.calls
        )],
        columns: vec!["", "p50", "p99", "per core", "share of the full decision (p50)"],
        rows: rows.collect(),
        aims: aims(&samples),
    })
}

/// A decision, and the policy engine alone on the same input.
fn beside<'a>(
    session: &'a RefCell<Session>,
    action: &'a Action,
    name: &'static str,
) -> Vec<Candidate<'a>> {
    let mut borrowed = session.borrow_mut();
    let input = borrowed.decide(action).input;
    let bundle = borrowed.engine.snapshot().bundle().clone();
    let (mut machine, mut interpreter) = (bundle.judge(), Oracle::of(&bundle));
    let same = input.clone();
    vec![
        (
            name,
            timed(move || {
                let Session { engine, state, asker, now, .. } = &mut *session.borrow_mut();
                drop(black_box(decide(engine, state, black_box(action), asker, *now)));
            }),
        ),
        (
            "… Rego machine alone, the same input",
            timed(move || drop(black_box(machine.judge(black_box(&input))))),
        ),
        (
            "… Rego interpreter alone, the same input",
            timed(move || drop(black_box(interpreter.judge(black_box(&same))))),
        ),
    ]
}

fn row(name: &str, sample: &Samples, whole: Option<&Samples>) -> Vec<Cell> {
    vec![
        Cell::text(name),
        Cell::Micros(sample.p50()),
        Cell::Micros(sample.p99()),
        Cell::Rate(sample.rate()),
        whole.map_or(Cell::Nothing, |whole| Cell::Ratio(sample.p50() / whole.p50())),
    ]
}

fn aims(samples: &[Samples]) -> Vec<Aim> {
    let (Some(full), Some(reading)) = (samples.first(), samples.last()) else { return Vec::new() };
    vec![
        Aim::at_most("full decision, 4 KB: p50 ≤ 60 µs", Cell::Micros(full.p50()), 60.0),
        Aim::at_most("full decision, 4 KB: p99 ≤ 300 µs", Cell::Micros(full.p99()), 300.0),
        Aim::at_least("full decision, 4 KB: ≥ 15 k/s per core", Cell::Rate(full.rate()), 15e3),
        Aim::at_most("reading of a 3 KB result: ≤ 150 µs", Cell::Micros(reading.p50()), 150.0),
    ]
}
