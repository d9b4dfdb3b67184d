//! Compressed bytes inside decoded ones.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};

use crate::Step;

/// How many places of one decoded piece are tried. Two bytes say "zlib", so chance makes some.
const PLACES_MAX: usize = 8;

/// What was inflated and whether more would have come.
pub(crate) struct Inflated {
    pub(crate) step: Step,
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_cut: bool,
}

/// Everything in `bytes` that inflates to something, each to at most `bytes_max`. Damaged and cut
/// streams give what comes before the damage.
pub(crate) fn all(bytes: &[u8], bytes_max: usize) -> impl Iterator<Item = Inflated> {
    let places = (0..bytes.len()).filter_map(|at| {
        let rest = bytes.get(at..)?;
        step(rest).map(|step| (step, rest))
    });
    places.take(PLACES_MAX).filter_map(move |(step, rest)| {
        let inflated = one(step, rest, bytes_max);
        (!inflated.bytes.is_empty()).then_some(inflated)
    })
}

/// Which stream begins here (RFC 1952, 2.3.1; RFC 1950, 2.2 with a window of 32 KiB).
fn step(bytes: &[u8]) -> Option<Step> {
    match bytes {
        [0x1f, 0x8b, 0x08, ..] => Some(Step::Gzip),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some(Step::Zlib),
        _ => None,
    }
}

fn one(step: Step, bytes: &[u8], bytes_max: usize) -> Inflated {
    match step {
        Step::Gzip => read(step, GzDecoder::new(bytes), bytes_max),
        _ => read(step, ZlibDecoder::new(bytes), bytes_max),
    }
}

fn read(step: Step, stream: impl Read, bytes_max: usize) -> Inflated {
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    // An error is the end: what was read before it stays in `bytes`.
    let _ = stream.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    let is_cut = bytes.len() > bytes_max;
    bytes.truncate(bytes_max);
    Inflated { step, bytes, is_cut }
}
