use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use pathwarden_kernel_bpf::{Event, Named, OpenedFile, PathOrigin};

use crate::bed::Bed;

const OPEN: u32 = 2;
const OPENAT: u32 = 257;
const OPENAT2: u32 = 437;
const ACCESS_REFUSED: i64 = -13;
const BAD_ADDRESS: i64 = -14;
const NO_ENTRY: i64 = -2;

/// One open, as it was seen.
#[derive(Debug)]
struct Opened {
    path: PathBuf,
    origin: PathOrigin,
    syscall: u32,
    result: i64,
    flags: Option<u32>,
    file: Option<OpenedFile>,
}

/// The last open that a program in the session did: what it was started for.
fn last_open(bed: &Bed) -> Opened {
    let mut opened = bed.events().into_iter().filter_map(|event| match event {
        Event::Open { path, origin, syscall, result, flags, file, .. } => {
            Some(Opened { path, origin, syscall, result, flags, file })
        }
        _ => None,
    });
    opened.next_back().expect("an open")
}

#[test]
fn a_path_in_a_page_that_is_not_in_memory_is_reported() {
    let Some(bed) = Bed::new("a_path_in_a_page") else { return };
    let secret = bed.folder.path().join("secret");
    fs::write(&secret, "x").unwrap();
    let page = bed.folder.path().join("page");
    let words = [&bed.probe(), "hidden", page.to_str().unwrap(), secret.to_str().unwrap()];
    let said = bed.run(&words);
    assert!(said.starts_with("resident 0\nopen "), "{said}");
    let seen = last_open(&bed);
    assert_eq!((seen.path, seen.origin), (secret.clone(), PathOrigin::Walked));
    assert_eq!(seen.file.unwrap().inode, fs::metadata(&secret).unwrap().ino());
}

#[test]
fn relative_paths_and_links_are_reported_as_what_they_lead_to() {
    let Some(bed) = Bed::new("relative_paths") else { return };
    let deep = bed.folder.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("file"), "x").unwrap();
    symlink("a/b", bed.folder.path().join("link")).unwrap();
    bed.run(&[&bed.probe(), "open", "./link/../b/file", "0"]);
    let seen = last_open(&bed);
    assert_eq!((seen.path, seen.origin), (deep.join("file"), PathOrigin::Walked));
    assert_eq!((seen.syscall, seen.flags), (OPENAT, Some(0)));
    let (file, is) = (seen.file.unwrap(), fs::metadata(deep.join("file")).unwrap());
    assert_eq!((file.inode, file.device, file.mode), (is.ino(), is.dev(), is.mode()));
    assert!(!file.is_writable() && !file.is_created());
}

#[test]
fn a_file_that_was_created_says_so() {
    let Some(bed) = Bed::new("a_file_that_was_created") else { return };
    // O_RDWR | O_CREAT
    bed.run(&[&bed.probe(), "open", "new", "0102"]);
    let seen = last_open(&bed);
    assert_eq!(seen.path, bed.folder.path().join("new"));
    assert_eq!(seen.flags, Some(0o102));
    assert!(seen.file.unwrap().is_writable() && seen.file.unwrap().is_created());
}

#[test]
fn openat2_has_no_flags_but_tells_what_it_opened() {
    let Some(bed) = Bed::new("openat2") else { return };
    fs::write(bed.folder.path().join("file"), "x").unwrap();
    bed.run(&[&bed.probe(), "openat2", "file"]);
    let seen = last_open(&bed);
    assert_eq!(seen.path, bed.folder.path().join("file"));
    assert_eq!((seen.syscall, seen.flags), (OPENAT2, None));
    assert!(seen.file.unwrap().is_writable());
}

#[test]
fn mounts_are_crossed() {
    let Some(bed) = Bed::new("mounts_are_crossed") else { return };
    let inside = bed.start(&[&bed.probe(), "open", "/proc/self/status", "0"]);
    let pid = inside.pid();
    inside.rest();
    assert_eq!(last_open(&bed).path, Path::new(&format!("/proc/{pid}/status")));
    bed.run(&[&bed.probe(), "open", "/dev/null", "0"]);
    assert_eq!(last_open(&bed).path, Path::new("/dev/null"));
    bed.run(&[&bed.probe(), "open", "/", "0"]);
    let seen = last_open(&bed);
    assert_eq!((seen.path.as_path(), seen.origin), (Path::new("/"), PathOrigin::Walked));
}

