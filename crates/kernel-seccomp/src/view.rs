//! The file tree as a caller sees it: its root, its working directory, its descriptors.

use rustix::io::Errno;

use crate::caller::Caller;
use crate::object::{Entry, Object, Spot};
use crate::resolve::{Landing, Last, Walk, split_last};
use crate::target::Target;

/// What to do with an empty path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Empty {
    Refuse,
    /// `AT_EMPTY_PATH`: the descriptor itself.
    Descriptor,
}

/// Everything needed to look up what a caller names.
pub(crate) struct View<'t> {
    pub(crate) target: &'t Target<'t>,
    pub(crate) caller: Caller,
    root: Spot,
}

impl<'t> View<'t> {
    pub(crate) fn of(target: &'t Target<'t>) -> Result<Self, Errno> {
        let caller = Caller::of(target)?;
        let root = target.still(Spot::of(target.pinned("root")?)?)?;
        Ok(Self { target, caller, root })
    }

    /// Where a path of a descriptor or of `AT_FDCWD` begins.
    fn base(&self, dirfd: i32, path: &[u8]) -> Result<Spot, Errno> {
        if path.starts_with(b"/") {
            return Ok(self.root.clone());
        }
        let fd = match dirfd {
            libc::AT_FDCWD => self.target.pinned("cwd")?,
            fd if fd < 0 => return Err(Errno::BADF),
            fd => self.target.pinned(&format!("fd/{fd}")).map_err(|errno| match errno {
                Errno::NOENT => Errno::BADF,
                other => other,
            })?,
        };
        self.target.still(Spot::of(fd)?)
    }

    /// Follows a path as far as it goes.
    pub(crate) fn landing(&self, dirfd: i32, path: &[u8], last: Last) -> Result<Landing, Errno> {
        if path.is_empty() {
            return Err(Errno::NOENT);
        }
        let base = self.base(dirfd, path)?;
        let _acting = self.caller.act()?;
        Walk::new(&self.root, &self.caller).run(&base, path, last)
    }

    /// What a path names, which must exist.
    pub(crate) fn existing(
        &self,
        dirfd: i32,
        path: &[u8],
        last: Last,
        empty: Empty,
    ) -> Result<Object, Errno> {
        if path.is_empty() && empty == Empty::Descriptor {
            return Object::of(self.base(dirfd, path)?);
        }
        match self.landing(dirfd, path, last)? {
            Landing::There(spot) => Object::of(spot),
            Landing::Missing { .. } => Err(Errno::NOENT),
        }
    }

    /// The directory and the last name, the name not followed.
    pub(crate) fn entry(&self, dirfd: i32, path: &[u8]) -> Result<Entry, Errno> {
        if path.is_empty() {
            return Err(Errno::NOENT);
        }
        let base = self.base(dirfd, path)?;
        let _acting = self.caller.act()?;
        let (folder, name) = match split_last(path) {
            Some((folder, name)) => (folder, name),
            // Nothing but slashes: the root, of which the kernel says what it says of it.
            None if path.starts_with(b"/") => (&b"/"[..], &b"/"[..]),
            None => (&b""[..], path),
        };
        let parent = match folder {
            b"" => base,
            folder => match Walk::new(&self.root, &self.caller).run(&base, folder, Last::Follow)? {
                Landing::There(spot) => spot,
                Landing::Missing { .. } => return Err(Errno::NOENT),
            },
        };
        if !parent.is_directory() {
            return Err(Errno::NOTDIR);
        }
        Entry::of(Object::of(parent)?, name)
    }
}
