//! Opening and executing.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use pathwarden_kernel_fanotify::{Ask, Class, Event, Group, MarkError, Verdict};

use crate::agent::{Agent, all_but, can_ask, counting, meanwhile, text};

const EPERM: &str = "err 1";

#[test]
fn an_open_is_refused_in_one_namespace_only() {
    if !can_ask("an_open_is_refused_in_one_namespace_only") {
        return;
    }
    let (mut agent, mut other) = (Agent::start(), Agent::start());
    let (secret, public) = (agent.file("secret", "s"), agent.file("public", "p"));
    let group = Group::new(Class::Decide).unwrap();
    agent.mark(&group, &[Ask::Open]);
    let judge = &mut all_but(secret);
    assert_eq!(agent.opens(&group, judge, "secret"), EPERM);
    assert_eq!(agent.opens(&group, judge, "public"), format!("ok {public}"));

    let path = agent.path("secret");
    let mut asked = 0;
    let ours = path.clone();
    let read = meanwhile(&group, &mut counting(&mut asked), move || fs::read_to_string(ours));
    assert_eq!((read.unwrap().as_str(), asked), ("s", 0));
    assert_eq!(other.does_unasked(&group, &["open", text(&path)]), format!("ok {secret}"));

    group.unmark_mount(agent.mount().path(), &[Ask::Open]).unwrap();
    assert_eq!(agent.does_unasked(&group, &["open", text(&path)]), format!("ok {secret}"));
}

#[test]
fn the_root_mount_of_a_namespace_is_marked_alone() {
    if !can_ask("the_root_mount_of_a_namespace_is_marked_alone") {
        return;
    }
    let (mut agent, mut other) = (Agent::start(), Agent::start());
    let group = Group::new(Class::Decide).unwrap();
    let secret = other.file("secret", "s");
    // For this agent the other's folder is just a part of the root mount.
    let found = pathwarden_kernel_fanotify::reach(agent.pid(), std::path::Path::new("/")).unwrap();
    group.mark_mount(found.path(), &[Ask::Open, Ask::Execute]).unwrap();
    let path = other.path("secret");
    assert_eq!(agent.does(&group, &mut all_but(secret), &["open", text(&path)]), EPERM);
    assert_eq!(other.does_unasked(&group, &["open", text(&path)]), format!("ok {secret}"));
    assert_eq!(fs::read_to_string(path).unwrap(), "s");
}

#[test]
fn executing_is_a_question_of_its_own() {
    if !can_ask("executing_is_a_question_of_its_own") {
        return;
    }
    let mut agent = Agent::start();
    fs::copy("/bin/true", agent.path("tool")).unwrap();
    fs::copy("/bin/true", agent.path("evil")).unwrap();
    let (tool, evil) = (agent.path("tool"), agent.path("evil"));
    let group = Group::new(Class::Decide).unwrap();
    agent.mark(&group, &[Ask::Open, Ask::Execute]);
    let evil_inode = agent.inode("evil");
    let mut seen = Vec::new();
    let mut judge = |event: &Event| {
        seen.push(event.asks());
        let is_evil = event.asks().has(Ask::Execute) && event.stat().unwrap().inode == evil_inode;
        Some(if is_evil { Verdict::Refuse } else { Verdict::Allow })
    };
    assert_eq!(agent.does(&group, &mut judge, &["exec", text(&tool)]), "ok 0");
    assert_eq!(agent.does(&group, &mut judge, &["exec", text(&evil)]), EPERM);
    // It may still be read, and a descriptor does not lead around the question.
    assert_eq!(agent.does(&group, &mut judge, &["keep", "evil", text(&evil), "0"]), "ok");
    assert_eq!(agent.does(&group, &mut judge, &["fexec", "evil"]), "ok err 1");
    let one = |ask| std::iter::once(ask).collect();
    assert_eq!(seen[..3], [one(Ask::Execute), one(Ask::Open), one(Ask::Execute)]);
}

#[test]
fn a_question_that_is_dropped_is_refused() {
    if !can_ask("a_question_that_is_dropped_is_refused") {
        return;
    }
    let mut agent = Agent::start();
    agent.file("a", "");
    let group = Group::new(Class::Decide).unwrap();
    agent.mark(&group, &[Ask::Open]);
    assert_eq!(agent.opens(&group, &mut |_| None, "a"), EPERM);
    let mut asked = 0;
    assert!(agent.opens(&group, &mut counting(&mut asked), "a").starts_with("ok"));
    assert_eq!(asked, 1);
}

