//! Which system call a waiting thread is in.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// How long a thread that has asked may still be on its way to sleep. Until then the kernel says
/// `running`; on a busy machine that takes one turn of its scheduler.
const SETTLE_MAX: Duration = Duration::from_millis(250);

/// A system call, in numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Syscall {
    /// Its number. That of a 32-bit call looks the same and means another call: whoever relies on this
    /// keeps foreign architectures out (seccomp).
    pub nr: i64,
    /// Its arguments. Those that are addresses say nothing: what is there may change.
    pub args: [u64; 6],
}

/// What a system call does to the content of the file that it is asked about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Intent {
    /// It reads, or executes.
    Read,
    /// It writes, truncates, creates, or gets leave to.
    Write,
    /// It may do either; to be taken for [`Intent::Write`].
    Unclear,
}

/// The system call that a thread waits in.
///
/// `None` when that is not to be found out: the thread is gone, in no system call (a page fault), or still
/// running after 250 milliseconds. Take it for the worst.
#[must_use]
pub fn syscall_of(tid: i32) -> Option<Syscall> {
    let path = format!("/proc/{tid}/syscall");
    let start = Instant::now();
    loop {
        match read(&path).ok()? {
            Line::Waits(found) => return Some(found),
            Line::Running if start.elapsed() < SETTLE_MAX => thread::yield_now(),
            Line::Running | Line::Nowhere => return None,
        }
    }
}

/// What `/proc/TID/syscall` says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line {
    Running,
    Waits(Syscall),
    /// Asleep, but not in a system call; or not understood.
    Nowhere,
}

fn read(path: &str) -> io::Result<Line> {
    fs::read_to_string(path).map(|text| parse(&text))
}

/// `running`, or `-1 STACK PLACE`, or `NR ARG ARG ARG ARG ARG ARG STACK PLACE`, as in proc(5).
fn parse(text: &str) -> Line {
    let text = text.trim_end();
    if text == "running" {
        return Line::Running;
    }
    waits(text).map_or(Line::Nowhere, Line::Waits)
}

fn waits(text: &str) -> Option<Syscall> {
    let mut fields = text.split(' ');
    let nr = fields.next()?.parse().ok().filter(|nr| *nr >= 0)?;
    let mut args = [0; 6];
    for arg in &mut args {
        *arg = u64::from_str_radix(fields.next()?.strip_prefix("0x")?, 16).ok()?;
    }
    Some(Syscall { nr, args })
}

impl Syscall {
    /// What it does to the file that it is asked about, told from registers alone.
    #[must_use]
    pub fn intent(&self) -> Intent {
        let [_, second, third, fourth, ..] = self.args;
        if let Some(intent) = old_intent(self.nr, second) {
            return intent;
        }
        match self.nr {
            libc::SYS_openat | libc::SYS_open_by_handle_at => intent_of_flags(third),
            libc::SYS_execve
            | libc::SYS_execveat
            | libc::SYS_read
            | libc::SYS_pread64
            | libc::SYS_readv
            | libc::SYS_preadv
            | libc::SYS_preadv2 => Intent::Read,
            libc::SYS_write
            | libc::SYS_pwrite64
            | libc::SYS_writev
            | libc::SYS_pwritev
            | libc::SYS_pwritev2
            | libc::SYS_ftruncate
            | libc::SYS_truncate
            | libc::SYS_fallocate => Intent::Write,
            libc::SYS_mmap => intent_of_map(fourth),
            // openat2 has its flags in memory; copies have one file of each kind; the rest is unknown.
            _ => Intent::Unclear,
        }
    }
}

/// Calls that newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const fn old_intent(nr: i64, flags: u64) -> Option<Intent> {
    match nr {
        libc::SYS_open => Some(intent_of_flags(flags)),
        libc::SYS_creat => Some(Intent::Write),
        libc::SYS_uselib => Some(Intent::Read),
        _ => None,
    }
}

