use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use pathwarden_kernel_bpf::{Changed, Event, ExecApproval, ExecFault, Image, TAIL_BYTES_MAX};

use crate::bed::{Bed, Inside};
use crate::processes::images;

const SIGKILL: i32 = 9;

/// The words as the kernel keeps them.
fn area(words: &[&str]) -> Vec<u8> {
    words.iter().flat_map(|word| word.bytes().chain([0])).collect()
}

fn inode(path: &str) -> u64 {
    fs::metadata(path).unwrap().ino()
}

fn device(path: &str) -> Option<u64> {
    Some(fs::metadata(path).unwrap().dev())
}

/// Lets a held shell turn into these words after this approval.
fn run(bed: &Bed, words: &[&str], approval: Option<ExecApproval>) -> (String, ExitStatus) {
    let mut inside = bed.start_held(&bed.cgroup, words);
    bed.session().enforce_exec(true).unwrap();
    if let Some(approval) = approval {
        bed.session().approve_exec(inside.pid(), &approval).unwrap();
    }
    inside.say("go");
    inside.rest()
}

/// What was refused, and why.
fn refused(bed: &Bed) -> Vec<(Image, ExecFault)> {
    let refused = bed.events().into_iter().filter_map(|event| match event {
        Event::ExecRefused { image, fault, .. } => Some((image, fault)),
        Event::Exec { image, .. } => panic!("{image:?} started"),
        _ => None,
    });
    refused.collect()
}

#[test]
fn an_approved_program_runs() {
    let Some(bed) = Bed::new("an_approved_program") else { return };
    let words = ["/bin/echo", "hello", ""];
    let file = (inode(words[0]), device(words[0]));
    let all = area(&words);
    for approval in [
        ExecApproval::whole(file.0, file.1, &all),
        ExecApproval::whole(file.0, None, &all),
        ExecApproval::tail(file.0, file.1, &area(&words[1..])),
        ExecApproval::tail(file.0, file.1, b""),
    ] {
        let (said, status) = run(&bed, &words, Some(approval));
        assert!(status.success());
        assert_eq!(said, "hello \n");
        assert!(bed.events().iter().all(|event| !matches!(event, Event::ExecRefused { .. })));
    }
}

#[test]
fn a_program_without_a_fitting_approval_is_killed_before_it_runs() {
    let Some(bed) = Bed::new("a_program_without") else { return };
    let marker = bed.folder.path().join("marker");
    let words = ["/bin/touch", marker.to_str().unwrap()];
    let file = (inode(words[0]), device(words[0]));
    let all = area(&words);
    let mut altered = all.clone();
    *altered.last_mut().unwrap() = 1;
    let cases = [
        (None, ExecFault::Unapproved),
        (Some(ExecApproval::whole(file.0 ^ 1, file.1, &all)), ExecFault::OtherInode),
        (Some(ExecApproval::whole(file.0, Some(0x1234), &all)), ExecFault::OtherDevice),
        (Some(ExecApproval::whole(file.0, file.1, &altered)), ExecFault::OtherArgv),
        (Some(ExecApproval::whole(file.0, file.1, &all[1..])), ExecFault::OtherExtent),
        (
            Some(ExecApproval::whole(file.0, file.1, &[&all[..], b"x\0"].concat())),
            ExecFault::OtherExtent,
        ),
        (
            Some(ExecApproval::tail(file.0, file.1, &[&all[..], b"x\0"].concat())),
            ExecFault::OtherExtent,
        ),
        (Some(ExecApproval::tail(file.0, file.1, &altered)), ExecFault::OtherArgv),
    ];
    for (approval, expected) in cases {
        let (_, status) = run(&bed, &words, approval);
        assert_eq!(status.signal(), Some(SIGKILL), "{expected:?}");
        assert!(!marker.exists(), "{expected:?}");
        let refused = refused(&bed);
        let [(image, fault)] = &refused[..] else { panic!("{refused:?}") };
        assert_eq!((*fault, &image.argv, image.inode), (expected, &all, file.0));
    }
}

/// When a file was last changed.
fn changed(path: &str) -> Changed {
    let about = fs::metadata(path).unwrap();
    let nanoseconds = u32::try_from(about.ctime_nsec()).unwrap();
    Changed { seconds: about.ctime(), nanoseconds }
}

