//! Absolute paths.

use super::Table;
use crate::Place;

/// All tables of absolute paths.
pub(crate) const MACHINE: [&Table; 12] = [
    &PACKAGES,
    &SETTINGS,
    &TEMPORARY,
    &DEVICES,
    &PROCESSES,
    &UNRESOLVED,
    &SECRETS,
    &STARTS,
    &SYSTEMD,
    &MANAGERS,
    &KERNEL,
    &RAW_DEVICES,
];

/// Installed by a package manager, the same on every machine, readable by everybody. Test keys and public
/// certificates abound, so names mean nothing here.
const PACKAGES: Table = Table::packages(
    Place::System,
    &[
        "/bin",
        "/boot",
        "/etc/ca-certificates",
        "/etc/pki/ca-trust",
        "/etc/pki/tls/cert.pem",
        "/etc/pki/tls/certs",
        "/etc/ssl/cert.pem",
        "/etc/ssl/certs",
        "/gnu/store",
        "/lib",
        "/lib32",
        "/lib64",
        "/libx32",
        "/nix/store",
        "/sbin",
        "/snap",
        "/sys",
        "/usr",
        "/var/cache",
        "/var/lib/apt",
        "/var/lib/ca-certificates",
        "/var/lib/dpkg",
        "/var/lib/flatpak",
        "/var/lib/rpm",
        "/var/lib/snapd",
    ],
);

/// Installed or written by an administrator. Mostly harmless to read, but a `server.key` here is real. Of
/// `/run` only what every name look-up needs: the rest of it are sockets of services.
const SETTINGS: Table = Table::new(
    Place::System,
    &[
        "/etc",
        "/opt",
        "/run/NetworkManager/resolv.conf",
        "/run/nscd",
        "/run/resolvconf",
        "/run/systemd/resolve",
        "/run/utmp",
        "/usr/local/etc",
        "/var/lib",
        "/var/run/NetworkManager/resolv.conf",
        "/var/run/nscd",
        "/var/run/resolvconf",
        "/var/run/systemd/resolve",
        "/var/run/utmp",
    ],
);

/// For everybody and for a while.
const TEMPORARY: Table = Table::new(
    Place::Temporary,
    &["/dev/mqueue", "/dev/shm", "/run/lock", "/tmp", "/var/lock", "/var/run/lock", "/var/tmp"],
);

/// Devices without a memory, and terminals. Programs open them all the time.
const DEVICES: Table = Table::new(
    Place::Device,
    &[
        "/dev/console",
        "/dev/full",
        "/dev/null",
        "/dev/ptmx",
        "/dev/pts",
        "/dev/random",
        "/dev/stderr",
        "/dev/stdin",
        "/dev/stdout",
        "/dev/tty",
        "/dev/urandom",
        "/dev/zero",
    ],
);

/// What the kernel tells about processes and itself.
const PROCESSES: Table = Table::new(Place::Process, &["/proc"]);

/// Magic links: the kernel resolves them, so a path that still has one was not resolved, and where it
/// leads is unknown.
const UNRESOLVED: Table = Table::new(
    Place::Elsewhere,
    &[
        "/dev/fd",
        "/proc/*/cwd",
        "/proc/*/fd/*",
        "/proc/*/map_files/*",
        "/proc/*/root",
        "/proc/*/task/*/cwd",
        "/proc/*/task/*/fd/*",
        "/proc/*/task/*/root",
    ],
);

/// What only root or one service may read, for a reason; and what a process holds in its memory and
/// environment, which is where tokens end up.
const SECRETS: Table = Table::new(
    Place::Credential,
    &[
        "/etc/NetworkManager/system-connections",
        "/etc/docker/key.json",
        "/etc/gshadow",
        "/etc/gshadow-",
        "/etc/ipsec.d/private",
        "/etc/ipsec.secrets",
        "/etc/krb5.keytab",
        "/etc/kubernetes",
        "/etc/letsencrypt",
        "/etc/mysql/debian.cnf",
        "/etc/openvpn",
        "/etc/pki/tls/private",
        "/etc/ppp/chap-secrets",
        "/etc/ppp/pap-secrets",
        "/etc/rancher/k3s/k3s.yaml",
        "/etc/security/opasswd",
        "/etc/shadow",
        "/etc/shadow-",
        "/etc/ssl/private",
        "/etc/sudoers",
        "/etc/wireguard",
        "/etc/wpa_supplicant",
        "/proc/*/auxv",
        "/proc/*/environ",
        "/proc/*/mem",
        "/proc/*/task/*/auxv",
        "/proc/*/task/*/environ",
        "/proc/*/task/*/mem",
        "/run/credentials",
        "/run/secrets",
        "/run/user/*/gnupg",
        "/run/user/*/keyring",
        "/var/backups",
        "/var/lib/kubelet/pki",
        "/var/lib/kubelet/pods",
        "/var/lib/rancher/k3s/server/token",
        "/var/run/credentials",
        "/var/run/secrets",
        "/var/run/user/*/gnupg",
        "/var/run/user/*/keyring",
    ],
);

