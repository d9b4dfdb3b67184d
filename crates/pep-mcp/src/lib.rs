//! The enforcement point for the Model Context Protocol: stdio and Streamable HTTP.
//!
//! **What it is for.** It stands between an MCP client and an MCP server, asks a decision point
//! ([`pathwarden_wire::Pdp`]) about every action, does what the answer says, and reports what the
//! server answered before the client sees it. What nobody changes passes byte for byte.
//!
//! **What it never does.** It decides nothing. It sends no action to a server without a
//! [`pathwarden_decide::Permit`], which the forwarding functions take by value; it gives no result to
//! a client that the decision point has not recorded; it passes no credential of the client on.
//!
//! **Where to start.** `exchange.rs` is what both transports have in common; [`stdio::run`] and
//! [`http::serve`] are the shells around it.

mod exchange;
pub mod http;
mod limits;
mod params;
mod refusal;
pub mod stdio;

pub use limits::Limits;
pub use pathwarden_pep::Patience;

#[cfg(test)]
mod fake;
