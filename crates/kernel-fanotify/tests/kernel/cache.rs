//! What the kernel remembers.

use std::cell::Cell;
use std::fs;
use std::time::Instant;

use pathwarden_kernel_fanotify::{Ask, Change, Class, Event, Group, RememberError, Verdict};

use crate::agent::{Agent, can_ask, counting, text};

/// A judge that allows, remembers, and counts.
fn remembering<'a>(
    asked: &'a Cell<usize>,
    what: &'a [Ask],
    change: Change,
) -> impl FnMut(&Event) -> Option<Verdict> + 'a {
    move |event| {
        asked.set(asked.get() + 1);
        event.remember(what, change).unwrap();
        Some(Verdict::Allow)
    }
}

fn is_asked(agent: &mut Agent, group: &Group, name: &str) -> bool {
    let mut asked = 0;
    assert!(agent.opens(group, &mut counting(&mut asked), name).starts_with("ok"));
    asked == 1
}

fn start(test: &str) -> Option<(Agent, Group)> {
    if !can_ask(test) {
        return None;
    }
    let agent = Agent::start();
    agent.file("a", "first");
    agent.file("b", "");
    let group = Group::new(Class::Decide).unwrap();
    agent.mark(&group, &[Ask::Open, Ask::Execute]);
    Some((agent, group))
}

#[test]
fn what_is_remembered_is_not_asked_until_all_is_forgotten() {
    let Some((mut agent, group)) = start("what_is_remembered_is_not_asked_until_all_is_forgotten")
    else {
        return;
    };
    let asked = Cell::new(0);
    let judge = &mut remembering(&asked, &[Ask::Open], Change::Survives);
    for _ in 0..3 {
        assert!(agent.opens(&group, judge, "a").starts_with("ok"));
    }
    assert_eq!(asked.get(), 1);
    assert!(is_asked(&mut agent, &group, "b"));
    group.forget_all().unwrap();
    assert!(is_asked(&mut agent, &group, "a"), "the mark of the mount stays");
    // Another group remembers on its own account.
    let containment = Group::new(Class::Decide).unwrap();
    agent.opens(&group, &mut remembering(&asked, &[Ask::Open], Change::Survives), "a");
    assert!(!is_asked(&mut agent, &group, "a"));
    agent.mark(&containment, &[Ask::Open]);
    assert_eq!(agent.opens(&containment, &mut |_| Some(Verdict::Refuse), "a"), "err 1");
}

#[test]
fn a_change_is_asked_about_unless_it_survives() {
    let Some((mut agent, group)) = start("a_change_is_asked_about_unless_it_survives") else {
        return;
    };
    let asked = Cell::new(0);
    agent.opens(&group, &mut remembering(&asked, &[Ask::Open], Change::Forgets), "a");
    assert!(!is_asked(&mut agent, &group, "a"));
    // Written outside of the namespace, through another mount.
    agent.file("a", "second");
    assert!(is_asked(&mut agent, &group, "a"));
    agent.opens(&group, &mut remembering(&asked, &[Ask::Open], Change::Survives), "a");
    agent.file("a", "third");
    assert!(!is_asked(&mut agent, &group, "a"));
    // The last word counts.
    group.forget_all().unwrap();
    agent.opens(&group, &mut remembering(&asked, &[Ask::Open], Change::Survives), "a");
    group.forget_all().unwrap();
    agent.opens(&group, &mut remembering(&asked, &[Ask::Open], Change::Forgets), "a");
    agent.file("a", "fourth");
    assert!(is_asked(&mut agent, &group, "a"));
    // A file of the same name is another one.
    agent.opens(&group, &mut remembering(&asked, &[Ask::Open], Change::Survives), "a");
    fs::write(agent.path("new"), "fifth").unwrap();
    fs::rename(agent.path("new"), agent.path("a")).unwrap();
    assert!(is_asked(&mut agent, &group, "a"));
}

