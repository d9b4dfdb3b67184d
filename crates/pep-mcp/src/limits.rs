//! Every bound of the enforcement point.

use std::time::Duration;

use pathwarden_pep::Patience;

/// Every bound of the enforcement point, with defaults that fit a workstation and a small server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The longest message in either direction, in bytes.
    pub message_bytes_max: usize,
    /// The most requests of one client that are open at once; one more is refused.
    pub open_max: usize,
    /// How long the node, and a person, are waited for.
    pub patience: Patience,
    /// How long a server may take to end by itself, and open requests to be answered, when the client
    /// has gone or the gateway stops.
    pub grace: Duration,
    /// How long connecting to an upstream may take.
    pub connect: Duration,
    /// How long a client may take to send the head of a request, and then its body.
    pub request: Duration,
    /// How long an answer that was cut off may take to show up on a resumed stream, and that of a
    /// request whose client has gone or cancelled it to come; then its outcome is unknown.
    pub resume: Duration,
    /// The most connections of clients at once.
    pub connections_max: usize,
    /// The most answers that are remembered for streams that are resumed.
    pub resumable_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: pathwarden_lens_mcp::MESSAGE_BYTES_MAX,
            open_max: 1024,
            patience: Patience::default(),
            grace: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            request: Duration::from_mins(1),
            resume: Duration::from_mins(5),
            connections_max: 512,
            resumable_max: 4096,
        }
    }
}
