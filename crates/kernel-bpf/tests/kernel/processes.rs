use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use pathwarden_kernel_bpf::{AttachError, Event, Image, PathOrigin, Session};

use crate::bed::Bed;

/// The programs that a process turned into, in order.
pub(crate) fn images(events: &[Event], of: u32) -> Vec<&Image> {
    let images = events.iter().filter_map(|event| match event {
        Event::Exec { pid, image, .. } if *pid == of => Some(image),
        _ => None,
    });
    images.collect()
}

#[test]
fn a_session_is_usable_from_all_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Session>();
}

#[test]
fn fork_exec_and_exit_are_seen_with_arguments_and_ancestry() {
    let Some(bed) = Bed::new("fork_exec_and_exit") else { return };
    let inside = bed.start(&["/bin/sh", "-c", "/bin/true one 'two words'; exit 3"]);
    let shell = inside.pid();
    assert_eq!(inside.rest().1.code(), Some(3));
    let events = bed.events();
    let child = events.iter().find_map(|event| match event {
        Event::Fork { pid, child_pid, child_tid, cgroup, .. } if *pid == shell => {
            assert_eq!((child_pid, *cgroup), (child_tid, bed.id()));
            Some(*child_pid)
        }
        _ => None,
    });
    let child = child.expect("a fork");
    let [image] = images(&events, child)[..] else { panic!("{events:?}") };
    assert_eq!(image.argv, b"/bin/true\0one\0two words\0");
    assert_eq!(image.argv_total, 24);
    assert_eq!((image.parent, image.old_tid), (shell, child));
    assert_eq!(image.comm, b"true");
    assert_eq!(image.path, fs::canonicalize("/bin/true").unwrap());
    assert_eq!(image.origin, PathOrigin::Walked);
    let file = fs::metadata("/bin/true").unwrap();
    assert_eq!((image.inode, image.device), (file.ino(), file.dev()));
    let ends = events.iter().filter_map(|event| match event {
        Event::Exit { pid, status, last, .. } => Some((*pid, *status, *last)),
        _ => None,
    });
    assert_eq!(ends.collect::<Vec<_>>(), [(child, 0, true), (shell, 3 << 8, true)]);
    assert_eq!(bed.session().lost().unwrap(), 0);
    let times: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Fork { at_ns, .. } | Event::Exit { at_ns, .. } => Some(*at_ns),
            _ => None,
        })
        .collect();
    assert!(times.is_sorted() && times[0] > 0);
}

#[test]
fn long_arguments_are_cut_and_counted() {
    let Some(bed) = Bed::new("long_arguments") else { return };
    let long = "x".repeat(5000);
    let inside = bed.start(&["/bin/true", &long]);
    let pid = inside.pid();
    inside.rest();
    let events = bed.events();
    let image = images(&events, pid)[0];
    assert_eq!(image.argv.len(), 1024);
    assert!(image.argv.starts_with(b"/bin/true\0xxx"));
    assert_eq!(image.argv_total, 10 + 5001);
}

#[test]
fn processes_outside_are_not_seen() {
    let Some(bed) = Bed::new("processes_outside") else { return };
    let (tool, tool_id) = bed.tool("t");
    let mut outside =
        Command::new("/bin/sh").args(["-c", "cat /etc/hostname; true"]).spawn().unwrap();
    let out = outside.id();
    bed.run(&["/bin/cat", "/etc/hostname"]);
    bed.run_in(&tool, &["/bin/cat", "/etc/hostname"]);
    outside.wait().unwrap();
    let events = bed.events();
    assert!(events.iter().all(|event| event.pid() != out));
    assert!(events.iter().all(|event| [bed.id(), tool_id].contains(&event.cgroup())));
    for id in [bed.id(), tool_id] {
        let exec = |event: &&Event| matches!(event, Event::Exec { .. }) && event.cgroup() == id;
        assert_eq!(events.iter().filter(exec).count(), 1);
    }
}

#[test]
fn two_sessions_see_each_their_own() {
    let (Some(one), Some(two)) = (Bed::new("two_sessions"), Bed::new("two_sessions")) else {
        return;
    };
    one.run(&["/bin/true"]);
    assert!(two.events().is_empty());
    assert!(!one.events().is_empty());
}

#[test]
fn a_script_is_its_interpreter() {
    let Some(bed) = Bed::new("a_script") else { return };
    let script = bed.folder.path().join("script");
    fs::write(&script, "#!/bin/sh\nexit 0\n").unwrap();
    assert!(Command::new("chmod").arg("+x").arg(&script).status().unwrap().success());
    let inside = bed.start(&[script.to_str().unwrap(), "argument"]);
    let pid = inside.pid();
    inside.rest();
    let events = bed.events();
    let image = images(&events, pid)[0];
    assert_eq!(image.inode, fs::metadata("/bin/sh").unwrap().ino());
    let argv = format!("/bin/sh\0{}\0argument\0", script.display());
    assert_eq!(image.argv, argv.as_bytes());
}

#[test]
fn a_wrong_place_is_refused() {
    let Some(bed) = Bed::new("a_wrong_place") else { return };
    let refused = |path: &Path, level| match Session::attach(path, level) {
        Ok(_) => panic!("attached"),
        Err(error) => error,
    };
    let found = refused(&bed.cgroup, 1);
    assert!(matches!(found, AttachError::Level { level: 1, found: 2, .. }), "{found}");
    let found = refused(bed.folder.path(), 2);
    assert!(matches!(found, AttachError::NotCgroup2 { .. }), "{found}");
    let found = refused(&bed.cgroup.join("absent"), 3);
    assert!(matches!(found, AttachError::Cgroup { .. }), "{found}");
}
