//! What a path led to, pinned.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, StatxFlags, open, openat, readlink, statx};
use rustix::io::Errno;

use crate::sys;

/// A file wherever its names are.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileId {
    /// The device, as `stat` gives it.
    pub dev: u64,
    /// The inode number there.
    pub ino: u64,
}

/// What the kernel puts behind the path of a file whose name is gone.
const GONE: &[u8] = b" (deleted)";

/// The type of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A FIFO or an anonymous pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    Character,
    /// A block device.
    Block,
    /// What has no type: an event descriptor and its like.
    Nameless,
}

/// A descriptor and what it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) fd: Arc<OwnedFd>,
    pub(crate) id: FileId,
    pub(crate) kind: Kind,
    pub(crate) mount: u64,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) links: u32,
    pub(crate) device: (u32, u32),
    pub(crate) form: Form,
}

/// One form of a file: whoever changes its content makes another. Only the kernel sets the time.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Form {
    /// The file.
    pub id: FileId,
    /// Its length, in bytes.
    pub bytes: u64,
    /// When it was last changed, in seconds since 1970; rights and names count.
    pub changed_seconds: i64,
    /// And nanoseconds.
    pub changed_nanoseconds: u32,
}

impl Spot {
    pub(crate) fn of(fd: OwnedFd) -> Result<Self, Errno> {
        let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
        let stat = statx(&fd, c"", AtFlags::EMPTY_PATH, wanted)?;
        let dev = rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor);
        let id = FileId { dev, ino: stat.stx_ino };
        let form = Form {
            id,
            bytes: stat.stx_size,
            changed_seconds: stat.stx_ctime.tv_sec,
            changed_nanoseconds: stat.stx_ctime.tv_nsec,
        };
        Ok(Self {
            fd: Arc::new(fd),
            id,
            form,
            kind: Kind::of(stat.stx_mode),
            mount: stat.stx_mnt_id,
            mode: u32::from(stat.stx_mode),
            uid: stat.stx_uid,
            links: stat.stx_nlink,
            device: (stat.stx_rdev_major, stat.stx_rdev_minor),
        })
    }

    /// The entry of this name, itself and not what it may lead to.
    pub(crate) fn step(&self, name: &[u8]) -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Self::of(openat(&*self.fd, name, flags, Mode::empty())?)
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    pub(crate) fn same_place(&self, other: &Self) -> bool {
        self.id == other.id && self.mount == other.mount
    }

    /// The kernel's path.
    fn path(&self) -> Result<PathBuf, Errno> {
        let text = readlink(by_descriptor(self.fd.as_fd()), Vec::with_capacity(256))?;
        let mut text = text.into_bytes();
        if self.links == 0 && text.ends_with(GONE) {
            text.truncate(text.len() - GONE.len());
        }
        Ok(PathBuf::from(OsString::from_vec(text)))
    }
}

/// An existing file, directory or other object, pinned by a descriptor: whatever becomes of its
/// names, this stays the same object.
#[derive(Clone, Debug)]
pub struct Object {
    pub(crate) spot: Spot,
    path: PathBuf,
    hold: Hold,
}

/// How much of a file is read at a time, in bytes.
const PIECE_BYTES: usize = 128 << 10;

/// How an object is held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hold {
    /// By an `O_PATH` descriptor of ours.
    Pin,
    /// By the caller's own open file, shared with it.
    File,
}

impl Object {
    pub(crate) fn of(spot: Spot) -> Result<Self, Errno> {
        Ok(Self { path: spot.path()?, spot, hold: Hold::Pin })
    }

    /// The object behind an open file of the caller.
    pub(crate) fn of_file(file: OwnedFd) -> Result<Self, Errno> {
        let spot = Spot::of(file)?;
        Ok(Self { path: spot.path()?, spot, hold: Hold::File })
    }

    pub(crate) fn hold(&self) -> Hold {
        self.hold
    }

    /// The true path: no symlinks, no `..`, mounts crossed, within the caller's mount tree. Once the
    /// name is gone, the one that it had last. The kernel shows `pipe:[1]` and its like where there
    /// never was one; such text begins with no slash.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Device and inode.
    pub fn id(&self) -> FileId {
        self.spot.id
    }

