//! Where a cgroup stands in the tree of the machine.

use std::fs::{File, Metadata};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::AttachError;

/// What `statfs` says of a cgroup of version 2: `CGROUP2_SUPER_MAGIC`.
const CGROUP2: u64 = 0x6367_7270;

/// The inode number of the machine's topmost cgroup. Seen from inside a cgroup namespace the topmost has
/// another one, and levels would be counted from the wrong place.
const ROOT_INODE: u64 = 1;

/// Deeper than anything that a person makes.
const LEVEL_MAX: u32 = 64;

/// An open cgroup with its id.
pub(crate) struct Cgroup {
    pub(crate) folder: File,
    pub(crate) id: u64,
}

impl Cgroup {
    /// Opens it, and proves that it is `level` steps below the topmost one: with a wrong level the
    /// programs would see nothing and enforce nothing.
    pub(crate) fn open(path: &Path, level: u32) -> Result<Self, AttachError> {
        let unreadable = |source| AttachError::Cgroup { path: path.to_owned(), source };
        let folder = File::open(path).map_err(unreadable)?;
        let kind = rustix::fs::fstatfs(folder.as_fd()).map_err(|error| unreadable(error.into()))?;
        if u64::try_from(kind.f_type) != Ok(CGROUP2) {
            return Err(AttachError::NotCgroup2 { path: path.to_owned() });
        }
        let own = folder.metadata().map_err(unreadable)?;
        let found = level_of(path, &own).map_err(unreadable)?;
        match found {
            Some(found) if found == level => Ok(Self { folder, id: own.ino() }),
            Some(found) => Err(AttachError::Level { path: path.to_owned(), level, found }),
            None => Err(AttachError::Namespace { path: path.to_owned() }),
        }
    }
}

/// How many steps up the topmost cgroup is; `None` when that is not the machine's.
fn level_of(path: &Path, own: &Metadata) -> std::io::Result<Option<u32>> {
    let mut at = path.to_owned();
    let mut inode = own.ino();
    for level in 0..LEVEL_MAX {
        if inode == ROOT_INODE {
            return Ok(Some(level));
        }
        at.push("..");
        let above = at.metadata()?;
        if above.dev() != own.dev() {
            return Ok(None);
        }
        inode = above.ino();
    }
    Ok(None)
}
