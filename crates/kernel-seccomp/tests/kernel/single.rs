//! One behaviour each.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use pathwarden_kernel_seccomp::{
    Attempt, Call, Deed, Done, Errno, Need, Next, Scope, Target, attempt,
};
use proptest::test_runner::{Config, TestRunner};
use rustix::net::sockopt::socket_peercred;

use crate::harness::{
    DEADLINE, Filters, NOBODY, furnish, scratch, start, start_program, victim, yes,
};

#[test]
fn every_road_leads_to_the_true_path() {
    for uid in [0, NOBODY] {
        let folder = scratch();
        let tree = folder.path().join("tree");
        furnish(&tree, uid);
        let seen = Mutex::new(Vec::new());
        let watch = |attempt: &Attempt| {
            if let Deed::Open { .. } = attempt.deed() {
                let needs = attempt.needs();
                seen.lock().unwrap().extend(needs.into_iter().filter(|n| n.need == Need::Write));
            }
            Ok(())
        };
        let said = start(&tree, uid, Filters::Both, &["tricks"]).serve(&watch);
        assert!(!said.contains("= -1"), "{said}");
        let seen = seen.into_inner().unwrap();
        assert_eq!(seen.len(), said.lines().count(), "{said}");
        let other: Vec<_> = seen.iter().filter(|need| need.path != tree.join("a.txt")).collect();
        assert!(other.is_empty(), "{other:#?}");
    }
}

/// A caller with another root, another `/proc` and other process numbers sees itself, and we see
/// where that is.
#[test]
fn roads_of_a_jail_lead_into_the_jail() {
    let folder = scratch();
    let (tree, jail) = (folder.path().join("tree"), folder.path().join("jail"));
    furnish(&tree, 0);
    fs::create_dir(&jail).unwrap();
    let seen = Mutex::new(Vec::new());
    let watch = |attempt: &Attempt| {
        if let Deed::Open { .. } = attempt.deed() {
            let needs = attempt.needs();
            seen.lock().unwrap().extend(needs.into_iter().filter(|n| n.need == Need::Write));
        }
        Ok(())
    };
    let (victim, jail_text) = (victim().display(), jail.display());
    let inner = format!("cd {} && exec {victim} tricks", tree.display());
    let script = format!(
        "mount --rbind / {jail_text} && mount -t proc proc {jail_text}/proc && \
         exec chroot {jail_text} /bin/sh -c '{inner}'"
    );
    let words = ["/usr/bin/unshare", "-p", "-f", "-m", "/bin/sh", "-c", &script];
    let said = start_program(&tree, 0, Filters::Notify(Scope::Writes), &words).serve(&watch);
    assert!(!said.contains("= -1") && said.lines().count() >= 16, "{said}");
    let want = jail.join(tree.strip_prefix("/").unwrap()).join("a.txt");
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), said.lines().count(), "{seen:#?}");
    let other: Vec<_> = seen.iter().filter(|need| need.path != want).collect();
    assert!(other.is_empty(), "{other:#?}");
}

#[test]
fn fifo_waits_for_its_other_end_and_not_for_ever() {
    for scope in [Scope::Writes, Scope::AllOpens] {
        let folder = scratch();
        let tree = folder.path().join("tree");
        furnish(&tree, NOBODY);
        let said = start(&tree, NOBODY, Filters::Notify(scope), &["fifo"]).serve(&yes);
        assert!(said.contains("writer open"), "{said}");
        assert!(said.contains("read 7 through flags 0"), "{said}");
        assert!(said.contains("alone -1 EINTR"), "{said}");
    }
}

#[test]
fn connects_are_the_same() {
    let folder = scratch();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port().to_string();
    let stop = AtomicBool::new(false);
    let run = |name: &str, filters| {
        let tree = folder.path().join(name);
        furnish(&tree, NOBODY);
        let served = UnixListener::bind(tree.join("served")).unwrap();
        fs::set_permissions(
            tree.join("served"),
            std::os::unix::fs::PermissionsExt::from_mode(0o777),
        )
        .unwrap();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let (done, stop) = (&done, &stop);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) && !stop.load(Ordering::SeqCst) {
                    let Ok((mut peer, _)) = served.accept() else { return };
                    let seen = socket_peercred(&peer).unwrap();
                    let text = format!("uid {:?} gid {:?}", seen.uid, seen.gid);
                    let _ = peer.write_all(text.as_bytes());
                }
            });
            let said = start(&tree, NOBODY, filters, &["connects", &port]).serve(&yes);
            done.store(true, Ordering::SeqCst);
            // Lets the server look at the flag.
            let _ = std::os::unix::net::UnixStream::connect(tree.join("served"));
            said
        })
    };
    let plain = run("plain", Filters::None);
    let emulated = run("other", Filters::Both);
    assert!(plain.contains("peer saw uid"), "{plain}");
    assert_eq!(plain, emulated);
}

