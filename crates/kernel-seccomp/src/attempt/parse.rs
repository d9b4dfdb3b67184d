//! One small function per family of calls. Registers are read as wide as the kernel reads them.

use rustix::io::Errno;

use super::{Deed, Place};
use crate::address::Connect;
use crate::exec::Exec;
use crate::listener::Call;
use crate::object::{Entry, Kind, Object, Spot};
use crate::resolve::{Landing, Last};
use crate::times::Times;
use crate::view::{Empty, View};

const CWD: i32 = libc::AT_FDCWD;

/// Permission bits and the three above them, `S_IALLUGO`.
const MODE_BITS: u32 = 0o7777;

/// `O_TMPFILE` without the `O_DIRECTORY` that it includes.
const TMPFILE_BIT: i32 = libc::O_TMPFILE & !libc::O_DIRECTORY;

/// Major numbers of pseudo terminals, `UNIX98_PTY_SLAVE_MAJOR` and the seven after it.
const PTS_MAJORS: std::ops::Range<u32> = 136..144;

pub(super) fn deed(call: &Call, view: &View<'_>) -> Result<Deed, Errno> {
    match i64::from(call.nr) {
        libc::SYS_execve => exec(view, CWD, call, 0, 0),
        libc::SYS_execveat => exec(view, call.int(0), call, 1, call.int(4)),
        libc::SYS_connect => Ok(Deed::Connect(Connect::of(view, call)?)),
        libc::SYS_open => open(view, CWD, call.word(0), call.int(1), call.uint(2)),
        libc::SYS_openat => open(view, call.int(0), call.word(1), call.int(2), call.uint(3)),
        libc::SYS_creat => {
            let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
            open(view, CWD, call.word(0), flags, call.uint(1))
        }
        libc::SYS_unlink => unlink(view, CWD, call.word(0), 0),
        libc::SYS_rmdir => unlink(view, CWD, call.word(0), libc::AT_REMOVEDIR),
        libc::SYS_unlinkat => unlink(view, call.int(0), call.word(1), call.int(2)),
        libc::SYS_rename => rename(view, (CWD, call.word(0)), (CWD, call.word(1)), 0),
        libc::SYS_renameat => rename(view, named(call, 0), named(call, 2), 0),
        libc::SYS_renameat2 => rename(view, named(call, 0), named(call, 2), call.uint(4)),
        libc::SYS_mkdir => mkdir(view, (CWD, call.word(0)), call.uint(1)),
        libc::SYS_mkdirat => mkdir(view, named(call, 0), call.uint(2)),
        libc::SYS_link => link(view, (CWD, call.word(0)), (CWD, call.word(1)), 0),
        libc::SYS_linkat => link(view, named(call, 0), named(call, 2), call.int(4)),
        libc::SYS_symlink => symlink(view, call.word(0), (CWD, call.word(1))),
        libc::SYS_symlinkat => symlink(view, call.word(0), (call.int(1), call.word(2))),
        libc::SYS_mknod => mknod(view, (CWD, call.word(0)), call.uint(1)),
        libc::SYS_mknodat => mknod(view, named(call, 0), call.uint(2)),
        _ => attributes(call, view),
    }
}

/// Calls that change what is there already.
fn attributes(call: &Call, view: &View<'_>) -> Result<Deed, Errno> {
    match i64::from(call.nr) {
        libc::SYS_chmod => chmod(existing(view, (CWD, call.word(0)), 0)?, call.uint(1)),
        libc::SYS_fchmodat => chmod(existing(view, named(call, 0), 0)?, call.uint(2)),
        libc::SYS_fchmodat2 => chmod(existing(view, named(call, 0), call.int(3))?, call.uint(2)),
        libc::SYS_fchmod => chmod(file(view, call.int(0))?, call.uint(1)),
        libc::SYS_chown => chown(view, existing(view, (CWD, call.word(0)), 0)?, call, 1),
        libc::SYS_lchown => {
            let object = existing(view, (CWD, call.word(0)), libc::AT_SYMLINK_NOFOLLOW)?;
            chown(view, object, call, 1)
        }
        libc::SYS_fchownat => chown(view, existing(view, named(call, 0), call.int(4))?, call, 2),
        libc::SYS_fchown => chown(view, file(view, call.int(0))?, call, 1),
        // The kernel looks at the length before it looks at the file.
        libc::SYS_truncate | libc::SYS_ftruncate if call.long(1) < 0 => Err(Errno::INVAL),
        libc::SYS_truncate => {
            let object = existing(view, (CWD, call.word(0)), 0)?;
            Ok(Deed::Truncate { object, length: call.long(1) })
        }
        libc::SYS_ftruncate => {
            Ok(Deed::Truncate { object: file(view, call.int(0))?, length: call.long(1) })
        }
        libc::SYS_fallocate => Ok(Deed::Fallocate {
            object: file(view, call.int(0))?,
            mode: call.int(1),
            offset: call.long(2),
            length: call.long(3),
        }),
        libc::SYS_utime => {
            let times = Times::whole(view.target, call.word(1))?;
            Ok(Deed::Utimes { object: existing(view, (CWD, call.word(0)), 0)?, times })
        }
        libc::SYS_utimes => {
            let times = Times::micros(view.target, call.word(1))?;
            Ok(Deed::Utimes { object: existing(view, (CWD, call.word(0)), 0)?, times })
        }
        libc::SYS_futimesat => {
            let times = Times::micros(view.target, call.word(2))?;
            utimes(view, named(call, 0), times, 0)
        }
        libc::SYS_utimensat => {
            let times = Times::nanos(view.target, call.word(2))?;
            utimes(view, named(call, 0), times, call.int(3))
        }
        // `openat2` too: libraries then use `openat`, whose flags are in a register.
        _ => Err(Errno::NOSYS),
    }
}

