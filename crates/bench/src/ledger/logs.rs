//! Our ledger and its peers, each as one place to append to durably.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use pathwarden_store::{Append, IndexKey, Options, Signer, Store};
use redb::{Database, Durability, TableDefinition};
use rusqlite::Connection;

const NODE: &str = "bench.example/1";

/// How many entries the ledger takes into its index at a time.
const INDEX_PIECE_ENTRIES: u64 = 4_096;

/// A place to append to.
pub(super) trait Log: Send {
    /// Appends entries and returns when all of them are durable.
    fn append(&mut self, entries: Vec<Vec<u8>>) -> Result<()>;

    /// Waits for what is still done after the acknowledgement, so that it falls into nobody else's
    /// turn.
    fn settle(&self) -> Result<()>;

    /// The number of a new entry.
    fn number(&mut self) -> u64;
}

/// Our ledger.
pub(crate) struct Ours {
    pub(super) store: Store,
    next: u64,
    settled: AtomicU64,
}

impl Ours {
    /// An empty ledger in `dir`, open.
    pub(crate) fn create(dir: &Path) -> Result<Self> {
        let signer = signer()?;
        pathwarden_store::create(dir, NODE, &signer)?;
        let key = signer.verifier_key().clone();
        let (store, _) = Store::open(dir, &key, signer, Options::new(keys))?;
        Ok(Self { store, next: 0, settled: AtomicU64::new(0) })
    }

    /// Waits until what was appended is published, signed and indexed.
    pub(crate) fn publish(&self) -> Result<()> {
        let size = self.store.reader().size();
        let news = size - self.settled.swap(size, Ordering::Relaxed);
        // The thread that publishes takes a piece into the index after each publication, so when
        // that many were answered, it has all of them.
        for _ in 0..news / INDEX_PIECE_ENTRIES + 2 {
            self.store.publish().context("publish")?;
        }
        Ok(())
    }

    /// Publishes everything and ends.
    pub(crate) fn close(&self) -> Result<()> {
        self.store.close().map(drop).context("close the log")
    }

    /// Appends entries and returns when all of them are durable.
    pub(crate) fn commit(&self, entries: Vec<Vec<u8>>) -> Result<()> {
        let pending = entries
            .into_iter()
            .map(|entry| self.store.append(Append { entry, payloads: Vec::new() }))
            .collect::<Result<Vec<_>, _>>()?;
        for pending in pending {
            let _receipt = pending.wait()?;
        }
        Ok(())
    }
}

/// The key of the ledgers that are made here.
pub(crate) fn signer() -> Result<Signer> {
    Ok(Signer::from_seed(NODE, &[7; 32])?)
}

/// A session and an action for every entry, so that the index has the work it has in a node.
fn keys(entry: &[u8]) -> Vec<IndexKey> {
    let session = entry.first_chunk::<16>().map(|bytes| IndexKey::Session(*bytes));
    let action = entry.last_chunk::<8>().map(|bytes| IndexKey::Action(*bytes));
    session.into_iter().chain(action).collect()
}

impl Log for Ours {
    fn append(&mut self, entries: Vec<Vec<u8>>) -> Result<()> {
        self.commit(entries)
    }

    fn settle(&self) -> Result<()> {
        self.publish()
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");

/// redb, one table by number.
pub(super) struct Redb {
    database: Database,
    next: u64,
    appended: u64,
}

impl Redb {
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(Self { database: Database::create(path)?, next: 0, appended: 0 })
    }
}

impl Log for Redb {
    fn append(&mut self, entries: Vec<Vec<u8>>) -> Result<()> {
        let mut write = self.database.begin_write()?;
        write.set_durability(Durability::Immediate)?;
        {
            let mut table = write.open_table(TABLE)?;
            for entry in entries {
                self.appended += 1;
                table.insert(self.appended, entry.as_slice())?;
            }
        }
        Ok(write.commit()?)
    }

    fn settle(&self) -> Result<()> {
        Ok(())
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// SQLite, one table by number.
pub(super) struct Sqlite {
    connection: Connection,
    next: u64,
}

impl Sqlite {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch("CREATE TABLE log (number INTEGER PRIMARY KEY, entry BLOB)")?;
        Ok(Self { connection, next: 0 })
    }
}

impl Log for Sqlite {
    fn append(&mut self, entries: Vec<Vec<u8>>) -> Result<()> {
        let write = self.connection.transaction()?;
        {
            let mut insert = write.prepare_cached("INSERT INTO log (entry) VALUES (?1)")?;
            for entry in entries {
                insert.execute([entry])?;
            }
        }
        Ok(write.commit()?)
    }

    fn settle(&self) -> Result<()> {
        Ok(())
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}
