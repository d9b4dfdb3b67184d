//! Writing to a home's ledger while no node runs on it, to bring it into a state that would take
//! long to reach.

use std::fs;

use anyhow::{Context as _, Result};
use pathwarden_ledger::{Signer, VerifierKey};
use pathwarden_store::{Append, Options, Store};
use pathwarden_types::{Event, Millis, Record};

use super::Home;

impl Home {
    /// Appends one entry for each of these contents, in segments of this size, and publishes them.
    ///
    /// # Errors
    ///
    /// When a node runs on the home, or the ledger does not take them.
    pub fn append_aside(
        &self,
        segment_bytes: u64,
        contents: impl Iterator<Item = Vec<u8>>,
    ) -> Result<()> {
        let key = fs::read_to_string(self.path("keys/ledger.vkey")).context("read the key")?;
        let key: VerifierKey = key.trim().parse()?;
        let der = fs::read(self.path("keys/ledger.key")).context("read the signing key")?;
        let node = key.name().to_owned();
        let signer = Signer::from_pkcs8(&node, &der)?;
        let options = Options { segment_bytes, ..Options::new(|_| Vec::new()) };
        let (store, _) = Store::open(&self.path("ledger"), &key, signer, options)?;
        for content in contents {
            let event = Event::NodeStarted { software: "written aside".to_owned() };
            let (version, at, node) = (Record::VERSION, Millis(0), node.clone());
            let record = Record { version, at, node, session: None, event };
            let append = Append { entry: record.to_bytes()?, payloads: vec![content] };
            let _receipt = store.append(append)?.wait()?;
        }
        store.close()?;
        Ok(())
    }
}
