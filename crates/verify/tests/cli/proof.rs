//! `pathwarden-verify proof`: a proof holds for its entry and for nothing else.

use std::fs;

use crate::writer::{Answer, Plan, run};
use ed25519_dalek::SigningKey;

fn check(proof: &str, vkey: &str, entry: Option<&[u8]>) -> Answer {
    let dir = tempfile::tempdir().unwrap();
    let (file, entry_file) = (dir.path().join("one.tlog-proof"), dir.path().join("entry"));
    fs::write(&file, proof).unwrap();
    let mut arguments = vec!["proof", file.to_str().unwrap(), "--key", vkey];
    if let Some(entry) = entry {
        fs::write(&entry_file, entry).unwrap();
        arguments.extend(["--entry", entry_file.to_str().unwrap()]);
    }
    run(&arguments)
}

#[test]
fn every_entry_of_logs_of_many_sizes_can_be_proven() {
    for size in [1, 2, 3, 7, 21] {
        let plan = Plan::new(size);
        for (index, entry) in plan.entries.iter().enumerate() {
            let answer = check(&plan.proof(index, Some(entry)), &plan.vkey(), None);
            assert_eq!(answer.code, 0, "{}", answer.text);
            assert!(answer.text.contains(std::str::from_utf8(entry).unwrap()), "{}", answer.text);
            let answer = check(&plan.proof(index, None), &plan.vkey(), Some(entry));
            assert_eq!(answer.code, 0, "{}", answer.text);
        }
    }
}

#[test]
fn forged_and_broken_proofs_are_refused() {
    let plan = Plan::new(300);
    let sound = plan.proof(42, Some(&plan.entries[42]));
    let other_key = Plan { key: SigningKey::from_bytes(&[9; 32]), ..Plan::new(300) };
    let lines: Vec<&str> = sound.lines().collect();
    let without_one_hash = sound.replacen(&format!("{}\n", lines[4]), "", 1);
    let cases = [
        ("another entry", plan.proof(42, Some(b"forged")), "another entry"),
        ("another index", sound.replace("index 42", "index 43"), "leads to root"),
        ("an index past the end", sound.replace("index 42", "index 300"), "has only 300"),
        ("a padded index", sound.replace("index 42", "index 042"), "plain decimal"),
        ("another size", sound.replace("\n300\n", "\n301\n"), "does not fit the text"),
        ("a hash too few", without_one_hash, "are not a path"),
        ("no version line", sound.replacen("@v1", "@v2", 1), "not a proof"),
        ("a proof cut short", sound.chars().take(sound.len() / 2).collect(), "NOT verified"),
        ("another log's key", other_key.proof(42, Some(&plan.entries[42])), "not signed by"),
    ];
    for (what, proof, hint) in cases {
        let answer = check(&proof, &plan.vkey(), None);
        assert_eq!(answer.code, 1, "{what}: {}", answer.text);
        if what != "another entry" {
            assert!(answer.text.contains(hint), "{what}: {}", answer.text);
        }
    }
}

#[test]
fn a_given_entry_is_what_counts_not_the_extra_data() {
    let plan = Plan::new(30);
    let proof = plan.proof(5, Some(b"misleading"));
    let answer = check(&proof, &plan.vkey(), Some(&plan.entries[5]));
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert!(answer.text.contains("warning"), "{}", answer.text);
    assert!(!answer.text.contains("misleading"), "{}", answer.text);
    assert_eq!(check(&proof, &plan.vkey(), Some(b"forged")).code, 1);
}

#[test]
fn a_proof_without_its_entry_says_how_to_give_it() {
    let plan = Plan::new(30);
    let answer = check(&plan.proof(5, None), &plan.vkey(), None);
    assert_eq!(answer.code, 1);
    assert!(answer.text.contains("--entry"), "{}", answer.text);
}
