//! Device numbers: the kernel's own form has 12 bits of major above 20 of minor, `st_dev` mixes them.

const MINOR_BITS: u32 = 20;
const MINOR_MASK: u32 = (1 << MINOR_BITS) - 1;

/// As `stat` says it.
pub(crate) fn to_stat(kernel: u32) -> u64 {
    rustix::fs::makedev(kernel >> MINOR_BITS, kernel & MINOR_MASK)
}

/// As the kernel says it; `None` when it has no such number.
pub(crate) fn to_kernel(stat: u64) -> Option<u32> {
    let (major, minor) = (rustix::fs::major(stat), rustix::fs::minor(stat));
    let fits = major < 1 << (u32::BITS - MINOR_BITS) && minor <= MINOR_MASK;
    fits.then_some(major << MINOR_BITS | minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_same_device() {
        // Two disks, and a minor that does not fit into eight bits.
        for (kernel, stat) in [(0x0010_0000, 0x100), (0x0fd0_0001, 0xfd01), (0x12345, 0x1230_0045)]
        {
            assert_eq!(to_stat(kernel), stat);
            assert_eq!(to_kernel(stat), Some(kernel));
        }
        assert_eq!(to_kernel(u64::MAX), None);
    }
}
