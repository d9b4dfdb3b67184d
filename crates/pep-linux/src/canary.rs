//! Canaries: harmless things that a point must refuse, tried from inside the box.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use pathwarden_types::Canary;

/// The first argument of a program that tries the canaries instead of doing what it is for.
pub(crate) const TRY: &str = "__pathwarden-canary";

/// Variables that say where they are.
const FOLDER: &str = "PATHWARDEN_CANARY_FOLDER";
const PORT: &str = "PATHWARDEN_CANARY_PORT";

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// Names of the files, beside which nothing of anybody's stands.
const PROGRAM: &str = "program";
const SECRET: &str = "secret";
const WRITTEN: &str = "written";

/// What is tried, and where.
pub(crate) struct Canaries {
    folder: PathBuf,
    /// Something to connect to: a refusal must be ours, and not for want of anybody there.
    listener: TcpListener,
}

impl Canaries {
    /// Puts them out in a folder of their own.
    pub(crate) fn put_out(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let program = folder.join(PROGRAM);
        fs::write(&program, "#!/bin/sh\nexit 0\n")?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        fs::write(folder.join(SECRET), "canary\n")?;
        Ok(Self { folder: folder.to_owned(), listener: TcpListener::bind(("127.0.0.1", 0))? })
    }

    /// Where one listens.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What the program that tries them is told beside its command, which says nothing of where they are:
    /// it would be refused for that.
    pub(crate) fn environment(&self) -> io::Result<Vec<(OsString, OsString)>> {
        let port = self.address()?.port().to_string();
        Ok(vec![(FOLDER.into(), self.folder.clone().into()), (PORT.into(), port.into())])
    }

    /// What came of it, as the program in the box tells. What it does not tell was not refused.
    pub(crate) fn outcome(&self, told: &str) -> Vec<Canary> {
        let written = self.folder.join(WRITTEN).exists();
        let canary = |name: &str| Canary {
            name: name.to_owned(),
            refused: told.lines().any(|line| line == format!("{name} refused"))
                && !(name == "write" && written),
        };
        ["exec", "open", "write", "connect"].map(canary).to_vec()
    }
}

impl Drop for Canaries {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Tries the canaries if this process was started for that; `None` otherwise.
#[must_use]
pub fn tried() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != TRY {
        return None;
    }
    let folder = PathBuf::from(std::env::var_os(FOLDER)?);
    let port = std::env::var(PORT).ok()?.parse().ok()?;
    let mut told = String::new();
    for (name, refused) in [
        ("exec", is_refused(&exec(&folder))),
        ("open", is_refused(&open(&folder))),
        ("write", is_refused(&write(&folder))),
        ("connect", is_refused(&connect(port))),
    ] {
        let word = if refused { "refused" } else { "let through" };
        told.push_str(&format!("{name} {word}\n"));
    }
    let done = io::stdout().write_all(told.as_bytes());
    Some(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Only a refusal for want of permission is one.
fn is_refused(result: &io::Result<()>) -> bool {
    let refusals = [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem];
    result.as_ref().is_err_and(|error| refusals.contains(&error.kind()))
}

fn exec(folder: &Path) -> io::Result<()> {
    let mut program = Command::new(folder.join(PROGRAM));
    program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().map(drop)
}

fn open(folder: &Path) -> io::Result<()> {
    File::open(folder.join(SECRET))?.read_to_string(&mut String::new()).map(drop)
}

fn write(folder: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).open(folder.join(WRITTEN)).map(drop)
}

fn connect(port: u16) -> io::Result<()> {
    TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), CONNECT).map(drop)
}
