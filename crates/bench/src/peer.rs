//! Peers: proxies in Python that the registries have, where they are installed.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How a peer is run: a script that prints the port that it will listen on.
pub(crate) struct Program {
    /// Where `scripts/setup.sh bench` puts the interpreter.
    pub(crate) python: &'static str,
    pub(crate) script: &'static str,
}

/// How long it may take to begin.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running peer; killed when dropped.
pub(crate) struct Peer {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Peer {
    /// A peer with what its script is told; `None` when it is not installed.
    pub(crate) fn start(program: &Program, arguments: &[&str]) -> Result<Option<Self>> {
        if !Path::new(program.python).exists() {
            return Ok(None);
        }
        let mut process = Command::new(program.python)
            .arg(program.script)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("start the peer")?;
        let out = process.stdout.take().context("the peer's output")?;
        let mut port = String::new();
        BufReader::new(out).read_line(&mut port)?;
        let port: u16 = port.trim().parse().context("the peer's port")?;
        let peer = Self { address: SocketAddr::from(([127, 0, 0, 1], port)), process };
        peer.wait()?;
        Ok(Some(peer))
    }

    /// Until it accepts connections.
    fn wait(&self) -> Result<()> {
        let began = Instant::now();
        while std::net::TcpStream::connect(self.address).is_err() {
            if began.elapsed() > READY_WITHIN {
                bail!("the peer does not listen");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}
