//! The bytes of a read from a fanotify descriptor.

use std::mem::size_of;

/// Version of the layout that we know (`FANOTIFY_METADATA_VERSION`, since Linux 2.6.37).
const VERSION: u8 = 3;

/// Bytes of `struct fanotify_event_metadata`: length (4), version (1), reserved (1), length of this part
/// (2), mask (8), descriptor (4), process (4).
const HEAD_BYTES: usize = 24;

/// One event as the kernel wrote it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Raw {
    pub(crate) mask: u64,
    /// The descriptor that was opened for us, or negative when there is none.
    pub(crate) fd: i32,
    /// Of the thread that waits, or 0 when our PID namespace has no name for it.
    pub(crate) tid: i32,
}

/// The bytes are not what the kernel promises.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Strange;

/// All events in `bytes`, up to the first that cannot be read.
pub(crate) fn parse(mut bytes: &[u8]) -> (Vec<Raw>, Result<(), Strange>) {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let Some((event, rest)) = first(bytes) else { return (events, Err(Strange)) };
        events.push(event);
        bytes = rest;
    }
    (events, Ok(()))
}

fn first(bytes: &[u8]) -> Option<(Raw, &[u8])> {
    let length = usize::try_from(u32::from_ne_bytes(field(bytes, 0)?)).ok()?;
    let [version] = field(bytes, 4)?;
    if version != VERSION || length < HEAD_BYTES {
        return None;
    }
    let (event, rest) = bytes.split_at_checked(length)?;
    let mask = u64::from_ne_bytes(field(event, 8)?);
    let fd = i32::from_ne_bytes(field(event, 16)?);
    let tid = i32::from_ne_bytes(field(event, 20)?);
    Some((Raw { mask, fd, tid }, rest))
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// An answer as the kernel reads it: `struct fanotify_response`.
pub(crate) fn response(fd: i32, response: u32) -> [u8; 8] {
    const { assert!(size_of::<libc::fanotify_response>() == 8) };
    let (mut bytes, word) = ([0; 8], response.to_ne_bytes());
    let (left, right) = bytes.split_at_mut(4);
    left.copy_from_slice(&fd.to_ne_bytes());
    right.copy_from_slice(&word);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(length: u32, version: u8, mask: u64, fd: i32, tid: i32) -> Vec<u8> {
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend([version, 0, 24, 0]);
        bytes.extend(mask.to_ne_bytes());
        bytes.extend(fd.to_ne_bytes());
        bytes.extend(tid.to_ne_bytes());
        bytes.resize(bytes.len().max(length as usize), 0);
        bytes
    }

    #[test]
    fn events_of_any_length_follow_each_other() {
        let bytes = [event(24, 3, 7, 5, 9), event(48, 3, 8, -1, 0), event(24, 3, 9, 6, 1)].concat();
        let (events, end) = parse(&bytes);
        assert_eq!(end, Ok(()));
        assert_eq!(events[1], Raw { mask: 8, fd: -1, tid: 0 });
        assert_eq!(events.iter().map(|event| event.fd).collect::<Vec<_>>(), [5, -1, 6]);
        assert_eq!(parse(&[]), (vec![], Ok(())));
    }

    #[test]
    fn strange_bytes_end_the_batch_and_keep_what_was_before() {
        let good = event(24, 3, 7, 5, 9);
        for bad in [event(24, 4, 7, 5, 9), event(23, 3, 7, 5, 9), good[..23].to_vec(), vec![1]] {
            let (events, end) = parse(&[good.clone(), bad].concat());
            assert_eq!((events.len(), end), (1, Err(Strange)));
        }
        let mut long = event(24, 3, 7, 5, 9);
        long[0] = 25;
        assert_eq!(parse(&long), (vec![], Err(Strange)));
    }

    #[test]
    fn a_response_is_descriptor_and_word() {
        assert_eq!(response(5, 2), [5_i32.to_ne_bytes(), 2_i32.to_ne_bytes()].concat()[..]);
    }
}
