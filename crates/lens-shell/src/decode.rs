//! Codings that command lines hide behind, taken off as the usual tools do.

/// Standard and URL-safe base64, white space and padding ignored; `None` when it is none.
pub(crate) fn base64(text: &str) -> Option<String> {
    bits(text, 6, |byte| {
        let code = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        Some(u32::from(code))
    })
}

/// Base32 of RFC 4648.
pub(crate) fn base32(text: &str) -> Option<String> {
    bits(text, 5, |byte| {
        let code = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        Some(u32::from(code))
    })
}

/// Pairs of hexadecimal digits, whatever stands between them.
pub(crate) fn hex(text: &str) -> Option<String> {
    let digits: String = text.replace("\\x", "").replace("0x", "");
    let digits: String = digits.chars().filter(char::is_ascii_hexdigit).collect();
    bits(&digits, 4, |byte| char::from(byte).to_digit(16))
}

fn bits(text: &str, width: u32, code: impl Fn(u8) -> Option<u32>) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut held, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        held = (held << width | code(byte)?) & 0xffff;
        count += width;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(held >> count & 0xff).ok()?);
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Each line from its end to its start.
pub(crate) fn reversed(text: &str) -> String {
    text.split('\n')
        .map(|line| line.chars().rev().collect::<String>())
        .collect::<Vec<_>>()
        .join("\n")
}

/// What `tr FROM TO` makes of a text; `to` is `None` for `tr -d`.
pub(crate) fn translated(text: &str, from: &str, to: Option<&str>) -> String {
    let from = set(from);
    let Some(to) = to.map(set) else {
        return text.chars().filter(|letter| !from.contains(letter)).collect();
    };
    let map = |letter: char| {
        let place = from.iter().rposition(|other| *other == letter)?;
        to.get(place).or(to.last()).copied()
    };
    text.chars().map(|letter| map(letter).unwrap_or(letter)).collect()
}

/// The letters of a set of `tr`: ranges, escapes and the usual classes written out.
fn set(text: &str) -> Vec<char> {
    let text = text.replace("[:lower:]", "a-z").replace("[:upper:]", "A-Z");
    let text = text.replace("[:digit:]", "0-9").replace("[:space:]", " \\t\\n");
    let text = crate::escape::decode(&text, crate::escape::Dialect::Quotes).text;
    let letters: Vec<char> = text.chars().take(SET_MAX).collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        match (letters.get(at + 1), letters.get(at + 2)) {
            (Some('-'), Some(high)) if letter <= high => {
                out.extend((*letter..=*high).take(SET_MAX));
                at += 3;
            }
            _ => {
                out.push(*letter);
                at += 1;
            }
        }
    }
    out.truncate(SET_MAX);
    out
}

/// The most letters of a set of `tr` that are followed.
const SET_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::{base32, base64, hex, reversed, translated};

    #[test]
    fn codings_come_off() {
        assert_eq!(base64("Y2F0IC9ldGMvcGFzc3dk\n").as_deref(), Some("cat /etc/passwd"));
        assert_eq!(base64("aGk=").as_deref(), Some("hi"));
        assert_eq!(base64("a*"), None);
        assert_eq!(base32("NBUQ====").as_deref(), Some("hi"));
        assert_eq!(hex("68 69").as_deref(), Some("hi"));
        assert_eq!(hex("\\x68\\x69").as_deref(), Some("hi"));
        assert_eq!(reversed("ih\nba\n"), "hi\nab\n");
        assert_eq!(translated("uv", "a-zA-Z", Some("n-za-mN-ZA-M")), "hi");
        assert_eq!(translated("hxix", "x", None), "hi");
    }
}
