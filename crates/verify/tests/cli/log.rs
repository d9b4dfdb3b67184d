//! `pathwarden-verify log`: sound logs pass, and each way to change one is named.

use std::fs;

use crate::writer::{
    Answer, Log, Plan, bundle_bytes, copy_tree, frame, run, segment_header, segment_name, tile_name,
};
use ed25519_dalek::SigningKey;

fn passes(answer: &Answer) {
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert!(answer.text.contains("verified"), "{}", answer.text);
}

fn fails(answer: &Answer, hints: &[&str]) {
    assert_eq!(answer.code, 1, "{}", answer.text);
    for hint in hints {
        assert!(answer.text.contains(hint), "no `{hint}` in:\n{}", answer.text);
    }
}

#[test]
fn sound_logs_of_every_shape_pass() {
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 600, 700] {
        let answer = Plan::new(size).write().verify(&[]);
        passes(&answer);
        assert!(!answer.text.contains("warning"), "{}", answer.text);
    }
}

#[test]
fn entries_past_the_checkpoint_are_counted_and_no_fault() {
    let answer = Plan::new(300).covering(280).write().verify(&[]);
    passes(&answer);
    assert!(answer.text.contains("not yet covered by a checkpoint: 20"), "{}", answer.text);
}

#[test]
fn a_flipped_bit_in_any_class_of_file_is_found_and_the_file_named() {
    let files = [
        "checkpoint".to_owned(),
        tile_name("0", 0, 256),
        tile_name("0", 2, 88),
        tile_name("1", 0, 2),
        tile_name("entries", 1, 256),
        tile_name("entries", 2, 88),
        segment_name(0),
        segment_name(2),
    ];
    let sound = Plan::new(600).write();
    for file in files {
        let length = written_length(&sound, &file);
        for (offset, bit) in [(0, 0), (length / 3, 3), (length / 2, 6), (length - 1, 7)] {
            let log = Log { dir: tempfile::tempdir().unwrap(), vkey: sound.vkey.clone() };
            copy_tree(sound.dir.path(), log.dir.path());
            log.change(&file, |bytes| bytes[offset] ^= 1 << bit);
            fails(&log.verify(&[]), &[&file]);
        }
    }
}

/// The zeros behind the last segment's end mark are not evidence of anything.
fn written_length(log: &Log, file: &str) -> usize {
    let bytes = fs::read(log.path(file)).unwrap();
    bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count()
}

#[test]
fn an_entry_changed_everywhere_but_in_the_root_is_found() {
    let honest = Plan::new(300);
    let mut forged = Plan::new(300);
    forged.entries[42] = b"nothing happened".to_vec();
    let log = forged.write();
    log.put("checkpoint", honest.checkpoint(300).as_bytes());
    fails(&log.verify(&[]), &["checkpoint", "but the entries give"]);
}

#[test]
fn reordered_entries_are_found() {
    let log = Plan::new(300).write();
    let mut entries = Plan::new(300).entries;
    entries.swap(10, 11);
    log.put(&tile_name("entries", 0, 256), &bundle_bytes(&entries[..256]));
    fails(&log.verify(&[]), &["tile/0/000 hash 10", "tile/0/000 hash 11", "segments/", "entry 10"]);
}

#[test]
fn frames_out_of_order_are_found() {
    let log = Plan::new(3).write();
    let entries = Plan::new(3).entries;
    let mut bytes = segment_header(0, 0);
    for index in [0, 2, 1] {
        bytes.extend(frame(1, index as u64, &entries[index]));
    }
    log.put(&segment_name(0), &bytes);
    fails(&log.verify(&[]), &["entry 2 stands where entry 1 belongs"]);
}

#[test]
fn a_log_signed_by_another_key_fails() {
    let mut log = Plan::new(5).write();
    log.vkey = Plan { key: SigningKey::from_bytes(&[8; 32]), ..Plan::new(5) }.vkey();
    fails(&log.verify(&[]), &["checkpoint", "not signed by the pinned key"]);
}

#[test]
fn a_log_of_another_name_fails_although_the_key_bytes_are_the_same() {
    let mut log = Plan::new(5).write();
    log.vkey = Plan { origin: "pathwarden.local/other".to_owned(), ..Plan::new(5) }.vkey();
    fails(&log.verify(&[]), &["not signed by the pinned key `pathwarden.local/other`"]);
}

#[test]
fn a_shortened_log_fails_against_the_checkpoint_it_had() {
    let log = Plan::new(600).write();
    fs::remove_file(log.path(&tile_name("entries", 2, 88))).unwrap();
    fs::remove_file(log.path(&tile_name("0", 2, 88))).unwrap();
    fs::remove_file(log.path(&segment_name(2))).unwrap();
    fails(
        &log.verify(&[]),
        &[
            "tile/entries/002.p/88",
            "88 are missing",
            "end before entry 500, the checkpoint vouches for 600: 100 missing",
        ],
    );
}

#[test]
fn a_shortened_log_with_a_fitting_checkpoint_fails_against_an_older_one() {
    let plan = Plan::new(600);
    let log = Plan { entries: plan.entries[..400].to_vec(), ..Plan::new(400) }.write();
    passes(&log.verify(&[]));
    log.put("old", plan.checkpoint(600).as_bytes());
    let old = log.path("old");
    fails(&log.verify(&["--against", old.to_str().unwrap()]), &["200 were taken away"]);
}

