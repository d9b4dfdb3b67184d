//! A log written as plainly as the specifications allow: everything from whole slices, by recursion.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub(crate) type Hash = [u8; 32];

pub(crate) const ORIGIN: &str = "pathwarden.local/c0ffee00";

/// What to write.
pub(crate) struct Plan {
    pub(crate) entries: Vec<Vec<u8>>,
    /// Entries the checkpoint covers; the rest is only in the segments.
    pub(crate) covered: usize,
    pub(crate) per_segment: usize,
    pub(crate) key: SigningKey,
    pub(crate) origin: String,
}

impl Plan {
    pub(crate) fn new(count: usize) -> Self {
        let entries =
            (0..count).map(|n| format!(r#"{{"record":{n},"pad":"{}"}}"#, "x".repeat(n % 23)));
        Self {
            entries: entries.map(String::into_bytes).collect(),
            covered: count,
            per_segment: 250,
            key: SigningKey::from_bytes(&[7; 32]),
            origin: ORIGIN.to_owned(),
        }
    }

    pub(crate) fn covering(self, covered: usize) -> Self {
        Self { covered, ..self }
    }

    pub(crate) fn checkpoint(&self, size: usize) -> String {
        let root = root(&self.leaves()[..size]);
        let text = format!("{}\n{size}\n{}\n", self.origin, STANDARD.encode(root));
        let mut signature = key_id(&self.origin, &self.key).to_vec();
        signature.extend(self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n\u{2014} {} {}\n", self.origin, STANDARD.encode(signature))
    }

    pub(crate) fn vkey(&self) -> String {
        let mut public = vec![1];
        public.extend(self.key.verifying_key().to_bytes());
        let id: String =
            key_id(&self.origin, &self.key).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}+{id}+{}", self.origin, STANDARD.encode(public))
    }

    pub(crate) fn proof(&self, index: usize, extra: Option<&[u8]>) -> String {
        let mut text = "c2sp.org/tlog-proof@v1\n".to_owned();
        if let Some(extra) = extra {
            text += &format!("extra {}\n", STANDARD.encode(extra));
        }
        text += &format!("index {index}\n");
        for hash in path(index, &self.leaves()[..self.covered]) {
            text += &format!("{}\n", STANDARD.encode(hash));
        }
        text + "\n" + &self.checkpoint(self.covered)
    }

    pub(crate) fn write(&self) -> Log {
        let dir = tempfile::tempdir().unwrap();
        let log = Log { vkey: self.vkey(), dir };
        log.put("checkpoint", self.checkpoint(self.covered).as_bytes());
        let leaves = self.leaves();
        let (mut level, mut row) = (0, leaves[..self.covered].to_vec());
        while !row.is_empty() {
            for (index, tile) in row.chunks(256).enumerate() {
                log.put(&tile_name(&level.to_string(), index, tile.len()), &tile.concat());
            }
            row = row.chunks_exact(256).map(root).collect();
            level += 1;
        }
        for (index, bundle) in self.entries[..self.covered].chunks(256).enumerate() {
            log.put(&tile_name("entries", index, bundle.len()), &bundle_bytes(bundle));
        }
        self.write_segments(&log);
        log
    }

    fn write_segments(&self, log: &Log) {
        let segments = self.entries.chunks(self.per_segment).count().max(1);
        for number in 0..segments {
            let first = number * self.per_segment;
            let mut bytes = segment_header(number as u64, first as u64);
            for (index, entry) in self.entries.iter().enumerate().skip(first).take(self.per_segment)
            {
                if index % 10 == 3 {
                    let content = format!("payload of {index}");
                    let body = [&Sha256::digest(&content)[..], content.as_bytes()].concat();
                    bytes.extend(frame(2, index as u64, &body));
                }
                bytes.extend(frame(1, index as u64, entry));
            }
            if number + 1 == segments {
                bytes.resize(bytes.len() + 40_000, 0);
            }
            log.put(&segment_name(number), &bytes);
        }
    }

    fn leaves(&self) -> Vec<Hash> {
        self.entries.iter().map(|entry| hash(&[&[0], entry])).collect()
    }
}

/// A log on disk.
pub(crate) struct Log {
    pub(crate) dir: TempDir,
    pub(crate) vkey: String,
}

/// What the program answered.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Log {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        change(&mut bytes);
        self.put(name, &bytes);
    }

    pub(crate) fn verify(&self, more: &[&str]) -> Answer {
        let mut arguments = vec!["log", self.dir.path().to_str().unwrap(), "--key", &self.vkey];
        arguments.extend(more);
        run(&arguments)
    }
}

pub(crate) fn run(arguments: &[&str]) -> Answer {
    let output =
        Command::new(env!("CARGO_BIN_EXE_pathwarden-verify")).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Answer { code: output.status.code().unwrap(), text: String::from_utf8(text).unwrap() }
}

pub(crate) fn segment_name(number: usize) -> String {
    format!("segments/{number:020}.seg")
}

pub(crate) fn segment_header(number: u64, first: u64) -> Vec<u8> {
    let mut bytes = b"PWSEG1\n\0".to_vec();
    bytes.extend(number.to_le_bytes());
    bytes.extend(first.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend([0; 32]);
    bytes.extend(crc32c(&bytes).to_le_bytes());
    bytes
}

pub(crate) fn frame(kind: u8, index: u64, body: &[u8]) -> Vec<u8> {
    let mut checked = (body.len() as u32).to_le_bytes().to_vec();
    checked.extend([kind, 0, 0, 0]);
    checked.extend(index.to_le_bytes());
    checked.extend(body);
    let checksum = crc32c(&checked);
    checked.splice(4..4, checksum.to_le_bytes());
    checked.resize(checked.len().next_multiple_of(8), 0);
    checked
}

pub(crate) fn bundle_bytes(entries: &[Vec<u8>]) -> Vec<u8> {
    let framed = |entry: &Vec<u8>| [&(entry.len() as u16).to_be_bytes()[..], entry].concat();
    entries.iter().flat_map(framed).collect()
}

pub(crate) fn tile_name(level: &str, index: usize, width: usize) -> String {
    assert!(index < 1000, "the tests need no longer log");
    let partial = if width == 256 { String::new() } else { format!(".p/{width}") };
    format!("tile/{level}/{index:03}{partial}")
}

pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn key_id(name: &str, key: &SigningKey) -> [u8; 4] {
    let public = key.verifying_key().to_bytes();
    hash(&[name.as_bytes(), b"\n\x01", &public])[..4].try_into().unwrap()
}

fn hash(parts: &[&[u8]]) -> Hash {
    Sha256::digest(parts.concat()).into()
}

fn split(leaves: &[Hash]) -> (&[Hash], &[Hash]) {
    leaves.split_at(leaves.len().next_power_of_two() / 2)
}

fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => hash(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = split(leaves);
            hash(&[&[1], &root(left), &root(right)])
        }
    }
}

fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = split(leaves);
    let (mut below, beside) = match index.checked_sub(left.len()) {
        None => (path(index, left), root(right)),
        Some(index) => (path(index, right), root(left)),
    };
    below.push(beside);
    below
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |state, byte| {
        (0..8).fold(state ^ u32::from(*byte), |state, _| (state >> 1) ^ (0x82F6_3B78 * (state & 1)))
    })
}
