use pathwarden_types::Ratio;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Baseline, DriftKind, Learner, LearnerError, Lesson, Trail, drift};
use crate::event::Event;
use crate::testing::{call, texts};

fn trail(tools: &[&str]) -> Trail {
    let mut trail = Trail::default();
    for tool in tools {
        trail.step(&call(1, tool));
    }
    trail
}

fn learned(sessions: usize, tools: &[&str]) -> Baseline {
    let mut learner = Learner::new("writer", "report");
    for _ in 0..sessions {
        learner.session(&trail(tools), Lesson::Clean);
    }
    learner.finish(1).unwrap()
}

#[test]
fn the_usual_is_not_new_and_the_unusual_is_said_in_words() {
    let baseline = learned(200, &["search", "read", "write"]);
    let usual = baseline.novelty(&trail(&["search"]), &call(2, "read"));
    assert_eq!((usual.value, usual.words.as_str()), (Ratio::ZERO, "as usual in 200 sessions"));
    let mut event = call(2, "post");
    event.usage.targets = texts(&["evil.example"]);
    let unusual = baseline.novelty(&trail(&["search"]), &event);
    assert!(unusual.value > Ratio::of(7_500), "{}", unusual.value);
    assert_eq!(
        unusual.words,
        "`post` was never used in 200 sessions; 1 targets were never used in 200 sessions; \
         `post` after `files/search`: 7.6 bits, seen 0 of 200 times"
    );
}

#[test]
fn a_young_baseline_is_hardly_believed() {
    assert_eq!(learned(0, &[]).confidence(), Ratio::ZERO);
    assert!(learned(7, &["read"]).confidence() <= Baseline::COLD_CONFIDENCE);
    assert!(learned(100, &["read"]).confidence() == Ratio::of(5_000));
}

#[test]
fn a_tainted_or_refused_session_teaches_nothing() {
    let mut learner = Learner::new("writer", "report");
    for lesson in [Lesson::Tainted, Lesson::Refused] {
        learner.session(&trail(&["post"]), lesson);
    }
    assert_eq!(learner, Learner::new("writer", "report"));
}

#[test]
fn one_session_moves_no_count_by_more_than_the_cap() {
    let many = ["post"; 500];
    let baseline = learned(1, &many);
    assert_eq!(baseline.tools.get("files/post"), Some(&Learner::SESSION_CAP));
    assert_eq!(baseline.pairs["files/post"]["files/post"], Learner::SESSION_CAP);
    assert!(baseline.calls_milli == 50_000, "{}", baseline.calls_milli);
}

#[test]
fn a_slow_ramp_does_not_lift_the_ceiling() {
    let mut learner = Learner::new("writer", "report");
    for calls in 1..2_000 {
        learner.session(&Trail { calls, ..Trail::default() }, Lesson::Clean);
    }
    let baseline = learner.finish(1).unwrap();
    let long = Trail { calls: Baseline::CALLS_CEILING, ..Trail::default() };
    assert!(baseline.novelty(&long, &call(1, "read")).words.contains("more than 500 calls"));
}

#[test]
fn versions_only_go_up() {
    let baseline = learned(1, &["read"]);
    let error = Learner::from(baseline.clone()).finish(1).unwrap_err();
    assert_eq!(error, LearnerError::OldVersion { old: 1, given: 1 });
    assert_eq!(error.to_string(), "version `1` is not after version `1`: give a higher one");
    assert!(Learner::from(baseline).finish(2).is_ok());
}

#[test]
fn drift_names_what_changed() {
    let old = learned(50, &["search", "read"]);
    let mut learner = Learner::from(old.clone());
    assert_eq!(drift(&old, &old), []);
    let mut new = trail(&["post", "post", "post", "post", "read"]);
    let mut event = call(1, "post");
    event.usage.recipients = texts(&["bob"]);
    (0..30).for_each(|_| new.step(&event));
    (0..50).for_each(|_| learner.session(&new, Lesson::Clean));
    let found = drift(&old, &learner.finish(2).unwrap());
    let kinds: Vec<_> = found.iter().map(|drift| drift.kind).collect();
    let share = DriftKind::ToolShare;
    let tail = [share, share, share, DriftKind::NewTargets, DriftKind::Length];
    assert_eq!(kinds.first(), Some(&DriftKind::NewTool));
    assert!(kinds.ends_with(&tail[1..]), "{found:?}");
    assert_eq!(found[0].words, "`files/post` is used, which was not");
}

#[test]
fn more_keys_than_fit_teach_nothing() {
    let mut trail = Trail::default();
    for n in 0..=Trail::KEYS_MAX {
        trail.step(&call(1, &n.to_string()));
    }
    trail.step(&call(1, &"long".repeat(100)));
    assert_eq!(trail.tools.len(), Trail::KEYS_MAX);
    assert!(!trail.tools.contains_key("files/1024"));
}

fn any_event() -> impl Strategy<Value = Event> {
    ("[a-d]", "[xy]?", vec("[p-s]", 0..3)).prop_map(|(tool, shape, targets)| {
        let mut event = Event { shape, ..call(1, &tool) };
        event.usage.targets = targets.into_iter().collect();
        event
    })
}

proptest! {
    #[test]
    fn a_baseline_reads_back_and_does_not_depend_on_what_stands_between(
        sessions in vec(vec(any_event(), 0..12), 0..12), event in any_event(),
    ) {
        let mut learner = Learner::new("a", "t");
        for events in &sessions {
            let mut trail = Trail::default();
            events.iter().for_each(|event| trail.step(event));
            learner.session(&trail, Lesson::Clean);
            learner.session(&trail, Lesson::Tainted);
        }
        let baseline = learner.finish(1).unwrap();
        prop_assert_eq!(baseline.sessions, sessions.len() as u64);
        let text = serde_json::to_string(&baseline).unwrap();
        let read: Baseline = serde_json::from_str(&text).unwrap();
        let trail = Trail::default();
        prop_assert_eq!(read.novelty(&trail, &event), baseline.novelty(&trail, &event));
        prop_assert_eq!(read, baseline);
    }

    #[test]
    fn a_step_that_was_seen_more_is_never_more_surprising(rare in 1_usize..20, more in 0_usize..20) {
        let seen = |times: usize| {
            let mut learner = Learner::from(learned(30, &["a", "b"]));
            (0..20).for_each(|n| {
                let next = if n < times { "x" } else { "y" };
                learner.session(&trail(&["a", next]), Lesson::Clean);
            });
            learner.finish(2).unwrap().surprisal("files/a", "files/x")
        };
        prop_assert!(seen((rare + more).min(19)) <= seen(rare.min(19)));
    }
}
