//! Logs of the real writer verify. Only this test knows the writer; the program shares nothing with it.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up must stop")]

use std::path::Path;
use std::process::Command;

use pathwarden_ledger::Signer;
use pathwarden_store::{Append, Options, Store, create};

const ORIGIN: &str = "pathwarden.local/0badcafe";

fn signer() -> Signer {
    Signer::from_seed(ORIGIN, &[7; 32]).unwrap()
}

fn open(log: &Path) -> Store {
    let options = Options {
        publish_every_ms: 1_000_000_000,
        segment_bytes: 1 << 16,
        ..Options::new(|_: &[u8]| Vec::new())
    };
    Store::open(log, signer().verifier_key(), signer(), options).unwrap().0
}

fn entry(index: u64) -> Vec<u8> {
    format!(r#"{{"record":{index},"pad":"{}"}}"#, "x".repeat((index % 97) as usize)).into_bytes()
}

fn fill(store: &Store, range: std::ops::Range<u64>) {
    let pending: Vec<_> = range
        .clone()
        .map(|index| {
            let payloads = if index % 10 == 3 { vec![vec![index as u8; 500]] } else { Vec::new() };
            store.append(Append { entry: entry(index), payloads }).unwrap()
        })
        .collect();
    for (pending, index) in pending.into_iter().zip(range) {
        assert_eq!(pending.wait().unwrap().index, Some(index));
    }
}

fn verify(arguments: &[&str]) -> (i32, String) {
    let key = signer().verifier_key().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_pathwarden-verify"))
        .args(arguments)
        .args(["--key", &key])
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn what_the_writer_writes_verifies_at_every_stage() {
    let dir = tempfile::tempdir().unwrap();
    let [log, proof, entry_file, old] =
        ["log", "one.tlog-proof", "entry", "old"].map(|name| dir.path().join(name));
    create(&log, ORIGIN, &signer()).unwrap();
    let [log_text, proof_text, entry_text, old_text] =
        [&log, &proof, &entry_file, &old].map(|path| path.to_str().unwrap());
    let check = |covered: u64, more: u64| {
        let (code, text) = verify(&["log", log_text, "--against", old_text]);
        assert_eq!(code, 0, "{covered} + {more}: {text}");
        assert!(text.contains(&format!("size      {covered} ")), "{text}");
        let open = format!("not yet covered by a checkpoint: {more}");
        assert_eq!(text.contains(&open), more > 0, "{text}");
    };
    std::fs::copy(log.join("checkpoint"), &old).unwrap();
    check(0, 0);
    let mut size = 0;
    for next in [1, 6, 252, 300, 511, 1100, 3000] {
        let store = open(&log);
        fill(&store, size..next);
        store.publish().unwrap();
        check(next, 0);
        let index = next - 1;
        std::fs::write(&proof, store.reader().proof(index).unwrap()).unwrap();
        std::fs::write(&entry_file, entry(index)).unwrap();
        let (code, text) = verify(&["proof", proof_text, "--entry", entry_text]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains(&String::from_utf8(entry(index)).unwrap()), "{text}");
        fill(&store, next..next + 4);
        check(next, 4);
        store.close().unwrap();
        check(next + 4, 0);
        std::fs::copy(log.join("checkpoint"), &old).unwrap();
        size = next + 4;
    }
}
