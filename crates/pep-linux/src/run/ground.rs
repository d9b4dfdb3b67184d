//! What an agent is given of the machine: what it sees, and where it may leave something.

use std::net::SocketAddr;
use std::path::PathBuf;

use pathwarden_kernel_sandbox::Tier;

use super::Setup;
use crate::sockets;
use crate::terrain::Grounds;

/// What nobody inside has any business with: sockets of those who command the machine, and the cgroups
/// that hold the box.
const MASKED: [&str; 14] = [
    "/run/docker.sock",
    "/run/docker",
    "/run/containerd",
    "/run/podman",
    "/run/crio",
    "/run/dbus",
    "/run/systemd/private",
    "/run/systemd/userdb",
    "/run/libvirt",
    "/run/snapd.socket",
    "/run/udev",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/sys/fs/cgroup",
];

/// What is hidden. Without namespaces nothing can be laid over; there, what is not granted is hidden.
pub(super) fn masked(setup: &Setup) -> Vec<PathBuf> {
    let usual: &[&str] = match setup.tier {
        Tier::Kernel => &MASKED,
        Tier::Landlock => &[],
    };
    let all = usual.iter().map(PathBuf::from).chain(setup.warden.iter().cloned());
    all.filter(|path| path.exists()).collect()
}

/// What surrounds the session.
pub(super) fn grounds(setup: &Setup, canary: SocketAddr) -> Grounds {
    // What `pathwarden mcp` inside the box runs.
    let own = std::env::current_exe().into_iter();
    Grounds {
        workspace: setup.workspace.clone(),
        home: setup.home.clone(),
        warden: setup.warden.iter().cloned().chain([setup.folder.clone()]).collect(),
        read: setup.read.iter().cloned().chain(own).collect(),
        write: setup.write.clone(),
        node: setup.addresses.iter().flat_map(|one| sockets::spellings(*one)).collect(),
        canary,
    }
}

/// Where programs keep what is theirs, beside what the operator named.
pub(super) fn writable(setup: &Setup) -> Vec<PathBuf> {
    let usual = [".cache", ".npm", ".cargo", ".local", ".rustup", "go", ".m2", ".gradle"];
    let at_home = usual.iter().map(|name| setup.home.join(name));
    let everywhere = ["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from);
    let all = everywhere.into_iter().chain(at_home).chain(setup.write.iter().cloned());
    all.filter(|path| path.exists()).collect()
}

/// What is readable in the tier without root.
pub(super) fn readable(setup: &Setup) -> Vec<PathBuf> {
    let system = [
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
        "/lib64",
        "/etc",
        "/opt",
        "/proc",
        "/dev",
        "/sys/devices/system",
    ];
    let usual = [".gitconfig", ".pyenv", ".nvm", ".config/git"];
    let at_home = usual.iter().map(|name| setup.home.join(name));
    let own = std::env::current_exe().into_iter();
    let all = system.iter().map(PathBuf::from).chain(at_home).chain(own);
    all.chain(setup.read.iter().cloned())
        .chain([setup.folder.clone()])
        .filter(|path| path.exists())
        .collect()
}
