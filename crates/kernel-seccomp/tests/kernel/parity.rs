//! What is carried out on behalf has the same effect as what the kernel does itself.

use pathwarden_kernel_seccomp::Scope;

use crate::harness::{
    Filters, NOBODY, furnish, portrait, scratch, start, start_program, victim, yes,
};

/// Runs a table of calls without and with a filter, and compares answers and trees.
fn check(table: &str, uid: u32, filters: Filters, at_least: usize) {
    check_program(&[victim().to_str().unwrap(), table], (uid, uid), filters, at_least);
}

/// As [`check`], for any command line, and a tree that may be another's.
fn check_program(words: &[&str], (uid, owner): (u32, u32), filters: Filters, at_least: usize) {
    let folder = scratch();
    let run = |name: &str, filters| {
        let tree = folder.path().join(name);
        furnish(&tree, owner);
        let said = start_program(&tree, uid, filters, words).serve(&yes);
        let said = said.replace(&tree.display().to_string(), "TREE");
        let lines: Vec<String> = said.lines().map(str::to_owned).collect();
        let tree_text = tree.display().to_string();
        let portrait: Vec<String> =
            portrait(&tree).into_iter().map(|line| line.replace(&tree_text, "TREE")).collect();
        (lines, portrait)
    };
    let (plain, plain_tree) = run("plain", Filters::None);
    let (emulated, emulated_tree) = run("other", filters);
    assert!(plain.len() >= at_least, "only {} cases ran: {plain:#?}", plain.len());
    let differ: Vec<_> = plain.iter().zip(&emulated).filter(|(a, b)| a != b).collect();
    assert!(differ.is_empty(), "{} answers differ: {differ:#?}", differ.len());
    assert_eq!(plain.len(), emulated.len());
    let missing: Vec<_> = plain_tree.iter().filter(|line| !emulated_tree.contains(line)).collect();
    let extra: Vec<_> = emulated_tree.iter().filter(|line| !plain_tree.contains(line)).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "plain only {missing:#?}, emulated only {extra:#?}"
    );
}

#[test]
fn opens_are_the_same_for_root() {
    check("opens", 0, Filters::Both, 70);
}

#[test]
fn opens_are_the_same_for_nobody() {
    check("opens", NOBODY, Filters::Both, 70);
}

#[test]
fn all_opens_are_the_same_for_nobody() {
    check("opens", NOBODY, Filters::Notify(Scope::AllOpens), 70);
}

#[test]
fn names_are_the_same_for_root() {
    check("names", 0, Filters::Both, 80);
}

#[test]
fn names_are_the_same_for_nobody() {
    check("names", NOBODY, Filters::Both, 80);
}

#[test]
fn attributes_are_the_same_for_root() {
    check("attributes", 0, Filters::Both, 80);
}

#[test]
fn attributes_are_the_same_for_nobody() {
    check("attributes", NOBODY, Filters::Notify(Scope::Writes), 80);
}

/// Being root means no more than the capabilities that are left.
#[test]
fn root_without_capabilities_gets_none_back() {
    let drop = "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown,-fsetid,-sys_ptrace";
    for (table, at_least) in [("opens", 70), ("names", 80), ("attributes", 80)] {
        let words = ["/usr/bin/setpriv", drop, victim().to_str().unwrap(), table];
        check_program(&words, (0, NOBODY), Filters::Both, at_least);
    }
}

/// A signal that comes while a mutation is carried out does not make the caller repeat it. One that
/// comes before the call was received interrupts it, but then nothing was done.
#[test]
fn signals_repeat_nothing() {
    let folder = scratch();
    for restart in ["restart", "no"] {
        let tree = folder.path().join(restart);
        furnish(&tree, NOBODY);
        let words = ["signals", "2000", restart];
        let said = start(&tree, NOBODY, Filters::Both, &words).serve(&yes);
        assert!(said.starts_with("bad 0\n"), "{restart}: {said}");
        if restart == "restart" {
            assert_eq!(said, "bad 0\ninterrupted 0\n");
        }
    }
}
