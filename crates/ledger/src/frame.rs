//! The bytes of a segment file: a header, then frames, then zeros.
//!
//! All numbers are little-endian. A frame starts at a multiple of 8 and is padded with zeros to the
//! next one. Eight zero bytes where a frame would start end the written part.

use pathwarden_types::Digest;

use crate::tile::ENTRY_BYTES_MAX;

/// Length of a segment's header, in bytes.
pub const SEGMENT_HEADER_BYTES: usize = 64;

/// Length of a frame's header, in bytes.
pub const FRAME_HEADER_BYTES: usize = 20;

/// The largest payload content, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 8 * 1024 * 1024;

const MAGIC: [u8; 8] = *b"PWSEG1\n\0";
const FORMAT: u32 = 1;
const ALIGNMENT: usize = 8;

/// Why bytes are not a segment header or a frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The bytes end inside it.
    #[error("the file ends inside a frame or header")]
    Short,
    /// A segment header that is not one, or of another format version.
    #[error("the segment header is not one of format version {FORMAT}")]
    Header,
    /// A kind, length, reserved byte or padding that is never written.
    #[error("the frame header is not one that is ever written")]
    Shape,
    /// The checksum does not match.
    #[error("the checksum does not match")]
    Checksum,
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FrameKind {
    /// A log entry; `seq` is its leaf index.
    Entry,
    /// A payload, 32 bytes of SHA-256 before its content; `seq` is the leaf index of the entry it came
    /// with.
    Payload,
}

impl FrameKind {
    const fn code(self) -> u8 {
        match self {
            Self::Entry => 1,
            Self::Payload => 2,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Entry),
            2 => Some(Self::Payload),
            _ => None,
        }
    }

    fn allows(self, body_bytes: usize) -> bool {
        match self {
            Self::Entry => (1..=ENTRY_BYTES_MAX).contains(&body_bytes),
            Self::Payload => {
                (Digest::BYTES..=Digest::BYTES + PAYLOAD_BYTES_MAX).contains(&body_bytes)
            }
        }
    }
}

/// The first 64 bytes of a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SegmentHeader {
    /// Its number, which is also its file name.
    pub number: u64,
    /// The leaf index of the first entry in it.
    pub first_index: u64,
}

impl SegmentHeader {
    /// The 64 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.first_index.to_le_bytes());
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&[0; 32]);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// Reads the first 64 of `bytes`.
    ///
    /// # Errors
    /// When there are fewer, or they are not what [`encode`](Self::encode) gives.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let bytes = bytes.first_chunk::<SEGMENT_HEADER_BYTES>().ok_or(FrameError::Short)?;
        let number = bytes.get(8..16).and_then(u64_le).ok_or(FrameError::Short)?;
        let first_index = bytes.get(16..24).and_then(u64_le).ok_or(FrameError::Short)?;
        let header = Self { number, first_index };
        if header.encode() == bytes { Ok(header) } else { Err(FrameError::Header) }
    }
}

/// The 20 bytes before a frame's body, checked for shape but not yet against the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FrameHeader {
    /// What follows.
    pub kind: FrameKind,
    /// The leaf index it belongs to.
    pub seq: u64,
    body_bytes: u32,
    checksum: u32,
}

impl FrameHeader {
    /// Reads the frame header at the start of `bytes`; `None` where the written part ends.
    ///
    /// # Errors
    /// When there are bytes, and they are no frame header.
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, FrameError> {
        if bytes.is_empty() || bytes.first_chunk::<8>() == Some(&[0; 8]) {
            return Ok(None);
        }
        let bytes = bytes.first_chunk::<FRAME_HEADER_BYTES>().ok_or(FrameError::Short)?;
        let [l0, l1, l2, l3, c0, c1, c2, c3, kind, 0, 0, 0, seq @ ..] = bytes else {
            return Err(FrameError::Shape);
        };
        let header = Self {
            kind: FrameKind::from_code(*kind).ok_or(FrameError::Shape)?,
            seq: u64::from_le_bytes(*seq),
            body_bytes: u32::from_le_bytes([*l0, *l1, *l2, *l3]),
            checksum: u32::from_le_bytes([*c0, *c1, *c2, *c3]),
        };
        if header.kind.allows(header.body_bytes()) {
            Ok(Some(header))
        } else {
            Err(FrameError::Shape)
        }
    }