#[test]
fn exec_is_seen_through_its_interpreters() {
    let folder = scratch();
    let tree = folder.path().join("tree");
    furnish(&tree, 0);
    // The victim prints the command line that the kernel gave it.
    let seen = Mutex::new(Vec::new());
    let watch = |attempt: &Attempt| {
        if let Deed::Exec(exec) = attempt.deed() {
            let inner = exec.file().interpreter().map(|file| file.path().to_owned());
            let needs = attempt.needs().len();
            seen.lock().unwrap().push((
                exec.file().path().to_owned(),
                inner,
                needs,
                exec.argument_tail(),
            ));
        }
        Ok(())
    };
    let script = tree.join("script");
    fs::write(&script, "#!/usr/bin/env cat\n").unwrap();
    fs::write(tree.join("outer"), format!("#! {} arg with blanks\n", script.display())).unwrap();
    for name in ["script", "outer"] {
        let bits = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(tree.join(name), bits).unwrap();
    }
    drop(start(&tree, 0, Filters::Both, &["exec", "0", "./outer"]).serve(&watch));
    let seen = seen.into_inner().unwrap();
    let (path, inner, needs, tail) =
        seen.iter().find(|(path, ..)| path.ends_with("outer")).expect("the exec was not seen");
    assert_eq!(path, &tree.join("outer"));
    assert_eq!(inner.as_deref(), Some(script.as_path()));
    assert_eq!(*needs, 3, "the script, its interpreter, and that one's");
    assert_eq!(tail, b"./outer\0one\0two words\0");
}

#[test]
fn full_table_of_descriptors_is_an_answer() {
    let folder = scratch();
    let tree = folder.path().join("tree");
    furnish(&tree, NOBODY);
    let said = start(&tree, NOBODY, Filters::Both, &["many", "70000"]).serve(&yes);
    assert!(said.contains("EMFILE"), "{said}");
}

/// The next call that is no exec; execs go on.
fn first_call(listener: &pathwarden_kernel_seccomp::Listener) -> Call {
    let end = Instant::now() + DEADLINE;
    loop {
        assert!(Instant::now() < end, "no call came");
        if let Next::Call(call) = listener.recv(Duration::from_millis(100)).unwrap() {
            if i64::from(call.nr) != libc::SYS_execve {
                return call;
            }
            let _ = listener.go_on(call.id).unwrap();
        }
    }
}

#[test]
fn dead_caller_is_no_error_and_does_nothing() {
    let folder = scratch();
    let tree = folder.path().join("tree");
    furnish(&tree, NOBODY);
    let mut victim = start(&tree, NOBODY, Filters::Both, &["wait"]);
    let listener = victim.listener.take().unwrap();
    let call = first_call(&listener);
    let target = Target::of(&listener, &call).unwrap();
    let made = attempt(&call, &target).unwrap();
    victim.child.kill().unwrap();
    victim.child.wait().unwrap();
    assert!(!listener.is_alive(call.id));
    assert_eq!(made.perform(&listener, call.id, Duration::ZERO, &|| false).unwrap(), Done::Gone);
    assert!(!tree.join("waited").exists());
    assert_eq!(target.read_string(call.args[0]).unwrap_err(), Errno::SRCH);
    assert_eq!(listener.recv(Duration::from_millis(100)).unwrap(), Next::Ended);
}

#[test]
fn name_taken_since_is_not_what_was_decided_about() {
    let folder = scratch();
    let tree = folder.path().join("tree");
    furnish(&tree, 0);
    let mut victim = start(&tree, 0, Filters::Both, &["speed", "1", "fresh"]);
    let listener = victim.listener.take().unwrap();
    let mut call = first_call(&listener);
    call.args[2] |= libc::O_CREAT as u64;
    let target = Target::of(&listener, &call).unwrap();
    let made = attempt(&call, &target).unwrap();
    assert_eq!(made.needs()[0].need, Need::Create);
    fs::hard_link(tree.join("rootdir/f"), tree.join("fresh")).unwrap();
    assert_eq!(made.perform(&listener, call.id, Duration::ZERO, &|| false).unwrap(), Done::Changed);
    let again = attempt(&call, &target).unwrap();
    assert_eq!(again.needs().last().unwrap().links, 2);
    assert_eq!(
        again.perform(&listener, call.id, Duration::ZERO, &|| false).unwrap(),
        Done::Answered(None)
    );
}

#[test]
fn arbitrary_registers_never_panic() {
    let folder = scratch();
    let tree = folder.path().join("tree");
    furnish(&tree, NOBODY);
    let mut victim = start(&tree, NOBODY, Filters::Both, &["wait"]);
    let listener = victim.listener.take().unwrap();
    let call = first_call(&listener);
    let target = Target::of(&listener, &call).unwrap();
    let maps = fs::read_to_string(format!("/proc/{}/maps", call.tid)).unwrap();
    let starts: Vec<u64> =
        maps.lines().filter_map(|l| u64::from_str_radix(l.split('-').next()?, 16).ok()).collect();
    let path = call.args[0];
    use proptest::prelude::*;
    let word = prop_oneof![
        any::<u64>(),
        0..16_u64,
        Just(path),
        Just(u64::from(libc::AT_FDCWD.cast_unsigned())),
        (proptest::sample::select(starts), 0..9000_u64).prop_map(|(at, by)| at + by),
    ];
    let numbers = prop_oneof![any::<i32>(), 0..470_i32];
    let config = Config { cases: 4000, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&(numbers, proptest::array::uniform6(word)), |(nr, args)| {
            // Whatever it answers, it answers; nothing is carried out.
            if let Ok(made) = attempt(&Call { nr, args, ..call }, &target) {
                let _ = (made.needs(), made.may_block());
            }
            Ok(())
        })
        .unwrap();
    for nr in [libc::SYS_mkdir, libc::SYS_unlink, libc::SYS_open, libc::SYS_execve] {
        let nr = i32::try_from(nr).unwrap();
        let args = [0xdead_beef_0000, 0, 0, 0, 0, 0];
        let bogus = Call { nr, args, ..call };
        assert_eq!(attempt(&bogus, &target).map(drop), Err(Errno::FAULT));
    }
    assert_eq!(
        listener.answer_errno(call.id, Errno::ROFS).unwrap(),
        pathwarden_kernel_seccomp::Delivery::Delivered
    );
}
