//! What an agent that behaves sees: its streams, its environment, its exit code.

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::{fs, io};

use pathwarden_kernel_sandbox::{
    Landlock, LaunchError, Leftover, Spec, Step, User, doctor::abilities,
};
use rustix::process::{Signal, pidfd_send_signal};

use crate::fixture::{LISTENER, Session};
use crate::harness::Test;

pub(crate) const TESTS: &[Test] = &[
    ("exit_codes_and_signals_pass_through", exit_codes_and_signals_pass_through),
    ("a_signal_to_the_keeper_reaches_the_agent", a_signal_to_the_keeper_reaches_the_agent),
    ("streams_environment_and_folder_are_as_asked", streams_environment_and_folder_are_as_asked),
    ("only_named_descriptors_are_kept", only_named_descriptors_are_kept),
    ("the_agent_can_be_another_user", the_agent_can_be_another_user),
    ("leftovers_are_waited_for_when_asked", leftovers_are_waited_for_when_asked),
    ("errors_before_the_start_are_clear", errors_before_the_start_are_clear),
    ("an_error_of_the_start_is_clear", an_error_of_the_start_is_clear),
    ("listener_and_report_arrive_before_anything_runs", listener_and_report),
    ("signals_have_their_defaults", signals_have_their_defaults),
    ("this_machine_can_do_all", this_machine_can_do_all),
];

fn exit_codes_and_signals_pass_through() {
    let session = Session::new("codes");
    for (script, want) in
        [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137), ("kill $$", 143)]
    {
        assert_eq!(session.run(&session.shell(script)).0, want, "{script}");
        assert_eq!(session.run(&session.plain_shell(script)).0, want, "plain {script}");
    }
    let mut running = session.launch(&session.shell("echo up; exec sleep 1000"));
    running.line();
    assert!(matches!(running.launch.signal(99), Err(LaunchError::Signal { number: 99 })));
    assert_eq!(running.launch.try_wait().unwrap(), None);
    running.launch.signal(2).unwrap();
    assert_eq!(running.finish().0, 130);
}

fn a_signal_to_the_keeper_reaches_the_agent() {
    let session = Session::new("forward");
    let script = "trap 'exit 9' TERM; echo up; while :; do sleep 0.02; done";
    for spec in [session.shell(script), session.plain_shell(script)] {
        let mut running = session.launch(&spec);
        assert_eq!(running.line(), "up");
        pidfd_send_signal(running.launch.keeper(), Signal::TERM).unwrap();
        assert_eq!(running.finish().0, 9);
    }
}

fn streams_environment_and_folder_are_as_asked() {
    let session = Session::new("streams");
    let mut spec = session.shell("read x; echo got $x; pwd; env; echo wrong >&2");
    spec.environment.push(("KEY".into(), "a b".into()));
    let mut running = session.launch(&spec);
    running.say("hello");
    let (code, text) = running.finish();
    let folder = session.folder.path().display();
    assert_eq!(code, 0);
    assert!(text.starts_with(&format!("got hello\n{folder}\n")), "{text}");
    assert!(text.contains("KEY=a b\n") && text.ends_with("wrong\n"), "{text}");
    assert!(!text.contains("CARGO") && !text.contains("HOME="), "inherited: {text}");
}

fn only_named_descriptors_are_kept() {
    let session = Session::new("fds");
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(b"through\n").unwrap();
    drop(writer);
    let fd = reader.as_raw_fd();
    let mut spec = session.shell(&format!("cat <&{fd}; ls /proc/self/fd | wc -l"));
    spec.command[0] = "bash".into();
    spec.keep_fds = vec![fd];
    // 0, 1, 2, the kept one, and the folder that `ls` reads.
    assert_eq!(session.run(&spec), (0, "through\n5\n".into()));
    assert_eq!(session.run(&session.shell("ls /proc/self/fd | wc -l")), (0, "4\n".into()));
    spec.keep_fds = vec![9999];
    assert!(matches!(session.start(&spec), Err(LaunchError::Spawn { .. })));
}

