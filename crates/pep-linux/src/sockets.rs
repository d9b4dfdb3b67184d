//! Whose sockets are whose, and who turns names into addresses.

mod diag;

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStrExt;

use pathwarden_kernel_seccomp::FileId;

/// The most processes that are looked through for a socket.
const PROCESSES_MAX: usize = 4_096;

/// The name servers of this machine.
pub(crate) fn resolvers() -> BTreeSet<IpAddr> {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    named.filter_map(|address| address.trim().parse().ok()).collect()
}

/// The addresses of hosts with ports, as they resolve now.
pub(crate) fn resolve(named: &[String]) -> BTreeSet<SocketAddr> {
    let mut all = BTreeSet::new();
    for name in named {
        match name.to_socket_addrs() {
            Ok(found) => {
                all.extend(found.map(|one| SocketAddr::new(one.ip().to_canonical(), one.port())));
            }
            Err(error) => tracing::warn!(name, %error, "the name does not resolve"),
        }
    }
    all
}

/// Whether whoever is reached at this address is one of these processes, and nobody else.
pub(crate) fn listens(address: SocketAddr, processes: &[u32]) -> bool {
    let inodes = listening(address);
    !inodes.is_empty() && inodes.iter().all(|inode| is_held(*inode, processes))
}

/// Whether whoever is bound to this socket file is one of these processes, and nobody else.
pub(crate) fn holds_unix(file: FileId, processes: &[u32]) -> bool {
    match diag::bound_to(file) {
        Ok(inodes) => !inodes.is_empty() && inodes.iter().all(|inode| is_held(*inode, processes)),
        Err(error) => {
            tracing::warn!(%error, "whose Unix sockets are whose is not known; all are others'");
            false
        }
    }
}

/// Sockets that are reached at an address, by inode, from proc(5): `local_address` is the second field, the
/// state (`0A` is listening) the fourth, the inode the tenth.
fn listening(address: SocketAddr) -> BTreeSet<u64> {
    let mut inodes = BTreeSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"] {
        let is_stream = table.contains("tcp");
        for line in fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (Some(local), Some(state), Some(inode)) =
                (fields.get(1), fields.get(3), fields.get(9))
            else {
                continue;
            };
            if (!is_stream || *state == "0A") && local_is(local, address) {
                inodes.extend(inode.parse::<u64>().ok());
            }
        }
    }
    inodes
}

/// Whether a socket bound to `local` is reached at an address. Words of four bytes are in the machine's order.
fn local_is(local: &str, address: SocketAddr) -> bool {
    let Some((host, port)) = local.split_once(':') else { return false };
    if u16::from_str_radix(port, 16) != Ok(address.port()) {
        return false;
    }
    let words: Option<Vec<u8>> = (0..host.len() / 8)
        .map(|word| u32::from_str_radix(host.get(word * 8..word * 8 + 8)?, 16).ok())
        .map(|word| word.map(u32::to_ne_bytes))
        .collect::<Option<Vec<_>>>()
        .map(|words| words.concat());
    let bound = words.and_then(|bytes| match bytes.as_slice() {
        [a, b, c, d] => Some(IpAddr::V4(Ipv4Addr::new(*a, *b, *c, *d))),
        bytes => <[u8; 16]>::try_from(bytes).ok().map(|bytes| IpAddr::V6(bytes.into())),
    });
    // What names no host leads to loopback, or to whatever address the caller is bound to. What cannot be
    // read may be anybody's.
    bound.is_none_or(|bound| {
        address.ip().is_unspecified()
            || bound.is_unspecified()
            || bound.to_canonical() == address.ip().to_canonical()
    })
}

/// Whether one of these processes holds a socket.
fn is_held(inode: u64, processes: &[u32]) -> bool {
    let inodes = BTreeSet::from([inode]);
    processes.iter().take(PROCESSES_MAX).any(|process| has_socket(*process, &inodes))
}

fn has_socket(process: u32, inodes: &BTreeSet<u64>) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok()).any(|link| {
        let inner = link.as_os_str().as_bytes().strip_prefix(b"socket:[");
        let digits = inner.and_then(|inner| inner.strip_suffix(b"]"));
        let inode = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        inode.is_some_and(|inode: u64| inodes.contains(&inode))
    })
}

/// The loopback addresses on which something that is bound to `address` can be reached.
pub(crate) fn spellings(address: SocketAddr) -> Vec<SocketAddr> {
    let port = address.port();
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    match address.ip() {
        ip if ip.is_unspecified() => loopback.map(|ip| SocketAddr::new(ip, port)).to_vec(),
        ip => vec![SocketAddr::new(ip, port)],
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, UdpSocket};
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixListener;

    use pathwarden_kernel_seccomp::FileId;

    use super::{holds_unix, listens};

    #[test]
    fn a_listener_is_found_at_its_process_and_no_other() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(listens(address, &[std::process::id()]));
        assert!(!listens(address, &[1]));
        drop(listener);
        assert!(!listens(address, &[std::process::id()]));
    }

    #[test]
    fn who_is_bound_elsewhere_is_not_reached() {
        let socket = UdpSocket::bind("127.0.0.7:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(listens(SocketAddr::from(([127, 0, 0, 7], port)), &[std::process::id()]));
        assert!(!listens(SocketAddr::from(([127, 0, 0, 1], port)), &[std::process::id()]));
    }

    #[test]
    fn no_host_is_whoever_listens_on_any_address() {
        let other = UdpSocket::bind("127.0.0.7:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let none = SocketAddr::from(([0, 0, 0, 0], port));
        assert!(listens(none, &[std::process::id()]) && !listens(none, &[1]));
        let none_6 = SocketAddr::from(([0; 8], port));
        assert!(listens(none_6, &[std::process::id()]) && !listens(none_6, &[1]));
    }

    #[test]
    fn a_socket_file_is_its_holders() {
        let path = std::env::temp_dir().join(format!("pathwarden-{}.sock", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let about = std::fs::metadata(&path).unwrap();
        let file = FileId { dev: about.dev(), ino: about.ino() };
        let (own, other) = (holds_unix(file, &[std::process::id()]), holds_unix(file, &[1]));
        drop(listener);
        let nobody = holds_unix(file, &[std::process::id()]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!((own, other, nobody), (true, false, false));
    }
}
