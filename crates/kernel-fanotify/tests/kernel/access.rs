//! Containment of what is open already.

use std::fs;
use std::time::Instant;

use pathwarden_kernel_fanotify::{
    Ask, Class, Event, Group, Intent, Verdict, mounts_of, syscall_of,
};

use crate::agent::{Agent, can_ask, text};

#[test]
fn a_write_through_an_open_descriptor_is_refused_and_works_again() {
    if !can_ask("a_write_through_an_open_descriptor_is_refused_and_works_again") {
        return;
    }
    let mut agent = Agent::start();
    agent.file("a", "before");
    let path = agent.path("a");
    let mount = agent.mount();
    let kind = mounts_of(agent.pid())
        .unwrap()
        .into_iter()
        .find(|m| path.starts_with(&m.point) && m.point != *"/");
    assert_eq!(kind.unwrap().kind, "ext4");
    let group = Group::new(Class::Access).unwrap();
    group.ignore_mount(mount.path(), &[Ask::Access]).unwrap();
    group.mark_mount(mount.path(), &[Ask::Access]).unwrap();
    let flags = libc::O_RDWR.to_string();
    agent.does_unasked(&group, &["keep", "a", text(&path), &flags]);
    assert_eq!(agent.does_unasked(&group, &["write", "a", "BEFORE"]), "ok 6");

    let start = Instant::now();
    group.heed_mount(mount.path(), &[Ask::Access]).unwrap();
    let armed = start.elapsed();
    let mut asked = Vec::new();
    let mut judge = |event: &Event| {
        let intent = syscall_of(event.tid()).map_or(Intent::Unclear, |call| call.intent());
        asked.push((event.asks().has(Ask::Access), intent));
        Some(if intent == Intent::Read { Verdict::Allow } else { Verdict::Refuse })
    };
    assert_eq!(agent.does(&group, &mut judge, &["write", "a", "during"]), "err 1");
    assert_eq!(agent.does(&group, &mut judge, &["read", "a"]), "ok BEFORE");
    assert_eq!(asked, [(true, Intent::Write), (true, Intent::Read)]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "BEFORE");

    let start = Instant::now();
    group.ignore_mount(mount.path(), &[Ask::Access]).unwrap();
    println!("armed in {armed:?}, disarmed in {:?}", start.elapsed());
    assert_eq!(agent.does_unasked(&group, &["write", "a", "after!"]), "ok 6");
    assert_eq!(fs::read_to_string(&path).unwrap(), "after!");
}

#[test]
fn opening_to_write_is_told_from_opening_to_read() {
    if !can_ask("opening_to_write_is_told_from_opening_to_read") {
        return;
    }
    const COUNT: usize = 2000;
    let mut agent = Agent::start();
    agent.file("a", "");
    let path = agent.path("a");
    let group = Group::new(Class::Decide).unwrap();
    agent.mark(&group, &[Ask::Open]);
    for (flags, want) in [(libc::O_RDONLY, Intent::Read), (libc::O_WRONLY, Intent::Write)] {
        let mut seen = Vec::new();
        let mut judge = |event: &Event| {
            seen.push(syscall_of(event.tid()).map(|call| call.intent()));
            Some(Verdict::Allow)
        };
        let words = ["open_many", text(&path), &flags.to_string(), &COUNT.to_string()];
        assert_eq!(agent.does(&group, &mut judge, &words), format!("ok {COUNT}"));
        assert_eq!(seen.len(), COUNT);
        assert!(seen.iter().all(|intent| *intent == Some(want)));
    }
}
