#![expect(clippy::string_slice, reason = "tests")]
mod composed;
mod envelope;
mod headers;
mod intent;
mod laws;
mod listing;
mod mount;
mod resume;

use crate::{FaultKind, MESSAGE_BYTES_MAX, Message, MessageFault};

fn parse(text: impl AsRef<[u8]>) -> Result<Message, MessageFault> {
    Message::parse(text.as_ref().to_vec(), MESSAGE_BYTES_MAX)
}

fn fault(text: impl AsRef<[u8]>) -> MessageFault {
    parse(text).unwrap_err()
}

fn kind(text: impl AsRef<[u8]>) -> FaultKind {
    fault(text).kind
}
