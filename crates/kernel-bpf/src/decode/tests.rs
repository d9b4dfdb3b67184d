use std::path::Path;

use proptest::prelude::*;

use super::*;

/// An event that opened `/etc/passwd`, as the kernel side lays it out.
fn opened() -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [7u64, 9] {
        bytes.extend(word.to_le_bytes());
    }
    for word in [5u32, 100, 101, 0] {
        bytes.extend(word.to_le_bytes());
    }
    for word in [42u64, 3] {
        bytes.extend(word.to_le_bytes());
    }
    let path = b"passwd/etc/";
    for word in [0xfd0_0001u32, 0o100_644, 257, 2, 1, 3, 1, path.len() as u32] {
        bytes.extend(word.to_le_bytes());
    }
    // Up to where paths begin stands what an event before this one left there.
    bytes.resize(BYTES_AT, 0xaa);
    bytes.extend(path);
    bytes
}

#[test]
fn names_are_put_in_order() {
    let Some(Event::Open { path, origin, file, flags, pid, .. }) = decode(&opened()) else {
        panic!("not an open");
    };
    assert_eq!((path.as_path(), origin), (Path::new("/etc/passwd"), PathOrigin::Walked));
    assert_eq!((pid, flags), (100, Some(2)));
    let file = file.unwrap();
    assert_eq!((file.inode, file.device, file.mode), (42, 0xfd01, 0o100_644));
    assert_eq!(walked(b"", b"/"), Path::new("/"));
    assert_eq!(walked(b"b/a/", b""), Path::new("a/b"));
}

#[test]
fn a_short_event_is_none() {
    let whole = opened();
    for len in 0..whole.len() {
        assert_eq!(decode(&whole[..len]), None, "{len} bytes");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0..10u32) {
        if let Some(place) = bytes.get_mut(16..20) {
            place.copy_from_slice(&kind.to_le_bytes());
        }
        let _ = decode(&bytes);
    }
}