#[test]
fn a_log_extends_every_older_checkpoint_of_its_own() {
    let plan = Plan::new(600);
    let log = plan.write();
    let old = log.path("old");
    for size in [0, 1, 255, 256, 300, 600] {
        log.put("old", plan.checkpoint(size).as_bytes());
        let answer = log.verify(&["--against", old.to_str().unwrap()]);
        passes(&answer);
        assert!(answer.text.contains("extends"), "{}", answer.text);
    }
}

#[test]
fn rewritten_history_fails_against_an_older_checkpoint() {
    let mut rewritten = Plan::new(600);
    rewritten.entries[100] = b"rewritten".to_vec();
    let log = rewritten.write();
    passes(&log.verify(&[]));
    log.put("old", Plan::new(600).checkpoint(300).as_bytes());
    let old = log.path("old");
    fails(&log.verify(&["--against", old.to_str().unwrap()]), &["history was rewritten"]);
}

#[test]
fn missing_files_are_each_named() {
    for file in [
        "checkpoint".to_owned(),
        tile_name("0", 1, 256),
        tile_name("1", 0, 2),
        tile_name("entries", 0, 256),
        segment_name(0),
        segment_name(1),
    ] {
        let log = Plan::new(600).write();
        fs::remove_file(log.path(&file)).unwrap();
        let hint = match file.strip_prefix("segments/") {
            Some(_) => "segments/",
            None => &file,
        };
        fails(&log.verify(&[]), &[hint, "missing"]);
    }
}

#[test]
fn a_torn_tail_past_the_checkpoint_is_a_warning_only() {
    let log = Plan::new(240).covering(230).write();
    let end = written_length(&log, &segment_name(0));
    log.change(&segment_name(0), |bytes| bytes[end - 5] ^= 0xFF);
    let answer = log.verify(&[]);
    passes(&answer);
    assert!(answer.text.contains("torn tail"), "{}", answer.text);
    assert!(answer.text.contains("not yet covered by a checkpoint: 9"), "{}", answer.text);
}

#[test]
fn a_segment_that_was_only_preallocated_is_a_warning_only() {
    let log = Plan::new(250).write();
    log.put(&segment_name(1), &[0; 4096]);
    let answer = log.verify(&[]);
    passes(&answer);
    assert!(answer.text.contains("preallocated"), "{}", answer.text);
}

#[test]
fn a_payload_that_does_not_hash_to_its_digest_is_found() {
    let log = Plan::new(1).write();
    let mut bytes = segment_header(0, 0);
    bytes.extend(frame(2, 0, &[[9; 32].as_slice(), b"content"].concat()));
    bytes.extend(frame(1, 0, &Plan::new(1).entries[0]));
    log.put(&segment_name(0), &bytes);
    fails(&log.verify(&[]), &["byte 64", "the payload does not hash to its digest"]);
}

#[test]
fn stale_partial_tiles_must_be_beginnings_of_the_present_ones() {
    let entries = Plan::new(600).entries;
    for (name, bytes) in [
        (tile_name("entries", 2, 40), bundle_bytes(&entries[512..552])),
        (tile_name("entries", 0, 7), bundle_bytes(&entries[..7])),
    ] {
        let log = Plan::new(600).write();
        log.put(&name, &bytes);
        passes(&log.verify(&[]));
        log.change(&name, |bytes| bytes[9] ^= 1);
        fails(&log.verify(&[]), &[&name, "byte 9"]);
    }
    let log = Plan::new(600).write();
    let tile = fs::read(log.path(&tile_name("0", 1, 256))).unwrap();
    log.put(&tile_name("0", 1, 3), &tile[..96]);
    passes(&log.verify(&[]));
    log.change(&tile_name("0", 1, 3), |bytes| bytes[70] ^= 1);
    fails(&log.verify(&[]), &["tile/0/001.p/3 hash 2"]);
}

#[test]
fn a_checkpoint_that_promises_more_than_there_is_ends_the_search_soon() {
    let log = Plan::new(10).write();
    log.change("checkpoint", |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replacen("\n10\n", "\n18446744073709551615\n", 1).into_bytes();
    });
    fails(&log.verify(&[]), &["checkpoint", "does not fit the text", "are missing"]);
}

#[test]
fn the_json_report_says_the_same() {
    let log = Plan::new(300).covering(280).write();
    log.change(&tile_name("0", 0, 256), |bytes| bytes[33] ^= 1);
    let answer = log.verify(&["--json"]);
    let report: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(answer.code, 1);
    assert_eq!(report["ok"], false);
    assert_eq!(report["not_yet_covered"], 20);
    assert_eq!(report["checked"]["entries"], 280);
    assert_eq!(report["faults"][0]["file"], "tile/0/000");
    assert_eq!(report["faults"][0]["number"], 1);
}

#[test]
fn usage_and_unreadable_input_exit_with_two() {
    let log = Plan::new(1).write();
    let dir = log.dir.path().to_str().unwrap();
    let cases: [&[&str]; 5] = [
        &["log", dir],
        &["log", "/nonexistent/log", "--key", &log.vkey],
        &["log", dir, "--key", "/nonexistent/key"],
        &["log", dir, "--key", "name+00000000+AAAA"],
        &["log", dir, "--key", &log.vkey, "--against", "/nonexistent/checkpoint"],
    ];
    for arguments in cases {
        let answer = run(arguments);
        assert_eq!(answer.code, 2, "{arguments:?}: {}", answer.text);
    }
}