#[cfg(not(target_arch = "x86_64"))]
const fn old_intent(_: i64, _: u64) -> Option<Intent> {
    None
}

/// `O_TMPFILE` needs leave to write, so that it needs no bit of its own here.
const fn intent_of_flags(flags: u64) -> Intent {
    const WRITES: i32 = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC;
    // The kernel itself looks only at the lower half of the register.
    if flags & WRITES as u64 == 0 { Intent::Read } else { Intent::Write }
}

/// A private map is a copy; a shared one may be written to, now or after `mprotect`.
const fn intent_of_map(flags: u64) -> Intent {
    let is_private = flags & libc::MAP_TYPE as u64 == libc::MAP_PRIVATE as u64;
    if is_private { Intent::Read } else { Intent::Write }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(nr: i64, args: [u64; 6]) -> Intent {
        Syscall { nr, args }.intent()
    }

    #[test]
    fn a_line_is_a_call_or_nothing() {
        let line = "257 0xffffff9c 0x7f1 0x80241 0x1b6 0x0 0xffffffffffffffff 0x7ffd 0x7f2\n";
        let args = [0xffff_ff9c, 0x7f1, 0x8_0241, 0x1b6, 0, u64::MAX];
        assert_eq!(parse(line), Line::Waits(Syscall { nr: 257, args }));
        assert_eq!(parse("running\n"), Line::Running);
        for bad in ["", "-1 0x7ffd 0x7f2\n", "257 0x1 0x2 0x3 0x4 0x5", "257 1 2 3 4 5 6", "x"] {
            assert_eq!(parse(bad), Line::Nowhere, "{bad}");
        }
    }

    #[test]
    fn flags_tell_writing_from_reading() {
        let open = |flags: i32| intent(libc::SYS_openat, [0, 0, flags as u64, 0, 0, 0]);
        assert_eq!(open(libc::O_RDONLY | libc::O_CLOEXEC | libc::O_DIRECTORY), Intent::Read);
        for flags in [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC, 3] {
            assert_eq!(open(flags | libc::O_CLOEXEC), Intent::Write, "{flags:o}");
        }
        assert_eq!(open(libc::O_TMPFILE | libc::O_RDWR), Intent::Write);
        let write = libc::O_WRONLY as u64;
        assert_eq!(intent(libc::SYS_openat2, [0; 6]), Intent::Unclear);
        assert_eq!(intent(libc::SYS_open_by_handle_at, [0, 0, write, 0, 0, 0]), Intent::Write);
        assert_eq!(intent(libc::SYS_execve, [write; 6]), Intent::Read);
        assert_eq!(intent(libc::SYS_pread64, [write; 6]), Intent::Read);
        assert_eq!(intent(libc::SYS_pwrite64, [0; 6]), Intent::Write);
        assert_eq!(intent(libc::SYS_sendfile, [0; 6]), Intent::Unclear);
        assert_eq!(intent(i64::MAX, [0; 6]), Intent::Unclear);
        #[cfg(target_arch = "x86_64")]
        assert_eq!(intent(libc::SYS_open, [0, write, 0, 0, 0, 0]), Intent::Write);
    }

    #[test]
    fn only_a_private_map_leaves_the_file_alone() {
        let map = |protection: i32, flags: i32| {
            intent(libc::SYS_mmap, [0, 0, protection as u64, flags as u64, 0, 0])
        };
        let both = libc::PROT_READ | libc::PROT_WRITE;
        assert_eq!(map(both, libc::MAP_PRIVATE), Intent::Read);
        assert_eq!(map(both, libc::MAP_SHARED), Intent::Write);
        assert_eq!(map(both, libc::MAP_SHARED_VALIDATE), Intent::Write);
        assert_eq!(map(libc::PROT_READ, libc::MAP_SHARED), Intent::Write);
    }

    #[test]
    fn a_thread_that_is_not_there_is_in_no_call() {
        assert_eq!(syscall_of(i32::MAX), None);
    }
}