fn the_agent_can_be_another_user() {
    let session = Session::new("user");
    fs::set_permissions(session.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut spec =
        session.shell("id -u; id -g; id -G; grep CapPrm /proc/self/status; cat /etc/shadow");
    spec.user = Some(User { uid: 65534, gid: 65533, groups: vec![65532] });
    let (code, text) = session.run(&spec);
    assert!(text.starts_with("65534\n65533\n65533 65532\nCapPrm:\t0000000000000000\n"), "{text}");
    assert!(code == 1 && text.contains("Permission denied"), "{text}");
}

fn leftovers_are_waited_for_when_asked() {
    let session = Session::new("leftover");
    let script = "(sleep 0.2; echo late > late) > /dev/null 2>&1 & exit 4";
    for mut spec in [session.shell(script), session.plain_shell(script)] {
        assert_eq!(session.run(&spec).0, 4);
        assert!(!session.path("late").exists());
        spec.leftover = Leftover::Wait;
        assert_eq!(session.run(&spec).0, 4);
        fs::remove_file(session.path("late")).unwrap();
    }
}

fn errors_before_the_start_are_clear() {
    let session = Session::new("errors");
    fs::write(session.path("plain"), "text").unwrap();
    let error = |change: &dyn Fn(&mut Spec)| {
        let mut spec = session.shell("touch ran");
        change(&mut spec);
        let error = session.start(&spec).err().unwrap();
        let LaunchError::Step(failure) = &error else { panic!("{error:?}") };
        (failure.step, error.to_string())
    };
    let (step, text) = error(&|spec| spec.command = vec!["no-such-thing".into()]);
    assert_eq!(step, Step::Command);
    assert_eq!(
        text,
        "the box failed at step `command`: `no-such-thing`: No such file or directory (os error 2); \
         install it, or give its full path"
    );
    assert_eq!(error(&|spec| spec.command = vec!["./plain".into()]).0, Step::Command);
    assert_eq!(error(&|spec| spec.command.clear()).0, Step::Command);
    let (step, text) = error(&|spec| spec.directory = "/no/such/folder".into());
    assert_eq!(step, Step::Directory);
    assert!(text.contains("`/no/such/folder`: No such file"), "{text}");
    assert_eq!(error(&|spec| spec.directory = "relative".into()).0, Step::Directory);
    assert_eq!(error(&|spec| spec.masks = vec!["relative".into()]).0, Step::Masks);
    assert_eq!(error(&|spec| spec.devices = vec!["/etc".into()]).0, Step::Mounts);
    assert_eq!(error(&|spec| spec.writable = vec!["relative".into()]).0, Step::Landlock);
    let mut spec = session.plain_shell("touch ran");
    spec.masks = vec!["/etc/shadow".into()];
    let Err(LaunchError::Step(failure)) = session.start(&spec) else { panic!("not refused") };
    assert_eq!(failure.step, Step::Masks);
    assert!(!session.path("ran").exists());
    assert!(!session.cgroup.is_populated().unwrap());
}

fn an_error_of_the_start_is_clear() {
    let session = Session::new("start");
    fs::write(session.path("script"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(session.path("script"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut spec = session.shell("");
    spec.command = vec!["./script".into()];
    let mut launch = session.start(&spec).unwrap();
    launch.go().unwrap();
    let Err(LaunchError::Step(failure)) = launch.wait() else { panic!("it ran") };
    assert_eq!((failure.step, failure.errno), (Step::Execute, 2));
}

fn listener_and_report() {
    let session = Session::new("report");
    let spec = session.shell("touch ran");
    let mut launch = session.start(&spec).unwrap();
    let mut text = [0; 64];
    let count = rustix::io::pread(&launch.listener, &mut text, 0).unwrap();
    assert_eq!(&text[..count], LISTENER.as_bytes());
    assert_eq!((launch.report.landlock, launch.report.landlock_abi), (Landlock::Full, 7));
    assert_eq!(launch.report.namespaces, ["pid", "mount", "ipc"]);
    assert_eq!(launch.report.capabilities, 0x4fb);
    assert!(session.cgroup.contains(launch.pid));
    assert!(!session.cgroup.contains(std::process::id()));
    assert!(!session.path("ran").exists());
    launch.go().unwrap();
    assert_eq!(launch.wait().unwrap(), 0);
    assert!(session.path("ran").exists());
}

fn signals_have_their_defaults() {
    let session = Session::new("signals");
    let spec = session.shell("exec cat /proc/self/status");
    let mut launch = session.start(&spec).unwrap();
    launch.go().unwrap();
    let mut text = String::new();
    launch.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    for line in ["SigBlk:", "SigIgn:", "SigCgt:"] {
        assert!(text.contains(&format!("{line}\t0000000000000000")), "{text}");
    }
}

fn this_machine_can_do_all() {
    let session = Session::new("doctor");
    let before = fs::read_to_string("/proc/self/mountinfo").unwrap();
    for ability in abilities(session.folder.path()) {
        assert!(ability.has, "{ability:?}");
    }
    assert_eq!(before, fs::read_to_string("/proc/self/mountinfo").unwrap());
    let elsewhere = abilities("/proc".as_ref());
    assert!(elsewhere.iter().any(|found| found.name == "workspace_ext4" && !found.has));
}
