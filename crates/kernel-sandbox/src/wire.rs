//! What supervisor and box say to each other: length-prefixed JSON and single bytes over a socket pair.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};

use crate::spec::Report;
use crate::step::Failure;

/// Bytes of one message: a specification with a large environment fits, a runaway length does not.
const MESSAGE_MAX: usize = 16 << 20;
/// Descriptors that come with one message.
const FDS_MAX: usize = 4;
/// The supervisor's leave to go on.
const GO: u8 = b'g';

/// What the box says.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// The first process that belongs into the cgroup, by the supervisor's reckoning; it waits for go.
    Inner {
        /// Its id.
        pid: i32,
    },
    /// The agent's process waits for go; with it come the listener and the pipe that tells whether the
    /// program could be started.
    Ready(Report),
    /// The box ends; nothing was executed.
    Failed(Failure),
}

/// A message with what the kernel attached to it.
pub(crate) struct Received {
    pub(crate) body: Vec<u8>,
    pub(crate) fds: Vec<OwnedFd>,
    /// The sender, in the receiver's process namespace.
    pub(crate) pid: Option<i32>,
}

/// Sends one message, its descriptors with the first byte.
pub(crate) fn send(
    mut socket: &UnixStream,
    message: &impl Serialize,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    if body.len() > MESSAGE_MAX {
        return Err(io::Error::other("message above 16 MiB; shorten the environment"));
    }
    let frame = [&length.to_be_bytes(), body.as_slice()].concat();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::other("too many descriptors"));
    }
    let sent = sendmsg(socket, &[IoSlice::new(&frame)], &mut control, SendFlags::NOSIGNAL)?;
    socket.write_all(frame.get(sent..).unwrap_or_default())
}

/// Receives one message; `UnexpectedEof` when the other side is gone, `TimedOut` at the deadline.
pub(crate) fn receive(mut socket: &UnixStream, deadline: Option<Instant>) -> io::Result<Received> {
    let mut received = Received { body: Vec::new(), fds: Vec::new(), pid: None };
    let mut length = [0; 4];
    let mut filled = 0;
    while let Some(rest) = length.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        wait_until(socket, deadline)?;
        filled += receive_some(socket, rest, &mut received)?;
    }
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MESSAGE_MAX {
        return Err(io::Error::other("message above 16 MiB"));
    }
    received.body = vec![0; length];
    let mut filled = 0;
    while let Some(rest) = received.body.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        wait_until(socket, deadline)?;
        match socket.read(rest) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(timed(error)),
        }
    }
    Ok(received)
}

/// Gives the box leave to go on.
pub(crate) fn say_go(mut socket: &UnixStream) -> io::Result<()> {
    socket.write_all(&[GO])
}

/// Waits for the supervisor's leave, however long it takes; an error when it is gone.
pub(crate) fn await_go(mut socket: &UnixStream) -> io::Result<()> {
    let mut byte = [0];
    socket.read_exact(&mut byte)?;
    if byte == [GO] { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn receive_some(
    socket: &UnixStream,
    into: &mut [u8],
    received: &mut Received,
) -> io::Result<usize> {
    let mut space =
        [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS_MAX), ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let slices = &mut [IoSliceMut::new(into)];
    let message = match recvmsg(socket, slices, &mut control, RecvFlags::CMSG_CLOEXEC) {
        Ok(message) => message,
        Err(rustix::io::Errno::INTR) => return Ok(0),
        Err(error) => return Err(timed(error.into())),
    };
    for attached in control.drain() {
        match attached {
            RecvAncillaryMessage::ScmRights(fds) => received.fds.extend(fds),
            RecvAncillaryMessage::ScmCredentials(sender) => {
                received.pid = Some(sender.pid.as_raw_nonzero().get());
            }
            _ => {}
        }
    }
    if message.bytes == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(message.bytes) }
}

fn wait_until(socket: &UnixStream, deadline: Option<Instant>) -> io::Result<()> {
    let Some(deadline) = deadline else { return socket.set_read_timeout(None) };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    socket.set_read_timeout(Some(left))
}

fn timed(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_message_comes_with_its_descriptors_and_its_sender() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        rustix::net::sockopt::set_socket_passcred(&ours, true).unwrap();
        let (reader, mut writer) = io::pipe().unwrap();
        send(&theirs, &Word::Inner { pid: 7 }, &[reader.as_fd()]).unwrap();
        let soon = Instant::now() + Duration::from_secs(5);
        let mut received = receive(&ours, Some(soon)).unwrap();
        assert_eq!(received.body, br#"{"inner":{"pid":7}}"#);
        assert_eq!(received.pid, i32::try_from(std::process::id()).ok());
        writer.write_all(b"x").unwrap();
        let mut through = io::PipeReader::from(received.fds.remove(0));
        assert_eq!(through.read(&mut [0; 4]).unwrap(), 1);
    }

    #[test]
    fn silence_hanging_up_and_absurd_lengths_are_errors() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let soon = || Some(Instant::now() + Duration::from_millis(20));
        let kind = |deadline| receive(&ours, deadline).err().unwrap().kind();
        assert_eq!(kind(soon()), io::ErrorKind::TimedOut);
        theirs.write_all(&[0, 0, 0, 9, b'{']).unwrap();
        assert_eq!(kind(soon()), io::ErrorKind::TimedOut, "a cut message");
        theirs.write_all(&u32::MAX.to_be_bytes()).unwrap();
        assert_eq!(kind(soon()), io::ErrorKind::Other);
        drop(theirs);
        assert_eq!(kind(None), io::ErrorKind::UnexpectedEof);
    }
}