/// A descriptor and a path, in two registers that follow each other.
type Named = (i32, u64);

fn named(call: &Call, index: usize) -> Named {
    (call.int(index), call.word(index + 1))
}

fn entry(view: &View<'_>, (dirfd, path): Named) -> Result<Entry, Errno> {
    view.entry(dirfd, &view.target.read_string(path)?)
}

fn file(view: &View<'_>, fd: i32) -> Result<Object, Errno> {
    Object::of_file(view.target.file(fd)?)
}

/// For calls with `AT_SYMLINK_NOFOLLOW` and `AT_EMPTY_PATH`.
fn existing(view: &View<'_>, (dirfd, path): Named, flags: i32) -> Result<Object, Errno> {
    if flags & !(libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH) != 0 {
        return Err(Errno::INVAL);
    }
    let last = if flags & libc::AT_SYMLINK_NOFOLLOW == 0 { Last::Follow } else { Last::Keep };
    view.existing(dirfd, &view.target.read_string(path)?, last, empty(flags))
}

fn empty(flags: i32) -> Empty {
    if flags & libc::AT_EMPTY_PATH == 0 { Empty::Refuse } else { Empty::Descriptor }
}

fn exec(view: &View<'_>, dirfd: i32, call: &Call, path: usize, flags: i32) -> Result<Deed, Errno> {
    let text = view.target.read_string(call.word(path))?;
    Ok(Deed::Exec(Exec::of(view, dirfd, text, call.word(path + 1), flags)?))
}

fn open(view: &View<'_>, dirfd: i32, path: u64, flags: i32, mode: u32) -> Result<Deed, Errno> {
    let has = |flag: i32| flags & flag == flag;
    // An O_PATH descriptor cannot be handed over, and the filter lets such opens pass.
    if has(libc::O_PATH) {
        return Err(Errno::NOSYS);
    }
    let unnamed = has(TMPFILE_BIT);
    let looks = flags & libc::O_ACCMODE == libc::O_RDONLY;
    if has(libc::O_CREAT | libc::O_DIRECTORY)
        || unnamed && (!has(libc::O_DIRECTORY) || has(libc::O_CREAT) || looks)
    {
        return Err(Errno::INVAL);
    }
    let path = view.target.read_string(path)?;
    let mode = mode & MODE_BITS;
    if unnamed {
        let folder = view.existing(dirfd, &path, Last::Follow, Empty::Refuse)?;
        let is_folder = folder.kind() == Kind::Directory;
        return if is_folder {
            Ok(Deed::Temporary { folder, flags, mode })
        } else {
            Err(Errno::NOTDIR)
        };
    }
    if has(libc::O_CREAT) && path.ends_with(b"/") {
        view.entry(dirfd, &path)?;
        return Err(Errno::ISDIR);
    }
    let keep = has(libc::O_NOFOLLOW) || has(libc::O_CREAT | libc::O_EXCL);
    let last = if keep { Last::Keep } else { Last::Follow };
    let place = match view.landing(dirfd, &path, last)? {
        Landing::There(spot) => there(view, spot, flags)?,
        Landing::Missing { parent, name, slash: false } if has(libc::O_CREAT) => {
            Place::New(Entry::absent(Object::of(parent)?, &name)?)
        }
        // The last link of a chain may end in a slash.
        Landing::Missing { slash: true, .. } if has(libc::O_CREAT) => return Err(Errno::ISDIR),
        Landing::Missing { .. } => return Err(Errno::NOENT),
    };
    Ok(Deed::Open { place, flags, mode })
}

/// What the kernel says before it looks at permissions.
fn there(view: &View<'_>, spot: Spot, flags: i32) -> Result<Place, Errno> {
    let has = |flag: i32| flags & flag == flag;
    if has(libc::O_CREAT | libc::O_EXCL) {
        return Err(Errno::EXIST);
    }
    if has(libc::O_CREAT) && spot.is_directory() {
        return Err(Errno::ISDIR);
    }
    if has(libc::O_DIRECTORY) && !spot.is_directory() {
        return Err(Errno::NOTDIR);
    }
    if spot.kind == Kind::Link {
        return Err(Errno::LOOP);
    }
    if spot.kind == Kind::Character && spot.device == (5, 0) {
        return Ok(Place::Existing(terminal(view)?));
    }
    Ok(Place::Existing(Object::of(spot)?))
}

