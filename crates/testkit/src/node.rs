//! Real nodes: a home folder, the `pathwarden` program on it, and its command line.

mod agent;
mod aside;
mod wait;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use pathwarden_client::{Client, Endpoint};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

pub use agent::{Agent, fault};
pub use wait::until;

/// How long a node may take from its start to its line `ready`.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// The programs that belong together.
const PROGRAMS: [&str; 2] = ["pathwarden", "pathwarden-verify"];

/// The programs that were built, in one folder.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The programs in this folder.
    ///
    /// # Errors
    ///
    /// When `pathwarden` or `pathwarden-verify` is not there; says how to build them.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        for name in PROGRAMS {
            let path = folder.join(name);
            if !path.is_file() {
                bail!("there is no `{}`; run `cargo build --workspace`", path.display());
            }
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// The programs beside this one.
    ///
    /// # Errors
    ///
    /// As [`in_folder`](Self::in_folder).
    pub fn beside(program: &Path) -> Result<Self> {
        Self::in_folder(program.parent().context("a program is in a folder")?)
    }

    /// The same programs in another folder, where building them anew does not touch them.
    ///
    /// # Errors
    ///
    /// When they cannot be copied.
    pub fn copy_to(&self, folder: &Path) -> Result<Self> {
        fs::create_dir(folder).context("make a folder for the programs")?;
        for name in PROGRAMS {
            fs::copy(self.folder.join(name), folder.join(name)).context("copy a program")?;
        }
        Self::in_folder(folder)
    }

    /// A call of one of them, free of what the caller's environment says about nodes.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join(name));
        for key in ["PATHWARDEN_HOME", "PATHWARDEN_ENDPOINT", "PATHWARDEN_TOKEN", "PATHWARDEN_LOG"]
        {
            command.env_remove(key);
        }
        command.env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }
}

/// What a program said, and how it ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Said {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

impl Said {
    /// The standard output of a program that ended well.
    ///
    /// # Errors
    ///
    /// When it did not; with everything it said.
    pub fn success(self) -> Result<String> {
        if self.code == Some(0) {
            return Ok(self.out);
        }
        bail!("exit code {:?}\n{}{}", self.code, self.out, self.err)
    }
}

/// A home folder of a node.
#[derive(Clone, Debug)]
pub struct Home {
    programs: Programs,
    folder: PathBuf,
}

/// What came of starting a node.
pub enum Start {
    /// It is ready.
    Ready(Node),
    /// It ended before it was.
    Ended(Said),
}

impl Home {
    /// Makes a home with this configuration, to which ports of the system's choice are added.
    ///
    /// # Errors
    ///
    /// When `pathwarden init` fails.
    pub fn init(programs: &Programs, folder: &Path, configuration: &str) -> Result<Self> {
        let home = Self::at(programs, folder);
        home.pathwarden(&["init"])?.success().context("make a home")?;
        home.configure(configuration)?;
        Ok(home)
    }

    /// A home that is there already.
    #[must_use]
    pub fn at(programs: &Programs, folder: &Path) -> Self {
        Self { programs: programs.clone(), folder: folder.to_owned() }
    }

