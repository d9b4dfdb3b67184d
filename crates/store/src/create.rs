//! Making an empty log, on purpose.

use std::io;
use std::path::{Path, PathBuf};

use pathwarden_ledger::tree::empty_root;
use pathwarden_ledger::{Checkpoint, Signer};

use crate::disk::{Disk, OsDisk, replace};
use crate::layout::{Layout, SEGMENT_BYTES};
use crate::tail::Tail;

/// Why no log was created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// There is something already.
    #[error("`{}` exists already; a log is never overwritten: choose another directory, or move it away", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// The log would not have the name of its key.
    #[error("the origin `{origin}` is not the name of the signing key, `{name}`")]
    Origin {
        /// The origin asked for.
        origin: String,
        /// The key's name.
        name: String,
    },
    /// The disk refused.
    #[error("the log could not be created in `{}`", dir.display())]
    Disk {
        /// The log directory.
        dir: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Creates an empty log in `dir`: its directories, first segment, and signed checkpoint of size 0.
/// `origin` must be the signer's name.
///
/// # Errors
/// When there is a log already, the names differ, or the disk refuses.
pub fn create(dir: &Path, origin: &str, signer: &Signer) -> Result<(), CreateError> {
    create_on(&OsDisk, dir, origin, signer, SEGMENT_BYTES)
}

pub(crate) fn create_on(
    disk: &dyn Disk,
    dir: &Path,
    origin: &str,
    signer: &Signer,
    segment_bytes: u64,
) -> Result<(), CreateError> {
    let name = signer.verifier_key().name();
    if origin != name {
        let (origin, name) = (origin.to_owned(), name.to_owned());
        return Err(CreateError::Origin { origin, name });
    }
    let layout = Layout::new(dir);
    // An unfinished creation leaves segments without a checkpoint: that, too, is for a person to see.
    for path in [layout.checkpoint(), layout.segments(), layout.tile_root()] {
        if path.exists() {
            return Err(CreateError::Exists { path });
        }
    }
    write(disk, &layout, signer, segment_bytes)
        .map_err(|source| CreateError::Disk { dir: dir.to_owned(), source })
}

/// The checkpoint comes last: a directory with one is a whole log.
fn write(disk: &dyn Disk, layout: &Layout, signer: &Signer, segment_bytes: u64) -> io::Result<()> {
    disk.create_dir(&layout.segments())?;
    disk.create_dir(&layout.tile_root())?;
    Tail::create(disk, layout, segment_bytes)?;
    disk.create(&layout.lock())?.sync()?;
    let checkpoint = Checkpoint::sign(signer, 0, empty_root());
    replace(disk, &layout.checkpoint(), checkpoint.text().as_bytes())?;
    disk.sync_dir(layout.dir())?;
    // The directory's own name is in the one above; a log on a file system's root has none.
    layout.dir().parent().map_or(Ok(()), |above| disk.sync_dir(above).or(Ok(())))
}
