//! How an answer travels: slowly, packed, or not to its end.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body, Frame};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::scenario::Reply;

/// Frames on their way that wait for the client.
const WAITING_FRAMES: usize = 16;

/// How long the last bytes before a break have to leave this process.
const BEFORE_BREAK: Duration = Duration::from_millis(20);

/// The frames of a body, and how they go out.
#[derive(Debug)]
pub(super) struct Delivery {
    frames: Vec<Vec<u8>>,
    delay: Duration,
    breaks: bool,
}

impl Delivery {
    /// Packs and cuts the frames as the reply says.
    ///
    /// # Errors
    ///
    /// When the packing fails.
    pub(super) fn new(frames: Vec<Vec<u8>>, reply: &Reply) -> io::Result<Self> {
        let frames = if reply.gzip { packed(&frames)? } else { frames };
        let frames = match reply.cut_after {
            Some(bytes) => cut(frames, bytes),
            None => frames,
        };
        let delay = Duration::from_millis(reply.delay_ms);
        Ok(Self { frames, delay, breaks: reply.cut_after.is_some() })
    }

    /// The body, which is sent by a task of its own.
    pub(super) fn start(self) -> Sent {
        let (sender, receiver) = mpsc::channel(WAITING_FRAMES);
        tokio::spawn(self.send(sender));
        Sent(receiver)
    }

    async fn send(self, sender: mpsc::Sender<io::Result<Bytes>>) {
        for frame in self.frames {
            if sender.send(Ok(Bytes::from(frame))).await.is_err() {
                return;
            }
            if !self.delay.is_zero() {
                sleep(self.delay).await;
            }
        }
        if self.breaks {
            sleep(BEFORE_BREAK).await;
            // A client that is gone already has the break that it was to get.
            let _ = sender.send(Err(io::ErrorKind::ConnectionReset.into())).await;
        }
    }
}

/// A body that comes piece by piece. An error breaks the connection.
#[derive(Debug)]
pub(super) struct Sent(mpsc::Receiver<io::Result<Bytes>>);

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|bytes| bytes.map(Frame::data)))
    }
}

/// Each frame packed and flushed, so that it arrives when it is sent.
fn packed(frames: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let mut packed = Vec::new();
    for frame in frames {
        encoder.write_all(frame)?;
        encoder.flush()?;
        packed.push(std::mem::take(encoder.get_mut()));
    }
    packed.push(encoder.finish()?);
    Ok(packed)
}

fn cut(frames: Vec<Vec<u8>>, bytes: usize) -> Vec<Vec<u8>> {
    let mut left = bytes;
    let mut kept = Vec::new();
    for mut frame in frames {
        frame.truncate(left);
        left -= frame.len();
        if !frame.is_empty() {
            kept.push(frame);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::{cut, packed};

    fn frames(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    #[test]
    fn a_body_is_cut_where_the_script_says() {
        let check = |bytes, want: &[&str]| {
            assert_eq!(cut(frames(&["abc", "def"]), bytes), frames(want));
        };
        check(0, &[]);
        check(3, &["abc"]);
        check(4, &["abc", "d"]);
        check(9, &["abc", "def"]);
    }

    #[test]
    fn packed_frames_unpack_to_the_text() {
        let packed = packed(&frames(&["abc", "def"])).unwrap();
        let mut text = String::new();
        GzDecoder::new(packed.concat().as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!((packed.len(), text.as_str()), (3, "abcdef"));
    }
}
