//! Open segment files, so that a look-up need not open one each time.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ReadError;
use crate::cursor::{Chunk, Cursor, Place};
use crate::layout::Layout;

/// The most segments that are kept open for reading.
const OPEN_MAX: usize = 64;

/// The segments of a log, for reading.
pub(crate) struct Files {
    layout: Layout,
    open: Mutex<BTreeMap<u64, Arc<File>>>,
}

impl Files {
    pub(crate) const fn new(layout: Layout) -> Self {
        Self { layout, open: Mutex::new(BTreeMap::new()) }
    }

    /// A cursor at `place`.
    pub(crate) fn cursor(&self, place: Place, chunk: Chunk) -> Result<Cursor, ReadError> {
        let path = self.layout.segment(place.segment);
        let file = self.file(place.segment)?;
        Ok(Cursor::new(path, file, place.offset, chunk))
    }

    fn file(&self, segment: u64) -> Result<Arc<File>, ReadError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(&segment) {
            return Ok(Arc::clone(file));
        }
        let path = self.layout.segment(segment);
        let file = File::open(&path).map_err(|source| ReadError::Io { path, source })?;
        let file = Arc::new(file);
        if open.len() >= OPEN_MAX {
            open.pop_first();
        }
        open.insert(segment, Arc::clone(&file));
        Ok(file)
    }
}
