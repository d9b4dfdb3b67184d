//! What the kernel asks.

use std::fmt;

/// Asked before the content of a file is read or written (Linux 6.14); `libc` does not have it yet.
const FAN_PRE_ACCESS: u64 = 0x0010_0000;

/// What the kernel asks about a file.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Ask {
    /// May it be opened? The question does not say how; see [`syscall_of`](crate::syscall_of).
    Open,
    /// May it be executed? Asked of a script and of its interpreter, too. [`Ask::Open`] follows as a
    /// question of its own.
    Execute,
    /// May its content be read or written? Asked at each access, also through descriptors from before, as
    /// long as the mount was marked when they were opened. Not asked of what is mapped into memory and
    /// there already. Only on ext4, XFS and Btrfs, and only for [`Class::Access`](crate::Class::Access).
    Access,
}

impl Ask {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Execute, Self::Access];

    const fn mask(self) -> u64 {
        match self {
            Self::Open => libc::FAN_OPEN_PERM,
            Self::Execute => libc::FAN_OPEN_EXEC_PERM,
            Self::Access => FAN_PRE_ACCESS,
        }
    }
}

/// A set of [`Ask`]s.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Asks(u64);

impl Asks {
    /// Those that stand in a mask of the kernel.
    pub(crate) fn from_mask(mask: u64) -> Self {
        Self(mask & Ask::ALL.into_iter().collect::<Self>().0)
    }

    pub(crate) const fn mask(self) -> u64 {
        self.0
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn has(self, ask: Ask) -> bool {
        self.0 & ask.mask() != 0
    }

    /// Whether all of the others are among them.
    pub(crate) const fn holds(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them once.
    pub fn iter(self) -> impl Iterator<Item = Ask> {
        Ask::ALL.into_iter().filter(move |ask| self.has(*ask))
    }
}

impl FromIterator<Ask> for Asks {
    fn from_iter<T: IntoIterator<Item = Ask>>(asks: T) -> Self {
        Self(asks.into_iter().fold(0, |mask, ask| mask | ask.mask()))
    }
}

impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
