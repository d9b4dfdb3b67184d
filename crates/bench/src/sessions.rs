//! Decisions by how long the session is, and by how many sessions are live.

use std::cell::RefCell;
use std::hint::black_box;

use anyhow::Result;
use pathwarden_decide::{State, decide};
use pathwarden_types::Action;

use crate::measure::{Candidate, Effort, Samples, in_turns, timed};
use crate::report::{Aim, Cell, Table};
use crate::work::{self, Session};

/// Steps that a session had before.
const LENGTHS: [u64; 3] = [1, 15, 100];

/// Sessions that take turns, of this many steps each.
const LIVE: [usize; 3] = [1, 64, 1_024];
const LIVE_STEPS: u64 = 15;

const MAIL_BYTES: usize = 3_800;

/// One session of so many steps, or as many sessions as are live, and the two actions.
struct Case {
    name: String,
    session: RefCell<Session>,
    states: Vec<State>,
    actions: [Action; 2],
}

/// Measures a decision about a mail of 4 KB and one about a small read.
pub(crate) fn run(effort: Effort) -> Result<Table> {
    // More candidates than elsewhere, and slow ones.
    let effort = Effort { calls: effort.calls / 4, ..effort };
    let mut cases = Vec::new();
    for steps in LENGTHS {
        cases.push(Case::of(format!("session of {steps} steps"), steps, 1)?);
    }
    for live in LIVE {
        let live = if effort.smaller > 1 { live.min(64) } else { live };
        cases.push(Case::of(
            format!("{live} live sessions of {LIVE_STEPS} steps"),
            LIVE_STEPS,
            live,
        )?);
    }
    let mut candidates: Vec<Candidate<'_>> = cases.iter().flat_map(Case::candidates).collect();
    let samples = in_turns(effort, &mut candidates);
    let (pairs, _) = samples.as_chunks::<2>();
    Ok(Table {
        title: "Decision, by length of the session and by live sessions",
        notes: vec![format!(
            "`decide` as above, with one engine for all sessions of a row, which take turns call by call, so \
             that each finds its state as cold as the number makes it. Candidates in turns, {} turns of {} \
             calls.",
            effort.rounds, effort.calls
        )],
        columns: vec!["", "mail of 4 KB: p50", "p99", "small read: p50", "p99"],
        rows: cases.iter().zip(pairs).map(|(case, pair)| row(&case.name, pair)).collect(),
        aims: aims(pairs),
    })
}

impl Case {
    fn of(name: String, steps: u64, live: usize) -> Result<Self> {
        let mut session = Session::warm(steps)?;
        let mail = work::plain_mail_arguments(1, MAIL_BYTES);
        let actions = [
            session.action("mail", "send_mail", mail)?,
            session.action("files", "read_text_file", work::read_arguments(999))?,
        ];
        let states = vec![session.state.clone(); live];
        Ok(Self { name, session: RefCell::new(session), states, actions })
    }

    fn candidates(&self) -> impl Iterator<Item = Candidate<'_>> {
        self.actions.iter().map(move |action| {
            let mut states = self.states.iter().cycle();
            let call = timed(move || {
                let Some(state) = states.next() else { return };
                let Session { engine, asker, now, .. } = &mut *self.session.borrow_mut();
                drop(black_box(decide(engine, state, black_box(action), asker, *now)));
            });
            ("", call)
        })
    }
}

fn row(name: &str, pair: &[Samples; 2]) -> Vec<Cell> {
    let figures = pair.iter().flat_map(|sample| [sample.p50(), sample.p99()]);
    [Cell::text(name)].into_iter().chain(figures.map(Cell::Micros)).collect()
}

fn aims(pairs: &[[Samples; 2]]) -> Vec<Aim> {
    let [[short, _], _, [long, _], [one, _], _, [many, _]] = pairs else { return Vec::new() };
    vec![
        Aim::at_most(
            "100 steps: p50 at most 1.5 × that of 1 step",
            Cell::Ratio(long.p50() / short.p50()),
            1.5,
        ),
        Aim::at_most(
            "1,024 live sessions: p50 at most 1.5 × that of one",
            Cell::Ratio(many.p50() / one.p50()),
            1.5,
        ),
    ]
}
