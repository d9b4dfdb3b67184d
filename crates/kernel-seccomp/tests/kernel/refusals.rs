//! The deny-list, call by call.

use crate::harness::{Filters, furnish, scratch, start, yes};

fn refused(uid: u32) -> String {
    let folder = scratch();
    let tree = folder.path().join("tree");
    furnish(&tree, uid);
    start(&tree, uid, Filters::Refusals, &["refused"]).serve(&yes)
}

/// Which answer a line must carry, by the words in it.
fn wanted(line: &str) -> &'static str {
    const ABSENT: &[&str] =
        &["io_uring", "(437", "(435", "(447", "(134", "(156", "(469", "0x40000000"];
    const UNSUPPORTED: &[&str] = &["xattr", "(463", "(466", "FS_IOC_SETFLAGS", "0x401c5820"];
    const FAMILIES: &[&str] =
        &["AF_PACKET", "AF_VSOCK", "AF_ALG", "socket(44", "AF_BLUETOOTH", "AF_TIPC"];
    let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
    match () {
        () if line.contains("CLONE_FS | CLONE_FILES") => "ok",
        () if line.contains("F_SETLEASE") => "EINVAL",
        () if has(ABSENT) => "ENOSYS",
        () if has(UNSUPPORTED) => "EOPNOTSUPP",
        () if has(FAMILIES) => "EAFNOSUPPORT",
        () => "EPERM",
    }
}

#[test]
fn each_dangerous_call_gets_its_answer() {
    let said = refused(0);
    let (refused, allowed) = said.split_once("-- allowed\n").expect(&said);
    let lines: Vec<&str> = refused.lines().collect();
    assert!(lines.len() > 100, "{said}");
    let wrong: Vec<_> = lines.iter().filter(|line| !line.ends_with(wanted(line))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let (allowed, child) = allowed.rsplit_once("i386 child: ").unwrap();
    let wrong: Vec<_> = allowed.lines().filter(|line| line.contains("= -1")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // SIGSYS: none of the numbers of that ABI means what ours mean.
    assert_eq!(child.trim(), "signal 31 exit -1", "{said}");
}
