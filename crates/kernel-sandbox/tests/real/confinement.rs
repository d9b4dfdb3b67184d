//! What an agent that tries to get out meets.

use std::fs;
use std::process::{Child, Command};

use crate::fixture::Session;
use crate::harness::Test;

pub(crate) const TESTS: &[Test] = &[
    ("other_processes_cannot_be_seen", other_processes_cannot_be_seen),
    ("masks_hide_files_and_folders", masks_hide_files_and_folders),
    ("capabilities_are_few_and_final", capabilities_are_few_and_final),
    ("writes_outside_are_refused", writes_outside_are_refused),
    ("kernel_knobs_and_cgroups_are_read_only_even_where_all_is_writable", knobs_are_read_only),
    ("disks_are_not_in_dev", disks_are_not_in_dev),
    ("signals_and_ptrace_end_at_the_box", signals_and_ptrace_end_at_the_box),
    ("killing_its_own_group_spares_the_supervisor", killing_its_own_group_spares_the_supervisor),
    ("the_refuse_filter_is_on", the_refuse_filter_is_on),
    ("the_plain_tier_reads_only_what_is_granted", the_plain_tier_reads_only_what_is_granted),
    ("first_process_of_the_box_cannot_be_read", first_process_cannot_be_read),
];

fn other_processes_cannot_be_seen() {
    let session = Session::new("proc");
    let (code, text) = session.run(&session.shell("echo $$; ls -d /proc/[0-9]* | wc -l"));
    // The first process, the shell, its two children.
    assert!(code == 0 && matches!(text.as_str(), "2\n3\n" | "2\n4\n"), "{text}");
}

fn masks_hide_files_and_folders() {
    let session = Session::new("masks");
    fs::write(session.path("secret"), "top").unwrap();
    fs::create_dir(session.path("keys")).unwrap();
    fs::write(session.path("keys/id"), "key").unwrap();
    let mut spec = session.shell(
        "cat secret; ls keys; cat keys/id; touch keys/x; umount keys; umount secret; mv keys k; rm secret",
    );
    let missing = session.path("missing");
    spec.masks = vec![session.path("secret"), session.path("keys"), missing.clone()];
    let mut launch = session.start(&spec).unwrap();
    assert_eq!((launch.report.masked, &launch.report.absent), (2, &vec![missing]));
    launch.go().unwrap();
    launch.wait().unwrap();
    let (_, text) = session.run(&spec);
    assert!(!text.contains("top") && !text.contains("key\n"), "{text}");
    assert_eq!(text.lines().count(), 6, "cat, touch, umount twice, mv and rm complain: {text}");
    assert_eq!(fs::read_to_string(session.path("secret")).unwrap(), "top");
    assert_eq!(fs::read_to_string(session.path("keys/id")).unwrap(), "key");
}

fn capabilities_are_few_and_final() {
    let session = Session::new("caps");
    let script = "grep -E '^(Cap|NoNewPrivs)' /proc/self/status";
    for spec in [session.shell(script), session.plain_shell(script)] {
        let (_, text) = session.run(&spec);
        let few = "00000000000004fb";
        let none = "0000000000000000";
        assert_eq!(
            text,
            format!(
                "CapInh:\t{none}\nCapPrm:\t{few}\nCapEff:\t{few}\nCapBnd:\t{few}\nCapAmb:\t{none}\n\
                 NoNewPrivs:\t1\n"
            )
        );
    }
}

fn writes_outside_are_refused() {
    let session = Session::new("landlock");
    let outside = Session::new("landlock-outside");
    fs::write(outside.path("old"), "old").unwrap();
    let folder = outside.folder.path().display();
    let script = format!(
        "echo a > {folder}/new; echo a >> {folder}/old; rm {folder}/old; mkdir {folder}/d; \
         ln -s x {folder}/l; cat {folder}/old; echo in > in; echo > /dev/null"
    );
    let (code, text) = session.run(&session.shell(&script));
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("old"), "reading is allowed: {text}");
    assert_eq!(text.matches("ermission denied").count(), 5, "{text}");
    assert_eq!(fs::read_dir(outside.folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(session.path("in")).unwrap(), "in\n");
    let mut spec = session.shell(&script);
    spec.writable = vec![outside.folder.path().to_owned()];
    assert_eq!(session.run(&spec).0, 0);
    assert!(outside.path("new").exists() && !outside.path("old").exists());
}