#[test]
fn a_program_that_was_rewritten_since_it_was_approved_is_killed() {
    let Some(bed) = Bed::new("a_program_that_was_rewritten") else { return };
    let program = bed.folder.path().join("program");
    let path = program.to_str().unwrap();
    fs::copy("/bin/echo", path).unwrap();
    let approval = |changed| {
        let all = area(&[path, "x"]);
        ExecApproval::whole(inode(path), device(path), &all).unchanged_since(Some(changed))
    };
    let before = changed(path);
    let (said, status) = run(&bed, &[path, "x"], Some(approval(before)));
    assert!(status.success());
    assert_eq!(said, "x\n");
    bed.events();

    // The very same bytes, written again: nobody looks at what they are a second time.
    fs::write(path, fs::read("/bin/echo").unwrap()).unwrap();
    let (_, status) = run(&bed, &[path, "x"], Some(approval(before)));
    assert_eq!(status.signal(), Some(SIGKILL));
    let refused = refused(&bed);
    assert!(matches!(&refused[..], [(_, ExecFault::OtherContent)]), "{refused:?}");

    let (said, _) = run(&bed, &[path, "x"], Some(approval(changed(path))));
    assert_eq!(said, "x\n");
}

#[test]
fn an_approval_is_good_once_and_until_withdrawn() {
    let Some(bed) = Bed::new("an_approval_is_good_once") else { return };
    let probe = bed.probe();
    let session = bed.session();
    let mut inside = bed.start_held(&bed.cgroup, &[&probe, "relay"]);
    let pid = inside.pid();
    session.enforce_exec(true).unwrap();
    // Any arguments will do, so that nothing but its being spent stands against a second use.
    let approval = ExecApproval::tail(inode(&probe), device(&probe), b"");
    session.approve_exec(pid, &approval).unwrap();
    inside.say("go");
    assert_eq!(inside.line(), "up");
    inside.say("0");
    assert_eq!(inside.rest().1.signal(), Some(SIGKILL));

    let mut inside = bed.start_held(&bed.cgroup, &[&probe, "relay"]);
    session.approve_exec(inside.pid(), &approval).unwrap();
    session.withdraw_exec(inside.pid());
    session.withdraw_exec(inside.pid());
    inside.say("go");
    assert_eq!(inside.rest().1.signal(), Some(SIGKILL));
}

#[test]
fn an_approval_is_the_calling_threads_own() {
    let Some(bed) = Bed::new("an_approval_is_the_calling_threads") else { return };
    let words = ["/bin/echo", "turned"];
    let approval = ExecApproval::whole(inode(words[0]), device(words[0]), &area(&words));
    let probe = bed.probe();
    for own in [true, false] {
        let mut inside = bed.start(&[&probe, "turn", words[0], words[1]]);
        let pid = inside.pid();
        let line = inside.line();
        let tid: u32 = line.strip_prefix("tid ").unwrap().parse().unwrap();
        assert_ne!(tid, pid);
        bed.events();
        bed.session().enforce_exec(true).unwrap();
        bed.session().approve_exec(if own { tid } else { pid }, &approval).unwrap();
        inside.say("");
        let (said, status) = inside.rest();
        if own {
            assert_eq!((said.as_str(), status.success()), ("turned\n", true));
            let events = bed.events();
            assert_eq!(images(&events, pid)[0].old_tid, tid);
        } else {
            assert_eq!(status.signal(), Some(SIGKILL));
            assert_eq!(refused(&bed)[0].1, ExecFault::Unapproved);
        }
        bed.session().enforce_exec(false).unwrap();
    }
}

#[test]
fn a_script_is_approved_as_its_interpreter_with_a_tail() {
    let Some(bed) = Bed::new("a_script_is_approved") else { return };
    let script = bed.folder.path().join("script");
    fs::write(&script, "#!/bin/sh -e\necho ran $1\n").unwrap();
    assert!(Command::new("chmod").arg("+x").arg(&script).status().unwrap().success());
    let words = [script.to_str().unwrap(), "well"];
    let shell = (inode("/bin/sh"), device("/bin/sh"));
    let (said, _) = run(&bed, &words, Some(ExecApproval::tail(shell.0, shell.1, &area(&words))));
    assert_eq!(said, "ran well\n");
    let approval = ExecApproval::tail(shell.0, shell.1, &area(&[words[0], "ill"]));
    let (said, status) = run(&bed, &words, Some(approval));
    assert_eq!((said.as_str(), status.signal()), ("", Some(SIGKILL)));
}

