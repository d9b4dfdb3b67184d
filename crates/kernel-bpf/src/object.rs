//! Loading the programs and putting them in their places.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use libbpf_rs::{Link, MapCore, MapHandle, Object, ObjectBuilder, ProgramMut};

use crate::approval;
use crate::cgroup::Cgroup;

/// The map of `struct identity` in `bpf/wire.h`.
const IDENTITY: &str = ".rodata.identity";

/// What the section of a program on a tracepoint begins with; all others are the cgroup's.
const TRACEPOINT: &str = "raw_tp/";

/// ELF wants its tables aligned, which bytes alone are not.
#[repr(C, align(8))]
struct Aligned<T: ?Sized>(T);

static OBJECT: &Aligned<[u8]> =
    &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/session.bpf.o")));

/// Why the programs are not in place. None of them is, then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// There is no such cgroup, or we may not open it.
    #[error("cannot open the cgroup `{}`; make it first", path.display())]
    Cgroup {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder of something else.
    #[error("`{}` is no cgroup of version 2; mount cgroup2 and make it there", path.display())]
    NotCgroup2 {
        /// The folder.
        path: PathBuf,
    },
    /// The level that was given is not where the cgroup is.
    #[error("the cgroup `{}` is at level {found}, not {level}; give its real level", path.display())]
    Level {
        /// The folder.
        path: PathBuf,
        /// What was said.
        level: u32,
        /// What is so.
        found: u32,
    },
    /// The topmost cgroup that can be seen is not the machine's.
    #[error("`{}` is seen from a cgroup namespace; start outside of containers", path.display())]
    Namespace {
        /// The folder.
        path: PathBuf,
    },
    /// No key for hashes.
    #[error("the kernel gives no random numbers; wait until the machine has started")]
    Random {
        /// Why.
        source: getrandom::Error,
    },
    /// The verifier or a limit of the machine refused the programs.
    #[error("the kernel does not take the programs; it needs Linux 6.1 or newer, BTF, and root")]
    Load {
        /// Why.
        source: libbpf_rs::Error,
    },
    /// Programs and library are not of one build.
    #[error("the programs have no map `{name}`; build again from clean sources")]
    NoMap {
        /// Its name.
        name: &'static str,
    },
    /// A map could not be used.
    #[error("the kernel does not give the map `{name}`; raise the limit of open files")]
    Map {
        /// Its name.
        name: &'static str,
        /// Why.
        source: libbpf_rs::Error,
    },
    /// One program could not be put in its place.
    #[error("the kernel does not attach the program `{name}`; it needs CAP_BPF and CAP_PERFMON")]
    Program {
        /// Its name.
        name: String,
        /// Why.
        source: libbpf_rs::Error,
    },
}

/// The programs, loaded for one cgroup.
pub(crate) struct Loaded {
    object: Object,
    cgroup: Cgroup,
}

impl Loaded {
    pub(crate) fn new(path: &Path, level: u32) -> Result<Self, AttachError> {
        let cgroup = Cgroup::open(path, level)?;
        let identity = identity(cgroup.id, level)?;
        let load = |source| AttachError::Load { source };
        let mut open = ObjectBuilder::default().open_memory(&OBJECT.0).map_err(load)?;
        let mut map = open
            .maps_mut()
            .find(|map| map.name() == OsStr::new(IDENTITY))
            .ok_or(AttachError::NoMap { name: IDENTITY })?;
        map.set_initial_value(&identity).map_err(load)?;
        let object = open.load().map_err(load)?;
        Ok(Self { object, cgroup })
    }

    /// The id of the session's cgroup.
    pub(crate) fn cgroup(&self) -> u64 {
        self.cgroup.id
    }

    pub(crate) fn map(&self, name: &'static str) -> Result<MapHandle, AttachError> {
        let map = self.object.maps().find(|map| map.name() == OsStr::new(name));
        let map = map.ok_or(AttachError::NoMap { name })?;
        MapHandle::try_from(&map).map_err(|source| AttachError::Map { name, source })
    }

    /// Puts all programs in their places. They stay as long as the links are kept.
    pub(crate) fn attach(self) -> Result<Vec<Link>, AttachError> {
        self.object.progs_mut().map(|program| self.attach_one(&program)).collect()
    }

    fn attach_one(&self, program: &ProgramMut<'_>) -> Result<Link, AttachError> {
        let section = program.section().to_string_lossy();
        let link = if section.starts_with(TRACEPOINT) {
            program.attach()
        } else {
            program.attach_cgroup(self.cgroup.folder.as_raw_fd())
        };
        link.map_err(|source| {
            let name = program.name().to_string_lossy().into_owned();
            AttachError::Program { name, source }
        })
    }
}

/// `struct identity` of `bpf/wire.h`.
fn identity(session: u64, level: u32) -> Result<Vec<u8>, AttachError> {
    let [low, high] = approval::key().map_err(|source| AttachError::Random { source })?;
    let mut out = Vec::new();
    for word in [session, low, high, u64::from(level)] {
        out.extend(word.to_le_bytes());
    }
    Ok(out)
}
