//! SipHash-1-3 (Aumasson and Bernstein, 2012) with a fixed key: 64 bits for which nobody finds a
//! second text by arithmetic. A hash made for speed only would let an attacker choose a value that
//! passes for one that the person gave.

const KEY: (u64, u64) = (0x7061_7468_7761_7264, 0x656e_2d6c_696e_6561);

struct Sip([u64; 4]);

impl Sip {
    const fn new() -> Self {
        Self([
            KEY.0 ^ 0x736f_6d65_7073_6575,
            KEY.1 ^ 0x646f_7261_6e64_6f6d,
            KEY.0 ^ 0x6c79_6765_6e65_7261,
            KEY.1 ^ 0x7465_6462_7974_6573,
        ])
    }

    const fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }

    const fn block(&mut self, word: u64) {
        let [a, b, c, d] = self.0;
        self.0 = [a, b, c, d ^ word];
        self.round();
        let [a, b, c, d] = self.0;
        self.0 = [a ^ word, b, c, d];
    }

    const fn finish(mut self) -> u64 {
        let [a, b, c, d] = self.0;
        self.0 = [a, b, c ^ 0xff, d];
        self.round();
        self.round();
        self.round();
        let [a, b, c, d] = self.0;
        a ^ b ^ c ^ d
    }
}

/// What a hashed text stands for, so that a number never passes for a word.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub(crate) enum Domain {
    /// One word of a text.
    Word = 1,
    /// A whole leaf.
    Leaf,
    /// A number in one spelling.
    Number,
    /// A date, or a date and a time, in one spelling.
    Date,
    /// A host or a domain.
    Host,
    /// A grouped number without its grouping.
    Compact,
    /// A few characters of a token.
    Part,
}

/// The hash of a text in a domain.
pub(crate) fn hash(domain: Domain, text: &[u8]) -> u64 {
    let mut sip = Sip::new();
    sip.block(domain as u64);
    let (blocks, rest) = text.as_chunks::<8>();
    for block in blocks {
        sip.block(u64::from_le_bytes(*block));
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let length = (text.len() as u64) << 56;
    sip.block(u64::from_le_bytes(last) | length);
    sip.finish()
}

/// Spreads the bits of a rolling hash.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value ^ (value >> 32)
}