fn knobs_are_read_only() {
    let session = Session::new("knobs");
    // Opening for append writes nothing, so that the machine is unharmed where this fails.
    let mut spec = session.shell(
        ": >> /proc/sys/kernel/core_pattern; \
         : >> /sys/fs/cgroup/unified/cgroup.procs; : >> /sys/fs/cgroup/pids/cgroup.procs; \
         : >> /sys/kernel/uevent_helper; : > /dev/made; echo end",
    );
    spec.writable = vec!["/".into()];
    let script = spec.command[2].to_string_lossy().replace(": >>", "command : >>");
    spec.command[2] = script.replace(": > /dev", "command : > /dev").into();
    let (code, text) = session.run(&spec);
    assert_eq!(code, 0, "{text}");
    assert_eq!(text.matches("Read-only file system").count(), 5, "{text}");
}

fn disks_are_not_in_dev() {
    let session = Session::new("dev");
    let script =
        "find /dev -type b; ls /dev; head -c 3 /dev/zero | wc -c; mknod b b 8 0; : < /dev/stdin";
    let (_, text) = session.run(&session.shell(script));
    let names: Vec<&str> = text.lines().collect();
    let cut = names.iter().position(|line| *line == "3").unwrap();
    for expected in ["fd", "full", "null", "pts", "ptmx", "stdin", "tty", "urandom", "zero"] {
        assert!(names[..cut].contains(&expected), "{expected}: {text}");
    }
    assert!(!text.contains("vda") && !text.contains("kmsg") && !text.contains("mem"), "{text}");
    assert!(text.contains("mknod: b: "), "{text}");
}

/// A process outside, ended with the test.
struct Bystander(Child);

impl Bystander {
    fn new() -> Bystander {
        Bystander(Command::new("sleep").arg("1000").spawn().unwrap())
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signals_and_ptrace_end_at_the_box() {
    let session = Session::new("signal");
    let mut other = Bystander::new();
    let pid = other.0.id();
    // In the tier without a process namespace, where the other can be named at all.
    let script = format!(
        "kill -0 $$ && echo own; kill -9 {pid}; cat /proc/{pid}/environ; strace -p {pid}; echo end"
    );
    let (code, text) = session.run(&session.plain_shell(&script));
    assert!(code == 0 && text.starts_with("own\nend\n"), "{text}");
    assert_eq!(text.matches("ermi").count(), 3, "kill, cat and strace complain: {text}");
    assert!(other.0.try_wait().unwrap().is_none());
}

fn killing_its_own_group_spares_the_supervisor() {
    let session = Session::new("group");
    // Its process group is the supervisor's, for the terminal's sake.
    assert_eq!(session.run(&session.shell("kill -9 0")).0, 137);
    assert_eq!(session.run(&session.plain_shell("kill -9 0")).0, 137);
}

fn the_refuse_filter_is_on() {
    let session = Session::new("refuse");
    let (code, text) = session.run(&session.shell("setarch -R true"));
    assert!(code != 0 && text.contains("not permitted"), "{text}");
    let (_, text) = session.run(&session.shell("grep ^Seccomp: /proc/self/status"));
    assert_eq!(text, "Seccomp:\t2\n");
}

fn the_plain_tier_reads_only_what_is_granted() {
    let session = Session::new("plain");
    let outside = Session::new("plain-outside");
    fs::write(outside.path("secret"), "top").unwrap();
    let secret = outside.path("secret").display().to_string();
    let script = format!("cat {secret}; echo kept > kept; cat kept");
    let (code, text) = session.run(&session.plain_shell(&script));
    assert!(code == 0 && text.starts_with("kept\n"), "{text}");
    assert!(text.contains("Permission denied") && !text.contains("top"), "{text}");
}

fn first_process_cannot_be_read() {
    let session = Session::new("first");
    let script = "cat /proc/1/environ; ls /proc/1/root; cat /proc/1/fd/0; head -c 1 /proc/1/mem; \
         kill -9 1; cat /proc/1/comm";
    let (code, text) = session.run(&session.shell(script));
    assert!(code == 0 && text.starts_with("exe\n"), "{text}");
    assert_eq!(text.matches("Permission denied").count(), 4, "{text}");
    assert_eq!(text.matches("Operation not permitted").count(), 1, "{text}");
}
