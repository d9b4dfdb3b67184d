//! Lines of bounded length.

use std::collections::VecDeque;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// What is kept of the beginning and of the end of a line that is too long, in bytes: enough to find
/// the id in it.
const KEPT_BYTES: usize = 4096;

/// One line, without its newline.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Line {
    /// All of it.
    Whole(Vec<u8>),
    /// Longer than the limit: its beginning and its end.
    TooLong { beginning: Vec<u8>, ending: Vec<u8> },
}

/// Reads lines, and holds no more than one line of the limit in memory, whatever comes.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    bytes_max: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R, bytes_max: usize) -> Self {
        Self { reader: BufReader::new(reader), bytes_max }
    }

    /// The next line that is not empty; `None` at the end. Not to be dropped half-way: what was read
    /// of a line would be lost.
    pub(super) async fn next(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            match self.line().await? {
                Some(Line::Whole(line)) if line.trim_ascii().is_empty() => {}
                other => return Ok(other),
            }
        }
    }

    async fn line(&mut self) -> std::io::Result<Option<Line>> {
        let mut line = Vec::new();
        loop {
            let (ended, length) = {
                let chunk = self.reader.fill_buf().await?;
                if chunk.is_empty() {
                    return Ok((!line.is_empty()).then_some(Line::Whole(line)));
                }
                let newline = chunk.iter().position(|byte| *byte == b'\n');
                let part = chunk.get(..newline.unwrap_or(chunk.len())).unwrap_or_default();
                if line.len() + part.len() > self.bytes_max {
                    return self.skip(line).await.map(Some);
                }
                line.extend_from_slice(part);
                (newline.is_some(), part.len() + usize::from(newline.is_some()))
            };
            self.reader.consume(length);
            if ended {
                return Ok(Some(Line::Whole(line)));
            }
        }
    }

    /// Reads to the end of a line that is too long, and keeps its two ends.
    async fn skip(&mut self, mut beginning: Vec<u8>) -> std::io::Result<Line> {
        let mut ending: VecDeque<u8> =
            beginning.iter().rev().take(KEPT_BYTES).rev().copied().collect();
        loop {
            let (ended, length) = {
                let chunk = self.reader.fill_buf().await?;
                let newline = chunk.iter().position(|byte| *byte == b'\n');
                let part = chunk.get(..newline.unwrap_or(chunk.len())).unwrap_or_default();
                let room = KEPT_BYTES.saturating_sub(beginning.len());
                beginning.extend(part.iter().take(room));
                ending.extend(part.iter().rev().take(KEPT_BYTES).rev());
                ending.drain(..ending.len().saturating_sub(KEPT_BYTES));
                (newline.is_some() || chunk.is_empty(), part.len() + usize::from(newline.is_some()))
            };
            self.reader.consume(length);
            if ended {
                beginning.truncate(KEPT_BYTES);
                return Ok(Line::TooLong { beginning, ending: ending.into() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use proptest::prelude::*;
    use tokio::io::{AsyncRead, ReadBuf};

    use super::{Line, Lines};

    /// Gives its bytes in pieces of the sizes told.
    struct Pieces(Vec<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            into: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if !self.0.is_empty() {
                into.put_slice(&self.0.remove(0));
            }
            Poll::Ready(Ok(()))
        }
    }

    fn lines(pieces: Vec<Vec<u8>>, bytes_max: usize) -> Vec<Line> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut lines = Lines::new(Pieces(pieces), bytes_max);
            let mut all = Vec::new();
            while let Some(line) = lines.next().await.unwrap() {
                all.push(line);
            }
            all
        })
    }

    #[test]
    fn a_line_of_the_limit_is_whole_and_one_past_it_is_skipped_to_its_newline() {
        let all = lines(vec![b"1234\n12345\n\n \nab".to_vec()], 4);
        let too_long = Line::TooLong { beginning: b"12345".to_vec(), ending: b"12345".to_vec() };
        assert_eq!(all, [Line::Whole(b"1234".to_vec()), too_long, Line::Whole(b"ab".to_vec())]);
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_they_are_cut(
            text in "[ab\n]{0,40}", sizes in prop::collection::vec(1..5_usize, 0..60),
        ) {
            let mut rest = text.as_bytes();
            let mut pieces = Vec::new();
            for size in sizes {
                let (piece, after) = rest.split_at(size.min(rest.len()));
                if !piece.is_empty() {
                    pieces.push(piece.to_vec());
                }
                rest = after;
            }
            if !rest.is_empty() {
                pieces.push(rest.to_vec());
            }
            prop_assert_eq!(lines(pieces, 4), lines(vec![text.into_bytes()], 4));
        }
    }
}
