//! The segment pass: every frame of every segment, in order, against the entries in the bundles.

use crate::files::{Kind as FileKind, LogDir, why_unreadable};
use crate::frames::{Frames, Header, HeaderFault, Kind, Next};
use crate::report::{At, Report};
use crate::tiles::{BUNDLE_BYTES, Entries, read_at_size};
use crate::tree::{TILE_WIDTH, content_hash};

/// Checks all segments and counts the entries in them that lie past the checkpoint's `size`.
pub(crate) fn check(log: &LogDir, size: u64, report: &mut Report) {
    let names = match log.list("segments") {
        Ok(names) => names,
        Err(error) => return report.fault("segments", At::File, why_unreadable(&error)),
    };
    let mut pass = SegmentPass {
        log,
        size,
        report,
        covered: Covered::new(log, size),
        expected: 0,
        segment: None,
    };
    let (segments, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| number_of(name).is_some());
    for name in others {
        let file = format!("segments/{name}");
        pass.report.warn(file, At::File, "is not part of the format: not checked");
    }
    let last = segments.len().saturating_sub(1);
    let mut buffer = Vec::new();
    for (place, name) in segments.iter().enumerate() {
        buffer = pass.segment(name, place == last, buffer);
    }
    pass.finish();
}

/// The number in a segment's name: 20 digits and `.seg`.
fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

struct SegmentPass<'a> {
    log: &'a LogDir,
    size: u64,
    report: &'a mut Report,
    covered: Covered<'a>,
    /// The index that the next entry must have.
    expected: u64,
    /// The number of the segment read last.
    segment: Option<u64>,
}

impl SegmentPass<'_> {
    fn segment(&mut self, name: &str, last: bool, buffer: Vec<u8>) -> Vec<u8> {
        let file = format!("segments/{name}");
        match Frames::open(&self.log.path(&file), buffer) {
            Ok((header, mut frames)) => {
                self.report.checked.segments += 1;
                self.header(&file, name, header);
                while self.frame(&file, &mut frames, last) {}
                frames.into_buffer()
            }
            Err(fault) => {
                self.unopened(&file, fault, last);
                self.segment = number_of(name);
                Vec::new()
            }
        }
    }

    fn unopened(&mut self, file: &str, fault: HeaderFault, last: bool) {
        let meaning = match fault {
            HeaderFault::Unreadable(error) => why_unreadable(&error),
            HeaderFault::Blank => "was preallocated, but nothing was written to it".to_owned(),
            HeaderFault::Damaged(meaning) => meaning.to_owned(),
        };
        self.damage(file, 0, meaning, last);
    }

    /// Numbers run on without a gap, and a segment begins where the one before ended.
    fn header(&mut self, file: &str, name: &str, header: Header) {
        if number_of(name) != Some(header.number) {
            let meaning = format!("the header says segment {}, the name does not", header.number);
            self.report.fault(file, At::Byte(8), meaning);
        }
        if self.segment.is_some_and(|before| number_of(name) != before.checked_add(1)) {
            let meaning = "the segment before it in number is missing";
            self.report.fault(file, At::File, meaning);
        }
        self.segment = number_of(name);
        if header.first != self.expected {
            let meaning = match self.expected {
                0 => format!("begins with entry {}: the segments before are missing", header.first),
                _ => format!(
                    "begins with entry {}, but entry {} comes next",
                    header.first, self.expected
                ),
            };
            self.report.fault(file, At::Byte(16), meaning);
            self.expected = header.first;
        }
    }

    /// Checks one frame; false when nothing more can be read from this segment.
    fn frame(&mut self, file: &str, frames: &mut Frames, last: bool) -> bool {
        match frames.next() {
            Next::Frame { kind: Kind::Entry, index, offset } => {
                self.entry(file, offset, index, frames.body());
                true
            }
            Next::Frame { kind: Kind::Payload, index, offset } => {
                self.payload(file, offset, index, frames.body());
                true
            }
            Next::Damaged { offset, meaning } => {
                self.damage(file, offset, meaning, last);
                true
            }
            Next::Lost { offset, meaning } => {
                self.damage(file, offset, meaning, last);
                false
            }
            Next::End => false,
        }
    }

    fn entry(&mut self, file: &str, offset: u64, index: u64, entry: &[u8]) {
        self.in_order(file, offset, index, "entry");
        self.expected = index.saturating_add(1);
        if self.covered.get(index).is_some_and(|bundled| bundled != entry) {
            let name = &self.covered.name;
            let meaning = format!("entry {index} is not the one in {name}: one was changed");
            self.report.fault(file, At::Byte(offset), meaning);
        }
        if index >= self.size {
            self.report.uncovered += 1;
        }
    }

    fn payload(&mut self, file: &str, offset: u64, index: u64, body: &[u8]) {
        if index != self.expected {
            self.in_order(file, offset, index, "payload of entry");
        }
        self.report.checked.payloads += 1;
        if let Some((digest, content)) = body.split_first_chunk::<32>()
            && content_hash(content) != *digest
        {
            let meaning = "the payload does not hash to its digest: it was changed";
            self.report.fault(file, At::Byte(offset), meaning);
        }
    }

    fn in_order(&mut self, file: &str, offset: u64, index: u64, what: &str) {
        if index != self.expected {
            let meaning = format!("{what} {index} stands where entry {} belongs", self.expected);
            self.report.fault(file, At::Byte(offset), meaning);
        }
    }

    /// Damage below the checkpoint is a fault. Past it, at the end of the last segment, it is what
    /// a crash leaves behind: no receipt was given for it.
    fn damage(&mut self, file: &str, offset: u64, meaning: String, last: bool) {
        if last && self.expected >= self.size {
            let meaning = format!("{meaning} (torn tail, past the checkpoint)");
            self.report.warn(file, At::Byte(offset), meaning);
        } else {
            self.report.fault(file, At::Byte(offset), meaning);
        }
    }

    fn finish(self) {
        if self.expected < self.size {
            let meaning = format!(
                "end before entry {}, the checkpoint vouches for {}: {} missing",
                self.expected,
                self.size,
                self.size - self.expected
            );
            self.report.fault("segments", At::Entry(self.expected), meaning);
        }
    }
}

