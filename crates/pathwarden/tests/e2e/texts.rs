//! What a person reads: help and errors.

use std::process::Stdio;

use pathwarden_testkit::node::Home;

use crate::support::{OwnHome, programs};

#[test]
fn help_teaches() {
    let home = Home::at(&programs(), "/nowhere".as_ref());
    let commands: [&[&str]; 17] = [
        &[],
        &["init"],
        &["up"],
        &["session"],
        &["session", "start"],
        &["agent"],
        &["path"],
        &["why"],
        &["approvals"],
        &["approvals", "approve"],
        &["ledger"],
        &["replay"],
        &["eval"],
        &["policy"],
        &["profile"],
        &["doctor"],
        &["mcp"],
    ];
    let mut text = String::new();
    for command in commands {
        let said = home.pathwarden(&[command, &["--help"]].concat()).expect("run");
        let help = said.success().expect("help");
        text.push_str(&format!("$ pathwarden {} --help\n{help}\n", command.join(" ")));
    }
    insta::assert_snapshot!(text.replace("pathwarden  --help", "pathwarden --help"));
}

#[test]
fn completions_offer_verbs_and_survive_a_reader_that_has_gone() {
    let home = Home::at(&programs(), "/nowhere".as_ref());
    let said = home.pathwarden(&["completions", "bash"]).expect("run");
    let script = said.success().expect("a script");
    assert!(script.contains("no-egress") && script.contains("disable-tool"), "{script}");
    let mut command = programs().command("pathwarden");
    command.args(["completions", "bash"]).stdout(Stdio::piped());
    let mut child = command.spawn().expect("run");
    drop(child.stdout.take());
    assert!(child.wait().expect("an end").success());
}

#[test]
fn errors_say_what_is_wrong_and_what_to_do() {
    let home = OwnHome::new();
    let nowhere = Home::at(&programs(), "/nowhere".as_ref());
    let mut text = String::new();
    for command in [&["up"][..], &["session", "list"], &["policy", "check"], &["doctor"]] {
        text.push_str(&told(&home, &nowhere, "--home /nowhere ", command));
    }
    let own = home.path("policies");
    let own = own.to_str().expect("a path that is text");
    let commands: [&[&str]; 17] = [
        &["session", "list"],
        &["--endpoint", "ftp://there", "session", "list"],
        &["--json", "session", "list"],
        &["agent", "token", "stranger"],
        &["policy", "check", "/nowhere"],
        &["path", "not-an-id"],
        &["why", "0000000000000000"],
        &["session", "start"],
        &["mcp"],
        &["frobnicate"],
        &["run", "--read", "/no/such", "--", "true"],
        &["run", "--reach", "*:443", "--", "true"],
        &["run", "--user", "nosuch", "--", "true"],
        &["run", "--workspace", "/no/such", "--", "true"],
        &["run", "--workspace", own, "--", "true"],
        &["contain", "clerk", "disable-tool"],
        &["doctor"],
    ];
    for command in commands {
        text.push_str(&told(&home, &home, "", command));
    }
    insta::assert_snapshot!(text);
}

/// What a command that fails says, and its exit code.
fn told(home: &OwnHome, at: &Home, global: &str, command: &[&str]) -> String {
    let said = at.pathwarden(command).expect("run");
    assert_ne!(said.code, Some(0), "{said:?}");
    let (words, code) = (home.words(&said), said.code.expect("an exit code"));
    let command = home.named(&command.join(" "));
    format!("$ pathwarden {global}{command}\n{words}\nexit code {code}\n\n")
}
