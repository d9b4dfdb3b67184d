use pathwarden_types::{ActionId, Digest, Integrity, ObservationKind};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{Artifact, Change, Parting, Placed, Threads, Window, kept_and_changed, parting};

fn artifact(kind: ObservationKind, text: &str) -> Artifact {
    let bytes = u64::try_from(text.len()).unwrap();
    Artifact {
        kind,
        content: Digest::of(text.as_bytes()),
        bytes,
        integrity: Integrity::FirstParty,
        call: None,
        name: None,
    }
}

fn system(text: &str) -> Artifact {
    artifact(ObservationKind::SystemPrompt, text)
}

fn user(text: &str) -> Artifact {
    artifact(ObservationKind::UserTurn, text)
}

fn result(text: &str) -> Artifact {
    artifact(ObservationKind::ToolResult, text)
}

fn window(artifacts: &[Artifact]) -> Window {
    let artifacts = artifacts.to_vec();
    Window { artifacts, model: "m".to_owned(), tools: None, continues: None }
}

fn id(number: u8) -> ActionId {
    ActionId::from_bytes([number; 8]).unwrap()
}

/// Places each window after the ones before, and gives where they went.
fn placed(windows: &[Window]) -> Vec<Placed> {
    let mut threads = Threads::default();
    (1..)
        .zip(windows)
        .map(|(number, window)| {
            let placed = threads.place(id(number), window, |_| None);
            threads.apply(id(number), &placed);
            placed
        })
        .collect()
}

fn long(text: &str) -> String {
    text.repeat(50)
}

#[test]
fn a_conversation_grows() {
    let first = [system("be good"), user("find it")];
    let second = [system("be good"), user("find it"), result("found")];
    let placed = placed(&[window(&first), window(&second), window(&second)]);
    let changes: Vec<_> = placed.iter().map(|placed| (placed.change, placed.kept)).collect();
    assert_eq!(changes, [(Change::Begins, 0), (Change::Grows, 2), (Change::Same, 3)]);
    assert_eq!(placed[1].added, [result("found")]);
    assert_eq!((placed[1].thread, placed[2].before), (id(1), Some(id(2))));
}

#[test]
fn a_summary_in_place_of_what_was_said_is_a_compaction() {
    let results: Vec<_> = (0..5).map(|n| result(&long(&format!("page {n}")))).collect();
    let mut before = vec![system("be good"), user("find it")];
    before.extend(results.clone());
    let after = [system("be good"), user("find it"), user("so far: 5 pages"), results[4].clone()];
    let placed = placed(&[window(&before), window(&after)]);
    assert_eq!((placed[1].change, placed[1].kept, placed[1].gone), (Change::Compacted, 2, 4));
}

#[test]
fn pieces_that_are_left_out_are_a_truncation() {
    let results: Vec<_> = (0..5).map(|n| result(&long(&format!("page {n}")))).collect();
    let mut before = vec![system("be good"), user("find it")];
    before.extend(results.clone());
    let mut after = vec![system("be good"), user("find it")];
    after.extend(results[3..].to_vec());
    after.push(result("the next"));
    let placed = placed(&[window(&before), window(&after)]);
    assert_eq!((placed[1].change, placed[1].gone), (Change::Truncated, 3));
}

#[test]
fn another_part_to_play_is_another_thread_and_leads_back_to_who_told_it() {
    let main = window(&[system("you plan"), user("write the report")]);
    let sub = window(&[system("you search"), user("find the figures of May")]);
    let mut threads = Threads::default();
    let first = threads.place(id(1), &main, |_| None);
    threads.apply(id(1), &first);
    let told = |turn: &Digest| (*turn == user("find the figures of May").content).then(|| id(9));
    let second = threads.place(id(2), &sub, told);
    assert_eq!((second.thread, second.spawned_by), (id(2), Some(id(9))));
    threads.apply(id(2), &second);
    let grown = window(&[system("you plan"), user("write the report"), result("figures")]);
    assert_eq!(threads.place(id(3), &grown, told).thread, id(1));
}

