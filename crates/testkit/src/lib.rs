//! Fixtures: real MCP servers and real nodes, for tests, for the demo, and for the crash loop.
//!
//! **What it is for.** Gateway tests need servers that behave in every way a server may: slowly,
//! asking back, failing, dying. The demo needs a mail server that really delivers. Both are built
//! on the official Rust SDK, so that what passes through a gateway is what real servers send. The
//! durability of the ledger shows only when real nodes are killed: [`node`] runs the programs that
//! were built, [`crash`] kills them. And agents need a model that does what the test says: [`model`]
//! is one that follows a script.
//!
//! **What it never does.** It is never shipped, and no shipped crate depends on it. The mail server
//! never sends anything over a network: it delivers to a Maildir on disk.
//!
//! **Where to start.** [`mail`] with its program `mail-mcp`; [`fixture`] with `fixture-mcp`;
//! [`conformance`] with `conformance-server` and `conformance-client`; [`model`] with
//! `model-server`; [`node::Home`]; [`crash::run`] with `crash`.

pub mod conformance;
pub mod crash;
pub mod fixture;
pub mod mail;
pub mod model;
pub mod node;
pub mod serve;