#[test]
fn leave_to_execute_never_survives_a_change() {
    let Some((mut agent, group)) = start("leave_to_execute_never_survives_a_change") else {
        return;
    };
    fs::copy("/bin/true", agent.path("tool")).unwrap();
    let tool = agent.path("tool");
    let words = ["exec", text(&tool)];
    let mut faults = 0;
    let mut judge = |event: &Event| {
        let execute = event.remember(&[Ask::Execute], Change::Survives);
        faults += usize::from(matches!(execute, Err(RememberError::Execution)));
        // Leave to open is asked for after leave to execute, and would take it along.
        let (what, change) = match event.asks().has(Ask::Execute) {
            true => (Ask::Execute, Change::Forgets),
            false => (Ask::Open, Change::Survives),
        };
        event.remember(&[what], change).unwrap();
        Some(Verdict::Allow)
    };
    assert_eq!(agent.does(&group, &mut judge, &words), "ok 0");
    let bytes = fs::read("/bin/true").unwrap();
    fs::write(&tool, bytes).unwrap();
    let mut executes = 0;
    let mut judge = |event: &Event| {
        executes += usize::from(event.asks().has(Ask::Execute));
        Some(Verdict::Allow)
    };
    assert_eq!(agent.does(&group, &mut judge, &words), "ok 0");
    assert_eq!((faults, executes), (2, 1));
}

#[test]
fn both_verdicts_of_an_execution_are_remembered_together() {
    let Some((mut agent, group)) = start("both_verdicts_of_an_execution_are_remembered_together")
    else {
        return;
    };
    fs::copy("/bin/true", agent.path("tool")).unwrap();
    let tool = agent.path("tool");
    let mut asked = 0;
    let mut judge = |event: &Event| {
        asked += 1;
        let what: Vec<_> = event.asks().iter().collect();
        event.remember(&what, Change::Forgets).unwrap();
        Some(Verdict::Allow)
    };
    assert_eq!(agent.does(&group, &mut judge, &["exec", text(&tool)]), "ok 0");
    assert_eq!(agent.does(&group, &mut judge, &["exec", text(&tool)]), "ok 0");
    assert_eq!(asked, 2);
}

/// While somebody may write, the kernel remembers nothing that a change should end; but it does not
/// notice when somebody begins to write through shared memory. The documentation of `Change` says so.
#[test]
fn writers_are_noticed_but_not_what_they_write_through_shared_memory() {
    let name = "writers_are_noticed_but_not_what_they_write_through_shared_memory";
    let Some((mut agent, group)) = start(name) else { return };
    let (path, flags) = (agent.path("a"), libc::O_RDWR.to_string());
    let asked = Cell::new(0);
    let judge = &mut remembering(&asked, &[Ask::Open], Change::Forgets);
    agent.does(&group, judge, &["keep", "b", text(&agent.path("b")), &flags]);
    assert!(is_asked(&mut agent, &group, "b"), "somebody may write to it");
    agent.opens(&group, judge, "a");
    agent.does(&group, judge, &["keep", "a", text(&path), &flags]);
    assert_eq!(asked.get(), 2);
    agent.does(&group, judge, &["mapped_write", "a", "third"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "third");
    assert!(!is_asked(&mut agent, &group, "a"));
}

#[test]
fn how_long_it_takes() {
    let Some((mut agent, group)) = start("how_long_it_takes") else { return };
    let (path, asked) = (agent.path("a"), Cell::new(0));
    let words = ["open_many", text(&path), "0", "5000"];
    let start = Instant::now();
    let mut uncached = 0;
    agent.does(&group, &mut counting(&mut uncached), &words);
    println!("open, asked: {} ns each, Python included", start.elapsed().as_nanos() / 5000);
    let judge = &mut remembering(&asked, &[Ask::Open], Change::Survives);
    let start = Instant::now();
    agent.does(&group, judge, &words);
    println!("open, remembered: {} ns each, Python included", start.elapsed().as_nanos() / 5000);
    assert_eq!((uncached, asked.get()), (5000, 1));
}
