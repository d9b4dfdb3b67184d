//! Arithmetic in fixed point, so that a decision replays byte for byte.

use pathwarden_types::Ratio;

/// Steps between two whole bits.
pub(crate) const BIT: u64 = 256;

/// The binary logarithm in 1/256 bits, rounded down; 0 for 0 and 1. By repeated squaring: each square
/// gives one more binary digit.
pub(crate) fn log2(value: u64) -> u64 {
    let Some(whole) = value.checked_ilog2() else { return 0 };
    // The mantissa in [1, 2), with 31 binary digits.
    let mut mantissa = (u128::from(value) << 31) >> whole;
    let mut log = u64::from(whole);
    for _ in 0..BIT.ilog2() {
        mantissa = (mantissa * mantissa) >> 31;
        log <<= 1;
        if mantissa >> 32 != 0 {
            mantissa >>= 1;
            log |= 1;
        }
    }
    log
}

/// `part` of `whole`, rounded down, at most one; nothing of nothing is zero.
pub(crate) fn share(part: u64, whole: u64) -> Ratio {
    let steps = (u128::from(part) * u128::from(Ratio::STEPS)).checked_div(u128::from(whole));
    let steps = steps.map_or(0, |steps| steps.min(u128::from(Ratio::STEPS)));
    u16::try_from(steps).map_or(Ratio::ONE, Ratio::of)
}

/// One or the other: `1 - (1 - a)(1 - b)`.
pub(crate) fn either(a: Ratio, b: Ratio) -> Ratio {
    a.complement().times(b.complement()).complement()
}

#[cfg(test)]
mod tests {
    use pathwarden_types::Ratio;
    use proptest::prelude::*;

    use super::{either, log2, share};

    #[test]
    fn logarithms_are_right_to_the_last_digit() {
        let cases = [(0, 0), (1, 0), (2, 256), (3, 405), (10, 850), (1 << 40, 10_240)];
        for (value, log) in cases {
            assert_eq!(log2(value), log, "{value}");
        }
        assert_eq!(log2(u64::MAX), 64 * 256 - 1);
    }

    proptest! {
        #[test]
        fn logarithms_never_fall(a: u64, b: u64) {
            prop_assert!(log2(a.min(b)) <= log2(a.max(b)));
        }

        #[test]
        fn shares_and_unions_stay_between_zero_and_one(a: u64, b: u64, c in 0_u16..=10_000) {
            let union = either(share(a, b), Ratio::of(c));
            prop_assert!(union >= Ratio::of(c) && union <= Ratio::ONE);
        }
    }
}
