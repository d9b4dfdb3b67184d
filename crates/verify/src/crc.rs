//! CRC-32C (Castagnoli), sixteen bytes at a time, from tables computed at compile time.
//!
//! Reflected polynomial `0x82F63B78`, initial value and final exclusive-or of all ones.

const TABLES: [[u32; 256]; 16] = tables();

/// The checksum of some parts, as if they were one slice.
pub(crate) fn crc32c(parts: &[&[u8]]) -> u32 {
    !parts.iter().fold(u32::MAX, |state, part| update(state, part))
}

fn update(state: u32, bytes: &[u8]) -> u32 {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let state = blocks.iter().fold(state, update_block);
    rest.iter().fold(state, |state, byte| (state >> 8) ^ look_up(0, *byte ^ low_byte(state)))
}

fn update_block(state: u32, block: &[u8; 16]) -> u32 {
    let [a, b, c, d, rest @ ..] = *block;
    let [a, b, c, d] = (u32::from_le_bytes([a, b, c, d]) ^ state).to_le_bytes();
    let first = look_up(15, a) ^ look_up(14, b) ^ look_up(13, c) ^ look_up(12, d);
    let [e, f, g, h, i, j, k, l, m, n, o, p] = rest;
    let second = look_up(11, e) ^ look_up(10, f) ^ look_up(9, g) ^ look_up(8, h);
    let third = look_up(7, i) ^ look_up(6, j) ^ look_up(5, k) ^ look_up(4, l);
    first ^ second ^ third ^ look_up(3, m) ^ look_up(2, n) ^ look_up(1, o) ^ look_up(0, p)
}

#[expect(clippy::indexing_slicing, reason = "callers pass 0..=15, and a byte fits 256 slots")]
#[inline(always)]
fn look_up(table: usize, byte: u8) -> u32 {
    TABLES[table][byte as usize]
}

fn low_byte(state: u32) -> u8 {
    let [low, ..] = state.to_le_bytes();
    low
}

/// Table `k` advances the checksum of one byte by `k` further zero bytes.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a slip is an error")]
const fn tables() -> [[u32; 256]; 16] {
    const POLYNOMIAL: u32 = 0x82F6_3B78;
    let mut tables = [[0_u32; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ (POLYNOMIAL & (value & 1).wrapping_neg());
            bit += 1;
        }
        tables[0][byte] = value;
        byte += 1;
    }
    let mut table = 1;
    while table < 16 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bit_by_bit(bytes: &[u8]) -> u32 {
        let mut state = u32::MAX;
        for byte in bytes {
            state ^= u32::from(*byte);
            for _ in 0..8 {
                state = if state & 1 == 1 { (state >> 1) ^ 0x82F6_3B78 } else { state >> 1 };
            }
        }
        !state
    }

    /// The vectors of RFC 3720, section B.4, and the customary check value.
    #[test]
    fn published_vectors_hold() {
        assert_eq!(crc32c(&[b"123456789"]), 0xE306_9283);
        assert_eq!(crc32c(&[&[0; 32]]), 0x8A91_36AA);
        assert_eq!(crc32c(&[&[0xFF; 32]]), 0x62A8_AB43);
    }

    proptest! {
        #[test]
        fn any_bytes_however_split_give_the_bitwise_checksum(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            cut in 0_usize..200,
        ) {
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(crc32c(&[left, right]), bit_by_bit(&bytes));
        }
    }
}
