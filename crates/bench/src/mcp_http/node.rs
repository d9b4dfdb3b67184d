//! A node as an operator runs it: `pathwarden init`, `up`, and a session for each connection.

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

/// A running node; killed when dropped.
pub(super) struct Node {
    /// Where its gateway listens.
    pub(super) gateway: SocketAddr,
    /// A token for each session.
    pub(super) tokens: Vec<String>,
    process: Child,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Deserialize)]
struct Ready {
    mcp: SocketAddr,
}

#[derive(Deserialize)]
struct Started {
    token: String,
}

impl Node {
    /// A new node in `dir` in front of `upstream`, with some sessions.
    pub(super) fn start(dir: &Path, upstream: SocketAddr, sessions: usize) -> Result<Self> {
        let home = std::path::absolute(dir)?.join("home");
        pathwarden(&home, &["init", "--domain", "acme.example"])?.status()?;
        fs::write(home.join("pathwarden.toml"), configuration(upstream))?;
        let mut process = pathwarden(&home, &["--json", "up"])?
            .stdout(Stdio::piped())
            .stderr(fs::File::create(home.join("up.log"))?)
            .spawn()
            .context("start the node")?;
        let out = process.stdout.take().context("the node's output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let mut node = Self { gateway: SocketAddr::from(([0; 4], 0)), tokens: Vec::new(), process };
        node.gateway = serde_json::from_str::<Ready>(&line)
            .with_context(|| format!("the node is not ready: `{line}`"))?
            .mcp;
        let start =
            ["--json", "session", "start", "--agent", "bench", "--task", TASK, "--by", "dana"];
        for _ in 0..sessions {
            node.tokens.push(told::<Started>(pathwarden(&home, &start)?)?.token);
        }
        Ok(node)
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

fn configuration(upstream: SocketAddr) -> String {
    format!(
        r#"
[organisation]
domains = ["acme.example"]
[agents.bench]
owner = "accounts payable"
[servers.files]
inside = true
url = "http://{upstream}/mcp"
[listen]
api = "127.0.0.1:0"
mcp = "127.0.0.1:0"
models = "127.0.0.1:0"
"#
    )
}