#[test]
fn a_sub_agent_that_hears_the_same_of_its_surroundings_is_told_by_its_own_turn() {
    let surroundings = user(&long("you are on a machine with many files "));
    let main = window(&[system("you plan"), surroundings.clone(), user("write the report")]);
    let sub = window(&[system("you search"), surroundings, user("find the figures of May")]);
    let told = |turn: &Digest| (*turn == user("find the figures of May").content).then(|| id(9));
    let mut threads = Threads::default();
    let first = threads.place(id(1), &main, told);
    threads.apply(id(1), &first);
    let second = threads.place(id(2), &sub, told);
    assert_eq!((second.change, second.spawned_by), (Change::Begins, Some(id(9))));
    threads.apply(id(2), &second);
    assert_eq!(threads.place(id(3), &sub, told).thread, id(2));
}

#[test]
fn one_thread_more_than_the_limit_forgets_the_quietest() {
    let mut threads = Threads::default();
    let of = |number: usize| window(&[system(&format!("part {number}")), user("go")]);
    for number in 0..=Threads::THREADS_MAX {
        let call = id(u8::try_from(number + 1).unwrap());
        let placed =
            threads.place(call, &window(&[system(&long(&format!("part {number}")))]), |_| None);
        threads.apply(call, &placed);
    }
    assert_eq!(threads.place(id(200), &of(0), |_| None).change, Change::Begins);
    let last = window(&[system(&long(&format!("part {}", Threads::THREADS_MAX)))]);
    assert_eq!(threads.place(id(200), &last, |_| None).change, Change::Same);
}

#[test]
fn runs_part_on_the_first_piece_that_differs() {
    let run = |page: &str, said: &'static str| {
        let first = window(&[system("s"), user("u")]);
        let second = window(&[system("s"), user("u"), result(page)]);
        vec![(first, "look"), (second, said)]
    };
    assert_eq!(parting(&run("p", "a"), &run("p", "a")), Parting::Nowhere);
    assert_eq!(parting(&run("p", "a"), &run("q", "a")), Parting::Input { call: 1, artifact: 2 });
    assert_eq!(parting(&run("p", "a"), &run("p", "b")), Parting::Output { call: 1 });
    assert_eq!(parting(&run("p", "a")[..1], &run("p", "a")), Parting::Longer { call: 1 });
}

fn any_window() -> impl Strategy<Value = Window> {
    let piece = (0_u8..3, 0_u8..12).prop_map(|(kind, text)| match kind {
        0 => system(&format!("system {text}")),
        1 => user(&format!("user {text}")),
        _ => result(&format!("result {text}")),
    });
    vec(piece, 0..12).prop_map(|artifacts| window(&artifacts))
}

proptest! {
    /// Whatever an agent does to its window, what is on record gives the window back.
    #[test]
    fn the_record_of_a_window_gives_it_back(windows in vec(any_window(), 1..8)) {
        let mut seen: Vec<(Placed, Vec<Artifact>)> = Vec::new();
        for (number, placed) in placed(&windows).into_iter().enumerate() {
            let before = placed.before.map(|before| {
                let at = usize::from(before.as_bytes()[0]) - 1;
                seen[at].1.clone()
            });
            let mut again: Vec<Artifact> = before.unwrap_or_default();
            again.truncate(placed.kept);
            again.extend(placed.added.iter().cloned());
            prop_assert_eq!(&again, &windows[number].artifacts);
            seen.push((placed, again));
        }
    }

    /// Nothing is lost or told twice when two windows are compared.
    #[test]
    fn a_comparison_holds_every_piece(first in any_window(), second in any_window()) {
        let compared = kept_and_changed(&first.artifacts, &second.artifacts);
        let sides = compared.both.len() + compared.only_first.len();
        prop_assert_eq!(sides, first.artifacts.len());
        prop_assert!(compared.only_second.len() <= second.artifacts.len());
    }

    /// What is recorded is read back the same.
    #[test]
    fn a_placed_window_prints_and_parses(windows in vec(any_window(), 1..4)) {
        for placed in placed(&windows) {
            let text = serde_json::to_string(&placed).unwrap();
            prop_assert_eq!(serde_json::from_str::<Placed>(&text).unwrap(), placed);
        }
    }
}