    /// Replaces the configuration.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn configure(&self, configuration: &str) -> Result<()> {
        let listen =
            "[listen]\napi = \"127.0.0.1:0\"\nmcp = \"127.0.0.1:0\"\nmodels = \"127.0.0.1:0\"\n";
        let text = format!("{configuration}\n{listen}");
        fs::write(self.path("pathwarden.toml"), text).context("write the configuration")
    }

    /// A path below the home.
    #[must_use]
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    /// The programs that run on it.
    #[must_use]
    pub const fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Runs a command of `pathwarden` on this home, to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be run at all.
    pub fn pathwarden(&self, arguments: &[&str]) -> Result<Said> {
        let output = self.command().args(arguments).output().context("run `pathwarden`")?;
        Ok(output.into())
    }

    /// Runs `pathwarden-verify log` on the home's ledger.
    ///
    /// # Errors
    ///
    /// When it cannot be run at all.
    pub fn verify(&self, arguments: &[&str]) -> Result<Said> {
        let mut command = self.programs.command("pathwarden-verify");
        command.arg("log").arg(self.path("ledger"));
        command.arg("--key").arg(self.path("keys/ledger.vkey")).args(arguments);
        Ok(command.output().context("run `pathwarden-verify`")?.into())
    }

    /// Starts a node and waits until it is ready.
    ///
    /// # Errors
    ///
    /// When it ends before; with what it said.
    pub fn up(&self) -> Result<Node> {
        match self.start()? {
            Start::Ready(node) => Ok(node),
            Start::Ended(said) => bail!("the node did not start: {}{}", said.out, said.err),
        }
    }

    /// Starts a node and waits until it is ready or has ended.
    ///
    /// # Errors
    ///
    /// When it cannot be run, or does neither in time.
    pub fn start(&self) -> Result<Start> {
        let log = self.folder.with_extension("log");
        let stderr = fs::File::create(&log).context("make the node's log file")?;
        let mut command = self.command();
        command.args(["--json", "up"]).stdout(Stdio::piped()).stderr(stderr);
        let mut child = Guarded(command.spawn().context("run `pathwarden up`")?);
        let stdout = child.0.stdout.take().context("the node's standard output")?;
        let line = first_line(stdout)?;
        if line.is_empty() {
            let code = child.0.wait().context("wait for the node")?.code();
            let err = fs::read_to_string(&log).context("read the node's log file")?;
            return Ok(Start::Ended(Said { code, out: line, err }));
        }
        let ready: Ready = serde_json::from_str(&line).context("read what the node announced")?;
        Ok(Start::Ready(Node { child, ready, log }))
    }

    /// A client with one of the home's tokens: `operator` or `auditor`.
    ///
    /// # Errors
    ///
    /// When there is no such token.
    pub fn person(&self, role: &str) -> Result<Client> {
        let token = fs::read_to_string(self.path("tokens").join(role)).context("read a token")?;
        Ok(self.client(token.trim()))
    }

    /// A client with this token, through the home's socket.
    #[must_use]
    pub fn client(&self, token: &str) -> Client {
        let socket = self.path("run/pathwarden.sock");
        Client::new(Endpoint::Socket(socket), token.to_owned())
    }

    fn command(&self) -> Command {
        let mut command = self.programs.command("pathwarden");
        command.arg("--home").arg(&self.folder);
        command
    }
}

/// The first line of a stream, or nothing when it ends before.
fn first_line(stream: ChildStdout) -> Result<String> {
    let (sender, line) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let _ = BufReader::new(stream).read_line(&mut line);
        let _ = sender.send(line);
    });
    line.recv_timeout(READY_WITHIN).context("the node neither became ready nor ended")
}

#[derive(Deserialize)]
struct Ready {
    api: String,
    mcp: String,
}

/// A process that does not outlive its owner.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running node. Killed when dropped.
pub struct Node {
    child: Guarded,
    ready: Ready,
    log: PathBuf,
}

impl Node {
    /// Its TCP address of the API.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.ready.api
    }

    /// Its TCP address of the MCP gateway.
    #[must_use]
    pub fn mcp(&self) -> &str {
        &self.ready.mcp
    }

    /// What it has logged so far.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn logged(&self) -> Result<String> {
        fs::read_to_string(&self.log).context("read the node's log file")
    }

    /// Kills it as a power cut would: it gets no chance to do anything.
    ///
    /// # Errors
    ///
    /// When it had ended by itself.
    pub fn kill(mut self) -> Result<()> {
        if let Some(status) = self.child.0.try_wait().context("look after the node")? {
            bail!("the node had ended by itself: {status}\n{}", self.logged()?);
        }
        self.child.0.kill().context("kill the node")?;
        self.child.0.wait().context("wait for the node")?;
        Ok(())
    }

    /// Tells it to stop, and waits until it has.
    ///
    /// # Errors
    ///
    /// When it does not end well; with what it logged.
    pub fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.child.0.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("the node has an id")?, Signal::TERM).context("stop the node")?;
        let status = self.child.0.wait().context("wait for the node")?;
        if status.success() { Ok(()) } else { bail!("{status}\n{}", self.logged()?) }
    }
}