/// Read at a login, a start, a certain hour, or by every program that starts: what is written here runs
/// later, and often as root. Some are read all the time; that such reading is harmless, the rules must say.
const STARTS: Table = Table::new(
    Place::Persistence,
    &[
        "/etc/NetworkManager/dispatcher.d",
        "/etc/X11/Xsession.d",
        "/etc/anacrontab",
        "/etc/apt/apt.conf.d",
        "/etc/bash.bashrc",
        "/etc/bashrc",
        "/etc/cron.allow",
        "/etc/cron.d",
        "/etc/cron.daily",
        "/etc/cron.deny",
        "/etc/cron.hourly",
        "/etc/cron.monthly",
        "/etc/cron.weekly",
        "/etc/cron.yearly",
        "/etc/crontab",
        "/etc/dbus-1",
        "/etc/environment",
        "/etc/group",
        "/etc/group-",
        "/etc/init",
        "/etc/init.d",
        "/etc/inittab",
        "/etc/kubernetes/manifests",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/ld.so.preload",
        "/etc/logrotate.d",
        "/etc/modprobe.d",
        "/etc/modules",
        "/etc/modules-load.d",
        "/etc/network",
        "/etc/nsswitch.conf",
        "/etc/pam.conf",
        "/etc/pam.d",
        "/etc/passwd",
        "/etc/passwd-",
        "/etc/polkit-1",
        "/etc/profile",
        "/etc/profile.d",
        "/etc/rc.d",
        "/etc/rc.local",
        "/etc/rc0.d",
        "/etc/rc1.d",
        "/etc/rc2.d",
        "/etc/rc3.d",
        "/etc/rc4.d",
        "/etc/rc5.d",
        "/etc/rc6.d",
        "/etc/rcS.d",
        "/etc/sudo.conf",
        "/etc/sudoers.d",
        "/etc/udev",
        "/etc/update-motd.d",
        "/etc/xdg/autostart",
        "/etc/zsh",
        "/etc/zshenv",
        "/etc/zshrc",
        "/lib/udev/rules.d",
        "/run/udev/rules.d",
        "/usr/lib/udev/rules.d",
        "/usr/share/dbus-1",
        "/var/spool/at",
        "/var/spool/cron",
    ],
);

/// Units. Packages bring them, so that they are also read daily.
const SYSTEMD: Table = Table::packages(
    Place::Persistence,
    &[
        "/etc/systemd",
        "/lib/systemd",
        "/run/systemd/generator",
        "/run/systemd/system",
        "/run/systemd/transient",
        "/usr/lib/systemd",
        "/usr/local/lib/systemd",
        "/var/run/systemd/system",
    ],
);

/// Who may speak to one of these can start anything, on the machine itself and mostly as root.
const MANAGERS: Table = Table::new(
    Place::Control,
    &[
        "/run/containerd",
        "/run/crio",
        "/run/dbus",
        "/run/docker",
        "/run/docker.sock",
        "/run/libvirt",
        "/run/lxd.socket",
        "/run/podman",
        "/run/snapd.socket",
        "/run/snapd-snap.socket",
        "/run/systemd/notify",
        "/run/systemd/private",
        "/run/udev/control",
        "/run/user/*/bus",
        "/run/user/*/containerd",
        "/run/user/*/docker.sock",
        "/run/user/*/podman",
        "/run/user/*/systemd",
        "/var/lib/containerd",
        "/var/lib/containers",
        "/var/lib/docker",
        "/var/lib/libvirt",
        "/var/lib/lxd/unix.socket",
        "/var/run/containerd",
        "/var/run/crio",
        "/var/run/dbus",
        "/var/run/docker",
        "/var/run/docker.sock",
        "/var/run/libvirt",
        "/var/run/podman",
        "/var/run/snapd.socket",
        "/var/run/systemd/private",
        "/var/run/user/*/bus",
        "/var/run/user/*/docker.sock",
        "/var/run/user/*/podman",
        "/var/run/user/*/systemd",
        "/var/snap/lxd/common/lxd/unix.socket",
    ],
);

/// Writing changes how the kernel behaves for everybody; some of it is read daily (cgroup limits).
const KERNEL: Table = Table::new(
    Place::Control,
    &[
        "/proc/acpi",
        "/proc/bus",
        "/proc/irq",
        "/proc/kcore",
        "/proc/kmsg",
        "/proc/kpagecgroup",
        "/proc/kpagecount",
        "/proc/kpageflags",
        "/proc/scsi",
        "/proc/sys",
        "/proc/sysrq-trigger",
        "/sys/firmware/efi/efivars",
        "/sys/fs/bpf",
        "/sys/fs/cgroup",
        "/sys/fs/selinux",
        "/sys/kernel/debug",
        "/sys/kernel/security",
        "/sys/kernel/tracing",
        "/sys/kernel/uevent_helper",
        "/sys/module",
        "/sys/power",
    ],
);

/// Every device that is not known to be harmless: disks, memory, virtual machines, tunnels, input.
const RAW_DEVICES: Table = Table::new(Place::Control, &["/dev"]);