    /// Length of the body, in bytes.
    #[must_use]
    pub const fn body_bytes(&self) -> usize {
        self.body_bytes as usize
    }

    /// Length of the whole frame with header and padding, in bytes.
    #[must_use]
    pub const fn frame_bytes(&self) -> usize {
        frame_bytes(self.body_bytes())
    }

    /// The body, from the `rest` that follows the header, once checksum and padding were checked.
    ///
    /// # Errors
    /// When `rest` is too short or is not what was written.
    pub fn body<'a>(&self, rest: &'a [u8]) -> Result<&'a [u8], FrameError> {
        let rest = rest.get(..self.frame_bytes() - FRAME_HEADER_BYTES).ok_or(FrameError::Short)?;
        let (body, padding) = rest.split_at_checked(self.body_bytes()).ok_or(FrameError::Short)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(FrameError::Shape);
        }
        let found = checksum(self.body_bytes, self.kind, self.seq, &[body]);
        if found == self.checksum { Ok(body) } else { Err(FrameError::Checksum) }
    }
}

/// Length of the frame around a body, in bytes.
#[must_use]
pub const fn frame_bytes(body_bytes: usize) -> usize {
    (FRAME_HEADER_BYTES + body_bytes).next_multiple_of(ALIGNMENT)
}

/// Appends the frame of an entry to `out`.
///
/// # Errors
/// When the entry is empty or larger than [`ENTRY_BYTES_MAX`].
pub fn push_entry(out: &mut Vec<u8>, index: u64, entry: &[u8]) -> Result<(), FrameError> {
    push(out, FrameKind::Entry, index, &[entry])
}

/// Appends the frame of a payload to `out`.
///
/// # Errors
/// When the content is larger than [`PAYLOAD_BYTES_MAX`].
pub fn push_payload(
    out: &mut Vec<u8>,
    index: u64,
    digest: &Digest,
    content: &[u8],
) -> Result<(), FrameError> {
    push(out, FrameKind::Payload, index, &[digest.as_bytes(), content])
}

/// Splits the body of a payload frame; `None` when it is too short to hold a digest.
#[must_use]
pub fn split_payload(body: &[u8]) -> Option<(Digest, &[u8])> {
    let (digest, content) = body.split_first_chunk::<{ Digest::BYTES }>()?;
    Some((Digest::from_bytes(*digest), content))
}

fn push(out: &mut Vec<u8>, kind: FrameKind, seq: u64, body: &[&[u8]]) -> Result<(), FrameError> {
    let body_bytes = body.iter().map(|part| part.len()).sum();
    if !kind.allows(body_bytes) {
        return Err(FrameError::Shape);
    }
    let length = u32::try_from(body_bytes).map_err(|_| FrameError::Shape)?;
    let end = out.len() + frame_bytes(body_bytes);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum(length, kind, seq, body).to_le_bytes());
    out.extend_from_slice(&[kind.code(), 0, 0, 0]);
    out.extend_from_slice(&seq.to_le_bytes());
    body.iter().for_each(|part| out.extend_from_slice(part));
    out.resize(end, 0);
    Ok(())
}

fn checksum(length: u32, kind: FrameKind, seq: u64, body: &[&[u8]]) -> u32 {
    let crc = crc32c::crc32c(&length.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &[kind.code(), 0, 0, 0]);
    let crc = crc32c::crc32c_append(crc, &seq.to_le_bytes());
    body.iter().fold(crc, |crc, part| crc32c::crc32c_append(crc, part))
}

fn u64_le(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}