#[test]
fn a_path_too_deep_is_called_a_tail() {
    let Some(bed) = Bed::new("a_path_too_deep") else { return };
    let deep = bed.folder.path().join("d/".repeat(60));
    fs::create_dir_all(&deep).unwrap();
    bed.run(&[&bed.probe(), "open", deep.to_str().unwrap(), "0"]);
    let seen = last_open(&bed);
    assert_eq!(seen.origin, PathOrigin::Tail);
    assert!(seen.path.is_relative() && deep.ends_with(&seen.path));
}

#[test]
fn a_path_of_the_longest_names_is_called_a_tail() {
    let Some(bed) = Bed::new("longest_names") else { return };
    // Longer than any path may be, so it is made in two steps.
    let name = "n".repeat(255);
    let inside = bed.start(&[
        "/bin/sh",
        "-c",
        r#"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do mkdir $1; cd -P $1; done; exec "$0" open . 0"#,
        &bed.probe(),
        &name,
    ]);
    let said = inside.rest().0;
    assert!(said.starts_with("open "), "{said}");
    let seen = last_open(&bed);
    assert_eq!(seen.origin, PathOrigin::Tail);
    assert!(seen.path.iter().all(|part| part.len() == 255));
    assert_eq!(seen.path.iter().count(), 16);
    assert_eq!(bed.session().lost().unwrap(), 0);
}

#[test]
fn a_name_that_is_gone_is_not_called_a_path() {
    let Some(bed) = Bed::new("a_name_that_is_gone") else { return };
    bed.run(&[&bed.probe(), "unlinked", "gone"]);
    let seen = last_open(&bed);
    assert_eq!(seen.origin, PathOrigin::Detached);
    assert_eq!(seen.path, bed.folder.path().join("gone"));
}

#[test]
fn a_refused_open_is_reported_with_its_name() {
    let Some(bed) = Bed::new("a_refused_open") else { return };
    bed.run(&[&bed.probe(), "nobody", "/etc/shadow"]);
    let seen = last_open(&bed);
    assert_eq!((seen.result, seen.syscall), (ACCESS_REFUSED, OPEN));
    assert_eq!((seen.path.as_path(), seen.origin), (Path::new("/etc/shadow"), PathOrigin::Named));
    assert_eq!(seen.file, None);
}

#[test]
fn the_gate_of_32_bit_programs_is_no_way_around() {
    let Some(bed) = Bed::new("the_gate_of_32_bit_programs") else { return };
    let said = bed.run(&[&bed.probe(), "compat", "/etc/hostname"]);
    if said.is_empty() {
        println!("skipped: the_gate_of_32_bit_programs: the kernel has no such gate");
        return;
    }
    let seen = last_open(&bed);
    assert_eq!((seen.path.as_path(), seen.syscall), (Path::new("/etc/hostname"), OPEN));
}

#[test]
fn changes_are_reported_with_what_they_were_given() {
    let Some(bed) = Bed::new("changes") else { return };
    let said = bed.run(&[&bed.probe(), "mutate", bed.folder.path().to_str().unwrap()]);
    let changes = bed.events().into_iter().filter_map(|event| match event {
        Event::Mutation { syscall, result, first, second, .. } => {
            Some((syscall, result, first, second))
        }
        _ => None,
    });
    let changes: Vec<_> = changes.collect();
    let named = |path: &str| Named { base: -100, path: path.into(), origin: PathOrigin::Named };
    let unknown = Named { base: -100, path: PathBuf::new(), origin: PathOrigin::Unknown };
    let descriptor =
        Named { base: 3, path: bed.folder.path().join("made/other"), origin: PathOrigin::Walked };
    let expected = [
        (83, 0, named("made"), None),
        (82, 0, named("made/file"), Some(named("made/other"))),
        (91, 0, descriptor, None),
        (265, 0, named("made/other"), Some(named("made/twin"))),
        (266, 0, named("target"), Some(named("made/link"))),
        (263, NO_ENTRY, named("absent"), None),
        (76, 0, named("made/other"), None),
        (82, BAD_ADDRESS, named("made/other"), Some(unknown)),
    ];
    assert_eq!(changes, expected, "{said}");
}
