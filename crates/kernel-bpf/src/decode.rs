//! From the bytes of the ring to events. Layouts, numbers and limits are those of `bpf/wire.h`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::{Destination, Event, ExecFault, Image, Named, OpenedFile, PathOrigin, Verdict, device};

/// Where paths and arguments begin in the events that have any.
const BYTES_AT: usize = 96;

/// The event that these bytes are; `None` when they are none.
pub(crate) fn decode(bytes: &[u8]) -> Option<Event> {
    let mut from = Reader { rest: bytes };
    let head = Head::read(&mut from)?;
    let mut tail = Reader { rest: bytes.get(BYTES_AT..).unwrap_or_default() };
    match head.kind {
        1 => fork(head, &mut from),
        2 | 3 => exec(head, &mut from, &mut tail),
        4 => exit(head, &mut from),
        5 => open(head, &mut from, &mut tail),
        6 => mutation(head, &mut from, &mut tail),
        7 => connect(head, &mut from),
        8 => connected(head, &mut from),
        _ => None,
    }
}

/// What every event begins with.
#[derive(Clone, Copy)]
struct Head {
    at_ns: u64,
    cgroup: u64,
    kind: u32,
    pid: u32,
    tid: u32,
}

impl Head {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let (at_ns, cgroup) = (from.u64()?, from.u64()?);
        let (kind, pid, tid, _) = (from.u32()?, from.u32()?, from.u32()?, from.u32()?);
        Some(Self { at_ns, cgroup, kind, pid, tid })
    }
}

fn fork(Head { at_ns, cgroup, pid, tid, .. }: Head, from: &mut Reader<'_>) -> Option<Event> {
    let (child_pid, child_tid) = (from.u32()?, from.u32()?);
    Some(Event::Fork { at_ns, pid, tid, cgroup, child_pid, child_tid })
}

fn exec(head: Head, from: &mut Reader<'_>, tail: &mut Reader<'_>) -> Option<Event> {
    let Head { at_ns, cgroup, pid, tid, .. } = head;
    let (inode, argv_total) = (from.u64()?, from.u64()?);
    let (device, old_tid) = (device::to_stat(from.u32()?), from.u32()?);
    let (parent, fault) = (from.u32()?, from.u32()?);
    let comm: [u8; 16] = from.array()?;
    let comm = comm.iter().copied().take_while(|byte| *byte != 0).collect();
    let (origin, path_len, argv_len, _) = (from.u32()?, from.u32()?, from.u32()?, from.u32()?);
    let (path, origin) = path(tail.bytes(path_len)?, origin)?;
    let argv = tail.bytes(argv_len)?.to_vec();
    let image = Image { old_tid, parent, comm, inode, device, path, origin, argv, argv_total };
    if head.kind == 2 {
        return Some(Event::Exec { at_ns, pid, tid, cgroup, image });
    }
    let fault = exec_fault(fault)?;
    Some(Event::ExecRefused { at_ns, pid, tid, cgroup, image, fault })
}

fn exit(Head { at_ns, cgroup, pid, tid, .. }: Head, from: &mut Reader<'_>) -> Option<Event> {
    let (status, last) = (from.i32()?, from.u32()? != 0);
    Some(Event::Exit { at_ns, pid, tid, cgroup, status, last })
}

fn open(head: Head, from: &mut Reader<'_>, tail: &mut Reader<'_>) -> Option<Event> {
    let Head { at_ns, cgroup, pid, tid, .. } = head;
    let (inode, result) = (from.u64()?, from.i64()?);
    let (device, mode) = (device::to_stat(from.u32()?), from.u32()?);
    let (syscall, flags, known) = (from.u32()?, from.u32()?, from.u32()? != 0);
    let (access, origin, path_len) = (from.u32()?, from.u32()?, from.u32()?);
    let (path, origin) = path(tail.bytes(path_len)?, origin)?;
    let flags = known.then_some(flags);
    // No file is without a type.
    let file = (mode != 0).then_some(OpenedFile { inode, device, mode, access });
    Some(Event::Open { at_ns, pid, tid, cgroup, path, origin, syscall, result, flags, file })
}