/// `/dev/tty` is whatever terminal its opener has, so the caller's is looked up by its name.
fn terminal(view: &View<'_>) -> Result<Object, Errno> {
    let number = view.target.terminal()?;
    let (major, minor) = (number >> 8 & 0xfff, number & 0xff | number >> 12 & 0xf_ff00);
    let path = match major {
        _ if PTS_MAJORS.contains(&major) => {
            format!("/dev/pts/{}", (major - PTS_MAJORS.start) << 20 | minor)
        }
        4 if minor < 64 => format!("/dev/tty{minor}"),
        4 => format!("/dev/ttyS{}", minor - 64),
        _ => return Err(Errno::NXIO),
    };
    // Where terminals are the box's own, the one from which all was started is its console.
    [path.as_str(), "/dev/console"]
        .into_iter()
        .filter_map(|path| view.existing(CWD, path.as_bytes(), Last::Follow, Empty::Refuse).ok())
        .find(|object| object.spot.device == (major, minor))
        .ok_or(Errno::NXIO)
}

fn unlink(view: &View<'_>, dirfd: i32, path: u64, flags: i32) -> Result<Deed, Errno> {
    if flags & !libc::AT_REMOVEDIR != 0 {
        return Err(Errno::INVAL);
    }
    Ok(Deed::Unlink { at: entry(view, (dirfd, path))?, directory: flags != 0 })
}

fn rename(view: &View<'_>, from: Named, to: Named, flags: u32) -> Result<Deed, Errno> {
    // The third flag leaves a device behind, and agents make no devices.
    if flags & !(libc::RENAME_NOREPLACE | libc::RENAME_EXCHANGE) != 0 {
        return Err(Errno::INVAL);
    }
    Ok(Deed::Rename { from: entry(view, from)?, to: entry(view, to)?, flags })
}

fn mkdir(view: &View<'_>, at: Named, mode: u32) -> Result<Deed, Errno> {
    Ok(Deed::Mkdir { at: entry(view, at)?, mode: mode & MODE_BITS })
}

fn link(view: &View<'_>, (dirfd, path): Named, to: Named, flags: i32) -> Result<Deed, Errno> {
    if flags & !(libc::AT_SYMLINK_FOLLOW | libc::AT_EMPTY_PATH) != 0 {
        return Err(Errno::INVAL);
    }
    let last = if flags & libc::AT_SYMLINK_FOLLOW == 0 { Last::Keep } else { Last::Follow };
    let from = view.existing(dirfd, &view.target.read_string(path)?, last, empty(flags))?;
    Ok(Deed::Link { from, to: entry(view, to)? })
}

fn symlink(view: &View<'_>, text: u64, at: Named) -> Result<Deed, Errno> {
    let text = view.target.read_string(text)?;
    if text.is_empty() {
        return Err(Errno::NOENT);
    }
    Ok(Deed::Symlink { text, at: entry(view, at)? })
}

fn mknod(view: &View<'_>, at: Named, mode: u32) -> Result<Deed, Errno> {
    match mode & libc::S_IFMT {
        0 | libc::S_IFREG | libc::S_IFIFO | libc::S_IFSOCK => {
            Ok(Deed::Mknod { at: entry(view, at)?, mode: mode & (libc::S_IFMT | MODE_BITS) })
        }
        libc::S_IFCHR | libc::S_IFBLK | libc::S_IFDIR => Err(Errno::PERM),
        _ => Err(Errno::INVAL),
    }
}

fn chmod(object: Object, mode: u32) -> Result<Deed, Errno> {
    Ok(Deed::Chmod { object, mode: mode & MODE_BITS })
}

fn chown(view: &View<'_>, object: Object, call: &Call, ids: usize) -> Result<Deed, Errno> {
    let id = |index: usize| Some(call.uint(index)).filter(|id| *id != u32::MAX);
    let (uid, gid) = (id(ids), id(ids + 1));
    // The caller's numbers mean other users than ours.
    if !view.caller.same_user_namespace() && (uid.is_some() || gid.is_some()) {
        return Err(Errno::PERM);
    }
    Ok(Deed::Chown { object, uid, gid })
}

/// Without a path the times are those of the open file.
fn utimes(view: &View<'_>, (dirfd, path): Named, times: Times, flags: i32) -> Result<Deed, Errno> {
    let object = match (path, dirfd) {
        (0, CWD) => return Err(Errno::FAULT),
        (0, _) if flags != 0 => return Err(Errno::INVAL),
        (0, fd) => file(view, fd)?,
        _ => existing(view, (dirfd, path), flags)?,
    };
    Ok(Deed::Utimes { object, times })
}
