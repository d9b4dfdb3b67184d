//! Reading segments frame by frame.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use pathwarden_ledger::frame::{
    FRAME_HEADER_BYTES, FrameError, FrameHeader, FrameKind, SEGMENT_HEADER_BYTES, SegmentHeader,
};

use crate::ReadError;

/// Where a frame starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

impl Place {
    /// The first frame of a segment.
    pub(crate) const fn start_of(segment: u64) -> Self {
        Self { segment, offset: SEGMENT_HEADER_BYTES as u64 }
    }
}

/// How much is read from the file at a time, in bytes.
#[derive(Clone, Copy)]
pub(crate) enum Chunk {
    /// For a look-up, which wants a frame or a few.
    Lookup,
    /// For reading everything.
    Scan,
}

impl Chunk {
    const fn bytes(self) -> usize {
        match self {
            Self::Lookup => 16 * 1024,
            Self::Scan => 512 * 1024,
        }
    }
}

/// One verified frame.
pub(crate) struct Frame<'a> {
    pub(crate) offset: u64,
    pub(crate) kind: FrameKind,
    pub(crate) seq: u64,
    pub(crate) body: &'a [u8],
}

/// Reads one segment forward from an offset.
pub(crate) struct Cursor {
    path: PathBuf,
    file: Arc<File>,
    chunk: Chunk,
    offset: u64,
    /// Of the buffer, only the first `filled` bytes count; they stand at `buffer_start` in the file.
    buffer: Vec<u8>,
    filled: usize,
    buffer_start: u64,
}

impl Cursor {
    pub(crate) const fn new(path: PathBuf, file: Arc<File>, offset: u64, chunk: Chunk) -> Self {
        Self { path, file, chunk, offset, buffer: Vec::new(), filled: 0, buffer_start: 0 }
    }

    /// Where the next frame starts.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The segment's header; the cursor stays where it is.
    pub(crate) fn header(&mut self) -> Result<SegmentHeader, ReadError> {
        let bytes = self.bytes(0, SEGMENT_HEADER_BYTES)?;
        SegmentHeader::decode(bytes).map_err(|error| self.damaged_at(0, &error))
    }

    /// The next frame with its checksum verified; `None` where the written part ends.
    pub(crate) fn next(&mut self) -> Result<Option<Frame<'_>>, ReadError> {
        let Some(header) = self.peek()? else { return Ok(None) };
        self.read(header).map(Some)
    }

    /// Steps forward to the frame of a kind that belongs to the entry `seq`, by the lengths of the
    /// frames before it, without a look at their bodies. Says whether it stands there; if not, it
    /// stands where the written part ends.
    pub(crate) fn seek(&mut self, seq: u64, kind: FrameKind) -> Result<bool, ReadError> {
        while let Some(header) = self.peek()? {
            if header.seq > seq {
                return Err(self.damaged("a frame is missing before this one"));
            }
            if header.seq == seq && header.kind == kind {
                return Ok(true);
            }
            self.offset += header.frame_bytes() as u64;
        }
        Ok(false)
    }

    /// Whether the written part ends here.
    pub(crate) fn is_at_end(&mut self) -> Result<bool, ReadError> {
        Ok(self.peek()?.is_none())
    }

    /// An error that names this place.
    pub(crate) fn damaged(&self, what: &str) -> ReadError {
        let (path, offset) = (self.path.clone(), self.offset);
        ReadError::Damaged { path, offset, what: what.to_owned() }
    }

    fn peek(&mut self) -> Result<Option<FrameHeader>, ReadError> {
        let offset = self.offset;
        let bytes = self.bytes(offset, FRAME_HEADER_BYTES)?;
        FrameHeader::decode(bytes).map_err(|error| self.damaged_at(offset, &error))
    }

    fn read(&mut self, header: FrameHeader) -> Result<Frame<'_>, ReadError> {
        let offset = self.offset;
        let path = self.path.clone();
        let frame = self.bytes(offset, header.frame_bytes())?;
        let rest = frame.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        match header.body(rest) {
            Ok(_) => {}
            Err(error) => return Err(ReadError::damaged(path, offset, &error)),
        }
        self.offset += header.frame_bytes() as u64;
        // Read again from the buffer, which the check above has filled: the borrow of `self` must not
        // outlive the step forward.
        let body = self.buffered(offset + FRAME_HEADER_BYTES as u64, header.body_bytes());
        Ok(Frame { offset, kind: header.kind, seq: header.seq, body })
    }

    /// Up to `len` bytes from `offset`: fewer only where the file ends.
    fn bytes(&mut self, offset: u64, len: usize) -> Result<&[u8], ReadError> {
        if self.buffered(offset, len).len() < len {
            self.fill(offset, len)
                .map_err(|source| ReadError::Io { path: self.path.clone(), source })?;
        }
        Ok(self.buffered(offset, len))
    }

    fn buffered(&self, offset: u64, len: usize) -> &[u8] {
        let Some(start) = offset.checked_sub(self.buffer_start) else { return &[] };
        let Ok(start) = usize::try_from(start) else { return &[] };
        let rest = self.buffer.get(start..self.filled).unwrap_or_default();
        rest.get(..len).unwrap_or(rest)
    }

    fn fill(&mut self, offset: u64, len: usize) -> io::Result<()> {
        self.buffer_start = offset;
        self.filled = 0;
        if self.buffer.len() < len.max(self.chunk.bytes()) {
            self.buffer = vec![0; len.max(self.chunk.bytes())];
        }
        while let Some(space) = self.buffer.get_mut(self.filled..).filter(|room| !room.is_empty()) {
            match self.file.read_at(space, offset + self.filled as u64) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn damaged_at(&self, offset: u64, error: &FrameError) -> ReadError {
        ReadError::damaged(self.path.clone(), offset, error)
    }
}
