use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
    let mut reader = Reader::new(1 << 10);
    let mut frames = Vec::new();
    for piece in pieces {
        reader.push(piece);
        while let Some(frame) = reader.next().unwrap() {
            frames.push(frame);
        }
    }
    frames
}

fn said(bytes: &[u8]) -> Vec<(String, Option<String>)> {
    let frames = frames(&[bytes]).into_iter();
    let with = frames.filter(|frame| frame.data.is_some());
    let text = |data: Option<Vec<u8>>| data.map(|data| String::from_utf8(data).unwrap());
    with.map(|frame| (frame.name, text(frame.data))).collect()
}

fn event(name: &str, data: &str) -> (String, Option<String>) {
    (name.to_owned(), Some(data.to_owned()))
}

#[test]
fn every_line_break_ends_a_line() {
    let want = vec![event("a", "1\n2"), event("", "3")];
    for breaks in ["\n", "\r", "\r\n"] {
        let text = "event: a\ndata: 1\ndata:2\n\ndata: 3\n\n".replace('\n', breaks);
        assert_eq!(said(text.as_bytes()), want, "{breaks:?}");
    }
}

#[test]
fn fields_are_read_as_the_standard_says() {
    assert_eq!(said(b"data\n\n"), [event("", "")]);
    assert_eq!(said(b"data:  two\n\n"), [event("", " two")]);
    assert_eq!(said(b"event: a\nevent: b\ndata: 1\n\n"), [event("b", "1")]);
    assert_eq!(said(b": c\nid: 1\nretry: 5\nx: y\ndata: 1\n\n"), [event("", "1")]);
    assert_eq!(said(b"\xef\xbb\xbfdata: 1\n\n"), [event("", "1")]);
    assert_eq!(said(b"Data: 1\n\n data: 2\n\n"), []);
}

#[test]
fn an_event_that_is_not_complete_is_no_frame() {
    assert!(frames(&[b"data: 1\n"]).is_empty());
    assert!(frames(&[b"\xef\xbb"]).is_empty());
}

#[test]
fn a_carriage_return_ends_an_event_at_once() {
    let all = frames(&[b"data: 1\r\n\r"]);
    assert_eq!(all.len(), 1);
    let all = frames(&[b"data: 1\r\n\r", b"\n", b"data: 2\r\n\r\n"]);
    let raw: Vec<&[u8]> = all.iter().map(|frame| frame.raw.as_slice()).collect();
    assert_eq!(raw, [b"data: 1\r\n\r".as_slice(), b"\n", b"data: 2\r\n\r", b"\n"]);
}

#[test]
fn other_data_leaves_the_rest_as_it_was() {
    let with =
        |bytes: &[u8]| String::from_utf8(frames(&[bytes])[0].with_data(b"{\"a\":\n1}")).unwrap();
    assert_eq!(with(b"id: 7\r\ndata:0\r\n: c\r\n\r\n"), "id: 7\r\ndata:{\"a\": 1}\r\n: c\r\n\r");
    assert_eq!(with(b"data: 0\n: c\ndata: 1\nid: 2\n\n"), "data: {\"a\": 1}\n: c\nid: 2\n\n");
    assert_eq!(with(b"data: 0\ndata: 1\n\n"), "data: {\"a\": 1}\n\n");
}

#[test]
fn an_event_is_as_long_as_allowed_and_not_one_byte_longer() {
    for (extra, is_fine) in [(0, true), (1, false)] {
        let mut event = b"data: ".to_vec();
        event.resize(62 + extra, b'x');
        event.extend(b"\n\n");
        let mut at_once = Reader::new(64);
        at_once.push(&event);
        assert_eq!(at_once.next().is_ok(), is_fine);
        let mut slowly = Reader::new(64);
        let next = |byte: &u8| {
            slowly.push(&[*byte]);
            slowly.next().is_ok()
        };
        assert_eq!(event.iter().all(next), is_fine);
    }
}

proptest! {
    /// No byte is lost, and where the pieces end changes nothing.
    #[test]
    fn frames_do_not_depend_on_the_pieces(
        text in "(\u{feff})?([dataevn:{} x\r\n\u{e9}]|data: |\r\n|\n\n){0,60}",
        cuts in vec(0_usize..80, 0..6),
    ) {
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let raw = |frames: Vec<Frame>| frames.into_iter().map(|frame| frame.raw).collect::<Vec<_>>();
        let whole = raw(frames(&[bytes]));
        prop_assert!(bytes.starts_with(&whole.concat()));
        prop_assert_eq!(whole, raw(frames(&pieces)));
    }
}
