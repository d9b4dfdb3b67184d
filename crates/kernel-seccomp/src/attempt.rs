//! From registers and memory to what is attempted.

mod parse;

use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::address::Connect;
use crate::caller::Caller;
use crate::exec::Exec;
use crate::listener::Call;
use crate::object::{Entry, FileId, Hold, Kind, Object};
use crate::target::Target;
use crate::times::Times;
use crate::view::View;

/// A call, understood and pinned: what it is about cannot be changed by anybody any more.
#[derive(Debug)]
pub struct Attempt {
    deed: Deed,
    caller: Caller,
}

/// What is attempted.
///
/// Deliberately exhaustive: whoever decides says what it thinks of each.
#[derive(Debug)]
pub enum Deed {
    /// Run a program.
    Exec(Exec),
    /// Connect a socket.
    Connect(Connect),
    /// Open, and perhaps create.
    Open {
        /// What.
        place: Place,
        /// `O_*` flags.
        flags: i32,
        /// Mode of a new file, before the umask.
        mode: u32,
    },
    /// Create a file without a name (`O_TMPFILE`).
    Temporary {
        /// On the file system of this directory.
        folder: Object,
        /// `O_*` flags.
        flags: i32,
        /// Mode, before the umask.
        mode: u32,
    },
    /// Remove a name.
    Unlink {
        /// Which.
        at: Entry,
        /// `rmdir` rather than `unlink`.
        directory: bool,
    },
    /// Move a name.
    Rename {
        /// From here.
        from: Entry,
        /// To here; what is there is lost, unless the flags say otherwise.
        to: Entry,
        /// `RENAME_NOREPLACE` or `RENAME_EXCHANGE`.
        flags: u32,
    },
    /// Make a directory.
    Mkdir {
        /// Here.
        at: Entry,
        /// Mode, before the umask.
        mode: u32,
    },
    /// Give a file another name.
    Link {
        /// The file.
        from: Object,
        /// The new name.
        to: Entry,
    },
    /// Make a symbolic link.
    Symlink {
        /// Its text. Where it leads is decided when somebody follows it.
        text: Vec<u8>,
        /// Here.
        at: Entry,
    },
    /// Make a FIFO, a socket or an empty file. Devices are refused.
    Mknod {
        /// Here.
        at: Entry,
        /// Type and mode, before the umask.
        mode: u32,
    },
    /// Change permissions.
    Chmod {
        /// Of this.
        object: Object,
        /// The new ones.
        mode: u32,
    },
    /// Change owner and group.
    Chown {
        /// Of this.
        object: Object,
        /// `None` keeps it.
        uid: Option<u32>,
        /// `None` keeps it.
        gid: Option<u32>,
    },
    /// Cut or extend a file, by path or descriptor.
    Truncate {
        /// This file.
        object: Object,
        /// To so many bytes.
        length: i64,
    },
    /// Reserve, punch or move ranges of an open file.
    Fallocate {
        /// This file.
        object: Object,
        /// `FALLOC_FL_*`.
        mode: i32,
        /// From here, in bytes.
        offset: i64,
        /// So many bytes.
        length: i64,
    },
    /// Set times.
    Utimes {
        /// Of this.
        object: Object,
        /// To these.
        times: Times,
    },
}

impl Deed {
    /// The names at which something is put that was made elsewhere, with what it is. An exchange puts
    /// something at both.
    pub fn moved_to(&self) -> Vec<(&Entry, Option<Kind>)> {
        let kind = |entry: &Entry| entry.object().map(Object::kind);
        match self {
            Self::Rename { from, to, flags } if flags & libc::RENAME_EXCHANGE != 0 => {
                vec![(from, kind(to)), (to, kind(from))]
            }
            Self::Rename { from, to, .. } => vec![(to, kind(from))],
            Self::Link { from, to } => vec![(to, Some(from.kind()))],
            Self::Symlink { at, .. } => vec![(at, Some(Kind::Link))],
            Self::Exec(_)
            | Self::Connect(_)
            | Self::Open { .. }
            | Self::Temporary { .. }
            | Self::Unlink { .. }
            | Self::Mkdir { .. }
            | Self::Mknod { .. }
            | Self::Chmod { .. }
            | Self::Chown { .. }
            | Self::Truncate { .. }
            | Self::Fallocate { .. }
            | Self::Utimes { .. } => Vec::new(),
        }
    }
}

/// The major number of `/dev/null` and its like, which keep nobody waiting.
const MEMORY_DEVICES: u32 = 1;

/// Where an open leads.
#[derive(Clone, Debug)]
pub enum Place {
    /// To this object.
    Existing(Object),
    /// To a name that is missing, and would be created.
    New(Entry),
}

/// What must be allowed for an attempt to be.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Need {
    /// Run a program.
    Execute,
    /// Read content.
    Read,
    /// Change content, or connect to a socket file.
    Write,
    /// Make a new name.
    Create,
    /// Remove a name.
    Remove,
    /// Change owner, permissions or times.
    Change,
}

/// One need on one true path. All of an attempt's must be granted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Requirement {
    /// What.
    pub need: Need,
    /// On what: no symlinks, no `..`.
    pub path: PathBuf,
    /// The object there, if there is one.
    pub id: Option<FileId>,
    /// How many names that object has. Above 1, others than `path` lead to it too.
    pub links: u32,
    /// Its type; a directory stands for all that is in it.
    pub kind: Option<Kind>,
    /// Whether the caller has it open, for what it does with it.
    pub is_open: bool,
}

