//! One segment file, frame by frame, into a reused buffer.
//!
//! A segment begins with a header of 64 bytes: magic `PWSEG1\n\0`, segment number and index of the
//! first entry (u64), format version (u32), 32 zero bytes, CRC-32C of the 60 bytes before (u32); all
//! integers little-endian. Frames begin at multiples of 8: body length (u32), CRC-32C over
//! everything else in the frame (u32), kind (u8), three zero bytes, entry index (u64), body, zeros
//! to the next multiple of 8. Eight zero bytes end the written part; only zeros follow.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::crc::crc32c;

const MAGIC: &[u8; 8] = b"PWSEG1\n\0";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 64;
const FRAME_HEADER_BYTES: u64 = 20;

/// An entry is below 64 KiB, so that its length fits the two bytes a bundle has for it.
const MAX_ENTRY_BYTES: u32 = 65_535;

/// A payload is its 32-byte digest and at most 8 MiB of content.
const MAX_PAYLOAD_BYTES: u32 = 32 + (8 << 20);

/// Bytes read from a file at once.
const BUFFER_BYTES: usize = 1 << 18;

/// What the header of a segment says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    /// Segments are numbered without gaps.
    pub(crate) number: u64,
    /// The index of the first entry in this segment.
    pub(crate) first: u64,
}

/// Which kind of frame was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// The body is an entry of the log.
    Entry,
    /// The body is a digest followed by the content it belongs to.
    Payload,
}

/// What stands at the next frame boundary.
#[derive(Debug)]
pub(crate) enum Next {
    /// A whole frame with a valid checksum; its body is in [`Frames::body`].
    Frame {
        /// Entry or payload.
        kind: Kind,
        /// The entry's index, or that of the entry the payload came with.
        index: u64,
        /// Where the frame begins.
        offset: u64,
    },
    /// A frame that is not as it was written, but whose end is known: reading can go on behind it.
    Damaged {
        /// Where the frame begins.
        offset: u64,
        /// What is wrong.
        meaning: String,
    },
    /// Bytes that are no frame: nothing behind them can be found.
    Lost {
        /// Where reading stopped.
        offset: u64,
        /// What is wrong.
        meaning: String,
    },
    /// The written part ends here.
    End,
}

/// Reads the frames of one segment in order.
#[derive(Debug)]
pub(crate) struct Frames {
    file: BufReader<File>,
    offset: u64,
    body: Vec<u8>,
}

/// Why a segment could not be opened.
#[derive(Debug)]
pub(crate) enum HeaderFault {
    /// The file cannot be read, or not far enough.
    Unreadable(io::Error),
    /// The header is all zeros: preallocated, never written.
    Blank,
    /// The header is not as it was written.
    Damaged(&'static str),
}

impl Frames {
    /// Opens a segment and reads its header. `body` is the buffer to reuse.
    pub(crate) fn open(path: &Path, body: Vec<u8>) -> Result<(Header, Self), HeaderFault> {
        let file = File::open(path).map_err(HeaderFault::Unreadable)?;
        let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut header = [0; HEADER_BYTES];
        file.read_exact(&mut header).map_err(HeaderFault::Unreadable)?;
        let header = parse_header(&header)?;
        Ok((header, Self { file, offset: HEADER_BYTES as u64, body }))
    }

    /// The body of the frame read last.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Gives the buffer back for the next segment.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.body
    }