#[test]
fn nothing_is_asked_for_unless_it_is_enforced() {
    let Some(bed) = Bed::new("nothing_is_asked_for") else { return };
    assert_eq!(bed.run(&["/bin/echo", "free"]), "free\n");
}

/// The filler of the helper's relay.
fn filler(len: usize) -> Vec<u8> {
    let mut state = u32::try_from(len).unwrap();
    let bytes = (0..len).map(|_| {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12345);
        u8::try_from((state >> 16) % 255 + 1).unwrap()
    });
    bytes.collect()
}

/// A helper that turns into itself again and again, each time approved.
struct Relay<'a> {
    bed: &'a Bed,
    inside: Inside,
    probe: String,
}

impl<'a> Relay<'a> {
    fn start(bed: &'a Bed) -> Self {
        let probe = bed.probe();
        let mut inside = bed.start(&[&probe, "relay"]);
        assert_eq!(inside.line(), "up");
        bed.session().enforce_exec(true).unwrap();
        Self { bed, inside, probe }
    }

    fn area(&self, len: usize) -> Vec<u8> {
        [&area(&[&self.probe, "relay"])[..], &filler(len), &[0]].concat()
    }

    /// Whether it is still there after turning with so much filler.
    fn turn(&mut self, len: usize, approve: impl Fn(u64, &[u8]) -> ExecApproval) -> bool {
        let approval = approve(inode(&self.probe), &self.area(len));
        self.bed.session().approve_exec(self.inside.pid(), &approval).unwrap();
        self.inside.say(&len.to_string());
        self.inside.line() == "up"
    }
}

#[test]
fn both_sides_hash_alike() {
    let Some(bed) = Bed::new("both_sides_hash_alike") else { return };
    let mut relay = Relay::start(&bed);
    // Every length around the words and the first pieces, then some of each remainder.
    for tail in (0..1100).chain((1100..=5000).step_by(13)).chain([2047, 2048, 2049, 5000]) {
        let approve =
            |inode, area: &[u8]| ExecApproval::tail(inode, None, &area[area.len() - tail..]);
        assert!(relay.turn(5000, approve), "a tail of {tail}");
        bed.events();
    }
    for len in [0, 1, 7, 8, 9, 1023, 1024, 1025, 4096, 100 * 1024] {
        assert!(relay.turn(len, |inode, area| ExecApproval::whole(inode, None, area)), "{len}");
    }
}

#[test]
fn arguments_are_hashed_up_to_the_limit_and_not_beyond() {
    let Some(bed) = Bed::new("arguments_are_hashed") else { return };
    let mut relay = Relay::start(&bed);
    // The longest argument there is, with its zero: the limit to the byte.
    let filler = TAIL_BYTES_MAX - 1;
    assert!(relay.turn(filler, |inode, area| {
        ExecApproval::tail(inode, None, &area[area.len() - TAIL_BYTES_MAX..])
    }));
    bed.events();
    assert!(!relay.turn(filler, |inode, area| {
        ExecApproval::tail(inode, None, &area[area.len() - TAIL_BYTES_MAX - 1..])
    }));
    assert_eq!(refused(&bed)[0].1, ExecFault::TooLong);
}

#[test]
fn one_changed_byte_anywhere_in_long_arguments_is_found() {
    let Some(bed) = Bed::new("one_changed_byte") else { return };
    const LEN: usize = 100 * 1024;
    for place in [0, 1, 512, 1023, 1024, LEN / 2, LEN - 1] {
        let mut relay = Relay::start(&bed);
        bed.events();
        let alive = relay.turn(LEN, |inode, area| {
            let mut altered = area.to_vec();
            let at = altered.len() - LEN - 1 + place;
            altered[at] ^= 1;
            ExecApproval::whole(inode, None, &altered)
        });
        assert!(!alive, "{place}");
        assert_eq!(refused(&bed)[0].1, ExecFault::OtherArgv);
        bed.session().enforce_exec(false).unwrap();
    }
}
