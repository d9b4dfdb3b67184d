//! A second thread rewrites what the first has passed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pathwarden_kernel_seccomp::{Attempt, Errno, Scope};

use crate::harness::{Filters, NOBODY, furnish, scratch, start, yes};

fn no_secrets(attempt: &Attempt) -> Result<(), Errno> {
    let secret = attempt.needs().iter().any(|need| need.path.ends_with("secret"));
    if secret { Err(Errno::PERM) } else { Ok(()) }
}

/// The numbers in a line of the victim.
fn numbers(said: &str) -> Vec<u64> {
    said.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn race(mode: &str, count: &str, uid: u32) -> Vec<u64> {
    let folder = scratch();
    let tree = folder.path().join("tree");
    furnish(&tree, uid);
    for name in ["allow1", "secret"] {
        fs::write(tree.join(name), name).unwrap();
        fs::set_permissions(tree.join(name), fs::Permissions::from_mode(0o666)).unwrap();
    }
    let (good, secret) = (tree.join("allow1"), tree.join("secret"));
    let words = [mode, count, good.to_str().unwrap(), secret.to_str().unwrap()];
    let said = start(&tree, uid, Filters::Both, &words).serve(&no_secrets);
    println!("{mode}: {}", said.trim());
    assert!(secret.exists());
    numbers(&said)
}

#[test]
fn flipped_path_opens_no_secret() {
    let [opened, refused, leaks] = race("race-open", "20000", 0)[..] else { panic!("no numbers") };
    assert_eq!(opened + refused, 20_000);
    assert!(opened > 0 && refused > 0, "the race was none: {opened} opened, {refused} refused");
    assert_eq!(leaks, 0);
}

#[test]
fn flipped_argument_removes_no_secret() {
    let [gone, refused, lost] = race("race-unlink", "10000", NOBODY)[..] else {
        panic!("no numbers")
    };
    assert!(gone > 0 && refused > 0, "the race was none: {gone} removed, {refused} refused");
    assert_eq!(lost, 0);
}

/// No bound: machines differ. The numbers are for the reader of the test's output.
#[test]
fn speed_of_an_open() {
    let folder = scratch();
    let tree = folder.path().join("tree");
    furnish(&tree, NOBODY);
    let file = tree.join("dir/x").to_str().unwrap().to_owned();
    let short = "dir/x".to_owned();
    for (what, uid, filters, path) in [
        ("plain", 0, Filters::None, &file),
        ("emulated, root", 0, Filters::Both, &file),
        ("emulated, root, relative", 0, Filters::Both, &short),
        ("emulated, other uid", NOBODY, Filters::Notify(Scope::Writes), &file),
    ] {
        let said = start(&tree, uid, filters, &["speed", "5000", path]).serve(&yes);
        println!("open for writing, {what}: {} ns", said.trim());
        assert!(numbers(&said)[0] > 0, "{said}");
    }
}