    /// Reads what stands at the next boundary.
    pub(crate) fn next(&mut self) -> Next {
        let offset = self.offset;
        match self.read_frame(offset) {
            Ok(next) => next,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Next::Lost { offset, meaning: "the file ends in the middle of a frame".to_owned() }
            }
            Err(error) => Next::Lost { offset, meaning: format!("cannot be read: {error}") },
        }
    }

    fn read_frame(&mut self, offset: u64) -> io::Result<Next> {
        let lost = |meaning: &str| Ok(Next::Lost { offset, meaning: meaning.to_owned() });
        let mut start = [0; 8];
        match self.read_start(&mut start)? {
            0 => return Ok(Next::End),
            8 => {}
            _ => return lost("the file ends in the middle of a frame"),
        }
        if start == [0; 8] {
            return self.read_zeros(offset);
        }
        let [a, b, c, d, checksum @ ..] = start;
        let length_bytes = [a, b, c, d];
        let length = u32::from_le_bytes(length_bytes);
        let mut rest = [0; 12];
        self.file.read_exact(&mut rest)?;
        let [kind, zeros @ .., _, _, _, _, _, _, _, _] = rest;
        let [_, _, _, _, index @ ..] = rest;
        let kind = match (kind, length, zeros) {
            (1, 1..=MAX_ENTRY_BYTES, [0, 0, 0]) => Kind::Entry,
            (2, 32..=MAX_PAYLOAD_BYTES, [0, 0, 0]) => Kind::Payload,
            _ => return lost("no frame begins here: its length or kind is impossible"),
        };
        self.read_body(length)?;
        let padding_is_zero = self.read_padding(length)?;
        if crc32c(&[&length_bytes, &rest, &self.body]) != u32::from_le_bytes(checksum) {
            let meaning = "the frame's checksum does not fit: it was changed or half written";
            return Ok(Next::Damaged { offset, meaning: meaning.to_owned() });
        }
        if !padding_is_zero {
            let meaning = "the bytes that fill up the frame are not zero".to_owned();
            return Ok(Next::Damaged { offset, meaning });
        }
        Ok(Next::Frame { kind, index: u64::from_le_bytes(index), offset })
    }

    /// Reads the first 8 bytes of a frame, or as many as the file still has.
    fn read_start(&mut self, start: &mut [u8; 8]) -> io::Result<u64> {
        let mut taken = (&mut self.file).take(8);
        let mut read = 0;
        for slot in start.iter_mut() {
            match taken.read(std::slice::from_mut(slot))? {
                0 => break,
                _ => read += 1,
            }
        }
        Ok(read)
    }

    fn read_body(&mut self, length: u32) -> io::Result<()> {
        self.body.resize(length as usize, 0);
        self.file.read_exact(&mut self.body)
    }

    /// Moves to the next boundary and says whether only zeros were passed.
    fn read_padding(&mut self, length: u32) -> io::Result<bool> {
        let end = self.offset + FRAME_HEADER_BYTES + u64::from(length);
        let mut padding = [0; 8];
        let width = (end.next_multiple_of(8) - end) as usize;
        let (padding, _) = padding.split_at_mut(width);
        self.file.read_exact(padding)?;
        self.offset = end.next_multiple_of(8);
        Ok(padding.iter().all(|byte| *byte == 0))
    }

    /// Behind the end mark there are only zeros.
    fn read_zeros(&mut self, from: u64) -> io::Result<Next> {
        let mut at = from + 8;
        let mut chunk = [0_u8; 1 << 13];
        loop {
            let read = self.file.read(&mut chunk)?;
            let (chunk, _) = chunk.split_at(read);
            if let Some(place) = chunk.iter().position(|byte| *byte != 0) {
                let meaning = "bytes stand behind the end mark of the segment".to_owned();
                return Ok(Next::Lost { offset: at + place as u64, meaning });
            }
            if read == 0 {
                return Ok(Next::End);
            }
            at += read as u64;
        }
    }
}

fn parse_header(header: &[u8; HEADER_BYTES]) -> Result<Header, HeaderFault> {
    if header.iter().all(|byte| *byte == 0) {
        return Err(HeaderFault::Blank);
    }
    let mut fields = Fields(header);
    let (magic, number, first) = (fields.take::<8>(), fields.take(), fields.take());
    let (version, zeros, checksum) = (fields.take(), fields.take::<32>(), fields.take());
    let (checked, _) = header.split_at(HEADER_BYTES - 4);
    if magic != *MAGIC {
        return Err(HeaderFault::Damaged("is not a segment: it does not begin with `PWSEG1`"));
    }
    if u32::from_le_bytes(checksum) != crc32c(&[checked]) {
        return Err(HeaderFault::Damaged("the header's checksum does not fit: it was changed"));
    }
    if u32::from_le_bytes(version) != VERSION {
        return Err(HeaderFault::Damaged("is of a format version this program does not know"));
    }
    if zeros != [0; 32] {
        return Err(HeaderFault::Damaged("the reserved part of the header is not zero"));
    }
    Ok(Header { number: u64::from_le_bytes(number), first: u64::from_le_bytes(first) })
}

/// Takes fixed-size fields off the front of the header, which is as long as they are together.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().unwrap_or((&[0; N], &[]));
        self.0 = rest;
        *field
    }
}
