//! A disk without room: new actions are denied, nothing is lost, and it goes on when there is room.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pathwarden_testkit::node::{Agent, Home, until};
use pathwarden_types::{ActionId, Mode};
use pathwarden_wire::{Answer, Refusal};
use serde_json::json as value;

use crate::support::{CONFIGURATION, clerk, json, programs};

/// Room for one segment and what is beside it, but not for two.
const FULL: &str = "size=80m";

/// Room for what comes next.
const ROOMY: &str = "size=256m";

/// So much of the first segment's 64 MiB is written beforehand: pieces of 1 MiB and one that leaves
/// room for some records.
const PIECES: u8 = 63;
const PIECE_BYTES: usize = 1 << 20;
const LAST_PIECE_BYTES: usize = PIECE_BYTES - (160 << 10);

/// A file system in memory, unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// `None` where mounting is not allowed.
    fn new(path: &Path) -> Option<Self> {
        fs::create_dir(path).expect("a folder");
        let done = mount(&["-t", "tmpfs", "-o", FULL, "tmpfs"], path);
        done.then(|| Self(path.to_owned()))
    }

    fn make_room(&self) {
        assert!(mount(&["-o", &format!("remount,{ROOMY}")], &self.0), "more room");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    let status = Command::new("mount").args(arguments).arg(path).status();
    status.is_ok_and(|status| status.success())
}

/// Changes until one is refused: what was released, and the refusal.
async fn until_refused(agent: &Agent) -> (Vec<ActionId>, Refusal) {
    let mut released = Vec::new();
    for number in 0..200 {
        let text = "plain words ".repeat(340);
        let arguments = value!({ "number": number, "text": text });
        match agent.ask("desk", "note", &arguments).await.expect("an answer") {
            Answer::Release(permit) => {
                let release = permit.into_release();
                assert_eq!(release.receipt.mode, Mode::Strict);
                released.push(release.action);
                agent.done(release.action, "noted").await.expect("recorded");
            }
            Answer::Refuse(refusal) => return (released, refusal),
            held @ Answer::Held(_) => panic!("{held:?}"),
        }
    }
    panic!("the disk was never full");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_denies_new_actions_loses_nothing_and_recovers_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(small) = Mounted::new(&folder.path().join("small")) else {
        eprintln!("SKIPPED a_full_disk_…: a small file system cannot be mounted here");
        return;
    };
    let home = Home::init(&programs(), &small.0.join("home"), CONFIGURATION).expect("a home");
    let pieces = (0..PIECES).map(|piece| vec![piece; PIECE_BYTES]);
    let pieces = pieces.chain([vec![PIECES; LAST_PIECE_BYTES]]);
    home.append_aside(64 << 20, pieces).expect("a segment that is nearly full");
    let node = home.up().expect("a node");
    let agent = clerk(&home).await;

    let (released, refusal) = until_refused(&agent).await;
    assert!(!released.is_empty());
    assert_eq!(refusal.code, "engine.not_recorded", "{refusal:?}");
    assert!(!refusal.advice.is_empty());
    // While the disk refuses, a read is not released on a promise either.
    let read = agent.ask("desk", "look", &value!({})).await.expect("an answer");
    assert!(matches!(&read, Answer::Refuse(refusal) if refusal.code == "engine.not_recorded"));
    assert!(node.logged().expect("a log").contains("new actions are denied until it does"));
    let doctor = home.pathwarden(&["doctor"]).expect("run");
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.out.contains("FAULT  the ledger takes records"), "{doctor:?}");

    small.make_room();
    let last = until("an action that is released again", async || {
        let answer = agent.ask("desk", "note", &value!({ "text": "again" })).await?;
        Ok(match answer {
            Answer::Release(permit) => Some(permit.action()),
            Answer::Refuse(_) | Answer::Held(_) => None,
        })
    });
    let last = last.await.expect("released");
    for action in released.iter().chain([&last]) {
        let why = json(&home, &["why", &action.to_string()]);
        assert_eq!(why["decided"]["verdict"], "allow");
    }
    home.pathwarden(&["ledger", "verify"]).expect("run").success().expect("verified");
    home.pathwarden(&["replay"]).expect("run").success().expect("no difference");
    node.stop().expect("ends well");
    home.verify(&[]).expect("run").success().expect("verified");
}
