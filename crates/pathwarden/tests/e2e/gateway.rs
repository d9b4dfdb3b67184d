//! The MCP gateway of a real node before real servers: what is refused, what is found, what a person at
//! the command line does about it.

mod auth;
mod dialogue;
mod near;
mod stage;
mod supply;
mod wire;
