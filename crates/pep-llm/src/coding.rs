//! Packed bodies (RFC 9110 section 8.4.1).

use std::io::Write;

use flate2::write::{GzDecoder, ZlibDecoder};
use http::header::{self, HeaderMap};
use pathwarden_pep::only;

/// How a body is packed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Coding {
    /// Not at all.
    Identity,
    /// gzip.
    Gzip,
    /// zlib.
    Deflate,
}

/// Why a body cannot be unpacked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum CodingFault {
    /// By a coding that is not known here.
    #[error("it is packed as `{0}`, which is not known here; send it plain or as gzip")]
    Unknown(String),
    /// The bytes are not what the header says.
    #[error("it is not packed as its header says")]
    Broken,
    /// There is more of it than may be.
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
}

impl Coding {
    /// As the headers say.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, CodingFault> {
        if !headers.contains_key(header::CONTENT_ENCODING) {
            return Ok(Self::Identity);
        }
        let named = only(headers, &header::CONTENT_ENCODING).unwrap_or("several").trim();
        match named.to_ascii_lowercase().as_str() {
            "identity" | "" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            _ => Err(CodingFault::Unknown(named.chars().take(64).collect())),
        }
    }
}

/// Unpacks piece by piece.
pub(crate) struct Unpacking {
    kind: Kind,
    max: usize,
}

enum Kind {
    Identity,
    Gzip(GzDecoder<Piece>),
    Deflate(ZlibDecoder<Piece>),
}

/// What came out and nobody has taken yet.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    max: usize,
}

impl Write for Piece {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) > self.max {
            return Err(std::io::ErrorKind::OutOfMemory.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Unpacking {
    /// Of a body of which one piece, unpacked, has at most `max` bytes.
    pub(crate) fn new(coding: Coding, max: usize) -> Self {
        let piece = Piece { bytes: Vec::new(), max };
        let kind = match coding {
            Coding::Identity => Kind::Identity,
            Coding::Gzip => Kind::Gzip(GzDecoder::new(piece)),
            Coding::Deflate => Kind::Deflate(ZlibDecoder::new(piece)),
        };
        Self { kind, max }
    }

    /// What the next bytes hold.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, CodingFault> {
        let fault = |error: &std::io::Error, max| match error.kind() {
            std::io::ErrorKind::OutOfMemory => CodingFault::TooLong(max),
            _ => CodingFault::Broken,
        };
        let unpacked = match &mut self.kind {
            Kind::Identity => return Ok(bytes.to_vec()),
            Kind::Gzip(decoder) => decoder
                .write_all(bytes)
                .and_then(|()| decoder.flush())
                .map(|()| std::mem::take(&mut decoder.get_mut().bytes)),
            Kind::Deflate(decoder) => decoder
                .write_all(bytes)
                .and_then(|()| decoder.flush())
                .map(|()| std::mem::take(&mut decoder.get_mut().bytes)),
        };
        unpacked.map_err(|error| fault(&error, self.max))
    }

    /// All of it is there, or not.
    pub(crate) fn end(&mut self) -> Result<(), CodingFault> {
        let ended = match &mut self.kind {
            Kind::Identity => Ok(()),
            Kind::Gzip(decoder) => decoder.try_finish(),
            // One that has ended takes nothing more; `try_finish` does not say that it was cut off.
            Kind::Deflate(decoder) => match decoder.write(&[0]) {
                Ok(0) => decoder.try_finish(),
                Ok(_) | Err(_) => return Err(CodingFault::Broken),
            },
        };
        ended.map_err(|_| CodingFault::Broken)
    }
}

/// Unpacks a body that is there.
pub(crate) fn unpack(coding: Coding, bytes: Vec<u8>, max: usize) -> Result<Vec<u8>, CodingFault> {
    if coding == Coding::Identity {
        return Ok(bytes);
    }
    let mut unpacking = Unpacking::new(coding, max);
    let unpacked = unpacking.push(&bytes)?;
    unpacking.end()?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderMap;
    use proptest::prelude::*;

    use super::{Coding, CodingFault, Unpacking, unpack};

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_small_body_that_unpacks_to_a_large_one_is_refused() {
        let bomb = packed(&vec![b' '; 1 << 20]);
        assert!(bomb.len() < 10_000);
        assert_eq!(unpack(Coding::Gzip, bomb.clone(), 1 << 20).unwrap().len(), 1 << 20);
        let less = (1 << 20) - 1;
        assert_eq!(unpack(Coding::Gzip, bomb, less), Err(CodingFault::TooLong(less)));
    }

    #[test]
    fn what_is_cut_off_or_no_gzip_is_broken() {
        let whole = packed(b"some text that is long enough");
        assert_eq!(
            unpack(Coding::Gzip, whole[..whole.len() - 9].to_vec(), 99),
            Err(CodingFault::Broken)
        );
        assert_eq!(unpack(Coding::Gzip, b"no gzip".to_vec(), 99), Err(CodingFault::Broken));
    }

    #[test]
    fn a_coding_that_is_not_known_is_refused() {
        for coding in ["br", "zstd", "gzip, br"] {
            let mut headers = HeaderMap::new();
            headers.insert("content-encoding", coding.parse().unwrap());
            assert_eq!(Coding::of(&headers), Err(CodingFault::Unknown(coding.to_owned())));
        }
    }

    proptest! {
        /// However the bytes are cut up, the same comes out.
        #[test]
        fn any_split_unpacks_to_the_same(text in "\\PC{0,200}", at in 0_usize..200) {
            let packed = packed(text.as_bytes());
            let (first, second) = packed.split_at(at.min(packed.len()));
            let mut unpacking = Unpacking::new(Coding::Gzip, 1 << 16);
            let mut out = unpacking.push(first).unwrap();
            out.extend(unpacking.push(second).unwrap());
            unpacking.end().unwrap();
            prop_assert_eq!(out, text.as_bytes());
        }
    }
}
