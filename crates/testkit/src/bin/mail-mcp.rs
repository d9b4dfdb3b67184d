//! `mail-mcp`: an MCP mail server over stdio that delivers to a Maildir.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use pathwarden_testkit::mail::{Address, MailServer, Maildir};
use pathwarden_testkit::serve;

/// A mail server for agents (MCP over stdio). Mail is delivered to a Maildir, nothing is sent.
#[derive(Debug, Parser)]
#[command(name = "mail-mcp", version)]
struct Cli {
    /// The Maildir to deliver to; `new`, `cur` and `tmp` are made in it.
    #[arg(long, value_name = "DIR")]
    maildir: PathBuf,
    /// The address that mails come from.
    #[arg(long, value_name = "ADDR")]
    from: Address,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let maildir = Maildir::create(&cli.maildir).context("make the Maildir")?;
    serve::stdio(MailServer::new(maildir, cli.from)).await
}