    /// How many names the file has: above 1 the path is one of several, 0 once it is deleted.
    pub fn links(&self) -> u32 {
        self.spot.links
    }

    /// Its form when it was looked up.
    pub fn form(&self) -> Form {
        self.spot.form
    }

    /// Reads its content, `piece` by piece. Read with our own rights: a program need not be readable to be
    /// run.
    ///
    /// # Errors
    ///
    /// [`Errno::TXTBSY`] when it is not, or not any more, in the form in which it was looked up, or
    /// somebody has it open to write: through a mapping that is written to already, it changes without
    /// another form.
    pub fn read(&self, mut piece: impl FnMut(&[u8])) -> Result<(), Errno> {
        let file = open(self.reopen_path(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        if sys::is_open_to_write(file.as_fd()) {
            return Err(Errno::TXTBSY);
        }
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let count = rustix::io::read(&file, buffer.as_mut_slice())?;
            match buffer.get(..count) {
                None | Some([]) => break,
                Some(read) => piece(read),
            }
        }
        let is_open = sys::is_open_to_write(file.as_fd());
        let is_same = Spot::of(file)?.form == self.spot.form;
        if is_same && !is_open { Ok(()) } else { Err(Errno::TXTBSY) }
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        self.spot.kind
    }

    /// Of a device, which driver it is.
    pub(crate) fn device_major(&self) -> u32 {
        self.spot.device.0
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.spot.fd.as_fd()
    }

    /// A path of ours that leads to exactly this object.
    pub(crate) fn reopen_path(&self) -> CString {
        by_descriptor(self.fd())
    }
}

/// A name in a pinned directory: what creations and removals act on.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(crate) parent: Object,
    /// As the caller wrote it, slashes at its end included: the kernel judges them.
    pub(crate) name: CString,
    object: Option<Object>,
    path: PathBuf,
}

impl Entry {
    pub(crate) fn of(parent: Object, name: &[u8]) -> Result<Self, Errno> {
        let bare = name.trim_ascii_end_matches(b'/');
        let object = match bare {
            b"" | b"." | b".." => None,
            _ => match parent.spot.step(bare) {
                Ok(spot) => Some(Object::of(spot)?),
                Err(Errno::NOENT) => None,
                Err(errno) => return Err(errno),
            },
        };
        let path = parent.path.join(OsStr::from_bytes(bare));
        Ok(Self { parent, name: CString::new(name).map_err(|_| Errno::INVAL)?, object, path })
    }

    /// A name that was missing a moment ago.
    pub(crate) fn absent(parent: Object, name: &[u8]) -> Result<Self, Errno> {
        let path = parent.path.join(OsStr::from_bytes(name));
        let name = CString::new(name).map_err(|_| Errno::INVAL)?;
        Ok(Self { parent, name, object: None, path })
    }

    /// The true path of the parent, and the name. When the name is a symlink, this is the link.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory.
    pub fn parent(&self) -> &Object {
        &self.parent
    }

    /// What had this name when it was looked up.
    pub fn object(&self) -> Option<&Object> {
        self.object.as_ref()
    }
}

/// `slice::trim_end_matches` for one byte.
trait TrimEnd {
    fn trim_ascii_end_matches(&self, byte: u8) -> &[u8];
}

impl TrimEnd for [u8] {
    fn trim_ascii_end_matches(&self, byte: u8) -> &[u8] {
        let mut rest = self;
        while let [head @ .., last] = rest
            && *last == byte
        {
            rest = head;
        }
        rest
    }
}

/// `/proc/self/fd/N`, which the kernel follows to the object itself.
pub(crate) fn by_descriptor(fd: BorrowedFd<'_>) -> CString {
    CString::new(format!("/proc/self/fd/{}", fd.as_raw_fd())).unwrap_or_default()
}

impl Kind {
    fn of(mode: u16) -> Self {
        match FileType::from_raw_mode(mode.into()) {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            FileType::CharacterDevice => Self::Character,
            FileType::BlockDevice => Self::Block,
            FileType::Unknown => Self::Nameless,
        }
    }
}