/// The entries that the checkpoint covers, read from the bundles one bundle at a time.
struct Covered<'a> {
    log: &'a LogDir,
    size: u64,
    bundle: Vec<u8>,
    /// The name of the loaded bundle.
    name: String,
    /// Where each entry of the loaded bundle begins and ends.
    places: Vec<(usize, usize)>,
    loaded: Option<u64>,
}

impl<'a> Covered<'a> {
    fn new(log: &'a LogDir, size: u64) -> Self {
        Self {
            log,
            size,
            bundle: Vec::new(),
            name: String::new(),
            places: Vec::new(),
            loaded: None,
        }
    }

    /// Entry `index`, or `None` when it is past the checkpoint or its bundle is broken, which the
    /// tile pass has told already.
    fn get(&mut self, index: u64) -> Option<&[u8]> {
        if index >= self.size {
            return None;
        }
        let number = index / TILE_WIDTH;
        if self.loaded != Some(number) {
            self.load(number);
        }
        let (start, end) = *self.places.get((index % TILE_WIDTH) as usize)?;
        self.bundle.get(start..end)
    }

    fn load(&mut self, number: u64) {
        self.loaded = Some(number);
        self.places.clear();
        let width = (self.size - number * TILE_WIDTH).min(TILE_WIDTH) as usize;
        let (kind, limit) = (FileKind::Entries, BUNDLE_BYTES);
        match read_at_size(self.log, kind, number, width, limit, &mut self.bundle) {
            Ok(name) => self.name = name,
            Err(_) => return,
        }
        let mut end = 0;
        self.places.extend(Entries::new(&self.bundle).take(width).map(|entry| {
            let start = end + 2;
            end = start + entry.len();
            (start, end)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twenty_digits_name_a_segment() {
        assert_eq!(number_of("00000000000000000012.seg"), Some(12));
        for name in ["12.seg", "00000000000000000012", "0000000000000000001x.seg", "index.redb"] {
            assert_eq!(number_of(name), None, "{name}");
        }
    }
}
