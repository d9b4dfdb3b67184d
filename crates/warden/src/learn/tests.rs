use pathwarden_behaviour::Lesson;
use pathwarden_decide::State;
use pathwarden_types::{
    ActionId, Agent, Digest, Event, Millis, Record, SessionId, Task, TaskSource,
};
use pathwarden_wire::Learned;

use super::{Pupil, QUIET_MS};

/// A session that began at this time; its text is there, or gone.
fn pupil(began: u64, text: Option<&str>) -> Pupil {
    let agent = Agent {
        name: "clerk".parse().unwrap(),
        owner: "the tests".to_owned(),
        role: "assistant".to_owned(),
        purpose: "filing".to_owned(),
    };
    let task = Task { prompt: Digest::of(b"x"), stated_by: TaskSource::Nobody };
    let event = Event::SessionStarted { agent, task, join_key: None };
    let session = Some(SessionId::of(&Digest::of(b"x")));
    let (version, node) = (Record::VERSION, "n/1".to_owned());
    let record = Record { version, at: Millis(began), node, session, event };
    Pupil::new(State::begin(&record, text).unwrap(), Millis(began), false)
}

fn seen(at: u64) -> Learned {
    Learned { node: "n/1".to_owned(), records: 9, at: Millis(at) }
}

#[test]
fn a_session_that_goes_on_after_it_was_quiet_does_not_teach_twice() {
    for (quiet_ms, has_taught) in [(QUIET_MS - 1, false), (QUIET_MS, true)] {
        let mut pupil = pupil(5, Some("x"));
        pupil.pass(Some(&seen(5 + quiet_ms)));
        assert_eq!(pupil.has_taught, has_taught, "{quiet_ms}");
        // What comes later changes nothing about that.
        pupil.last = Millis(6 + quiet_ms);
        pupil.pass(Some(&seen(u64::MAX)));
        assert_eq!(pupil.has_taught, has_taught, "{quiet_ms}");
    }
}

#[test]
fn a_first_version_has_seen_no_session() {
    let mut pupil = pupil(5, Some("x"));
    pupil.pass(None);
    assert!(!pupil.has_taught);
}

#[test]
fn a_held_action_that_nobody_approved_and_a_lost_payload_teach_nothing() {
    assert_eq!(pupil(5, Some("x")).lesson(), Lesson::Clean);
    assert_eq!(pupil(5, None).lesson(), Lesson::Tainted);
    let mut held = pupil(5, Some("x"));
    held.held.insert(ActionId::of(&Digest::of(b"x")));
    assert_eq!(held.lesson(), Lesson::Refused);
}
