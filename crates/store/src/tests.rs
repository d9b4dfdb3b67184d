//! What the ledger promises, and what tries to break it.

mod faults;
mod faulty;
mod index;
mod life;
mod publishing;
mod recovery;
mod tamper;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pathwarden_ledger::tree::leaf_hash;
use pathwarden_ledger::{Signer, TlogProof, VerifierKey};
use tempfile::TempDir;

use crate::disk::{Disk, OsDisk};
use crate::{Append, IndexKey, OpenError, Options, Receipt, Recovered, Store};

const ORIGIN: &str = "pathwarden.local/0badcafe";

/// Long enough that nothing is published unless a test asks.
const NEVER_MS: u64 = 1_000_000_000;

fn signer() -> Signer {
    Signer::from_seed(ORIGIN, &[7; 32]).unwrap()
}

fn key() -> VerifierKey {
    signer().verifier_key().clone()
}

/// In these tests the first byte of an entry is its session, the second its action.
fn keys_of(entry: &[u8]) -> Vec<IndexKey> {
    match entry {
        [session, action, ..] => {
            vec![IndexKey::Session([*session; 16]), IndexKey::Action([*action; 8])]
        }
        _ => Vec::new(),
    }
}

fn options() -> Options {
    Options { publish_every_ms: NEVER_MS, segment_bytes: 1 << 18, ..Options::new(keys_of) }
}

/// The entry that test logs hold at `index`.
fn entry(index: u64) -> Vec<u8> {
    let [.., low] = index.to_be_bytes();
    let mut entry = vec![low % 3, low];
    entry.extend_from_slice(format!("entry {index}").as_bytes());
    entry
}

fn append(index: u64) -> Append {
    Append { entry: entry(index), payloads: Vec::new() }
}

/// An empty log in a directory of its own.
struct Home {
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { dir: TempDir::new().unwrap() };
        let bytes = options().segment_bytes;
        crate::create::create_on(&OsDisk, &home.log(), ORIGIN, &signer(), bytes).unwrap();
        home
    }

    /// A closed log with `published` entries in the checkpoint, and more after it.
    fn with(published: u64, more: u64) -> Self {
        let home = Self::new();
        let store = home.open();
        fill(&store, 0..published);
        store.publish().unwrap();
        fill(&store, published..published + more);
        home
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn path(&self, below: &str) -> PathBuf {
        self.log().join(below)
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.path(&format!("segments/{number:020}.seg"))
    }

    fn open(&self) -> Store {
        self.recover().unwrap().0
    }

    fn recover(&self) -> Result<(Store, Recovered), OpenError> {
        Store::open(&self.log(), &key(), signer(), options())
    }

    fn open_on(&self, disk: Arc<dyn Disk>, options: Options) -> Store {
        Store::open_on(disk, &self.log(), &key(), signer(), options).unwrap().0
    }

    fn refusal(&self) -> OpenError {
        match self.recover() {
            Ok((_, recovered)) => panic!("opened: {recovered:?}"),
            Err(error) => error,
        }
    }
}

fn fill(store: &Store, range: std::ops::Range<u64>) -> Vec<Receipt> {
    let pending: Vec<_> = range.map(|index| store.append(append(index)).unwrap()).collect();
    pending.into_iter().map(|pending| pending.wait().unwrap()).collect()
}

/// Asserts that the log holds exactly the first `size` test entries, provably.
fn assert_holds(store: &Store, size: u64) {
    let reader = store.reader();
    assert_eq!(reader.size(), size);
    for (index, item) in (0..size).zip(reader.entries(0..u64::MAX)) {
        assert_eq!(item.unwrap(), (index, entry(index)));
    }
    for index in (0..size).step_by(7).chain(size.checked_sub(1)) {
        let proof: TlogProof = reader.proof(index).unwrap().parse().unwrap();
        assert_eq!(proof.index(), index);
        proof.verify(&leaf_hash(&entry(index)), &key()).unwrap();
    }
}

fn flip(path: &Path, bit: u64) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = usize::try_from(bit / 8).unwrap() % bytes.len();
    bytes[at] ^= 1 << (bit % 8);
    std::fs::write(path, bytes).unwrap();
}
