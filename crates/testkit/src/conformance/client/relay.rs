//! A way from the SDK's client for Unix sockets to a server on TCP.
//!
//! The SDK's client for TCP is built on a second HTTP library, which this workspace does without; the
//! one for Unix sockets is built on hyper, which is here already. So it is given a socket behind which
//! every byte goes to the server and back.

use anyhow::{Context, Result};
use http::Uri;
use rmcp::transport::UnixSocketHttpClient;
use tempfile::TempDir;
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;

/// The name of the socket in its directory.
const SOCKET: &str = "server";

/// The relay; it ends when it is dropped.
pub(super) struct Relay {
    directory: TempDir,
    url: Uri,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// A relay to the server at `url`.
    pub(super) fn to(url: &str) -> Result<Self> {
        let url: Uri = url.parse().context("read the server's URL")?;
        let address = url.authority().context("find the server's address in its URL")?.to_string();
        let directory = tempfile::tempdir().context("make a directory for the socket")?;
        let listener =
            UnixListener::bind(directory.path().join(SOCKET)).context("bind a socket")?;
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, address.clone()));
            }
        });
        Ok(Self { directory, url, accepting })
    }

    /// The SDK's client, which reaches the server through here.
    pub(super) fn client(&self) -> UnixSocketHttpClient {
        let socket = self.directory.path().join(SOCKET);
        UnixSocketHttpClient::new(&socket.to_string_lossy(), &self.url.to_string())
    }

    /// What to ask the server for.
    pub(super) fn path(&self) -> &str {
        self.url.path()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut client: UnixStream, address: String) {
    if let Ok(mut server) = TcpStream::connect(address).await {
        // An end that breaks off looks the same from the other end.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}
