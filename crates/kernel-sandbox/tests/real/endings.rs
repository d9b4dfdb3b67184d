//! A box never outlives what it is for: its main process, its supervisor.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use pathwarden_kernel_sandbox::{Launch, Streams, Tier, Tree};

use crate::fixture::{Session, lives, shell, until};
use crate::harness::Test;

pub(crate) const TESTS: &[Test] = &[
    ("a_daemon_ends_with_the_main_process", a_daemon_ends_with_the_main_process),
    ("a_killed_supervisor_takes_the_tree_with_it", a_killed_supervisor_takes_the_tree_with_it),
    ("a_killed_supervisor_takes_a_frozen_tree_with_it", a_frozen_tree_goes_too),
    ("a_killed_keeper_takes_the_tree_with_it", a_killed_keeper_takes_the_tree_with_it),
    ("the_plain_tier_needs_no_privileges", the_plain_tier_needs_no_privileges),
    ("the_terminal_comes_back_from_an_interactive_agent", the_terminal_comes_back),
    ("a_dropped_launch_never_runs", a_dropped_launch_never_runs),
    ("a_dropped_launch_ends_what_runs", a_dropped_launch_ends_what_runs),
];

const SUPERVISE: &str = "--supervise";
const NO_CGROUP: &str = "-";

const DAEMON: &str =
    "(setsid sh -c 'sleep 1000 & sleep 1000' > /dev/null 2>&1 &) & echo up; read x";

/// The other program that this one is: a supervisor to be killed.
pub(crate) fn supervise() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, word, tier, id, folder, script] = arguments.as_slice() else { return None };
    if word != SUPERVISE {
        return None;
    }
    let tier = if tier == "kernel" { Tier::Kernel } else { Tier::Landlock };
    let cgroup = (id != NO_CGROUP).then(|| Tree::find().unwrap().open(id).unwrap());
    let mut spec = shell(tier, folder.as_ref(), script);
    spec.readable = vec!["/".into()];
    let mut launch = Launch::start(&spec, cgroup.as_ref(), Streams::default()).unwrap();
    launch.go().unwrap();
    Some(ExitCode::from(launch.wait().unwrap()))
}

fn a_daemon_ends_with_the_main_process() {
    let session = Session::new("main-ends");
    for (spec, count) in [(session.shell(DAEMON), 5), (session.plain_shell(DAEMON), 4)] {
        let mut running = session.launch(&spec);
        running.line();
        until("the daemon", || session.cgroup.processes().unwrap().len() == count);
        running.say("");
        assert_eq!(running.finish().0, 0);
        assert!(!session.cgroup.is_populated().unwrap());
    }
}

fn killed_supervisor(tier: &str, freeze: bool) {
    let session = Session::new(&format!("orphan-{tier}-{freeze}"));
    let id = session.cgroup.path().file_name().unwrap();
    let mut supervisor = Command::new("/proc/self/exe")
        .args([SUPERVISE, tier])
        .arg(id)
        .arg(session.folder.path())
        .arg(DAEMON)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(supervisor.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    let count = if tier == "kernel" { 5 } else { 4 };
    until("the daemon", || session.cgroup.processes().unwrap().len() == count);
    if freeze {
        session.cgroup.freeze().unwrap();
    }
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    until("an empty cgroup", || !session.cgroup.is_populated().unwrap());
    drop(supervisor.stdin.take());
}

fn a_killed_supervisor_takes_the_tree_with_it() {
    killed_supervisor("kernel", false);
    killed_supervisor("landlock", false);
}

fn a_frozen_tree_goes_too() {
    killed_supervisor("kernel", true);
    killed_supervisor("landlock", true);
}

fn a_killed_keeper_takes_the_tree_with_it() {
    let session = Session::new("keeper");
    let mut running = session.launch(&session.shell(DAEMON));
    running.line();
    until("the daemon", || session.cgroup.processes().unwrap().len() == 5);
    let keeper = running.launch.keeper();
    rustix::process::pidfd_send_signal(keeper, rustix::process::Signal::KILL).unwrap();
    until("an empty cgroup", || !session.cgroup.is_populated().unwrap());
    assert_eq!(running.finish().0, 137);
}

fn the_plain_tier_needs_no_privileges() {
    let session = Session::new("nobody");
    fs::set_permissions(session.folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let script =
        "id -u; grep CapPrm /proc/self/status; echo in > in; echo out > /var/tmp/pw-out; exit 6";
    let output = Command::new("/proc/self/exe")
        .args([SUPERVISE, "landlock", NO_CGROUP])
        .arg(session.folder.path())
        .arg(script)
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap();
    let (text, faults) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(text, "65534\nCapPrm:\t0000000000000000\n", "{faults}");
    assert_eq!(output.status.code(), Some(6), "{faults}");
    assert!(session.path("in").exists() && faults.contains("Permission denied"), "{faults}");
}

fn the_terminal_comes_back() {
    let session = Session::new("terminal");
    let program = std::env::current_exe().unwrap();
    let agent = "exec bash --norc -ic 'sleep 0; exit 3'";
    // `script` gives the shell a terminal; a shell that is not its foreground could not read from it.
    let outer = format!(
        "{} {SUPERVISE} kernel {NO_CGROUP} {} \"{agent}\"; echo code $?; read x; echo got $x",
        program.display(),
        session.folder.path().display()
    );
    let mut shell = Command::new("script")
        .args(["-qec", &outer, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
    let mut text = String::new();
    let mut lines = BufReader::new(shell.stdout.take().unwrap());
    while lines.read_line(&mut text).unwrap() > 0 {}
    shell.wait().unwrap();
    assert!(text.contains("code 3") && text.contains("got hello"), "{text}");
}

fn a_dropped_launch_never_runs() {
    let session = Session::new("dropped");
    for spec in [session.shell("touch ran"), session.plain_shell("touch ran")] {
        let launch = session.start(&spec).unwrap();
        let pid = launch.pid;
        assert!(lives(pid));
        drop(launch);
        until("its end", || !lives(pid));
        assert!(!session.path("ran").exists());
    }
}

fn a_dropped_launch_ends_what_runs() {
    let session = Session::new("dropped-running");
    let mut running = session.launch(&session.shell(DAEMON));
    running.line();
    drop(running);
    assert!(!session.cgroup.is_populated().unwrap());
}
