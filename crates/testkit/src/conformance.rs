//! The two ends that the official conformance suite of the protocol speaks to: a server that has
//! every fixture the suite asks for, and a client that plays the suite's client scenarios. The suite
//! is run against both directly, and again with a gateway in between; what holds directly must hold
//! through the gateway.

pub mod client;
pub mod server;
