//! Server-sent events (WHATWG HTML, section 9.2), found in bytes that come in any pieces.
//!
//! An event ends with the line break of its blank line. Where that is a carriage return, a line feed
//! that follows is a frame of its own: nobody can know whether it will come, and an event must not
//! wait for it.

use std::ops::Range;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// An event is longer than the reader allows.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct TooLong;

/// Cuts a stream of bytes into frames.
#[derive(Debug)]
pub(crate) struct Reader {
    max: usize,
    bytes: Vec<u8>,
    /// Where the next frame starts in `bytes`.
    start: usize,
    /// Where the line starts that is being read.
    line: usize,
    /// Before here there is no line break that was not seen.
    seen: usize,
    /// The place of a byte-order mark is behind us.
    begun: bool,
    /// The last line ended with a carriage return; a line feed right after it belongs to it.
    returned: bool,
}

impl Reader {
    pub(crate) const fn new(max: usize) -> Self {
        let bytes = Vec::new();
        Self { max, bytes, start: 0, line: 0, seen: 0, begun: false, returned: false }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// How many bytes are here that belong to no frame yet.
    pub(crate) fn pending(&self) -> usize {
        self.bytes.len().saturating_sub(self.start)
    }

    /// The next frame that is complete.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, TooLong> {
        if !self.begun {
            let head = self.bytes.get(..MARK.len()).unwrap_or(&self.bytes);
            if head == MARK {
                self.begun = true;
                return Ok(Some(self.cut(MARK.len())));
            }
            if MARK.starts_with(head) {
                return Ok(None);
            }
            self.begun = true;
        }
        let end = self.frame_end();
        if end.unwrap_or(self.bytes.len()).saturating_sub(self.start) > self.max {
            return Err(TooLong);
        }
        let frame = end.map(|end| self.cut(end));
        if frame.is_none() {
            self.compact();
        }
        Ok(frame)
    }

    fn frame_end(&mut self) -> Option<usize> {
        loop {
            let rest = self.bytes.get(self.seen..).unwrap_or_default();
            let Some(offset) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
                self.seen = self.bytes.len();
                return None;
            };
            let at = self.seen + offset;
            let second = self.returned && at == self.line && self.bytes.get(at) == Some(&b'\n');
            let blank = at == self.line && !second;
            self.returned = self.bytes.get(at) == Some(&b'\r');
            self.seen = at + 1;
            self.line = self.seen;
            // A second half with nothing before it follows an event that ended with a return.
            if blank || (second && at == self.start) {
                return Some(self.seen);
            }
        }
    }

    fn cut(&mut self, end: usize) -> Frame {
        let raw = self.bytes.get(self.start..end).unwrap_or_default().to_vec();
        self.start = end;
        self.seen = end;
        self.line = end;
        Frame::of(raw)
    }

    /// Drops what was cut. Only when no frame is left, so that many small ones cost no copying.
    fn compact(&mut self) {
        self.bytes.drain(..self.start);
        self.seen -= self.start;
        self.line -= self.start;
        self.start = 0;
    }
}

/// The bytes up to and with a blank line, and what they say.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) raw: Vec<u8>,
    /// The type of the event; empty where none is given.
    pub(crate) name: String,
    /// The lines of data, joined; `None` where there are none.
    pub(crate) data: Option<Vec<u8>>,
    lines: Vec<Line>,
}

/// Where a line of data stands in the bytes of its frame.
#[derive(Clone, Debug)]
struct Line {
    value: Range<usize>,
    /// With the line break.
    end: usize,
}

impl Frame {
    fn of(raw: Vec<u8>) -> Self {
        let mut name = String::new();
        let mut data: Option<Vec<u8>> = None;
        let mut lines = Vec::new();
        let mut at = 0;
        while let Some((text, end)) = line(&raw, at) {
            let (field, value) = field(&raw, text);
            let content = raw.get(value.clone()).unwrap_or_default();
            match field {
                b"event" => name = String::from_utf8_lossy(content).into_owned(),
                b"data" => {
                    match &mut data {
                        Some(data) => data.extend([b"\n", content].concat()),
                        None => data = Some(content.to_vec()),
                    }
                    lines.push(Line { value, end });
                }
                _ => {}
            }
            at = end;
        }
        Self { raw, name, data, lines }
    }

    /// The frame with other data; every byte that is no data stays as it came.
    pub(crate) fn with_data(&self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.raw.len() + data.len());
        let mut at = 0;
        for (position, line) in self.lines.iter().enumerate() {
            if position == 0 {
                out.extend_from_slice(self.raw.get(..line.value.start).unwrap_or_default());
                push_lines(&mut out, data);
                out.extend_from_slice(self.raw.get(line.value.end..line.end).unwrap_or_default());
            } else {
                // Lines between two lines of data stay; the data itself is in the first one now.
                let between = self.raw.get(at..line.value.start).unwrap_or_default();
                let own = between.iter().rposition(|byte| matches!(byte, b'\r' | b'\n'));
                let kept = between.get(..own.map_or(0, |own| own + 1)).unwrap_or_default();
                out.extend_from_slice(kept);
            }
            at = line.end;
        }
        out.extend_from_slice(self.raw.get(at..).unwrap_or_default());
        out
    }
}

/// An event of our own.
pub(crate) fn compose(name: &str, data: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + data.len() + 16);
    if !name.is_empty() {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(b"data: ");
    push_lines(&mut out, data.as_bytes());
    out.extend_from_slice(b"\n\n");
    out
}

/// JSON text as the value of lines of data. A line break in it is white space between values (the
/// grammar has it nowhere else), so that another white space says the same.
fn push_lines(out: &mut Vec<u8>, data: &[u8]) {
    out.extend(data.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
}

/// The line that starts at `at`: its text, and where it ends with its break.
fn line(raw: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
    let rest = raw.get(at..)?;
    let end = at + rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let pair = raw.get(end..end + 2) == Some(b"\r\n");
    Some((at..end, end + if pair { 2 } else { 1 }))
}

/// The name and the place of the value in a line. A comment has an empty name.
fn field(raw: &[u8], text: Range<usize>) -> (&[u8], Range<usize>) {
    let line = raw.get(text.clone()).unwrap_or_default();
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return (line, text.end..text.end);
    };
    let space = usize::from(line.get(colon + 1) == Some(&b' '));
    (line.get(..colon).unwrap_or_default(), text.start + colon + 1 + space..text.end)
}

#[cfg(test)]
mod tests;
