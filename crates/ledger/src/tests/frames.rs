//! The segment codec is total, and a turned bit never goes unseen.

use pathwarden_types::Digest;
use proptest::prelude::*;

use crate::frame::{
    FRAME_HEADER_BYTES, FrameError, FrameHeader, FrameKind, PAYLOAD_BYTES_MAX, SegmentHeader,
    frame_bytes, push_entry, push_payload, split_payload,
};

/// Kind, seq and body of the frame at the start of `bytes`.
fn decode(bytes: &[u8]) -> Result<Option<(FrameKind, u64, Vec<u8>)>, FrameError> {
    let Some(header) = FrameHeader::decode(bytes)? else { return Ok(None) };
    let body = header.body(&bytes[FRAME_HEADER_BYTES..])?;
    Ok(Some((header.kind, header.seq, body.to_vec())))
}

/// The layout is a promise to readers of the format: this is the frame byte by byte.
#[test]
fn a_frame_is_laid_out_as_documented() {
    let mut out = Vec::new();
    push_entry(&mut out, 0x0102, b"abc").unwrap();
    let crc = crc32c::crc32c(b"\x03\0\0\0\x01\0\0\0\x02\x01\0\0\0\0\0\0abc").to_le_bytes();
    let want = [&[3, 0, 0, 0], &crc[..], &[1, 0, 0, 0], &[2, 1, 0, 0, 0, 0, 0, 0], b"abc", &[0]];
    assert_eq!(out, want.concat());
    assert_eq!(out.len(), 24);
}

#[test]
fn a_segment_header_is_laid_out_as_documented() {
    let bytes = SegmentHeader { number: 5, first_index: 0x0203 }.encode();
    let mut want = b"PWSEG1\n\0\x05\0\0\0\0\0\0\0\x03\x02\0\0\0\0\0\0\x01\0\0\0".to_vec();
    want.extend_from_slice(&[0; 32]);
    want.extend_from_slice(&crc32c::crc32c(&want).to_le_bytes());
    assert_eq!(bytes, want);
}

#[test]
fn zeros_and_the_end_of_the_file_end_the_written_part() {
    for bytes in [&[][..], &[0; 8], &[0; 100]] {
        assert_eq!(decode(bytes), Ok(None));
    }
    assert_eq!(decode(&[0; 5]), Err(FrameError::Short));
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let mut out = Vec::new();
    assert!(push_entry(&mut out, 0, &[1; 65_535]).is_ok());
    assert_eq!(push_entry(&mut out, 0, &[1; 65_536]), Err(FrameError::Shape));
    assert_eq!(push_entry(&mut out, 0, &[]), Err(FrameError::Shape));
    let content = vec![1; PAYLOAD_BYTES_MAX + 1];
    let digest = Digest::of(b"");
    assert!(push_payload(&mut out, 0, &digest, &content[1..]).is_ok());
    assert_eq!(push_payload(&mut out, 0, &digest, &content), Err(FrameError::Shape));
    assert!(push_payload(&mut out, 0, &digest, &[]).is_ok());
}

proptest! {
    #[test]
    fn an_entry_frame_reads_as_written(
        seq: u64, body in prop::collection::vec(any::<u8>(), 1..500), tail in any::<[u8; 9]>(),
    ) {
        let mut out = Vec::new();
        push_entry(&mut out, seq, &body).unwrap();
        prop_assert_eq!(out.len(), frame_bytes(body.len()));
        prop_assert_eq!(out.len() % 8, 0);
        out.extend_from_slice(&tail);
        prop_assert_eq!(decode(&out), Ok(Some((FrameKind::Entry, seq, body))));
    }

    #[test]
    fn a_payload_frame_reads_as_written(
        seq: u64, content in prop::collection::vec(any::<u8>(), 0..500),
    ) {
        let mut out = Vec::new();
        push_payload(&mut out, seq, &Digest::of(&content), &content).unwrap();
        let (kind, found, body) = decode(&out).unwrap().unwrap();
        prop_assert_eq!((kind, found), (FrameKind::Payload, seq));
        prop_assert_eq!(split_payload(&body), Some((Digest::of(&content), &content[..])));
    }

    #[test]
    fn any_flipped_bit_in_a_frame_is_seen(
        body in prop::collection::vec(any::<u8>(), 1..100), bit: usize,
    ) {
        let mut out = Vec::new();
        push_entry(&mut out, 77, &body).unwrap();
        let at = bit / 8 % out.len();
        out[at] ^= 1 << (bit % 8);
        prop_assert!(decode(&out).is_err());
    }

    #[test]
    fn a_cut_frame_is_seen(body in prop::collection::vec(any::<u8>(), 1..100), cut: usize) {
        let mut out = Vec::new();
        push_entry(&mut out, 77, &body).unwrap();
        let cut = 1 + cut % (out.len() - 1);
        prop_assert!(decode(&out[..cut]).is_err());
    }

    #[test]
    fn any_flipped_bit_in_a_segment_header_is_seen(number: u64, first_index: u64, bit in 0..512) {
        let header = SegmentHeader { number, first_index };
        let mut bytes = header.encode();
        prop_assert_eq!(SegmentHeader::decode(&bytes), Ok(header));
        let bit = usize::try_from(bit).unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(SegmentHeader::decode(&bytes).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if bytes.len() >= FRAME_HEADER_BYTES {
            let _ = decode(&bytes);
        }
        prop_assert!(FrameHeader::decode(&bytes).is_err() || bytes.is_empty()
            || bytes.starts_with(&[0; 8]) || bytes.len() >= FRAME_HEADER_BYTES);
        let _ = SegmentHeader::decode(&bytes);
        let _ = split_payload(&bytes);
    }
}
