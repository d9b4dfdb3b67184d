//! A node as an operator runs it: `pathwarden init`, `up`, and sessions with their tokens.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::verify::beside;
use crate::work::TASK;

/// The variable of the node's environment with the key for a provider of models.
pub(crate) const MODEL_KEY: &str = "BENCH_MODEL_KEY";

/// What every node here has in its configuration.
const COMMON: &str = r#"
[organisation]
domains = ["acme.example"]
[agents.bench]
owner = "accounts payable"
[listen]
api = "127.0.0.1:0"
mcp = "127.0.0.1:0"
models = "127.0.0.1:0"
"#;

/// A running node; killed when dropped.
pub(crate) struct Node {
    /// Where its gateway before MCP servers listens.
    pub(crate) mcp: SocketAddr,
    /// Where its gateway before models listens.
    pub(crate) models: SocketAddr,
    home: PathBuf,
    _process: Process,
}

/// The process of a node.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Deserialize)]
struct Ready {
    mcp: SocketAddr,
    models: SocketAddr,
}

#[derive(Deserialize)]
struct Started {
    token: String,
}

impl Node {
    /// A new node in `dir`, with the listeners and what else `configuration` names.
    pub(crate) fn start(dir: &Path, configuration: &str) -> Result<Self> {
        let home = std::path::absolute(dir)?.join("home");
        pathwarden(&home, &["init", "--domain", "acme.example"])?.status()?;
        fs::write(home.join("pathwarden.toml"), format!("{configuration}{COMMON}"))?;
        let process = pathwarden(&home, &["--json", "up"])?
            .env(MODEL_KEY, "none")
            .stdout(Stdio::piped())
            .stderr(fs::File::create(home.join("up.log"))?)
            .spawn()
            .context("start the node")?;
        let mut process = Process(process);
        let out = process.0.stdout.take().context("the node's output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let Ready { mcp, models } = serde_json::from_str(&line)
            .with_context(|| format!("the node is not ready: `{line}`"))?;
        Ok(Self { mcp, models, home, _process: process })
    }

    /// Starts a session, and gives its token.
    pub(crate) fn session(&self) -> Result<String> {
        let start =
            ["--json", "session", "start", "--agent", "bench", "--task", TASK, "--by", "dana"];
        Ok(told::<Started>(pathwarden(&self.home, &start)?)?.token)
    }
}

fn pathwarden(home: &PathBuf, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(beside("pathwarden")?);
    for variable in ["PATHWARDEN_TOKEN", "PATHWARDEN_ENDPOINT"] {
        command.env_remove(variable);
    }
    command.env("PATHWARDEN_HOME", home).args(arguments).stdout(Stdio::null());
    Ok(command)
}

fn told<T: DeserializeOwned>(mut command: Command) -> Result<T> {
    let output = command.stdout(Stdio::piped()).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {errors}");
    serde_json::from_slice(&output.stdout).context("read what it printed")
}
