//! Every bound of the enforcement point.

use std::time::Duration;

use pathwarden_pep::Patience;

/// Every bound of the enforcement point, with defaults that fit a workstation and a small server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The longest request, unpacked, in bytes: a window of several million tokens.
    pub request_bytes_max: usize,
    /// The longest answer that is not a stream, unpacked, in bytes.
    pub answer_bytes_max: usize,
    /// The longest text of a refusal of the provider that is passed on, in bytes.
    pub error_bytes_max: usize,
    /// How long the node, and a person, are waited for.
    pub patience: Patience,
    /// How long connecting to a provider may take.
    pub connect: Duration,
    /// How long a client may take to send the head of a request, and then its body.
    pub request: Duration,
    /// How long a provider may be silent within an answer.
    pub silence: Duration,
    /// How long what is under way may take to end when the gateway stops.
    pub grace: Duration,
    /// The most connections of clients at once.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes_max: 24 << 20,
            answer_bytes_max: 24 << 20,
            error_bytes_max: 1 << 20,
            patience: Patience::default(),
            connect: Duration::from_secs(10),
            request: Duration::from_mins(1),
            silence: Duration::from_mins(5),
            grace: Duration::from_secs(5),
            connections_max: 512,
        }
    }
}
