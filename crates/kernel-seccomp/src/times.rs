//! The times of `utime(2)` and its three successors, brought to one form.

use rustix::fs::{Timespec, Timestamps};
use rustix::io::Errno;

use crate::target::Target;

const NANOS_PER_MICRO: i64 = 1_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Times to set. Without any the kernel takes the present, and asks for fewer rights.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Times {
    /// Seconds and nanoseconds of the last access; `UTIME_NOW` and `UTIME_OMIT` as in the kernel.
    pub access: (i64, i64),
    /// Likewise, of the last change.
    pub change: (i64, i64),
}

impl Times {
    const NOW: Self = Self { access: (0, libc::UTIME_NOW), change: (0, libc::UTIME_NOW) };

    /// `struct utimbuf`: whole seconds.
    pub(crate) fn whole(target: &Target<'_>, address: u64) -> Result<Self, Errno> {
        let Some([access, change]) = words(target, address)? else { return Ok(Self::NOW) };
        Ok(Self { access: (access, 0), change: (change, 0) })
    }

    /// `struct timeval[2]`.
    pub(crate) fn micros(target: &Target<'_>, address: u64) -> Result<Self, Errno> {
        let Some([a, a_micros, c, c_micros]) = words(target, address)? else {
            return Ok(Self::NOW);
        };
        // The kernel checks it here: later the special values could hide among the products.
        if !(0..MICROS_PER_SECOND).contains(&a_micros)
            || !(0..MICROS_PER_SECOND).contains(&c_micros)
        {
            return Err(Errno::INVAL);
        }
        Ok(Self {
            access: (a, a_micros * NANOS_PER_MICRO),
            change: (c, c_micros * NANOS_PER_MICRO),
        })
    }

    /// `struct timespec[2]`.
    pub(crate) fn nanos(target: &Target<'_>, address: u64) -> Result<Self, Errno> {
        let Some([a, a_nanos, c, c_nanos]) = words(target, address)? else { return Ok(Self::NOW) };
        Ok(Self { access: (a, a_nanos), change: (c, c_nanos) })
    }

    pub(crate) fn stamps(&self) -> Timestamps {
        let spec = |(tv_sec, tv_nsec)| Timespec { tv_sec, tv_nsec };
        Timestamps { last_access: spec(self.access), last_modification: spec(self.change) }
    }
}

/// So many longs, or none at a null pointer.
fn words<const N: usize>(target: &Target<'_>, address: u64) -> Result<Option<[i64; N]>, Errno> {
    if address == 0 {
        return Ok(None);
    }
    let bytes = target.read_bytes(address, N * size_of::<i64>())?;
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = i64::from_ne_bytes(*bytes);
    }
    Ok(Some(words))
}