#[test]
fn no_spelling_leads_around_the_file() {
    if !can_ask("no_spelling_leads_around_the_file") {
        return;
    }
    let mut agent = Agent::start();
    let secret = agent.file("secret", "s");
    fs::create_dir(agent.path("folder")).unwrap();
    symlink("../secret", agent.path("folder/soft")).unwrap();
    fs::hard_link(agent.path("secret"), agent.path("folder/hard")).unwrap();
    let group = Group::new(Class::Decide).unwrap();
    agent.mark(&group, &[Ask::Open]);
    let direct = agent.path("secret");
    let rooted = format!("/proc/self/root{}", text(&direct));
    let threaded = format!("/proc/thread-self/root/proc/self/root{}", text(&direct));
    let [up, soft, hard, slashed] =
        ["folder/../secret", "folder/soft", "folder/hard", ".//./secret"]
            .map(|name| agent.path(name));
    for spelling in
        [text(&direct), &rooted, &threaded, text(&up), text(&soft), text(&hard), text(&slashed)]
    {
        let mut found = None;
        let mut judge = |event: &Event| {
            found = Some((event.stat().unwrap(), event.path().unwrap()));
            Some(Verdict::Refuse)
        };
        assert_eq!(agent.does(&group, &mut judge, &["open", spelling]), EPERM, "{spelling}");
        let (file, path) = found.unwrap();
        assert_eq!((file.inode, file.links), (secret, 2), "{spelling}");
        assert_eq!(file.mode & libc::S_IFMT, libc::S_IFREG);
        let name = if spelling == text(&hard) { &hard } else { &direct };
        assert_eq!(&path, name, "{spelling}");
    }
}

/// A descriptor is leave that was given: neither a child nor a peer is asked again.
#[test]
fn a_descriptor_that_is_handed_on_raises_no_question() {
    if !can_ask("a_descriptor_that_is_handed_on_raises_no_question") {
        return;
    }
    let mut agent = Agent::start();
    agent.file("a", "content");
    let path = agent.path("a");
    let group = Group::new(Class::Decide).unwrap();
    agent.mark(&group, &[Ask::Open]);
    let mut asked = 0;
    agent.does(&group, &mut counting(&mut asked), &["keep", "a", text(&path), "0"]);
    assert_eq!(asked, 1);
    assert_eq!(agent.does_unasked(&group, &["read_in_child", "a"]), "ok ok content");
    assert_eq!(agent.does_unasked(&group, &["pass", "a"]), "ok content");
    // To open it anew is a question again.
    assert_eq!(agent.does(&group, &mut |_| None, &["reopen", "a"]), EPERM);
}

/// A limit of the kernel (6.18), which the crate's documentation names: devices have to be kept away by
/// other means. Should a later kernel ask, this test says so.
#[test]
fn special_files_raise_no_question() {
    if !can_ask("special_files_raise_no_question") {
        return;
    }
    let mut agent = Agent::start();
    let (fifo, null) = (agent.path("fifo"), agent.path("null"));
    for words in [&["mkfifo", text(&fifo)][..], &["mknod", text(&null), "c", "1", "3"]] {
        assert!(Command::new(words[0]).args(&words[1..]).status().unwrap().success());
    }
    let group = Group::new(Class::Decide).unwrap();
    agent.mark(&group, &[Ask::Open]);
    let flags = libc::O_RDWR.to_string();
    for path in [&fifo, &null] {
        assert!(agent.does_unasked(&group, &["open", text(path), &flags]).starts_with("ok"));
    }
    let folder = agent.path("");
    assert!(agent.does_unasked(&group, &["open", text(&folder)]).starts_with("ok"));
    let proc =
        pathwarden_kernel_fanotify::reach(agent.pid(), std::path::Path::new("/proc")).unwrap();
    let fault = group.mark_mount(proc.path(), &[Ask::Open]).unwrap_err();
    assert!(matches!(fault, MarkError::Unsupported { .. }), "{fault}");
}

#[test]
fn what_a_group_cannot_ask_is_an_error() {
    if !can_ask("what_a_group_cannot_ask_is_an_error") {
        return;
    }
    let agent = Agent::start();
    let mount = agent.mount();
    let decide = Group::new(Class::Decide).unwrap();
    for what in [&[][..], &[Ask::Access], &[Ask::Open, Ask::Access]] {
        let fault = decide.mark_mount(mount.path(), what).unwrap_err();
        assert!(matches!(fault, MarkError::Asks { .. }), "{fault}");
    }
    let gone = agent.path("gone");
    let fault = decide.mark_mount(&gone, &[Ask::Open]).unwrap_err();
    assert!(matches!(fault, MarkError::Kernel { .. }), "{fault}");
    let fault = decide.unmark_mount(mount.path(), &[Ask::Open]).unwrap_err();
    assert!(matches!(fault, MarkError::Kernel { .. }), "{fault}");
    let fault = decide.mark_mount(std::path::Path::new("/a\0b"), &[Ask::Open]).unwrap_err();
    assert!(matches!(fault, MarkError::NoPath(_)), "{fault}");
    let access = Group::new(Class::Access).unwrap();
    let memory = std::path::Path::new("/dev/shm");
    let memory = pathwarden_kernel_fanotify::reach(agent.pid(), memory).unwrap();
    let fault = access.mark_mount(memory.path(), &[Ask::Access]).unwrap_err();
    assert!(matches!(fault, MarkError::Unsupported { .. }), "{fault}");
}
