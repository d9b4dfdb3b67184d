//! Reading all segments of a log.

use std::fs;
use std::io;

use pathwarden_ledger::Checkpoint;
use pathwarden_ledger::frame::FrameKind;
use pathwarden_ledger::tile::{Builder, TileFile};
use pathwarden_ledger::tree::leaf_hash;

use super::OpenError;
use crate::ReadError;
use crate::cursor::{Chunk, Cursor, Frame, Place};
use crate::files::Files;
use crate::layout::Layout;
use crate::shared::Log;

/// What the segments hold.
pub(crate) struct Found {
    pub(crate) log: Log,
    /// Has taken in exactly the published entries.
    pub(crate) published: Builder,
    /// Where the last whole entry ends.
    pub(crate) end: Place,
}

struct Scan<'a> {
    layout: &'a Layout,
    checkpoint: &'a Checkpoint,
    found: Found,
    /// The first published file that is wrong. Told last: when the segments are wrong, too, that is
    /// the better answer.
    wrong_tile: Option<OpenError>,
}

/// Reads the segments up to `last`, and compares them with what was published.
pub(crate) fn scan(
    layout: &Layout,
    checkpoint: &Checkpoint,
    last: u64,
) -> Result<Found, OpenError> {
    let found = Found { log: Log::default(), published: Builder::new(), end: Place::start_of(0) };
    let mut scan = Scan { layout, checkpoint, found, wrong_tile: None };
    let files = Files::new(layout.clone());
    for number in 0..=last {
        let mut cursor = files.cursor(Place::start_of(number), Chunk::Scan)?;
        scan.header(&mut cursor, number)?;
        scan.found.end = Place::start_of(number);
        match scan.segment(&mut cursor, number) {
            Err(ReadError::Damaged { .. }) if number == last && scan.is_past_checkpoint() => {}
            outcome => outcome?,
        }
    }
    scan.finish()
}

impl Scan<'_> {
    fn header(&self, cursor: &mut Cursor, number: u64) -> Result<(), ReadError> {
        let header = cursor.header()?;
        if header.number != number || header.first_index != self.size() {
            return Err(cursor.damaged("the segment does not follow the one before"));
        }
        Ok(())
    }

    /// Takes in the frames of one segment, up to its end or the first that is wrong.
    fn segment(&mut self, cursor: &mut Cursor, number: u64) -> Result<(), ReadError> {
        // Where the frames of the next entry start: at its first payload.
        let mut start = cursor.offset();
        loop {
            let size = self.size();
            let Some(frame) = cursor.next()? else { return Ok(()) };
            if frame.seq != size {
                return Err(cursor.damaged("the frame is out of order"));
            }
            if let Frame { kind: FrameKind::Entry, body, .. } = frame {
                self.entry(body, Place { segment: number, offset: start });
                start = cursor.offset();
                self.found.end = Place { segment: number, offset: start };
            }
        }
    }

    fn entry(&mut self, entry: &[u8], place: Place) {
        let leaf = leaf_hash(entry);
        if self.size() < self.checkpoint.size() {
            let mut full = Vec::new();
            if self.found.published.push(entry, leaf, &mut full).is_ok() {
                full.iter().for_each(|tile| self.compare(tile));
            }
        }
        self.found.log.load(leaf, place);
    }

    /// Compares a published file with what it must hold.
    fn compare(&mut self, tile: &TileFile) {
        let path = self.layout.tile(&tile.path);
        let wrong = match fs::read(&path) {
            Ok(bytes) if bytes == tile.bytes => return,
            Ok(_) => OpenError::Tile { path, what: "does not hold what was published" },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                OpenError::Tile { path, what: "is missing" }
            }
            Err(source) => OpenError::Io { path, source },
        };
        self.wrong_tile.get_or_insert(wrong);
    }

    fn finish(mut self) -> Result<Found, OpenError> {
        let published = self.checkpoint.size();
        if self.size() < published {
            return Err(OpenError::Shorter { found: self.size(), published });
        }
        if self.found.published.frontier().root() != self.checkpoint.root() {
            return Err(OpenError::Inconsistent { published });
        }
        for tile in self.found.published.partial() {
            self.compare(&tile);
        }
        match self.wrong_tile {
            Some(wrong) => Err(wrong),
            None => Ok(self.found),
        }
    }

    fn size(&self) -> u64 {
        self.found.log.frontier.size()
    }

    fn is_past_checkpoint(&self) -> bool {
        self.size() >= self.checkpoint.size()
    }
}
