//! How much a byte of a text says, in fixed point: a decision must replay byte for byte.

/// Shannon's entropy of the bytes, in thousandths of a bit per byte, rounded down.
pub(crate) fn entropy_millibits(bytes: &[u8]) -> u32 {
    let mut counts = [0_u64; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let all = bytes.len() as u64;
    if all == 0 {
        return 0;
    }
    // H = log2(n) - (sum of c log2(c)) / n
    let sum: u64 = counts.iter().filter(|count| **count > 1).map(|c| c * log2(*c)).sum();
    let entropy = log2(all).saturating_sub(sum.div_ceil(all));
    u32::try_from((entropy * 1000) >> FRACTION_BITS).unwrap_or(u32::MAX)
}

/// Bits after the point.
const FRACTION_BITS: u32 = 16;

/// The logarithm to base two, by squaring: each square that passes two is one bit.
fn log2(value: u64) -> u64 {
    let whole = value.max(1).ilog2();
    let mut mantissa = (u128::from(value.max(1)) << 32) >> whole;
    let mut log = u64::from(whole);
    for _ in 0..FRACTION_BITS {
        mantissa = (mantissa * mantissa) >> 32;
        let passes = mantissa >> 33 != 0;
        mantissa >>= u32::from(passes);
        log = (log << 1) | u64::from(passes);
    }
    log
}

#[cfg(test)]
mod tests {
    use super::entropy_millibits;

    #[test]
    fn entropy_of_known_texts() {
        let cases: [(&[u8], u32, u32); 5] = [
            (b"", 0, 0),
            (b"aaaa", 0, 0),
            (b"abab", 999, 1000),
            (b"abcdefgh", 2999, 3000),
            (b"aab", 917, 919),
        ];
        for (text, low, high) in cases {
            let entropy = entropy_millibits(text);
            assert!((low..=high).contains(&entropy), "{text:?} {entropy}");
        }
    }
}
