//! Which Unix sockets are bound to a file, as the kernel knows it: sock_diag(7).

use std::collections::BTreeSet;
use std::io;

use pathwarden_kernel_seccomp::FileId;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{recv, sendto, socket_with};

/// What the kernel puts into one answer at most, with room to spare.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// `SOCK_DIAG_BY_FAMILY`, and the types of messages that end a list.
const BY_FAMILY: u16 = 20;
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// `NLM_F_REQUEST | NLM_F_DUMP`.
const LIST: u16 = 0x301;

/// `UDIAG_SHOW_VFS`, and the attribute that it asks for.
const SHOW_FILE: u32 = 2;
const FILE: u16 = 1;

/// Bytes of `struct nlmsghdr`, of `struct unix_diag_msg`, and of `struct nlattr`.
const HEADER_BYTES: usize = 16;
const SOCKET_BYTES: usize = 16;
const ATTRIBUTE_BYTES: usize = 4;

/// The sockets that are bound to a file, by their own inodes. The kernel tells the lower half of the file's
/// inode: in a file system of more than four billion, they may be another file's.
pub(super) fn bound_to(file: FileId) -> io::Result<BTreeSet<u64>> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(SOCK_DIAG),
    )?;
    sendto(&socket, &request(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut found = BTreeSet::new();
    let mut answer = vec![0_u8; ANSWER_BYTES_MAX];
    loop {
        let (count, _) = recv(&socket, answer.as_mut_slice(), RecvFlags::empty())?;
        let mut rest = answer.get(..count).unwrap_or_default();
        while !rest.is_empty() {
            let Some((kind, body, after)) = message(rest) else { return Err(unreadable()) };
            match kind {
                DONE => return Ok(found),
                BY_FAMILY => found.extend(bound(body, file)),
                ERROR => return Err(io::Error::other("the kernel lists no Unix sockets")),
                _ => {}
            }
            rest = after;
        }
    }
}

/// `struct nlmsghdr` and `struct unix_diag_req`: all Unix sockets, whatever their state.
fn request() -> Vec<u8> {
    const BYTES: u32 = 40;
    const UNIX: u16 = 1;
    let mut request = Vec::new();
    request.extend(BYTES.to_ne_bytes());
    request.extend([BY_FAMILY, LIST].map(u16::to_ne_bytes).concat());
    request.extend([0_u32, 0].map(u32::to_ne_bytes).concat());
    request.extend([UNIX, 0].map(u16::to_le_bytes).concat());
    request.extend([u32::MAX, 0, SHOW_FILE, 0, 0].map(u32::to_ne_bytes).concat());
    request
}

/// The first message: its type, its body, and what follows it.
fn message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::try_from(word(bytes, 0)?).ok()?;
    let body = bytes.get(HEADER_BYTES..length)?;
    let after = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((half(bytes, 4)?, body, after))
}

/// The inode of a socket, if it is bound to the file. One that nobody has accepted yet has none.
fn bound(body: &[u8], file: FileId) -> Option<u64> {
    let inode = u64::from(word(body, 4)?);
    let mut rest = body.get(SOCKET_BYTES..)?;
    while let (Some(length), Some(kind)) = (half(rest, 0), half(rest, 2)) {
        let length = usize::from(length);
        let value = rest.get(ATTRIBUTE_BYTES..length)?;
        if kind == FILE {
            let is_file = word(value, 0) == Some(low_half(file.ino))
                && word(value, 4) == Some(internal(file.dev));
            return (is_file && inode != 0).then_some(inode);
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    None
}

/// A device as the kernel numbers it for itself: 20 bits for the minor number.
fn internal(device: u64) -> u32 {
    rustix::fs::major(device) << 20 | rustix::fs::minor(device)
}

fn low_half(number: u64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn unreadable() -> io::Error {
    io::Error::other("the kernel's list of Unix sockets cannot be read")
}

#[cfg(test)]
mod tests {
    use pathwarden_kernel_seccomp::FileId;

    use super::{BY_FAMILY, bound, internal, message};

    /// One socket with an attribute of another kind before the file's.
    fn answer(inode: u32, file: FileId) -> Vec<u8> {
        let number = u32::try_from(file.ino).unwrap();
        let mut answer = [0_u32; 4].map(u32::to_ne_bytes).concat();
        answer.extend([1, inode, 0, 0].map(u32::to_ne_bytes).concat());
        answer.extend([6_u16, 0, 7, 0, 12, 1].map(u16::to_ne_bytes).concat());
        answer.extend([number, internal(file.dev)].map(u32::to_ne_bytes).concat());
        let length = u32::try_from(answer.len()).unwrap();
        answer[..4].copy_from_slice(&length.to_ne_bytes());
        answer[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
        answer
    }

    #[test]
    fn a_socket_is_told_by_its_file() {
        let file = FileId { dev: rustix::fs::makedev(259, 300), ino: 77 };
        let answer = answer(5, file);
        let (kind, body, after) = message(&answer).unwrap();
        assert_eq!((kind, after.len()), (BY_FAMILY, 0));
        assert_eq!(bound(body, file), Some(5));
        assert_eq!(bound(body, FileId { ino: 78, ..file }), None);
        assert_eq!(bound(body, FileId { dev: rustix::fs::makedev(259, 301), ..file }), None);
    }

    #[test]
    fn whatever_the_kernel_says_is_survived() {
        let file = FileId { dev: 0, ino: 1 };
        let whole = answer(5, file);
        for end in 0..whole.len() {
            assert!(message(&whole[..end]).is_none(), "{end}");
            let _ = bound(&whole[..end], file);
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 3, 255] {
                let mut other = whole.clone();
                other[at] = byte;
                if let Some((_, body, _)) = message(&other) {
                    let _ = bound(body, file);
                }
            }
        }
    }
}
