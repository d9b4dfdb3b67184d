//! Publication: tiles and bundles, then the checkpoint that needs them, by compare-and-swap.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pathwarden_ledger::tile::{Builder, TileFile, TilePath};
use pathwarden_ledger::tree::leaf_hash;
use pathwarden_ledger::{Checkpoint, Signer};

use crate::ReadError;
use crate::disk::{Disk, replace};
use crate::reader::Entries;
use crate::shared::{Shared, write};

/// The most full tiles and bundles that wait in memory before they are written.
const WAITING_MAX: usize = 64;

/// Why no checkpoint was published. What was acknowledged is durable all the same.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A file could not be written. A later publication is tried again.
    #[error("`{}` could not be written; free or repair the disk", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// What is durable could not be read back.
    #[error("the entries to publish could not be read back")]
    Read {
        /// Why not.
        #[source]
        source: Arc<ReadError>,
    },
    /// Somebody else wrote the checkpoint: the log has stopped rather than fork.
    #[error("`{}` is not the checkpoint that was last published here; find out who else writes to this log", path.display())]
    Fork {
        /// The checkpoint file.
        path: PathBuf,
    },
    /// The entries on disk do not give the tree that was acknowledged: the log has stopped.
    #[error("the entries on disk are not those that were acknowledged; verify the log")]
    Diverged,
    /// The log was closed or has stopped.
    #[error("the ledger has stopped; its log says why, and a restart verifies it")]
    Stopped,
}

/// Carries the published log forward. It reads the entries back from the segments, so that a root is
/// signed only for what the disk says.
pub(crate) struct Publisher {
    disk: Arc<dyn Disk>,
    shared: Arc<Shared>,
    signer: Signer,
    builder: Builder,
    waiting: Vec<TileFile>,
    /// Directories with new names that are not durable yet.
    unsynced: BTreeSet<PathBuf>,
    /// Full tiles whose partial versions can go once a checkpoint is out.
    filled: Vec<TilePath>,
    /// A checkpoint that may or may not have reached its place.
    attempted: Option<Checkpoint>,
}

impl Publisher {
    /// Goes on from a builder that has taken in exactly what is published.
    pub(crate) const fn new(
        disk: Arc<dyn Disk>,
        shared: Arc<Shared>,
        signer: Signer,
        builder: Builder,
    ) -> Self {
        Self {
            disk,
            shared,
            signer,
            builder,
            waiting: Vec::new(),
            unsynced: BTreeSet::new(),
            filled: Vec::new(),
            attempted: None,
        }
    }

    /// Publishes everything that is durable now.
    pub(crate) fn publish(&mut self) -> Result<Checkpoint, PublishError> {
        let target = self.shared.frontier();
        let last = self.shared.checkpoint();
        if self.shared.is_stopped() {
            return Err(PublishError::Stopped);
        }
        if target.size() == last.size() {
            return Ok(last);
        }
        self.build(target.size())?;
        if *self.builder.frontier() != target {
            self.shared.stop("the entries on disk do not give the acknowledged tree");
            return Err(PublishError::Diverged);
        }
        self.waiting.extend(self.builder.partial());
        self.write_waiting()?;
        self.sync_dirs()?;
        let next = Checkpoint::sign(&self.signer, target.size(), target.root());
        self.swap(&last, &next)?;
        *write(&self.shared.checkpoint) = next.clone();
        self.remove_partials();
        Ok(next)
    }

    /// Takes the entries up to `size` into the builder, and writes the files that fill up.
    fn build(&mut self, size: u64) -> Result<(), PublishError> {
        let built = self.builder.frontier().size();
        for item in Entries::new(Arc::clone(&self.shared), built..size) {
            let (_, entry) =
                item.map_err(|source| PublishError::Read { source: Arc::new(source) })?;
            let leaf = leaf_hash(&entry);
            self.builder
                .push(&entry, leaf, &mut self.waiting)
                .map_err(|_| PublishError::Diverged)?;
            if self.waiting.len() >= WAITING_MAX {
                self.write_waiting()?;
            }
        }
        Ok(())
    }

    /// Writes the waiting files. Those that could not be written wait on.
    fn write_waiting(&mut self) -> Result<(), PublishError> {
        while let Some(tile) = self.waiting.pop() {
            if let Err(error) = self.write_tile(&tile) {
                self.waiting.push(tile);
                return Err(error);
            }
        }
        Ok(())
    }

    fn write_tile(&mut self, tile: &TileFile) -> Result<(), PublishError> {
        let path = self.shared.layout.tile(&tile.path);
        if let Some(parent) = path.parent() {
            self.make_dir(parent)?;
        }
        replace(self.disk.as_ref(), &path, &tile.bytes).map_err(|error| failed(&path, error))?;
        if tile.path.is_full() {
            self.filled.push(tile.path);
        }
        Ok(())
    }

    /// Creates a directory below the log's, and remembers which directories have new names.
    fn make_dir(&mut self, dir: &Path) -> Result<(), PublishError> {
        if !self.unsynced.contains(dir) {
            self.disk.create_dir(dir).map_err(|error| failed(dir, error))?;
            let log = self.shared.layout.dir();
            let above = dir.ancestors().take_while(|above| above.starts_with(log));
            self.unsynced.extend(above.map(Path::to_owned));
        }
        Ok(())
    }

    fn sync_dirs(&mut self) -> Result<(), PublishError> {
        while let Some(dir) = self.unsynced.last() {
            self.disk.sync_dir(dir).map_err(|error| failed(dir, error))?;
            self.unsynced.pop_last();
        }
        Ok(())
    }

    /// Puts `next` in the place of `last`, and of nothing else.
    fn swap(&mut self, last: &Checkpoint, next: &Checkpoint) -> Result<(), PublishError> {
        let path = self.shared.layout.checkpoint();
        let found = fs::read(&path).map_err(|source| PublishError::Read {
            source: Arc::new(ReadError::Io { path: path.clone(), source }),
        })?;
        let ours = |checkpoint: &Checkpoint| checkpoint.text().as_bytes() == found;
        if !ours(last) && !self.attempted.as_ref().is_some_and(ours) {
            self.shared.stop("the checkpoint on disk was written by somebody else");
            return Err(PublishError::Fork { path });
        }
        self.attempted = Some(next.clone());
        replace(self.disk.as_ref(), &path, next.text().as_bytes())
            .and_then(|()| self.disk.sync_dir(self.shared.layout.dir()))
            .map_err(|error| failed(&path, error))?;
        self.attempted = None;
        Ok(())
    }

    /// Removes the partial versions of tiles that are full: readers find the full ones. A leftover
    /// does no harm.
    fn remove_partials(&mut self) {
        for tile in self.filled.drain(..) {
            let dir = self.shared.layout.partials(&tile);
            match fs::remove_dir_all(&dir) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::debug!(%error, dir = %dir.display(), "old partial tiles remain");
                }
                _ => {}
            }
        }
    }
}

fn failed(path: &Path, source: io::Error) -> PublishError {
    PublishError::Write { path: path.to_owned(), source: Arc::new(source) }
}
