//! Somebody changes what a path leads to while it is judged.

use std::os::unix::fs::symlink;
use std::process::Command;

use pathwarden_kernel_fanotify::{Ask, Change, Class, Event, Group, Verdict};

use crate::agent::{Agent, Judge, all_but, can_ask, text};

const OPENS: u64 = 20_000;

/// How many opens gave the public file, the secret one, `EPERM`, and anything else.
fn race(agent: &mut Agent, group: &Group, judge: Judge<'_>, program: &str) -> [u64; 4] {
    let [link, public, secret] = ["link", "public", "secret"].map(|name| agent.path(name));
    let inode = agent.inode("secret").to_string();
    let words =
        ["run", program, text(&link), text(&public), text(&secret), &inode, &OPENS.to_string()];
    let answer = agent.does(group, judge, &words);
    let counts = answer.strip_prefix("ok 0 ").unwrap_or_else(|| panic!("{answer}"));
    let counts: Vec<_> = counts.split(' ').map(|count| count.parse().unwrap()).collect();
    assert_eq!(counts.iter().sum::<u64>(), OPENS);
    counts.try_into().unwrap()
}

#[test]
fn a_racing_path_leaks_nothing() {
    if !can_ask("a_racing_path_leaks_nothing") {
        return;
    }
    let tools = tempfile::tempdir_in("/var/tmp").unwrap();
    let program = tools.path().join("race");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kernel/race.c");
    let built =
        Command::new("cc").args(["-O1", "-pthread", "-o"]).arg(&program).arg(source).status();
    assert!(built.unwrap().success());
    let mut agent = Agent::start();
    let secret = agent.file("secret", "s");
    agent.file("public", "p");
    symlink(agent.path("public"), agent.path("link")).unwrap();
    let group = Group::new(Class::Decide).unwrap();

    let [_, leaked, refused, _] = race(&mut agent, &group, &mut |_| None, text(&program));
    assert!(leaked > 0 && refused == 0, "the race is none: {leaked}");
    println!("unmarked: {leaked} of {OPENS} opens gave the secret");

    agent.mark(&group, &[Ask::Open]);
    let [public, leaked, refused, _] =
        race(&mut agent, &group, &mut all_but(secret), text(&program));
    println!("asked: {public} public, {leaked} leaked, {refused} refused");
    assert_eq!(leaked, 0);
    assert!(public > 0 && refused > 0);

    let mut judge = |event: &Event| {
        if event.stat().unwrap().inode == secret {
            return Some(Verdict::Refuse);
        }
        event.remember(&[Ask::Open], Change::Survives).unwrap();
        Some(Verdict::Allow)
    };
    let [public, leaked, refused, _] = race(&mut agent, &group, &mut judge, text(&program));
    println!("remembered: {public} public, {leaked} leaked, {refused} refused");
    assert_eq!(leaked, 0);
    assert!(public > 0 && refused > 0);
}
