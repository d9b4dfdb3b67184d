//! Server-sent events (WHATWG HTML, section 9.2), read piece by piece and kept byte for byte.

/// One event, or another block of the stream such as a comment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Event {
    /// The bytes as they came, with the blank line that ends it.
    pub(super) raw: Vec<u8>,
    /// The data, when it is not empty.
    pub(super) data: Option<Vec<u8>>,
    /// Whether it has an id, so that the stream can be resumed after it.
    pub(super) has_id: bool,
}

/// An event longer than the parser may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an event is longer than {bytes_max} bytes")]
pub(super) struct TooLong {
    bytes_max: usize,
}

/// What fields and line ends may add to the data of one event, in bytes.
pub(super) const EVENT_OVERHEAD_BYTES: usize = 64 << 10;

/// Cuts a stream into events. Gives the same events however the stream is cut into pieces.
#[derive(Debug)]
pub(super) struct Parser {
    block: Vec<u8>,
    line_start: usize,
    after_return: bool,
    at_start: bool,
    bytes_max: usize,
}

impl Parser {
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self { block: Vec::new(), line_start: 0, after_return: false, at_start: true, bytes_max }
    }

    /// The events that `piece` completes.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        let mut rest = piece;
        while let Some((&first, after_first)) = rest.split_first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                self.block.push(first);
                self.line_start = self.block.len();
                if self.block.len() == 1 {
                    // The event went out with its return; this is the other half of the line end.
                    events.push(self.take());
                }
                rest = after_first;
                continue;
            }
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (line, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            self.block.extend_from_slice(line);
            rest = after;
            if self.block.len() > self.bytes_max {
                return Err(TooLong { bytes_max: self.bytes_max });
            }
            if end.is_some() {
                self.end_line(&mut rest, &mut events);
            }
        }
        Ok(events)
    }

    fn end_line(&mut self, rest: &mut &[u8], events: &mut Vec<Event>) {
        let blank = self.line_start + 1 == self.block.len();
        self.after_return = self.block.last() == Some(&b'\r');
        if self.after_return
            && let Some(after) = rest.strip_prefix(b"\n")
        {
            self.block.push(b'\n');
            self.after_return = false;
            *rest = after;
        }
        self.line_start = self.block.len();
        if blank {
            events.push(self.take());
        }
    }

    fn take(&mut self) -> Event {
        let raw = std::mem::take(&mut self.block);
        self.line_start = 0;
        let at_start = std::mem::take(&mut self.at_start);
        let text = if at_start { raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&raw) } else { &raw };
        let (data, has_id) = read(text);
        Event { raw, data: Some(data).filter(|data| !data.is_empty()), has_id }
    }
}

impl Event {
    /// The event with other data; every other field as it was.
    pub(super) fn with_data(&self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() + 64);
        for line in lines(&self.raw).filter(|line| !line.is_empty() && field(line).0 != b"data") {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        push_data(&mut out, data);
        out
    }
}

/// An event of ours.
pub(super) fn event(data: &[u8]) -> Vec<u8> {
    let mut out = b"event: message\n".to_vec();
    push_data(&mut out, data);
    out
}

/// A comment that keeps the connection alive and means nothing.
pub(super) const WAITING: &[u8] = b": waiting\n\n";

fn push_data(out: &mut Vec<u8>, data: &[u8]) {
    for line in lines(data) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// The data, and whether there is an id.
fn read(block: &[u8]) -> (Vec<u8>, bool) {
    let mut data: Option<Vec<u8>> = None;
    let mut has_id = false;
    for line in lines(block) {
        match field(line) {
            (b"data", value) => match &mut data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => data = Some(value.to_vec()),
            },
            (b"id", _) => has_id = true,
            _ => {}
        }
    }
    (data.unwrap_or_default(), has_id)
}

/// The lines of a block, ended by return, newline or both.
fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(block).filter(|block| !block.is_empty());
    std::iter::from_fn(move || {
        let block = rest.take()?;
        let Some(end) = block.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            return Some(block);
        };
        let (line, after) = block.split_at(end);
        let after = after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default();
        rest = Some(after).filter(|after| !after.is_empty());
        Some(line)
    })
}

/// Name and value of a line; a comment has an empty name.
fn field(line: &[u8]) -> (&[u8], &[u8]) {
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = line.split_at(colon.unwrap_or(line.len()));
    let value = value.strip_prefix(b":").unwrap_or_default();
    (name, value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::string_slice, reason = "tests")]
    use proptest::prelude::*;

    use super::{Event, Parser, TooLong, event};

    fn whole(text: &[u8]) -> Vec<Event> {
        Parser::new(1 << 20).feed(text).unwrap()
    }

    fn data(events: &[Event]) -> Vec<(&[u8], bool)> {
        let with_data =
            events.iter().filter_map(|event| Some((event.data.as_deref()?, event.has_id)));
        with_data.collect()
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        let events = whole(b"\xef\xbb\xbfid: 1\ndata:\n\n: hi\n\nevent: message\ndata: a\ndata:b\n\nretry: 5\r\n\r\ndata:  c\r\r");
        assert_eq!(data(&events), [(b"a\nb".as_slice(), false), (b" c", false)]);
        assert_eq!(events.iter().map(|event| event.has_id).filter(|has| *has).count(), 1);
    }

    #[test]
    fn other_fields_stay_when_the_data_changes() {
        let [changed] =
            whole(b"id: 7\r\nevent: message\r\nretry: 1\r\ndata: old\r\n\r\n").try_into().unwrap();
        assert_eq!(
            changed.with_data(b"n\new"),
            b"id: 7\nevent: message\nretry: 1\ndata: n\ndata: ew\n\n"
        );
    }

    #[test]
    fn an_event_may_be_as_long_as_the_limit_and_no_longer() {
        assert_eq!(Parser::new(10).feed(b"data: xx\n\n").unwrap().len(), 1);
        assert_eq!(Parser::new(9).feed(b"data: xx\n\n"), Err(TooLong { bytes_max: 9 }));
        assert_eq!(Parser::new(9).feed(b"dataaaaaaa"), Err(TooLong { bytes_max: 9 }));
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(
            whole(&event(b"{\n\"a\":1}"))[0].data.as_deref(),
            Some(b"{\n\"a\":1}".as_slice())
        );
    }

    proptest! {
        #[test]
        fn events_do_not_depend_on_how_the_stream_is_cut(
            text in "((data|id|event|x)?(:| |[ab]){0,3}(\r|\n|\r\n)){0,12}", cut: prop::sample::Index,
        ) {
            let all = whole(text.as_bytes());
            // One cut at every place, and all cuts at once.
            let middle = cut.index(text.len() + 1);
            for pieces in [
                vec![&text[..middle], &text[middle..]],
                (0..text.len()).map(|at| &text[at..=at]).collect(),
            ] {
                let mut parser = Parser::new(1 << 20);
                let events: Vec<Event> =
                    pieces.iter().flat_map(|piece| parser.feed(piece.as_bytes()).unwrap()).collect();
                prop_assert_eq!(data(&events), data(&all));
                let raw = |events: &[Event], rest: &[u8]| {
                    events.iter().flat_map(|event| event.raw.clone()).chain(rest.to_vec()).collect::<Vec<_>>()
                };
                prop_assert_eq!(raw(&events, &parser.block), text.as_bytes());
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Parser::new(64).feed(&bytes);
        }
    }
}
