//! What can be set, and the limits that cannot.

/// The largest entry, in bytes: an entry bundle holds lengths in 16 bits.
pub const ENTRY_BYTES_MAX: usize = pathwarden_ledger::tile::ENTRY_BYTES_MAX;

/// The largest payload, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = pathwarden_ledger::frame::PAYLOAD_BYTES_MAX;

/// All payloads of one append together, in bytes: they are written in one piece with their entry.
pub const APPEND_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What an entry can be found by, besides its place in the log.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IndexKey {
    /// A session id (W3C trace id).
    Session([u8; 16]),
    /// An action id (W3C span id).
    Action([u8; 8]),
}

/// How a log is run. [`Options::new`] has the defaults.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The keys an entry is found by: a pure function of its bytes, so that the index can be thrown
    /// away and rebuilt. It must not panic; an entry it cannot read has no keys.
    pub keys_of: fn(&[u8]) -> Vec<IndexKey>,
    /// How long at most a durable entry waits for a checkpoint that covers it, in milliseconds.
    pub publish_every_ms: u64,
    /// How long at most an accepted batched entry waits for its commit to begin, in milliseconds.
    pub batch_window_ms: u64,
    /// The most appends that wait in the queue; one more is refused with `Full`.
    pub queue_entries_max: usize,
    /// The most bytes that wait in the queue; an append that would pass it is refused with `Full`.
    pub queue_bytes_max: usize,
    /// Size of a preallocated segment, in bytes. One append that is larger gets a segment of its own.
    pub segment_bytes: u64,
}

impl Options {
    /// The defaults, with `keys_of` for the index.
    #[must_use]
    pub const fn new(keys_of: fn(&[u8]) -> Vec<IndexKey>) -> Self {
        Self {
            keys_of,
            publish_every_ms: 1_000,
            batch_window_ms: 20,
            queue_entries_max: 65_536,
            queue_bytes_max: 64 * 1024 * 1024,
            segment_bytes: crate::layout::SEGMENT_BYTES,
        }
    }
}
