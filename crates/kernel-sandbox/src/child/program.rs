//! The agent's program: found before the box closes, run after.

use std::ffi::{CString, OsStr, OsString};
use std::io::PipeWriter;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

use super::tell_failure;
use crate::spec::Spec;
use crate::step::{Failure, Step, at};
use crate::sys;

/// Where programs are looked for when the environment has no `PATH`.
const PATH_DEFAULT: &str = "/usr/local/bin:/usr/bin:/bin";
/// The shells' codes for a program that is there but cannot be run, and for one that is not there.
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// All that execve takes, in the form it takes.
pub(super) struct Program {
    file: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

impl Program {
    /// Looks the command up as the agent's user, in the agent's folder.
    pub(super) fn find(spec: &Spec) -> Result<Program, Failure> {
        let name = spec
            .command
            .first()
            .filter(|name| !name.is_empty())
            .ok_or_else(|| Failure::plain(Step::Command, "the command is empty"))?;
        let file = locate(name, &spec.environment)
            .map_err(at(Step::Command, format!("`{}`", name.display())))?;
        let variable = |(name, value): &(OsString, OsString)| {
            text([name.as_bytes(), b"=", value.as_bytes()].concat())
        };
        Ok(Program {
            file: text(file.into_os_string().into_vec())?,
            arguments: spec
                .command
                .iter()
                .map(|argument| text(argument.as_bytes().to_vec()))
                .collect::<Result<_, _>>()?,
            environment: spec.environment.iter().map(variable).collect::<Result<_, _>>()?,
        })
    }

    /// Becomes the program; when that fails, tells why and answers the exit code.
    pub(super) fn run(&self, tell: &mut PipeWriter) -> u8 {
        let error = sys::execute(&self.file, &self.arguments, &self.environment);
        let code = match error.raw_os_error() {
            Some(libc::ENOENT) => NOT_FOUND,
            _ => CANNOT_RUN,
        };
        let about = format!("`{}`", self.file.to_string_lossy());
        tell_failure(tell, &at(Step::Execute, about)(error));
        code
    }
}

fn locate(name: &OsStr, environment: &[(OsString, OsString)]) -> Result<PathBuf, Errno> {
    if name.as_bytes().contains(&b'/') {
        return can_run(Path::new(name)).map(|()| name.into());
    }
    let path =
        environment.iter().find(|(key, _)| key == "PATH").map(|(_, value)| value.as_os_str());
    let mut refused = Errno::NOENT;
    for folder in std::env::split_paths(path.unwrap_or(OsStr::new(PATH_DEFAULT))) {
        // An empty or relative entry would run what happens to lie in the working directory.
        if !folder.is_absolute() {
            continue;
        }
        let file = folder.join(name);
        match can_run(&file) {
            Ok(()) => return Ok(file),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn can_run(file: &Path) -> Result<(), Errno> {
    accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS)?;
    if file.is_file() { Ok(()) } else { Err(Errno::ACCESS) }
}

fn text(bytes: Vec<u8>) -> Result<CString, Failure> {
    CString::new(bytes)
        .map_err(|_| Failure::plain(Step::Command, "a zero byte in the command or environment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_in_the_agents_path_only() {
        let with = |path: &str| [("PATH".into(), OsString::from(path))];
        assert_eq!(locate("sh".as_ref(), &with("/nowhere:/bin")), Ok("/bin/sh".into()));
        assert_eq!(locate("sh".as_ref(), &with("/nowhere")), Err(Errno::NOENT));
        assert_eq!(locate("sh".as_ref(), &with("")), Err(Errno::NOENT));
        assert_eq!(locate("passwd".as_ref(), &with("/etc")), Err(Errno::ACCESS));
        assert_eq!(locate("/bin/sh".as_ref(), &[]), Ok("/bin/sh".into()));
        assert_eq!(locate("/bin".as_ref(), &[]), Err(Errno::ACCESS));
    }

    #[test]
    fn a_zero_byte_is_not_cut_off() {
        assert_eq!(text(b"a\0b".to_vec()).unwrap_err().step, Step::Command);
    }
}