impl Requirement {
    fn on(need: Need, object: &Object) -> Self {
        Self::new(need, object.path(), Some(object))
    }

    fn at(need: Need, entry: &Entry) -> Self {
        Self::new(need, entry.path(), entry.object())
    }

    fn new(need: Need, path: &Path, object: Option<&Object>) -> Self {
        Self {
            need,
            path: path.to_owned(),
            is_open: object.is_some_and(|object| object.hold() == Hold::File),
            id: object.map(Object::id),
            links: object.map_or(0, Object::links),
            kind: object.map(Object::kind),
        }
    }
}

/// Reads a call out of its caller and pins what it is about.
///
/// # Errors
///
/// What the kernel would answer, to be passed on with [`crate::Listener::answer_errno`]: `EFAULT`
/// for pointers to nothing, `ENOENT`, `EACCES` and so on for paths. `ENOSYS` for calls that are not
/// known here; `ESRCH` when the caller is gone.
pub fn attempt(call: &Call, target: &Target<'_>) -> Result<Attempt, Errno> {
    let view = View::of(target)?;
    let deed = parse::deed(call, &view)?;
    Ok(Attempt { deed, caller: target.still(view.caller)? })
}

impl Attempt {
    /// What is attempted.
    pub fn deed(&self) -> &Deed {
        &self.deed
    }

    /// By whom.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whether carrying it out may wait for others, so that it belongs on a thread of its own.
    pub fn may_block(&self) -> bool {
        match &self.deed {
            Deed::Connect(_) => true,
            Deed::Open { place: Place::Existing(object), .. } => match object.kind() {
                Kind::Character => object.device_major() != MEMORY_DEVICES,
                Kind::Fifo | Kind::Block => true,
                Kind::File | Kind::Directory | Kind::Link | Kind::Socket | Kind::Nameless => false,
            },
            Deed::Open { place: Place::New(_), .. }
            | Deed::Exec(_)
            | Deed::Temporary { .. }
            | Deed::Unlink { .. }
            | Deed::Rename { .. }
            | Deed::Mkdir { .. }
            | Deed::Link { .. }
            | Deed::Symlink { .. }
            | Deed::Mknod { .. }
            | Deed::Chmod { .. }
            | Deed::Chown { .. }
            | Deed::Truncate { .. }
            | Deed::Fallocate { .. }
            | Deed::Utimes { .. } => false,
        }
    }

    /// What must be granted. Empty only for connects that name no file.
    pub fn needs(&self) -> Vec<Requirement> {
        match &self.deed {
            Deed::Exec(exec) => exec_needs(exec),
            Deed::Connect(connect) => connect
                .socket_file()
                .map(|file| Requirement::on(Need::Write, file))
                .into_iter()
                .collect(),
            Deed::Open { place: Place::New(at), .. } => vec![Requirement::at(Need::Create, at)],
            Deed::Open { place: Place::Existing(object), flags, .. } => open_needs(object, *flags),
            Deed::Temporary { folder, .. } => vec![Requirement::on(Need::Create, folder)],
            Deed::Unlink { at, .. } => vec![Requirement::at(Need::Remove, at)],
            Deed::Rename { from, to, flags } => rename_needs(from, to, *flags),
            // A second name opens all that the first could: reading and writing.
            Deed::Link { from, to } => vec![
                Requirement::on(Need::Read, from),
                Requirement::on(Need::Write, from),
                Requirement::at(Need::Create, to),
            ],
            Deed::Mkdir { at, .. } | Deed::Symlink { at, .. } | Deed::Mknod { at, .. } => {
                vec![Requirement::at(Need::Create, at)]
            }
            Deed::Truncate { object, .. } | Deed::Fallocate { object, .. } => {
                vec![Requirement::on(Need::Write, object)]
            }
            Deed::Chmod { object, .. }
            | Deed::Chown { object, .. }
            | Deed::Utimes { object, .. } => {
                vec![Requirement::on(Need::Change, object)]
            }
        }
    }
}

fn exec_needs(exec: &Exec) -> Vec<Requirement> {
    std::iter::successors(Some(exec.file()), |file| file.interpreter())
        .map(|file| Requirement::on(Need::Execute, file.object()))
        .collect()
}

fn open_needs(object: &Object, flags: i32) -> Vec<Requirement> {
    let mode = flags & libc::O_ACCMODE;
    let mut needs = Vec::new();
    if mode != libc::O_WRONLY {
        needs.push(Requirement::on(Need::Read, object));
    }
    if mode != libc::O_RDONLY || flags & libc::O_TRUNC != 0 {
        needs.push(Requirement::on(Need::Write, object));
    }
    needs
}

/// A move takes a name away here and makes one there; what was there is removed, and in an exchange
/// takes the first name.
fn rename_needs(from: &Entry, to: &Entry, flags: u32) -> Vec<Requirement> {
    let mut needs = vec![Requirement::at(Need::Remove, from), Requirement::at(Need::Create, to)];
    if to.object().is_some() || flags & libc::RENAME_EXCHANGE != 0 {
        needs.push(Requirement::at(Need::Remove, to));
    }
    if flags & libc::RENAME_EXCHANGE != 0 {
        needs.push(Requirement::at(Need::Create, from));
    }
    needs
}
