//! Whose sockets are whose, and who turns names into addresses.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStrExt;

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

/// Whether one of these processes listens on this port of the machine.
pub(crate) fn listens(port: u16, processes: &[u32]) -> bool {
    let inodes = listening(port);
    !inodes.is_empty()
        && processes.iter().take(PROCESSES_MAX).any(|process| has_socket(*process, &inodes))
}

/// Sockets that listen on a port, by inode, from proc(5): `local_address` is the second field, the state
/// (`0A` is listening) the fourth, the inode the tenth.
fn listening(port: u16) -> BTreeSet<u64> {
    let ends = format!(":{port:04X}");
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
            if local.ends_with(&ends) && (!is_stream || *state == "0A") {
                inodes.extend(inode.parse::<u64>().ok());
            }
        }
    }
    inodes
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
    use std::net::TcpListener;

    use super::listens;

    #[test]
    fn a_listener_is_found_at_its_process_and_no_other() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(listens(port, &[std::process::id()]));
        assert!(!listens(port, &[1]));
        drop(listener);
        assert!(!listens(port, &[std::process::id()]));
    }
}
