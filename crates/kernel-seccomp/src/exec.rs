//! What an exec would run.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, pread};

use crate::object::{FileId, Kind, Object};
use crate::resolve::Last;
use crate::view::{Empty, View};

/// Bytes of a file that the kernel reads to find its interpreter.
const HEAD_BYTES: usize = 256;

/// Scripts that may be each other's interpreter.
const MAX_INTERPRETERS: u32 = 4;

/// An exec. It is never carried out here: only the kernel can. Between the look here and the
/// kernel's own, memory and names can change, so a permission to go on holds for [`ExecFile::id`]
/// and [`Exec::argument_tail`], and both are to be checked again where the kernel opens the file
/// and after the exec.
#[derive(Debug)]
pub struct Exec {
    file: ExecFile,
    argv: Vec<Vec<u8>>,
    /// As the kernel hands it to an interpreter.
    filename: Vec<u8>,
}

/// A program file, and the one that interprets it.
#[derive(Debug)]
pub struct ExecFile {
    object: Object,
    interpreter: Option<Box<ExecFile>>,
}

impl ExecFile {
    /// The true path.
    pub fn path(&self) -> &Path {
        self.object.path()
    }

    /// Device and inode.
    pub fn id(&self) -> FileId {
        self.object.id()
    }

    /// The pinned file.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The program that the kernel starts in its stead, when it begins with `#!`. Formats that
    /// were registered with `binfmt_misc` are not seen here.
    pub fn interpreter(&self) -> Option<&Self> {
        self.interpreter.as_deref()
    }

    fn of(view: &View<'_>, object: Object, left: u32) -> Result<Self, Errno> {
        if object.kind() != Kind::File {
            return Err(Errno::ACCESS);
        }
        let interpreter = match interpreter(&head(&object)?)? {
            None => None,
            Some(path) => {
                let left = left.checked_sub(1).ok_or(Errno::LOOP)?;
                let object = view.existing(libc::AT_FDCWD, &path, Last::Follow, Empty::Refuse)?;
                Some(Box::new(Self::of(view, object, left)?))
            }
        };
        Ok(Self { object, interpreter })
    }
}

impl Exec {
    /// `argv` and the path lie in the caller's memory.
    pub(crate) fn of(
        view: &View<'_>,
        dirfd: i32,
        path: Vec<u8>,
        argv: u64,
        flags: i32,
    ) -> Result<Self, Errno> {
        if flags & !(libc::AT_EMPTY_PATH | libc::AT_SYMLINK_NOFOLLOW) != 0 {
            return Err(Errno::INVAL);
        }
        let empty =
            if flags & libc::AT_EMPTY_PATH == 0 { Empty::Refuse } else { Empty::Descriptor };
        let last = if flags & libc::AT_SYMLINK_NOFOLLOW == 0 { Last::Follow } else { Last::Keep };
        let object = view.existing(dirfd, &path, last, empty)?;
        if object.kind() == Kind::Link {
            return Err(Errno::LOOP);
        }
        let argv = view.target.read_argv(argv)?;
        let file = ExecFile::of(view, object, MAX_INTERPRETERS)?;
        Ok(Self { file, argv, filename: filename(dirfd, path) })
    }

    /// What would run.
    pub fn file(&self) -> &ExecFile {
        &self.file
    }

    /// The file, and each one that interprets the one before.
    pub fn files(&self) -> impl Iterator<Item = &ExecFile> {
        std::iter::successors(Some(&self.file), |file| file.interpreter())
    }

    /// The arguments, the program's name for itself first.
    pub fn argv(&self) -> &[Vec<u8>] {
        &self.argv
    }

    /// The end of `/proc/PID/cmdline` after the exec, each argument with its NUL. All of it for a
    /// program; for a script, what comes after the interpreters and their own arguments: the file's
    /// name as passed, and the arguments after the first. Without any argument the kernel passes
    /// one empty one.
    pub fn argument_tail(&self) -> Vec<u8> {
        let (first, rest) = match self.argv.split_first() {
            Some((first, rest)) => (first.as_slice(), rest),
            None => (&b""[..], &[][..]),
        };
        let first = if self.file.interpreter.is_some() { &self.filename } else { first };
        let mut tail = Vec::new();
        for argument in std::iter::once(first).chain(rest.iter().map(Vec::as_slice)) {
            tail.extend_from_slice(argument);
            tail.push(0);
        }
        tail
    }
}

/// The name that an interpreter is given to open.
fn filename(dirfd: i32, path: Vec<u8>) -> Vec<u8> {
    if dirfd == libc::AT_FDCWD || path.starts_with(b"/") {
        return path;
    }
    let mut name = format!("/dev/fd/{dirfd}").into_bytes();
    if !path.is_empty() {
        name.push(b'/');
        name.extend_from_slice(&path);
    }
    name
}

/// The first bytes. Read with our own rights: a program need not be readable to be run.
fn head(object: &Object) -> Result<Vec<u8>, Errno> {
    let file = open(object.reopen_path(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut head = vec![0; HEAD_BYTES];
    let count = pread(file.as_fd(), head.as_mut_slice(), 0)?;
    head.truncate(count);
    Ok(head)
}

/// The path after `#!`, as the kernel finds it.
fn interpreter(head: &[u8]) -> Result<Option<Vec<u8>>, Errno> {
    let Some(line) = head.strip_prefix(b"#!") else { return Ok(None) };
    let end = line.iter().position(|byte| *byte == b'\n');
    let whole = end.is_some() || head.len() < HEAD_BYTES;
    let line = line.get(..end.unwrap_or(line.len())).unwrap_or(line);
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = line.iter().position(|byte| !blank(byte)).ok_or(Errno::NOEXEC)?;
    let path = line.get(start..).unwrap_or_default();
    let stop = path.iter().position(|byte| blank(byte) || *byte == 0);
    // A name that may go on after what the kernel reads is refused by the kernel too.
    if stop.is_none() && !whole {
        return Err(Errno::NOEXEC);
    }
    let path = path.get(..stop.unwrap_or(path.len())).unwrap_or(path);
    if path.is_empty() { Err(Errno::NOEXEC) } else { Ok(Some(path.to_vec())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreter_is_found_as_the_kernel_finds_it() {
        let check = |head: &[u8], want: Result<Option<&str>, Errno>| {
            let want = want.map(|path| path.map(|path| path.as_bytes().to_vec()));
            assert_eq!(interpreter(head), want, "{:?}", String::from_utf8_lossy(head));
        };
        check(b"\x7fELF", Ok(None));
        check(b"#!/bin/sh\n", Ok(Some("/bin/sh")));
        check(b"#! \t/usr/bin/env  python -x\nrest", Ok(Some("/usr/bin/env")));
        check(b"#!/bin/sh", Ok(Some("/bin/sh")));
        check(b"#!\n/bin/sh", Err(Errno::NOEXEC));
        check(b"#!   ", Err(Errno::NOEXEC));
        let long = [b"#!/".as_slice(), &[b'a'; 300]].concat();
        check(&long[..HEAD_BYTES], Err(Errno::NOEXEC));
    }
}
