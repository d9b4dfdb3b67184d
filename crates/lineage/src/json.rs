//! The leaves of a JSON text, each with its pointer and its place in the text.

use std::borrow::Cow;

/// The deepest nesting that is walked; a deeper text is read as running text.
const DEPTH_MAX: usize = 128;

/// The longest pointer that is kept, in bytes; below it the pointer is that of the ancestor.
const POINTER_BYTES_MAX: usize = 512;

/// From which byte of an unescaped text on which bytes of the source are meant.
pub(crate) type Jumps = Vec<(usize, usize)>;

/// One string, number, boolean or telling key.
#[derive(Debug)]
pub(crate) struct JsonLeaf<'a> {
    /// RFC 6901 pointer.
    pub(crate) pointer: &'a str,
    /// Its text, unescaped.
    pub(crate) text: Cow<'a, str>,
    /// Where its bytes stand in the source.
    pub(crate) jumps: Jumps,
    /// Whether it is a string.
    pub(crate) is_string: bool,
}

/// Whether a text is a JSON object, array or string.
pub(crate) fn is_json(text: &str) -> bool {
    let first = text.trim_start().as_bytes().first().copied();
    matches!(first, Some(b'{' | b'[' | b'"'))
        && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

/// Shows every leaf of a text that [`is_json`], in order; `false` when it is too deep.
pub(crate) fn each_leaf(text: &str, show: &mut dyn FnMut(JsonLeaf<'_>)) -> bool {
    Scan { text, at: 0, pointer: String::new(), show }.value(0).is_some()
}

struct Scan<'a, 'f> {
    text: &'a str,
    at: usize,
    pointer: String,
    show: &'f mut dyn FnMut(JsonLeaf<'_>),
}

impl Scan<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        while self.peek()?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.peek()
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.next()? {
            _ if depth > DEPTH_MAX => None,
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => {
                let (text, jumps) = self.string()?;
                (self.show)(JsonLeaf { pointer: &self.pointer, text, jumps, is_string: true });
                Some(())
            }
            _ => self.scalar(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        loop {
            match self.next()? {
                b'}' => break,
                b',' => self.at += 1,
                _ => self.member(depth)?,
            }
        }
        self.at += 1;
        Some(())
    }

    fn member(&mut self, depth: usize) -> Option<()> {
        let (name, jumps) = self.string()?;
        let length = self.push(&name.replace('~', "~0").replace('/', "~1"));
        // A name that is no plain word may carry content as a value does.
        if !name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-')) {
            (self.show)(JsonLeaf { pointer: &self.pointer, text: name, jumps, is_string: false });
        }
        self.next().filter(|byte| *byte == b':')?;
        self.at += 1;
        self.value(depth + 1)?;
        self.pointer.truncate(length);
        Some(())
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        let mut index = 0usize;
        loop {
            match self.next()? {
                b']' => break,
                b',' => self.at += 1,
                _ => {
                    let length = self.push(&index.to_string());
                    self.value(depth + 1)?;
                    self.pointer.truncate(length);
                    index += 1;
                }
            }
        }
        self.at += 1;
        Some(())
    }

    fn push(&mut self, token: &str) -> usize {
        let length = self.pointer.len();
        if length + token.len() < POINTER_BYTES_MAX {
            self.pointer.push('/');
            self.pointer.push_str(token);
        }
        length
    }

    fn scalar(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let length = rest.find(|c: char| c.is_whitespace() || ",]}".contains(c));
        let text = rest.get(..length.unwrap_or(rest.len())).filter(|text| !text.is_empty())?;
        let jumps = vec![(0, self.at)];
        self.at += text.len();
        if text != "null" {
            let text = Cow::Borrowed(text);
            (self.show)(JsonLeaf { pointer: &self.pointer, text, jumps, is_string: false });
        }
        Some(())
    }
}

impl<'a> Scan<'a, '_> {
    /// The string that begins here, and where its parts stand.
    fn string(&mut self) -> Option<(Cow<'a, str>, Jumps)> {
        self.next().filter(|byte| *byte == b'"')?;
        let start = self.at + 1;
        let rest = self.text.get(start..)?;
        let stop = rest.find(['"', '\\'])?;
        let mut jumps = vec![(0, start)];
        if rest.as_bytes().get(stop) == Some(&b'"') {
            self.at = start + stop + 1;
            return Some((Cow::Borrowed(rest.get(..stop)?), jumps));
        }
        let (mut text, mut at) = (String::with_capacity(rest.len().min(4_096)), 0);
        loop {
            let plain = rest.get(at..)?;
            let stop = plain.find(['"', '\\'])?;
            text.push_str(plain.get(..stop)?);
            at += stop;
            if rest.as_bytes().get(at) == Some(&b'"') {
                break;
            }
            at += escape(rest.get(at..)?, &mut text)?;
            jumps.push((text.len(), start + at));
        }
        self.at = start + at + 1;
        Some((Cow::Owned(text), jumps))
    }
}

/// Reads one escape, a pair of surrogates being one, and says how long it is. Half a pair becomes
/// U+FFFD.
fn escape(text: &str, to: &mut String) -> Option<usize> {
    let plain = match text.as_bytes().get(1)? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => {
            let unit = |at: usize| u32::from_str_radix(text.get(at..at + 4)?, 16).ok();
            let high = unit(2)?;
            let low = text.get(6..8).filter(|mark| *mark == "\\u").and_then(|_| unit(8));
            return if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (high, low) {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                to.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                Some(12)
            } else {
                to.push(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
                Some(6)
            };
        }
        other => char::from(*other),
    };
    to.push(plain);
    Some(2)
}
