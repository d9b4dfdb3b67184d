//! Bodies of our answers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{mpsc, oneshot};

/// A body that is whole, or comes piece by piece.
#[derive(Debug)]
pub struct Answer {
    source: Source,
    /// Dropped with the body, by which the other side sees that the client has gone.
    here: Vec<Here>,
}

#[derive(Debug)]
enum Source {
    Whole(Option<Bytes>),
    Pieces(mpsc::Receiver<Bytes>),
}

/// Held as long as the client is there.
pub type Here = oneshot::Sender<Infallible>;
/// Done when the client has gone.
pub type Gone = oneshot::Receiver<Infallible>;

impl Answer {
    /// A body that is there.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self {
            source: Source::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty())),
            here: Vec::new(),
        }
    }

    /// A body that comes piece by piece.
    #[must_use]
    pub const fn pieces(pieces: mpsc::Receiver<Bytes>) -> Self {
        Self { source: Source::Pieces(pieces), here: Vec::new() }
    }

    /// Keeps this until the body has gone out, or its reader has gone.
    pub fn keep(&mut self, here: Here) {
        self.here.push(here);
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match &mut self.source {
            Source::Whole(bytes) => Poll::Ready(bytes.take()),
            Source::Pieces(pieces) => pieces.poll_recv(context),
        };
        piece.map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Source::Pieces(_) => SizeHint::default(),
        }
    }
}
