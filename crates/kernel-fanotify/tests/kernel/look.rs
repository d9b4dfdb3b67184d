//! Mounts, and the way to them.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use pathwarden_kernel_fanotify::{Class, Group, mounts_of, reach};

use crate::agent::{Agent, can_ask, text};

#[test]
fn mounts_are_listed_with_whatever_name_they_have() {
    if !can_ask("mounts_are_listed_with_whatever_name_they_have") {
        return;
    }
    let mut agent = Agent::start();
    let odd = agent.path("a b\\c#d\u{e9}");
    fs::create_dir(&odd).unwrap();
    let group = Group::new(Class::Decide).unwrap();
    assert_eq!(agent.does_unasked(&group, &["bind", text(&odd), text(&odd)]), "ok");
    let mounts = mounts_of(agent.pid()).unwrap();
    let found = mounts.iter().find(|mount| mount.point == odd).unwrap();
    assert_eq!((found.kind.as_str(), found.is_read_only), ("ext4", false));
    assert!(mounts.iter().all(|mount| mount.id != found.id || mount == found));
    assert!(mounts.iter().any(|mount| mount.point == Path::new("/")));
    let words = ["run", "mount", "-o", "remount,bind,ro", text(&odd)];
    assert_eq!(agent.does_unasked(&group, &words), "ok 0");
    let mounts = mounts_of(agent.pid()).unwrap();
    assert!(mounts.iter().any(|mount| mount.point == odd && mount.is_read_only));
    let ours = mounts_of(i32::try_from(std::process::id()).unwrap()).unwrap();
    assert!(ours.iter().all(|mount| mount.point != odd));
    assert!(mounts_of(i32::MAX).is_err());
}

/// With `/proc/PID/root` joined to the path, the link would lead to our own `/`.
#[test]
fn a_link_in_the_way_stays_within_the_process() {
    if !can_ask("a_link_in_the_way_stays_within_the_process") {
        return;
    }
    let mut agent = Agent::start();
    let (folder, link) = (agent.path("folder"), agent.path("link"));
    let covered = agent.path("covered");
    fs::create_dir(&folder).unwrap();
    fs::create_dir(&covered).unwrap();
    fs::write(folder.join("x"), "").unwrap();
    // Only for the agent is the one folder at the place of the other.
    let group = Group::new(Class::Decide).unwrap();
    agent.does_unasked(&group, &["bind", text(&folder), text(&covered)]);
    symlink(covered.join("x"), &link).unwrap();
    let naive = format!("/proc/{}/root{}", agent.pid(), text(&link));
    assert!(fs::metadata(naive).is_err(), "it leads to our own empty folder");
    let reached = reach(agent.pid(), &link).unwrap();
    assert_eq!(fs::metadata(reached.path()).unwrap().ino(), agent.inode("folder/x"));
    assert!(reach(agent.pid(), Path::new("/proc/self/root")).is_err(), "no magic links");
    assert!(reach(i32::MAX, Path::new("/")).is_err());
}
