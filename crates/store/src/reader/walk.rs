//! Reading frames across segments.

use std::sync::Arc;

use pathwarden_ledger::frame::FrameKind;

use crate::ReadError;
use crate::cursor::{Chunk, Cursor, Frame, Place};
use crate::shared::{Shared, read};

/// Frames from a place on. Only for what is durable: a walk that finds no frame reports damage.
pub(crate) struct Walk {
    shared: Arc<Shared>,
    chunk: Chunk,
    segment: u64,
    cursor: Cursor,
}

impl Walk {
    /// Starts at the frames of a durable entry at or a little before `index`.
    pub(crate) fn before(
        shared: &Arc<Shared>,
        index: u64,
        chunk: Chunk,
    ) -> Result<Self, ReadError> {
        let place = read(&shared.log).place_before(index).unwrap_or(Place::start_of(0));
        Self::at(shared, place, chunk)
    }

    /// Starts at a frame.
    pub(crate) fn at(shared: &Arc<Shared>, place: Place, chunk: Chunk) -> Result<Self, ReadError> {
        let cursor = shared.files.cursor(place, chunk)?;
        Ok(Self { shared: Arc::clone(shared), chunk, segment: place.segment, cursor })
    }

    /// The next frame, with the number of its segment.
    pub(crate) fn next(&mut self) -> Result<(u64, Frame<'_>), ReadError> {
        self.cross()?;
        let (segment, offset) = (self.segment, self.cursor.offset());
        let missing = || missing(&self.shared, segment, offset);
        let frame = self.cursor.next()?.ok_or_else(missing)?;
        Ok((segment, frame))
    }

    /// The frame of a kind that belongs to the entry `seq`, which must not lie behind.
    pub(crate) fn seek(&mut self, seq: u64, kind: FrameKind) -> Result<Frame<'_>, ReadError> {
        while !self.cursor.seek(seq, kind)? {
            self.cross()?;
            if self.cursor.is_at_end()? {
                return Err(missing(&self.shared, self.segment, self.cursor.offset()));
            }
        }
        let (segment, offset) = (self.segment, self.cursor.offset());
        let missing = || missing(&self.shared, segment, offset);
        self.cursor.next()?.ok_or_else(missing)
    }

    /// Goes on to the next segment at the end of one.
    fn cross(&mut self) -> Result<(), ReadError> {
        if self.cursor.is_at_end()? {
            let place = Place::start_of(self.segment + 1);
            self.cursor = self.shared.files.cursor(place, self.chunk)?;
            self.segment = place.segment;
        }
        Ok(())
    }
}

fn missing(shared: &Shared, segment: u64, offset: u64) -> ReadError {
    let what = "a frame is missing".to_owned();
    ReadError::Damaged { path: shared.layout.segment(segment), offset, what }
}
