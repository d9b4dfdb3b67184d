//! The box's own view of files: `/proc` of its processes only, a `/dev` of harmless devices, kernel
//! knobs read-only, and the masks.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, stat};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount, mount_bind,
    mount_change, move_mount, open_tree,
};

use crate::spec::{Report, Spec};
use crate::step::{Failure, Step, at};
use crate::sys::{self, Reach};

/// What every `/dev` has. The machine's own has disks, which root may read past every mask.
pub(crate) const DEVICES: [&str; 7] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/shm"];
/// What the box has of its own: on the machine's, somebody else's terminals could be written to and read.
pub(crate) const INSTANCES: [Instance; 2] = [
    Instance {
        at: "/dev/pts",
        kind: "devpts",
        options: Some(c"newinstance,ptmxmode=0666,mode=0620"),
    },
    Instance { at: "/dev/mqueue", kind: "mqueue", options: None },
];
/// The terminal from which the agent is started, as containers name it.
pub(crate) const TERMINAL: &str = "/dev/console";
/// The links that programs expect there.
const LINKS: [(&str, &str); 5] = [
    ("pts/ptmx", "/dev/ptmx"),
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
];
/// Where root could change the machine through `/proc`, whatever its capabilities.
const KNOBS: [&str; 5] = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"];

/// A file system of which the box gets a new one.
pub(crate) struct Instance {
    pub(crate) at: &'static str,
    kind: &'static str,
    options: Option<&'static CStr>,
}

/// Builds the view; the calling process is already in a mount namespace of its own.
pub(crate) fn build(spec: &Spec, report: &mut Report) -> Result<(), Failure> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(at(Step::Mounts, "/"))?;
    mount_proc()?;
    mount_dev(spec, report)?;
    seal_kernel()?;
    for path in &spec.masks {
        match mask(path) {
            Ok(()) => report.masked += 1,
            Err(Errno::NOENT | Errno::NOTDIR) => report.absent.push(path.clone()),
            Err(error) => return Err(at(Step::Masks, path.display().to_string())(error)),
        }
    }
    Ok(())
}

fn mount_proc() -> Result<(), Failure> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", flags, None).map_err(at(Step::Mounts, "/proc"))?;
    for knob in KNOBS.into_iter().filter(|knob| Path::new(knob).exists()) {
        mount_bind(knob, knob).map_err(at(Step::Mounts, knob))?;
        seal(Path::new(knob), Reach::Mount)?;
    }
    Ok(())
}

fn mount_dev(spec: &Spec, report: &mut Report) -> Result<(), Failure> {
    let asked = DEVICES.iter().map(PathBuf::from).chain(spec.devices.iter().cloned());
    let mut kept = Vec::new();
    for path in asked {
        if !path.starts_with("/dev") || path.components().any(|part| part.as_os_str() == "..") {
            return Err(Failure::plain(Step::Mounts, format!("{} is not in /dev", path.display())));
        }
        match keep(&path) {
            Ok(device) => kept.push((path, device)),
            Err(Errno::NOENT) if DEVICES.iter().any(|device| path == Path::new(device)) => {}
            Err(Errno::NOENT) => report.absent.push(path),
            Err(error) => return Err(at(Step::Mounts, path.display().to_string())(error)),
        }
    }
    let instances: Vec<&Instance> =
        INSTANCES.iter().filter(|instance| Path::new(instance.at).exists()).collect();
    if let Some(terminal) = own_terminal() {
        let device = keep(&terminal).map_err(at(Step::Mounts, terminal.display().to_string()))?;
        kept.push((TERMINAL.into(), device));
    }
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("tmpfs", "/dev", "tmpfs", flags, Some(c"mode=755,size=64k"))
        .map_err(at(Step::Mounts, "/dev"))?;
    for instance in instances {
        fs::create_dir_all(instance.at).map_err(at(Step::Mounts, instance.at))?;
        mount(instance.kind, instance.at, instance.kind, flags, instance.options)
            .map_err(at(Step::Mounts, instance.at))?;
    }
    for (path, device) in kept {
        put(&path, &device).map_err(at(Step::Mounts, path.display().to_string()))?;
    }
    for (target, link) in LINKS {
        symlink(target, link).map_err(at(Step::Mounts, link))?;
    }
    seal(Path::new("/dev"), Reach::Mount)
}

/// The terminal that a standard stream is, if one is. From another `/dev/pts`, it may have the path of
/// somebody's here.
fn own_terminal() -> Option<PathBuf> {
    let terminal = |number: i32| {
        let stream = PathBuf::from(format!("/proc/self/fd/{number}"));
        let path = fs::read_link(&stream).ok().filter(|path| path.starts_with("/dev/pts"))?;
        let (open, named) = (stat(&stream).ok()?, stat(&path).ok()?);
        let is_it = (open.st_dev, open.st_ino) == (named.st_dev, named.st_ino);
        let is_device = FileType::from_raw_mode(named.st_mode) == FileType::CharacterDevice;
        (is_it && is_device).then_some(path)
    };
    (0..=2).find_map(terminal)
}

/// A device file or folder in the old `/dev`, held while the new one covers it.
struct Device {
    tree: OwnedFd,
    is_folder: bool,
}

fn keep(path: &Path) -> Result<Device, Errno> {
    let is_folder = file_type(path)? == FileType::Directory;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(Device { tree: open_tree(CWD, path, flags)?, is_folder })
}

fn put(path: &Path, device: &Device) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    if device.is_folder {
        fs::create_dir_all(path)?;
    } else if !path.exists() {
        fs::File::create(path)?;
    }
    Ok(move_mount(&device.tree, "", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

/// Makes what the kernel shows of itself read-only: a root that may write to the cgroup tree walks out
/// of its cgroup.
fn seal_kernel() -> Result<(), Failure> {
    let text = fs::read("/proc/self/mountinfo").map_err(at(Step::Mounts, "mountinfo"))?;
    let mounted = crate::cgroup::mounts(&text);
    let sys = Path::new("/sys");
    if mounted.iter().any(|found| found.at == sys) {
        seal(sys, Reach::Below)?;
    }
    let elsewhere = |found: &&crate::cgroup::Mount| {
        matches!(found.kind.as_str(), "cgroup" | "cgroup2" | "sysfs") && !found.at.starts_with(sys)
    };
    mounted.iter().filter(elsewhere).try_for_each(|found| seal(&found.at, Reach::Below))
}

fn seal(path: &Path, reach: Reach) -> Result<(), Failure> {
    let name = path.display().to_string();
    let text = CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Failure::plain(Step::Mounts, name.clone()))?;
    sys::seal_mount(&text, reach).map_err(at(Step::Mounts, name))
}

fn mask(path: &Path) -> Result<(), Errno> {
    if !path.is_absolute() {
        return Err(Errno::INVAL);
    }
    if file_type(path)? != FileType::Directory {
        return mount_bind("/dev/null", path);
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
    mount("tmpfs", path, "tmpfs", flags, Some(c"mode=555,size=4k"))
}

fn file_type(path: &Path) -> Result<FileType, Errno> {
    Ok(FileType::from_raw_mode(stat(path)?.st_mode))
}
