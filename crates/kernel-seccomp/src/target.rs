//! Another task, seen through `/proc` and its memory.

use std::cell::OnceCell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::caller::slurp;
use crate::listener::{Call, Listener};
use crate::sys;

/// Bytes of a path with its NUL, as in the kernel.
const PATH_BYTES: usize = 4096;

/// Bytes of all arguments of an exec, NULs included. The kernel takes more; a person who is asked
/// and a record that is kept do not.
const MAX_ARGUMENT_BYTES: usize = 128 * 1024;

/// Arguments of an exec.
const MAX_ARGUMENTS: usize = 8_192;

/// Bytes of an address, `struct sockaddr_storage`, as in the kernel.
const MAX_ADDRESS_BYTES: usize = 128;

/// A page of x86_64: memory is there or not by the page.
const PAGE_BYTES: u64 = 4096;

/// `PIDFD_THREAD` (Linux 6.9): the descriptor names the thread itself, whose descriptor table need
/// not be the process's.
const PIDFD_THREAD: u32 = libc::O_EXCL.unsigned_abs();

/// The task that made a call, for as long as that call waits.
///
/// Every read is followed by a question to the kernel whether the call still waits. A thread id is
/// reused when its task dies; while the call waits, the task lives and is blocked in it. So what was
/// read before a *yes* came from this task, and a *no* makes it worthless. It says nothing about
/// what other threads do to the memory meanwhile: everything is therefore read once.
#[derive(Debug)]
pub struct Target<'l> {
    listener: &'l Listener,
    call: u64,
    tid: i32,
    /// Opened when something in it is asked for.
    proc: OnceCell<OwnedFd>,
}

impl<'l> Target<'l> {
    /// The task behind a call.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it is not visible in this pid namespace.
    pub fn of(listener: &'l Listener, call: &Call) -> Result<Self, Errno> {
        if call.tid <= 0 {
            return Err(Errno::SRCH);
        }
        Ok(Self { listener, call: call.id, tid: call.tid, proc: OnceCell::new() })
    }

    /// Its thread id, as seen from here.
    pub fn tid(&self) -> i32 {
        self.tid
    }

    /// Copies so many bytes.
    ///
    /// # Errors
    ///
    /// `EFAULT` when one of them is not there; `E2BIG` beyond 128 KiB; `ESRCH` when it is gone.
    pub fn read_bytes(&self, address: u64, len: usize) -> Result<Vec<u8>, Errno> {
        if len > MAX_ARGUMENT_BYTES {
            return Err(Errno::TOOBIG);
        }
        let mut bytes = vec![0; len];
        let mut at = address;
        let mut rest = bytes.as_mut_slice();
        while !rest.is_empty() {
            let step = rest.len().min(to_page_end(at));
            let (now, later) = rest.split_at_mut(step);
            self.copy(at, now)?;
            at = at.checked_add(step as u64).ok_or(Errno::FAULT)?;
            rest = later;
        }
        self.still(bytes)
    }

    /// Copies a path up to its NUL, page by page, since the next page need not be there.
    ///
    /// # Errors
    ///
    /// `EFAULT` when it is not there; `ENAMETOOLONG` beyond 4,095 bytes; `ESRCH` when it is gone.
    pub fn read_string(&self, address: u64) -> Result<Vec<u8>, Errno> {
        let text = self.text(address, PATH_BYTES, Errno::NAMETOOLONG)?;
        self.still(text)
    }

    /// Copies an argument vector.
    ///
    /// # Errors
    ///
    /// `E2BIG` beyond 128 KiB or 8,192 arguments; `EFAULT` and `ESRCH` as in
    /// [`Target::read_string`].
    pub fn read_argv(&self, address: u64) -> Result<Vec<Vec<u8>>, Errno> {
        let mut arguments = Vec::new();
        let mut left = MAX_ARGUMENT_BYTES;
        for pointer in self.pointers(address)? {
            let text = self.text(pointer, left, Errno::TOOBIG)?;
            left = left.saturating_sub(text.len() + 1);
            arguments.push(text);
        }
        self.still(arguments)
    }

    /// Copies a socket address.
    ///
    /// # Errors
    ///
    /// `EINVAL` when its length is negative or above 128 bytes; `EFAULT` and `ESRCH` as in
    /// [`Target::read_bytes`].
    pub fn read_sockaddr(&self, address: u64, len: i32) -> Result<Vec<u8>, Errno> {
        let len = usize::try_from(len).map_err(|_| Errno::INVAL)?;
        if len > MAX_ADDRESS_BYTES {
            return Err(Errno::INVAL);
        }
        self.read_bytes(address, len)
    }