fn mutation(head: Head, from: &mut Reader<'_>, tail: &mut Reader<'_>) -> Option<Event> {
    let Head { at_ns, cgroup, pid, tid, .. } = head;
    let (result, syscall) = (from.i64()?, from.u32()?);
    let bases = (from.i32()?, from.i32()?);
    let origins = (from.u32()?, from.u32()?);
    let lens = (from.u32()?, from.u32()?);
    let first = named(bases.0, origins.0, tail.bytes(lens.0)?)?;
    let second = tail.bytes(lens.1)?;
    let second = match origins.1 {
        ABSENT => None,
        origin => Some(named(bases.1, origin, second)?),
    };
    Some(Event::Mutation { at_ns, pid, tid, cgroup, syscall, result, first, second })
}

fn named(base: i32, origin: u32, bytes: &[u8]) -> Option<Named> {
    let (path, origin) = path(bytes, origin)?;
    Some(Named { base, path, origin })
}

fn connect(Head { at_ns, cgroup, pid, tid, .. }: Head, from: &mut Reader<'_>) -> Option<Event> {
    let to = from.destination()?;
    let verdict = verdict(from.u32()?)?;
    Some(Event::Connect { at_ns, pid, tid, cgroup, to, verdict })
}

fn connected(Head { at_ns, cgroup, pid, tid, .. }: Head, from: &mut Reader<'_>) -> Option<Event> {
    let (result, descriptor) = (from.i64()?, from.i32()?);
    Some(Event::Connected { at_ns, pid, tid, cgroup, descriptor, result })
}

/// The origin of a second path that the call does not take.
const ABSENT: u32 = 5;

fn path(bytes: &[u8], origin: u32) -> Option<(PathBuf, PathOrigin)> {
    Some(match origin {
        0 => (PathBuf::new(), PathOrigin::Unknown),
        1 => (walked(bytes, b"/"), PathOrigin::Walked),
        2 => (walked(bytes, b""), PathOrigin::Tail),
        3 => (walked(bytes, b"/"), PathOrigin::Detached),
        4 => (PathBuf::from(OsString::from_vec(bytes.to_vec())), PathOrigin::Named),
        _ => return None,
    })
}

/// The walk goes up: the last component comes first, and each has a slash behind it.
fn walked(bytes: &[u8], root: &[u8]) -> PathBuf {
    let names = bytes.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
    let names: Vec<&[u8]> = names.collect();
    let mut out = root.to_vec();
    for (place, name) in names.into_iter().rev().enumerate() {
        if place > 0 {
            out.push(b'/');
        }
        out.extend(name);
    }
    PathBuf::from(OsString::from_vec(out))
}

fn exec_fault(number: u32) -> Option<ExecFault> {
    Some(match number {
        1 => ExecFault::Unapproved,
        2 => ExecFault::OtherInode,
        3 => ExecFault::OtherDevice,
        4 => ExecFault::OtherExtent,
        5 => ExecFault::TooLong,
        6 => ExecFault::Unreadable,
        7 => ExecFault::OtherArgv,
        8 => ExecFault::OtherContent,
        _ => return None,
    })
}

fn verdict(number: u32) -> Option<Verdict> {
    Some(match number {
        0 => Verdict::Allowed,
        1 => Verdict::NoEgress,
        2 => Verdict::Cut,
        3 => Verdict::Unknown,
        4 => Verdict::Lapsed,
        5 => Verdict::Denied,
        6 => Verdict::OtherProtocol,
        _ => return None,
    })
}

/// Takes numbers off the front of bytes, in little endian; `None` once they are used up.
pub(crate) struct Reader<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    fn bytes(&mut self, len: u32) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(len).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn destination(&mut self) -> Option<Destination> {
        let (address, port): ([u8; 16], [u8; 2]) = (self.array()?, self.array()?);
        let [protocol, _] = self.array()?;
        Some(Destination::from_parts(address, u16::from_le_bytes(port), protocol))
    }
}

#[cfg(test)]
mod tests;
