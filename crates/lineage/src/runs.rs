//! A multimap from hashes to numbers in sorted runs, merged as they grow: small, quick to extend,
//! and a look-up of what is not there mostly costs one bit per run.

/// The multimap.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Runs {
    runs: Vec<Run>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Run {
    keys: Vec<u64>,
    values: Vec<u32>,
    filter: Vec<u64>,
}

/// Bits of the filter for each key.
const FILTER_BITS: usize = 8;

impl Runs {
    /// Bytes that one entry takes.
    #[cfg(test)]
    pub(crate) const ENTRY_BYTES: usize = 8 + 4 + FILTER_BITS / 8;

    pub(crate) fn len(&self) -> usize {
        self.runs.iter().map(|run| run.keys.len()).sum()
    }

    /// Adds entries.
    pub(crate) fn add(&mut self, mut entries: Vec<(u64, u32)>) {
        entries.sort_unstable();
        // Merging whenever the last run is not half of the one before keeps the runs few.
        while self.runs.last().is_some_and(|run| run.keys.len() < entries.len().saturating_mul(2)) {
            let Some(run) = self.runs.pop() else { break };
            entries = run.merged(&entries);
        }
        if !entries.is_empty() {
            self.runs.push(Run::of(&entries));
        }
    }

    /// The values of a key, least first within a run; at most `limit`.
    pub(crate) fn find(&self, key: u64, limit: usize) -> impl Iterator<Item = u32> + '_ {
        self.runs.iter().flat_map(move |run| run.find(key)).take(limit)
    }

    /// How many values a key has, counted up to `limit`.
    pub(crate) fn count(&self, key: u64, limit: usize) -> usize {
        self.find(key, limit).count()
    }
}

impl Run {
    fn of(entries: &[(u64, u32)]) -> Self {
        let mut filter = vec![0; (entries.len() * FILTER_BITS).div_ceil(64)];
        let bits = filter.len() * 64;
        for (key, _) in entries {
            let bit = bit_of(*key, bits);
            if let Some(word) = filter.get_mut(bit / 64) {
                *word |= 1u64 << (bit % 64);
            }
        }
        let (keys, values) = entries.iter().copied().unzip();
        Self { keys, values, filter }
    }

    /// Its entries and more, both in order.
    fn merged(&self, more: &[(u64, u32)]) -> Vec<(u64, u32)> {
        let mut merged = Vec::with_capacity(self.keys.len() + more.len());
        let mut own = self.keys.iter().copied().zip(self.values.iter().copied()).peekable();
        for entry in more {
            while let Some(before) = own.next_if(|before| before <= entry) {
                merged.push(before);
            }
            merged.push(*entry);
        }
        merged.extend(own);
        merged
    }

    fn find(&self, key: u64) -> impl Iterator<Item = u32> + '_ {
        let bit = bit_of(key, self.filter.len() * 64);
        let may_hold =
            self.filter.get(bit / 64).is_some_and(|word| word & (1u64 << (bit % 64)) != 0);
        let first = if may_hold {
            self.keys.partition_point(|other| *other < key)
        } else {
            self.keys.len()
        };
        let keys = self.keys.iter().skip(first);
        let values = self.values.iter().skip(first);
        keys.zip(values).take_while(move |(other, _)| **other == key).map(|(_, value)| *value)
    }
}

fn bit_of(key: u64, bits: usize) -> usize {
    let scaled = (u128::from(key) * bits as u128) >> 64;
    usize::try_from(scaled).unwrap_or(0)
}
