//! The peer: a plain Python MCP proxy, where it is installed.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Where `scripts/setup.sh bench` puts it.
const PYTHON: &str = ".work/bench-py/bin/python";
const SCRIPT: &str = "bench/peers/fastmcp_proxy.py";

/// How long it may take to begin.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running peer; killed when dropped.
pub(super) struct Peer {
    /// Where it listens.
    pub(super) address: SocketAddr,
    process: Child,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Peer {
    /// The peer before `upstream`; `None` when it is not installed.
    pub(super) fn start(upstream: SocketAddr) -> Result<Option<Self>> {
        if !Path::new(PYTHON).exists() {
            return Ok(None);
        }
        let mut process = Command::new(PYTHON)
            .args([SCRIPT, &format!("http://{upstream}/mcp")])
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
