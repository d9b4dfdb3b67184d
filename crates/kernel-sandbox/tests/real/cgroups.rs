//! What the cgroup can do to a whole tree of processes.

use std::fs;
use std::time::Duration;

use pathwarden_kernel_sandbox::{Bound, CgroupError, Tree, cgroup_of};

use crate::fixture::{Session, ends_within, until};
use crate::harness::Test;

pub(crate) const TESTS: &[Test] = &[
    ("a_session_is_made_once_found_and_removed", a_session_is_made_once_found_and_removed),
    ("processes_may_be_in_the_session_and_in_children", processes_in_session_and_children),
    ("a_frozen_tree_does_nothing_until_thawed", a_frozen_tree_does_nothing_until_thawed),
    ("a_daemon_of_the_agent_is_killed_with_the_cgroup", a_daemon_is_killed_with_the_cgroup),
    ("twenty_processes_are_killed_at_once_even_frozen", twenty_processes_are_killed_at_once),
    ("a_fork_bomb_is_bounded_and_cleaned_up", a_fork_bomb_is_bounded_and_cleaned_up),
];

fn a_session_is_made_once_found_and_removed() {
    let session = Session::new("once");
    let tree = Tree::find().unwrap();
    let name = session.cgroup.path().file_name().unwrap().to_str().unwrap().to_owned();
    assert!(matches!(tree.session(&name), Err(CgroupError::Exists { .. })));
    assert!(matches!(tree.session("../x"), Err(CgroupError::Name { .. })));
    assert!(matches!(session.cgroup.child(".."), Err(CgroupError::Name { .. })));
    assert!(tree.stale().unwrap().contains(&name));
    let again = tree.open(&name).unwrap();
    assert_eq!(again.id(), session.cgroup.id());
    again.child("tool").unwrap();
    again.clone().remove().unwrap();
    assert!(!session.cgroup.path().exists());
    assert!(!tree.stale().unwrap().contains(&name));
    again.remove().unwrap();
    assert!(matches!(tree.open(&name), Err(CgroupError::File { .. })));
}

fn processes_in_session_and_children() {
    let session = Session::new("children");
    let child = session.cgroup.child("tool").unwrap();
    let mut running = session.launch(&session.shell("echo up; read x"));
    running.line();
    let pid = running.launch.pid;
    assert!(!child.contains(pid));
    child.add(pid).unwrap();
    assert!(child.contains(pid) && session.cgroup.contains(pid));
    assert_eq!(child.processes().unwrap(), [pid]);
    assert_eq!(session.cgroup.processes().unwrap().len(), 2, "the first process is with it");
    assert!(cgroup_of(pid).unwrap().ends_with("tool"));
    assert_ne!(child.id(), session.cgroup.id());
    assert!(matches!(child.add(u32::MAX), Err(CgroupError::File { .. })));
    session.cgroup.freeze().unwrap();
    session.cgroup.thaw().unwrap();
    running.say("");
    assert_eq!(running.finish().0, 0);
}

fn a_frozen_tree_does_nothing_until_thawed() {
    let session = Session::new("freeze");
    let script = "trap 'exit 9' TERM; echo up; while :; do :; done";
    let mut running = session.launch(&session.shell(script));
    running.line();
    let took = session.cgroup.freeze().unwrap();
    assert!(took < Duration::from_secs(2), "{took:?}");
    running.launch.signal(15).unwrap();
    assert!(!ends_within(running.launch.keeper(), Duration::from_millis(150)), "it ran on");
    session.cgroup.thaw().unwrap();
    assert!(ends_within(running.launch.keeper(), Duration::from_secs(10)));
    assert_eq!(running.finish().0, 9);
}

fn a_daemon_is_killed_with_the_cgroup() {
    let session = Session::new("daemon");
    let script = "(setsid sh -c 'sleep 1000 & sleep 1000' > /dev/null 2>&1 &) & echo up; read x";
    let mut running = session.launch(&session.shell(script));
    running.line();
    // The first process, the shell, the daemon's shell and two sleeps.
    until("the daemon", || session.cgroup.processes().unwrap().len() == 5);
    session.cgroup.freeze().unwrap();
    session.cgroup.kill().unwrap();
    assert!(session.cgroup.processes().unwrap().is_empty());
    assert_eq!(running.finish().0, 137);
}

fn twenty_processes_are_killed_at_once() {
    let session = Session::new("twenty");
    let script = "for i in $(seq 20); do sleep 1000 & done; echo up; read x";
    let mut running = session.launch(&session.shell(script));
    running.line();
    assert!(session.cgroup.processes().unwrap().len() >= 20);
    let took = session.cgroup.kill().unwrap();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(!session.cgroup.is_populated().unwrap());
    assert_eq!(running.finish().0, 137);
}

fn a_fork_bomb_is_bounded_and_cleaned_up() {
    let session = Session::new("bomb");
    let tree = Tree::find().unwrap();
    let name = session.cgroup.path().file_name().unwrap().to_owned();
    let counter = match tree.bound() {
        Bound::Legacy(root) => root.join("pathwarden").join(name),
        Bound::Unified => session.cgroup.path().to_owned(),
        other => panic!("{other:?}"),
    };
    session.cgroup.bound_processes(64).unwrap();
    let script = "echo up; b() { b | b & }; b; read x";
    let mut running = session.launch(&session.shell(script));
    running.line();
    until("a refused fork", || {
        !fs::read_to_string(counter.join("pids.events")).unwrap().starts_with("max 0")
    });
    let count = fs::read_to_string(counter.join("pids.current")).unwrap();
    assert!(count.trim().parse::<u32>().unwrap() <= 64, "{count}");
    session.cgroup.kill().unwrap();
    running.finish();
    session.cgroup.clone().remove().unwrap();
    assert!(!counter.exists());
}