    /// The open file behind a descriptor of its, shared with it (offset, flags and all).
    ///
    /// # Errors
    ///
    /// `EBADF` when it has no such descriptor.
    pub(crate) fn file(&self, fd: i32) -> Result<OwnedFd, Errno> {
        if fd < 0 {
            return Err(Errno::BADF);
        }
        let pid = Pid::from_raw(self.tid).ok_or(Errno::SRCH)?;
        let task =
            pidfd_open(pid, PidfdFlags::from_bits_retain(PIDFD_THREAD)).map_err(|_| Errno::PERM)?;
        let file = pidfd_getfd(&task, fd, PidfdGetfdFlags::empty())?;
        self.still(file)
    }

    /// An entry of its `/proc` folder, as an `O_PATH` descriptor of what it leads to.
    pub(crate) fn pinned(&self, name: &str) -> Result<OwnedFd, Errno> {
        openat(self.proc()?, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
    }

    /// The device number of its controlling terminal, as the kernel packs it.
    ///
    /// # Errors
    ///
    /// `ENXIO` when it has none.
    pub(crate) fn terminal(&self) -> Result<u32, Errno> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let text = slurp(openat(self.proc()?, "stat", flags, Mode::empty())?)?;
        // The name in brackets may hold anything; what follows is state, parent, group, session.
        let (_, after) = text.rsplit_once(')').ok_or(Errno::NXIO)?;
        let number: i32 = after
            .split_whitespace()
            .nth(4)
            .and_then(|word| word.parse().ok())
            .ok_or(Errno::NXIO)?;
        if number == 0 { Err(Errno::NXIO) } else { self.still(number.cast_unsigned()) }
    }

    /// Its `/proc` folder. It is this task's for good: it never shows a later one.
    pub(crate) fn proc(&self) -> Result<BorrowedFd<'_>, Errno> {
        if let Some(proc) = self.proc.get() {
            return Ok(proc.as_fd());
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = open(format!("/proc/{}", self.tid), flags, Mode::empty());
        let proc = self.still(proc.map_err(|_| Errno::SRCH)?)?;
        Ok(self.proc.get_or_init(|| proc).as_fd())
    }

    /// `ESRCH` unless the call still waits; otherwise the value, now known to be this task's.
    pub(crate) fn still<T>(&self, value: T) -> Result<T, Errno> {
        if self.listener.is_alive(self.call) { Ok(value) } else { Err(Errno::SRCH) }
    }

    fn pointers(&self, address: u64) -> Result<Vec<u64>, Errno> {
        let mut pointers = Vec::new();
        // The kernel takes no vector for an empty one.
        if address == 0 {
            return Ok(pointers);
        }
        let mut at = address;
        loop {
            let mut page = [0_u8; PAGE_BYTES as usize];
            // A pointer that lies across a border of pages is read alone.
            let step = if to_page_end(at) < 8 { 8 } else { to_page_end(at) & !7 };
            let part = page.get_mut(..step).ok_or(Errno::FAULT)?;
            self.copy_across(at, part)?;
            for word in part.as_chunks::<8>().0 {
                match u64::from_ne_bytes(*word) {
                    0 => return Ok(pointers),
                    _ if pointers.len() == MAX_ARGUMENTS => return Err(Errno::TOOBIG),
                    pointer => pointers.push(pointer),
                }
            }
            at = at.checked_add(step as u64).ok_or(Errno::FAULT)?;
        }
    }

    /// Up to the NUL, which must come within `limit` bytes.
    fn text(&self, address: u64, limit: usize, too_long: Errno) -> Result<Vec<u8>, Errno> {
        let mut text = Vec::new();
        let mut at = address;
        let mut page = [0_u8; PAGE_BYTES as usize];
        while text.len() < limit {
            let step = to_page_end(at).min(limit - text.len());
            let part = page.get_mut(..step).ok_or(Errno::FAULT)?;
            self.copy(at, part)?;
            if let Some(end) = part.iter().position(|byte| *byte == 0) {
                text.extend(part.iter().take(end));
                return Ok(text);
            }
            text.extend_from_slice(part);
            at = at.checked_add(step as u64).ok_or(Errno::FAULT)?;
        }
        Err(too_long)
    }

    /// Within one page.
    fn copy(&self, address: u64, into: &mut [u8]) -> Result<(), Errno> {
        match sys::read_memory(self.tid, address, into) {
            Ok(count) if count == into.len() => Ok(()),
            Ok(_) | Err(Errno::FAULT) => Err(Errno::FAULT),
            Err(errno) => Err(errno),
        }
    }

    fn copy_across(&self, address: u64, into: &mut [u8]) -> Result<(), Errno> {
        let (first, second) = into.split_at_mut(into.len().min(to_page_end(address)));
        self.copy(address, first)?;
        if second.is_empty() {
            return Ok(());
        }
        self.copy(address.checked_add(first.len() as u64).ok_or(Errno::FAULT)?, second)
    }
}

/// Bytes from here to the end of the page, 1 to 4,096.
fn to_page_end(address: u64) -> usize {
    usize::try_from(PAGE_BYTES - address % PAGE_BYTES).unwrap_or(1)
}
