//! Which program one thread may turn into, and the hash that ties the approval to its arguments.

use std::sync::OnceLock;

use crate::device;

/// The most bytes of arguments that an approval can cover: what Linux lets one argument have. A longer
/// tail is refused by the kernel side.
pub const TAIL_BYTES_MAX: usize = 128 * 1024;

/// No file lies on this device: 4095 and 1048575 are both reserved.
const NO_DEVICE: u32 = u32::MAX;

/// How much of the arguments an approval speaks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extent {
    /// All of them: one byte more or less is another program.
    Whole,
    /// The last bytes. For a script, whose interpreter the kernel puts before them.
    Tail,
}

/// One exec that may happen: this file, with these arguments.
///
/// For a script the file is the interpreter: it is what runs in the end. The arguments are the bytes
/// that the kernel keeps of them: each argument with a zero behind it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "an approval that is not given to a session approves nothing"]
pub struct ExecApproval {
    /// The inode number of the file that is run.
    pub inode: u64,
    /// The device it lies on, as `st_dev` says it. `None` compares no device: for file systems that tell
    /// `stat` another one than they have (overlayfs, btrfs).
    pub device: Option<u64>,
    /// Whether there may be arguments before those that were hashed.
    pub extent: Extent,
    /// How many bytes were hashed.
    pub tail_len: u32,
    /// What [`argv_hash`] made of them.
    pub hash: u64,
    /// When the file was last changed, as `stx_ctime` says it. `None` lets it have changed since.
    pub changed: Option<Changed>,
}

/// When a file was last changed: its content, its rights, its names. Only the kernel sets it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Changed {
    /// Seconds since 1970.
    pub seconds: i64,
    /// And nanoseconds.
    pub nanoseconds: u32,
}

impl ExecApproval {
    /// Approves exactly these arguments.
    pub fn whole(inode: u64, device: Option<u64>, argv: &[u8]) -> Self {
        Self { extent: Extent::Whole, ..Self::tail(inode, device, argv) }
    }

    /// Approves any arguments that end with these.
    pub fn tail(inode: u64, device: Option<u64>, argv: &[u8]) -> Self {
        // What is too long for the field is too long for the kernel side, too, and refused there.
        let tail_len = u32::try_from(argv.len()).unwrap_or(u32::MAX);
        let hash = argv_hash(argv);
        Self { inode, device, extent: Extent::Tail, tail_len, hash, changed: None }
    }

    /// Approves the file only as long as it was not changed since then.
    pub fn unchanged_since(self, changed: Option<Changed>) -> Self {
        Self { changed, ..self }
    }

    /// The value of the map, as `struct approval` in `bpf/wire.h`.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let device = match self.device {
            None => 0,
            Some(stat) => match device::to_kernel(stat) {
                // Zero would mean any.
                None | Some(0) => NO_DEVICE,
                Some(kernel) => kernel,
            },
        };
        let whole: u32 = match self.extent {
            Extent::Whole => 1,
            Extent::Tail => 0,
        };
        let Changed { seconds, nanoseconds } =
            self.changed.unwrap_or(Changed { seconds: 0, nanoseconds: 0 });
        let mut out = Vec::with_capacity(40);
        out.extend(self.inode.to_le_bytes());
        out.extend(self.hash.to_le_bytes());
        for word in [device, self.tail_len, whole, nanoseconds] {
            out.extend(word.to_le_bytes());
        }
        out.extend(seconds.to_le_bytes());
        out
    }
}

/// The hash of a program's arguments, as the kernel side makes it.
///
/// SipHash-2-4 under a key that this process drew at random and keeps to itself, over words of eight
/// bytes in little endian, the last one filled up with zeros, and the length as one more word. Two
/// processes do not agree on it: hash where you attach.
#[must_use]
pub fn argv_hash(bytes: &[u8]) -> u64 {
    // Without a key no session can be attached, so nothing compares with this.
    sip(key().unwrap_or_default(), bytes)
}

/// The key of this process.
pub(crate) fn key() -> Result<[u64; 2], getrandom::Error> {
    static KEY: OnceLock<[u64; 2]> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(*key);
    }
    let drawn = [getrandom::u64()?, getrandom::u64()?];
    Ok(*KEY.get_or_init(|| drawn))
}

fn sip(key: [u64; 2], bytes: &[u8]) -> u64 {
    let [low, high] = key;
    let mut state = State {
        a: low ^ 0x736f_6d65_7073_6575,
        b: high ^ 0x646f_7261_6e64_6f6d,
        c: low ^ 0x6c79_6765_6e65_7261,
        d: high ^ 0x7465_6462_7974_6573,
    };
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        state.word(u64::from_le_bytes(word));
    }
    state.word(bytes.len() as u64);
    state.c ^= 0xff;
    for _ in 0..4 {
        state.round();
    }
    state.a ^ state.b ^ state.c ^ state.d
}

/// The four words of SipHash (Aumasson and Bernstein, 2012).
struct State {
    a: u64,
    b: u64,
    c: u64,
    d: u64,
}

impl State {
    fn word(&mut self, word: u64) {
        self.d ^= word;
        self.round();
        self.round();
        self.a ^= word;
    }

    fn round(&mut self) {
        self.a = self.a.wrapping_add(self.b);
        self.c = self.c.wrapping_add(self.d);
        self.b = self.b.rotate_left(13) ^ self.a;
        self.d = self.d.rotate_left(16) ^ self.c;
        self.a = self.a.rotate_left(32);
        self.c = self.c.wrapping_add(self.b);
        self.a = self.a.wrapping_add(self.d);
        self.b = self.b.rotate_left(17) ^ self.c;
        self.d = self.d.rotate_left(21) ^ self.a;
        self.c = self.c.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The paper's vector for fifteen bytes: padded there as here, but with the length in the top byte
    /// of the last word. So the same words in are the same hash out.
    #[test]
    fn the_rounds_are_those_of_the_paper() {
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        let mut state = State {
            a: key[0] ^ 0x736f_6d65_7073_6575,
            b: key[1] ^ 0x646f_7261_6e64_6f6d,
            c: key[0] ^ 0x6c79_6765_6e65_7261,
            d: key[1] ^ 0x7465_6462_7974_6573,
        };
        state.word(0x0706_0504_0302_0100);
        state.word(0x0f0e_0d0c_0b0a_0908);
        state.c ^= 0xff;
        (0..4).for_each(|_| state.round());
        assert_eq!(state.a ^ state.b ^ state.c ^ state.d, 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn a_device_that_the_kernel_cannot_have_is_not_any_device() {
        let approval = ExecApproval::whole(1, Some(0), b"a\0");
        assert_eq!(approval.to_bytes()[16..20], NO_DEVICE.to_le_bytes());
        let approval = ExecApproval::whole(1, None, b"a\0");
        assert_eq!(approval.to_bytes()[16..20], [0; 4]);
        assert_eq!(approval.to_bytes().len(), 40);
    }

    proptest! {
        #[test]
        fn zeros_at_the_end_count(bytes in prop::collection::vec(any::<u8>(), 0..40), more in 1..9usize) {
            let mut longer = bytes.clone();
            longer.extend(std::iter::repeat_n(0, more));
            prop_assert_ne!(argv_hash(&bytes), argv_hash(&longer));
        }
    }
}
