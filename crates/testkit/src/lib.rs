//! Fixtures: real MCP servers for tests and for the demo.
//!
//! **What it is for.** Gateway tests need servers that behave in every way a server may: slowly,
//! asking back, failing, dying. The demo needs a mail server that really delivers. Both are built
//! on the official Rust SDK, so that what passes through a gateway is what real servers send.
//!
//! **What it never does.** It is never shipped, and no shipped crate depends on it. The mail server
//! never sends anything over a network: it delivers to a Maildir on disk.
//!
//! **Where to start.** [`mail`] with its program `mail-mcp`; [`fixture`] with `fixture-mcp`.

pub mod fixture;
pub mod mail;
pub mod serve;
