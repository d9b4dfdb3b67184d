//! A tool's result taken in: read, labelled, folded into the session.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use pathwarden_decide::Reading;
use pathwarden_lineage::{Index, Reading as Content, SourceId};
use pathwarden_purpose::orders;
use pathwarden_types::Action;

use crate::measure::{Candidate, Effort, in_turns, timed};
use crate::report::{Aim, Cell, Table};
use crate::work::{self, RESULT_BYTES, Session};

/// A session starts anew after so many results.
const STEPS_MAX: u64 = 100;

/// Measures what is done with a result of 3 KB, and the parts of it.
pub(crate) fn run(effort: Effort) -> Result<Table> {
    let text = work::result(7, RESULT_BYTES);
    let (reading, content) = (Reading::of(&text), Content::of(&text));
    let [whole, fold] = [Life::begin()?, Life::begin()?].map(RefCell::new);
    let mut index = Index::default();
    let mut candidates: Vec<Candidate<'_>> = vec![
        ("ingest: read, label, fold", {
            Box::new(|| whole.borrow_mut().next(|session, action, text| session.see(action, text)))
        }),
        (
            "… read (`decide::Reading::of`)",
            timed(|| drop(black_box(Reading::of(black_box(&text))))),
        ),
        ("…… take apart, hash (`lineage::Reading::of`)", {
            timed(|| drop(black_box(Content::of(black_box(&text)))))
        }),
        ("…… look for values (`classify::find`)", {
            timed(|| drop(black_box(pathwarden_classify::find(black_box(&text)))))
        }),
        ("…… look for orders (`purpose::orders`)", {
            timed(|| drop(black_box(orders(black_box(&text)))))
        }),
        ("… label and fold (`State::apply`)", {
            Box::new(|| {
                let fold = &mut *fold.borrow_mut();
                fold.next(|session, action, text| session.fold_in(action, text, &reading))
            })
        }),
        ("…… index (`lineage::Index::add`)", {
            timed(|| {
                if index.sources() >= usize::try_from(STEPS_MAX).unwrap_or(usize::MAX) {
                    index = Index::default();
                }
                index.add(SourceId(0), black_box(&content));
            })
        }),
    ];
    let samples = in_turns(effort, &mut candidates);
    let whole = samples.first().map_or(f64::NAN, |sample| sample.p50());
    let rows = candidates.iter().zip(&samples).map(|((name, _), sample)| {
        vec![
            Cell::text(*name),
            Cell::Micros(sample.p50()),
            Cell::Micros(sample.p99()),
            Cell::Rate(sample.rate()),
            Cell::Ratio(sample.p50() / whole),
        ]
    });
    Ok(Table {
        title: "Ingest of a result of 3 KB",
        notes: vec![format!(
            "What a node does with a result before the agent sees it, apart from recording it. Sessions grow \
             from nothing to {STEPS_MAX} results and start anew. Candidates in turns, {} turns of {} calls.",
            effort.rounds, effort.calls
        )],
        columns: vec!["", "p50", "p99", "per core", "share of the whole (p50)"],
        rows: rows.collect(),
        aims: vec![Aim::at_most("ingest of 3 KB: p50 ≤ 150 µs", Cell::Micros(whole), 150.0)],
    })
}

/// A session that grows, and its state when it began.
struct Life {
    session: Session,
    fresh: pathwarden_decide::State,
}

impl Life {
    fn begin() -> Result<Self> {
        let session = Session::begin()?;
        Ok(Self { fresh: session.state.clone(), session })
    }

    /// One more step, of which only `take_in` counts.
    fn next(&mut self, take_in: impl FnOnce(&mut Session, &Action, &str)) -> Duration {
        if self.session.state.step() >= STEPS_MAX {
            self.session.state = self.fresh.clone();
        }
        let step = self.session.state.step();
        // A call that is refused would show in the step that does not come.
        let Ok(action) = self.session.call(step) else { return Duration::ZERO };
        let text = work::result(step, RESULT_BYTES);
        let start = Instant::now();
        take_in(&mut self.session, &action, &text);
        let took = start.elapsed();
        self.session.close(&action);
        took
    }
}
