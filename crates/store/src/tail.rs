//! The open end of the log: the segment that is being written.

use std::fs::File;
use std::io;
use std::sync::Arc;

use pathwarden_ledger::frame::{FrameKind, SEGMENT_HEADER_BYTES, SegmentHeader};

use crate::ReadError;
use crate::cursor::{Chunk, Cursor, Place};
use crate::disk::{Disk, DiskFile, temporary};
use crate::layout::Layout;

/// Why a batch was not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The disk refused; what was durable before still is.
    Disk(io::Error),
    /// What was durable before is no longer there.
    Lost(ReadError),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// The last segment. Everything before `position` is durable; nothing after it counts.
pub(crate) struct Tail {
    disk: Arc<dyn Disk>,
    layout: Layout,
    segment_bytes: u64,
    number: u64,
    position: u64,
    /// Room that is reserved. Equal to `position` once the segment is sealed: it never grows again.
    capacity: u64,
    next_index: u64,
    /// `None` after a failure that makes what the system remembers of the file untrustworthy.
    file: Option<Box<dyn DiskFile>>,
}

impl Tail {
    /// Goes on at `place` with the entry `next_index`. What the segment holds beyond is cut off.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        layout: Layout,
        segment_bytes: u64,
        place: Place,
        next_index: u64,
    ) -> Result<Self, WriteError> {
        let Place { segment: number, offset: position } = place;
        let capacity = segment_bytes.max(position);
        let mut tail = Self {
            disk,
            layout,
            segment_bytes,
            number,
            position,
            capacity,
            next_index,
            file: None,
        };
        tail.heal()?;
        Ok(tail)
    }

    /// Creates the first segment of a log.
    pub(crate) fn create(disk: &dyn Disk, layout: &Layout, segment_bytes: u64) -> io::Result<()> {
        new_segment(disk, layout, SegmentHeader { number: 0, first_index: 0 }, segment_bytes)?;
        Ok(())
    }

    pub(crate) const fn next_index(&self) -> u64 {
        self.next_index
    }

    pub(crate) const fn place(&self) -> Place {
        Place { segment: self.number, offset: self.position }
    }

    /// How many bytes can be written in one piece, at least `need`: repairs the segment after a
    /// failure, and begins the next one when there is too little room.
    pub(crate) fn room(&mut self, need: u64) -> Result<u64, WriteError> {
        if self.file.is_none() {
            self.heal()?;
        }
        if self.capacity - self.position < need {
            self.rotate(need)?;
        }
        Ok(self.capacity - self.position)
    }

    /// Writes frames that hold `entries` entries, and makes them durable. On failure nothing of them
    /// counts, now or after a restart, unless the machine stops before the disk works again.
    pub(crate) fn write(&mut self, frames: &[u8], entries: u64) -> Result<(), WriteError> {
        let Some(file) = &self.file else {
            return Err(io::Error::other("the segment awaits repair").into());
        };
        if let Err(error) = file.write_at(frames, self.position).and_then(|()| file.sync()) {
            // After a failed sync the system may take pages for clean that never reached the disk.
            return match self.heal() {
                Err(lost @ WriteError::Lost(_)) => Err(lost),
                Ok(()) | Err(WriteError::Disk(_)) => Err(error.into()),
            };
        }
        self.position += frames.len() as u64;
        self.next_index += entries;
        Ok(())
    }

    /// Seals the segment and begins the next one, with room for at least `need`.
    fn rotate(&mut self, need: u64) -> Result<(), WriteError> {
        if let Some(file) = &self.file
            && let Err(error) = file.set_len(self.position).and_then(|()| file.sync_all())
        {
            self.file = None;
            return Err(error.into());
        }
        self.capacity = self.position;
        let header = SegmentHeader { number: self.number + 1, first_index: self.next_index };
        let capacity = self.segment_bytes.max(SEGMENT_HEADER_BYTES as u64 + need);
        self.file = Some(new_segment(self.disk.as_ref(), &self.layout, header, capacity)?);
        self.number = header.number;
        self.position = SEGMENT_HEADER_BYTES as u64;
        self.capacity = capacity;
        Ok(())
    }

    /// Cuts off whatever stands after `position`, and verifies from the disk itself, not from what
    /// the system remembers, that everything before it is there.
    fn heal(&mut self) -> Result<(), WriteError> {
        self.file = None;
        let path = self.layout.segment(self.number);
        let file = self.disk.open(&path)?;
        file.set_len(self.position)?;
        if self.capacity > self.position {
            file.allocate(self.capacity)?;
        }
        file.sync_all()?;
        file.forget()?;
        let opened = File::open(&path)?;
        let mut cursor =
            Cursor::new(path, Arc::new(opened), Place::start_of(0).offset, Chunk::Scan);
        self.verify(&mut cursor).map_err(WriteError::Lost)?;
        self.file = Some(file);
        Ok(())
    }

    fn verify(&self, cursor: &mut Cursor) -> Result<(), ReadError> {
        let mut next_index = cursor.header()?.first_index;
        while let Some(frame) = cursor.next()? {
            if frame.kind == FrameKind::Entry {
                next_index = frame.seq + 1;
            }
        }
        if cursor.offset() == self.position && next_index == self.next_index {
            Ok(())
        } else {
            Err(cursor.damaged("acknowledged entries are missing"))
        }
    }
}

/// A segment with its header, preallocated, under its name. A failure leaves at most an empty file
/// that the next attempt overwrites.
fn new_segment(
    disk: &dyn Disk,
    layout: &Layout,
    header: SegmentHeader,
    capacity: u64,
) -> io::Result<Box<dyn DiskFile>> {
    let path = layout.segment(header.number);
    let temporary = temporary(&path);
    let file = disk.create(&temporary)?;
    let prepared = file
        .allocate(capacity)
        .and_then(|()| file.write_at(&header.encode(), 0))
        .and_then(|()| file.sync_all())
        .and_then(|()| disk.rename(&temporary, &path))
        .and_then(|()| disk.sync_dir(&layout.segments()));
    if let Err(error) = prepared {
        // Gives back what was reserved. When even this fails, the next attempt empties the file.
        let _ = file.set_len(0);
        return Err(error);
    }
    Ok(file)
}
